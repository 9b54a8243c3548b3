"""What a run folder holds, as far as it is there: the report must work with parts missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from curation.errors import UserError

Json = dict[str, Any]

_MAX_ERRORS = 20


@dataclass(frozen=True)
class RecipeResult:
    """One recipe's folder: its manifest, scorecard, runs, first errors and classifiers."""

    name: str
    path: Path
    manifest: Json = field(default_factory=dict)
    scorecard: Json = field(default_factory=dict)
    runs: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    classifiers: dict[str, Json] = field(default_factory=dict)  # stage label to metrics

    @property
    def funnel(self) -> list[Json]:
        """The funnel's rows, in stage order."""
        return list(self.manifest.get("funnel", []))

    @property
    def dataset_files(self) -> list[Path]:
        """Shards of the documents that stayed."""
        return sorted((self.path / "dataset").glob("*.parquet"))

    @property
    def dropped_files(self) -> list[Path]:
        """Shards of the documents that went."""
        return sorted((self.path / "dropped").glob("*.parquet"))


@dataclass(frozen=True)
class Results:
    """A whole run folder. Recipes stand in the comparison's order, others after them by name."""

    path: Path
    recipes: list[RecipeResult]
    comparison: Json = field(default_factory=dict)
    demo: Json = field(default_factory=dict)

    @property
    def sources(self) -> list[str]:
        """Names of all sources of all recipes, the largest first: a source keeps its colour."""
        documents: dict[str, int] = {}
        for recipe in self.recipes:
            for row in recipe.funnel[:1]:
                for name, part in row.get("by_source", {}).items():
                    seen = documents.get(name, 0)
                    documents[name] = max(seen, part.get("documents_in", 0))
        return sorted(documents, key=lambda name: (-documents[name], name))


def load_results(folder: Path) -> Results:
    """Everything but the documents.

    Raises:
        UserError: `folder` is not there, or one of its JSON files cannot be read.
    """
    if not folder.is_dir():
        raise UserError(
            "no such folder", where=str(folder), hint="Give the --out of a `tilth run`."
        )
    comparison = _read_json(folder / "comparison.json")
    order = {row["name"]: i for i, row in enumerate(comparison.get("recipes", []))}
    recipes = [_load_recipe(path) for path in sorted(folder.iterdir()) if _is_recipe(path)]
    recipes.sort(key=lambda recipe: (order.get(recipe.name, len(order)), recipe.name))
    return Results(folder, recipes, comparison, _read_json(folder / "demo.json"))


def metrics(run: Json) -> Iterator[Json]:
    """The rows of a run's `metrics.jsonl`."""
    yield from _read_lines(Path(run["folder"]) / "metrics.jsonl")


def _is_recipe(path: Path) -> bool:
    marks = ("dataset/manifest.json", "scorecard.json", "runs")
    return path.is_dir() and any((path / mark).exists() for mark in marks)


def _load_recipe(path: Path) -> RecipeResult:
    manifest = _read_json(path / "dataset" / "manifest.json")
    classifiers = {one["stage"]: path / one["folder"] for one in manifest.get("classifiers", [])}
    return RecipeResult(
        name=path.name,
        path=path,
        manifest=manifest,
        scorecard=_read_json(path / "scorecard.json"),
        runs=_load_runs(path / "runs"),
        errors=list(islice(_read_lines(path / "errors.jsonl"), _MAX_ERRORS)),
        classifiers={k: _read_json(f / "metrics.json") for k, f in classifiers.items()},
    )


def _load_runs(folder: Path) -> list[Json]:
    """Finished runs by seed: `run.json` is written last. Each knows its folder."""
    found = [_read_json(p) | {"folder": str(p.parent)} for p in folder.glob("*/run.json")]
    return sorted(found, key=lambda run: (run.get("seed", 0), run["folder"]))


def _read_json(path: Path) -> Json:
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        hint = "Delete the file and run again; it will be rebuilt."
        raise UserError(f"not a JSON object ({error})", where=str(path), hint=hint) from error


def _read_lines(path: Path) -> Iterator[Json]:
    """The rows of a JSON-lines file that may still be written to: stops at a torn line."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for text in lines:
            try:
                yield json.loads(text)
            except ValueError:
                return
