"""Study: an experiment over real text that makes one table; resumable, since all it runs is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
import zstandard

from curation.backends import Backend
from curation.errors import UserError
from curation.files import atomic
from curation.workshop import Progress
from pipelines.recipe import Recipe, load_recipe
from pipelines.run import Outcome, run

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Bench:
    """Where a study works."""

    out: Path
    backend: Backend
    progress: Progress

    def run(self, recipes: list[Recipe], folder: str) -> Outcome:
        """Curates, trains and compares, in a folder below `out`."""
        return run(recipes, self.out / folder, self.backend, self.progress)


Study = Callable[[Bench], str]  # makes what is missing; the result as Markdown


def write_recipe(folder: Path, keys: Mapping[str, Any], judge: Mapping[str, Any]) -> Recipe:
    """A recipe of the study's own making and its judge, in files that can be run by hand."""
    write_yaml(folder / "judge.yaml", judge)
    return load_recipe(write_yaml(folder / f"{keys['name']}.yaml", {"judge": "judge.yaml", **keys}))


def documents(*domains: str) -> Iterator[dict[str, Any]]:
    """The documents of some files of ../shared/data/text.

    Raises:
        UserError: a file is not there.
    """
    for domain in domains:
        path = SHARED / "text" / f"{domain}.jsonl.zst"
        if not path.exists():
            raise UserError("there is no such file", where=str(path), hint="Studies need this data")
        with zstandard.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            yield from map(json.loads, lines)


def write_documents(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """JSONL, unless the file is there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_yaml(path: Path, value: Mapping[str, Any]) -> Path:
    """A file that can be run by hand; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(value), sort_keys=False), "utf-8")
    return path


def markdown(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table; numbers as they are given."""
    names = list(header)
    lines = [names, ["---"] * len(names), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
