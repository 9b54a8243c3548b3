"""`tilth demo`: the whole road over the embedded corpus, and what became of the planted trouble."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.backends import Backend
from curation.files import write_json
from curation.workshop import Progress
from pipelines.demo.catch import CatchRow, Collateral, catch_table, collateral_table
from pipelines.demo.corpus import build_corpus
from pipelines.demo.recipes import write_recipes
from pipelines.recipe import Recipe, load_recipe
from pipelines.run import Outcome, run


@dataclass(frozen=True)
class Demonstration:
    """The outcome of the run, and per recipe what it caught."""

    outcome: Outcome
    caught: dict[str, list[CatchRow]]
    collateral: dict[str, list[Collateral]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON; also the content of `demo.json`."""
        return {**self.outcome.to_dict(), "planted": self.planted()}

    def planted(self) -> dict[str, Any]:
        """Per recipe: the trouble of every kind, and the unplanted text it dropped."""
        return {
            name: {
                "trouble": [row.to_dict() for row in rows],
                "unplanted": [row.to_dict() for row in self.collateral[name]],
            }
            for name, rows in self.caught.items()
        }


def demonstrate(out: Path, backend: Backend, progress: Progress, seed: int = 0) -> Demonstration:
    """Builds the corpus, runs the bundled recipes on it and counts what they caught."""
    corpus = out / "corpus"
    progress("collect the installed documentation", 0, 1)
    build_corpus(corpus, seed=seed)
    progress("collect the installed documentation", 1, 1)
    recipes = [load_recipe(file) for file in write_recipes(corpus)]

    def count(outcome: Outcome) -> None:
        write_json(out / "demo.json", _demonstration(outcome, recipes, corpus).planted())

    outcome = run(recipes, out, backend, progress, before_report=count)
    return _demonstration(outcome, recipes, corpus)


def _demonstration(outcome: Outcome, recipes: list[Recipe], corpus: Path) -> Demonstration:
    truth = corpus / "truth.parquet"
    caught, collateral = {}, {}
    for recipe in recipes:
        home = outcome.out / recipe.name
        names = [planned.stage.name for planned in recipe.stages]
        caught[recipe.name] = catch_table(truth, home / "dataset", home / "dropped", names)
        collateral[recipe.name] = collateral_table(truth, home / "dataset", home / "dropped")
    return Demonstration(outcome, caught, collateral)
