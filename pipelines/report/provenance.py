"""Section 8: what made these numbers, so that they can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pipelines.report.format import ABSENT, compact, count, size
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.table import pairs, table, texts

_MAX_PARAM = 400
_MADE = ("created", "tilth", "commit", "machine", "python", "pyarrow")


def provenance(results: Results) -> Html:
    """Judge, datasets side by side, and the parameters of every stage."""
    made = [recipe for recipe in results.recipes if recipe.manifest or recipe.scorecard]
    return join([_judge(results), _datasets(made), *(_stages(recipe) for recipe in made)])


def _judge(results: Results) -> Html:
    comparison = results.comparison
    if not comparison:
        return Html("")
    rows = [
        ("judge", _plain(comparison.get("judge"))),
        ("primary metric", _plain(comparison.get("primary"))),
        ("baseline", _plain(comparison.get("baseline"))),
        ("seeds", compact(comparison.get("seeds"))),
        ("method", ", ".join(_methods(comparison.get("pairs", []))) or ABSENT),
    ]
    return pairs("Judge", rows)


def _methods(compared: Iterable[Json]) -> list[str]:
    return sorted({str(pair["method"]) for pair in compared if pair.get("method")})


def _datasets(made: list[RecipeResult]) -> Html:
    if not made:
        return Html("")
    facts = [_facts(recipe) for recipe in made]
    rows = [[name, *(column[name] for column in facts)] for name in facts[0]]
    return table("Datasets", texts("fact", *(recipe.name for recipe in made)), rows)


def _facts(recipe: RecipeResult) -> dict[str, str]:
    manifest = recipe.manifest
    made = manifest | manifest.get("made", {})
    return {
        "fingerprint": tag("code", _plain(manifest.get("fingerprint"))),
        "judge": tag("code", _plain(recipe.scorecard.get("judge"))),
        "seed": compact(manifest.get("seed")),
        **{name: _plain(made.get(name)) for name in _MADE},
        "dataset": _shards(manifest.get("shards", [])),
        "dropped": _shards(manifest.get("dropped", {}).get("shards", [])),
    }


def _shards(shards: list[Json]) -> str:
    rows = sum(shard.get("rows", 0) for shard in shards)
    n_bytes = sum(shard.get("bytes", 0) for shard in shards)
    return f"{count(rows)} documents in {len(shards)} shards, {size(n_bytes)}"


def _stages(recipe: RecipeResult) -> Html:
    stages = recipe.manifest.get("stages", [])
    if not stages:
        return Html("")
    columns = texts("stage", "version", "parameters")
    rows = [
        [
            f"{stage['label']} ({stage.get('name', stage['label'])})",
            compact(stage.get("version")),
            join(_params(stage.get("params", {}))),
        ]
        for stage in stages
    ]
    title = f"Stages and their parameters, {recipe.name}"
    return tag("details", tag("summary", title), table(title, columns, rows))


def _params(params: Json) -> Iterable[Html]:
    if not params:
        yield Html(ABSENT)
    for key, value in params.items():
        text = clip(json.dumps(value, ensure_ascii=False), _MAX_PARAM)
        yield tag("span", tag("b", key), f" {text}", class_="param")


def _plain(value: object) -> str:
    return ABSENT if value is None else str(value)
