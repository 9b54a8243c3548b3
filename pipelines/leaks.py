"""Scores of recipes on the items that documents hold, and on all others.

For recipes with and without these items, trained by one judge: how much of a score is memory.
`python -m pipelines.leaks DIR MARKED [RECIPE...]` prints a table of what lies in `DIR`, where
`DIR/MARKED/artifacts/decontaminate/items.parquet` tells the items.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from curation.decontaminate.reporting import CONTAMINATED
from eval.metrics import ItemValues, SuiteScore
from eval.readers.read import read_suite
from eval.scorecard import read_suite_items

METRICS = ("gold_bpb", "accuracy")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """One metric of one suite and recipe, the mean over seeds.

    Attributes:
        items: that documents hold.
        contaminated: the metric on these.
        others: on all others.
    """

    suite: str
    metric: str
    recipe: str
    items: int
    contaminated: float
    others: float


def contaminated_items(path: Path) -> dict[str, set[str]]:
    """The items by suite that an `items.parquet` calls contaminated."""
    found: dict[str, set[str]] = {}
    for row in pq.read_table(path, filters=[("state", "==", CONTAMINATED)]).to_pylist():
        found.setdefault(row["suite"], set()).add(row["item"])
    return found


def split_scores(
    scores: Mapping[int, Mapping[str, SuiteScore]], leaked: Mapping[str, Flags], recipe: str
) -> list[Split]:
    """The scores of a recipe, split.

    Args:
        scores: by seed and suite.
        leaked: of each suite's items, in order, whether documents hold it; suites of which none
            or all are held are left out.
        recipe: its name.
    """
    found = []
    for suite, flags in leaked.items():
        if not 0 < flags.sum() < len(flags):
            continue
        for metric in METRICS:
            values = [score[suite][metric] for score in scores.values() if metric in score[suite]]
            if values:
                means = (_mean(values, which) for which in (flags, ~flags))
                found.append(Split(suite, metric, recipe, int(flags.sum()), *means))
    return found


def _mean(values: Sequence[ItemValues], which: Flags) -> float:
    """Over seeds."""
    return float(np.mean([v.values[which].sum() / v.weights[which].sum() for v in values]))


def leaked_flags(out: Path, items: Mapping[str, set[str]]) -> dict[str, Flags]:
    """Of every suite of the judge in `out/judge`, which of its items are among `items`."""
    suites = [read_suite(path) for path in sorted((out / "judge" / "suites").glob("*.jsonl"))]
    return {
        suite.name: np.array([item.id in items.get(suite.name, ()) for item in suite.items])
        for suite in suites
    }


def table_text(splits: Sequence[Split]) -> str:
    """A Markdown table."""
    lines = ["| suite | metric | recipe | items held | on these | on others |", "|---" * 6 + "|"]
    for s in splits:
        figures = f"{s.items} | {s.contaminated:.4f} | {s.others:.4f}"
        lines.append(f"| {s.suite} | {s.metric} | {s.recipe} | {figures} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path, metavar="DIR")
    parser.add_argument("marked", metavar="MARKED")
    parser.add_argument("recipes", nargs="*", metavar="RECIPE")
    args = parser.parse_args()
    path = args.out / args.marked / "artifacts" / "decontaminate" / "items.parquet"
    leaked = leaked_flags(args.out, contaminated_items(path))
    splits = [
        split
        for name in (args.marked, *args.recipes)
        for split in split_scores(read_suite_items(args.out / name), leaked, name)
    ]
    print(table_text(sorted(splits, key=lambda s: (s.suite, s.metric))))


if __name__ == "__main__":
    main()
