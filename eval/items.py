"""The items behind a metric: what each test item or document added, by recipe and seed.

A metric is the mean over strata (panels, task sets) of sum(part) / sum(size) over items: bits per
byte has bits and bytes, accuracy has 0 or 1 and 1. All recipes are scored on the same items.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from curation.errors import UserError
from eval.bpb import PanelScore
from eval.metrics import ItemValues, SuiteScore
from eval.scorecard import MEAN_BPB
from eval.statistics import Floats

PanelScores = Mapping[int, Mapping[str, PanelScore]]  # of one recipe, by seed, then by panel
SuiteScores = Mapping[int, Mapping[str, SuiteScore]]  # by seed, then by suite


@dataclass(frozen=True, kw_only=True)
class RecipeItems:
    """What `items.npz` of one recipe holds."""

    panels: PanelScores
    suites: SuiteScores = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """Items of one panel or suite; those that share a passage are one item.

    Attributes:
        parts: numerators, (recipes, seeds, items).
        sizes: denominators, (items,), the same for every recipe and seed.
    """

    parts: Floats
    sizes: Floats

    @property
    def ratios(self) -> Floats:
        """The stratum's metric, (recipes, seeds)."""
        whole: Floats = self.parts.sum(-1) / self.sizes.sum()
        return whole


def metric(strata: Sequence[Stratum]) -> Floats:
    """The mean of the strata's metrics, (recipes, seeds)."""
    mean: Floats = np.mean([one.ratios for one in strata], axis=0)
    return mean


def strata_of(
    primary: str, items: Mapping[str, RecipeItems], seeds: Sequence[int]
) -> list[Stratum] | None:
    """The strata of a metric over panels or of a suite; None for a metric without items.

    Args:
        primary: `panels.mean_bpb`, `panels.<name>.bpb` or `suites.<suite>.<metric>`.
        items: by recipe, in the order of the comparison.
        seeds: their order along the axis.

    Raises:
        UserError: recipes or seeds were not scored on the same items.
    """
    any_recipe = next(iter(items.values()))
    panels = any_recipe.panels.get(seeds[0], {})
    wanted = [name for name in panels if primary in (MEAN_BPB, f"panels.{name}.bpb")]
    if wanted:
        return [_stack(f"panels.{name}", _panel(items, name, seeds)) for name in wanted]
    for name, score in any_recipe.suites.get(seeds[0], {}).items():
        for measured in score:
            if primary == f"suites.{name}.{measured}":
                return [_stack(primary, _suite(items, name, measured, seeds))]
    return None


_Runs = list[list[tuple[Floats, Floats]]]  # parts and sizes of items, by recipe and seed


def _panel(items: Mapping[str, RecipeItems], name: str, seeds: Sequence[int]) -> _Runs:
    scores = [[recipe.panels[seed][name] for seed in seeds] for recipe in items.values()]
    return [[(s.nats / math.log(2), s.bytes.astype(float)) for s in runs] for runs in scores]


def _suite(
    items: Mapping[str, RecipeItems], name: str, measured: str, seeds: Sequence[int]
) -> _Runs:
    values = [[recipe.suites[seed][name][measured] for seed in seeds] for recipe in items.values()]
    return [[(_by_cluster(v, v.values), _by_cluster(v, v.weights)) for v in run] for run in values]


def _by_cluster(values: ItemValues, of: Floats) -> Floats:
    _, place = np.unique(values.clusters, return_inverse=True)
    return np.bincount(place, of).astype(np.float64)


def _stack(where: str, runs: _Runs) -> Stratum:
    sizes = runs[0][0][1]
    if not all(np.array_equal(other, sizes) for recipe in runs for _, other in recipe):
        raise UserError(
            "the recipes or seeds were scored on different items",
            where=where,
            hint="Run the recipes together, with one judge.",
        )
    return Stratum(parts=np.array([[part for part, _ in r] for r in runs], float), sizes=sizes)
