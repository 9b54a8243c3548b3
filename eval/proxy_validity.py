"""Proxy validity: do small models rank recipes as larger ones do?

The same recipes are measured at two sizes. Kendall's tau-b compares the two orders; decision
accuracy is the share of recipe pairs that both sizes order alike, (tau + 1) / 2 without ties.
Intervals are over seeds, drawn for each size by itself, as its trainings are. Drawn means are
noisier than the means they are drawn around, so that intervals lie low rather than high; five
recipes are ten pairs, and the interval is as wide as that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from curation.errors import UserError
from eval.bootstrap import RESAMPLES, percentiles, resample_seeds
from eval.statistics import MIN_SEEDS, TEST, Floats, Test

MIN_RECIPES = 3  # two recipes are one pair: agreement by a coin

PerSeed = Mapping[str, Mapping[int, float]]  # by recipe, then by seed


@dataclass(frozen=True, kw_only=True)
class ProxyValidity:
    """Agreement of two sizes; intervals are None where a size has fewer than 3 seeds.

    Attributes:
        recipes: how many.
        pairs: of recipes; what the accuracy is a share of.
        tau: Kendall's tau-b in [-1, 1]; None where a size ties all recipes.
        accuracy: share of pairs ordered alike, a tie at one size counting half, in [0, 1].
    """

    recipes: int
    pairs: int
    tau: float | None
    tau_interval: tuple[float, float] | None
    accuracy: float
    accuracy_interval: tuple[float, float] | None


def proxy_validity(
    small: PerSeed, large: PerSeed, test: Test = TEST, resamples: int = RESAMPLES
) -> ProxyValidity:
    """Compares the order of recipes' means at two sizes.

    Args:
        small: the primary metric at the proxy's size. Seeds may differ between sizes, not between
            recipes.
        large: the same at the larger one; either direction of the metric.
        test: `paired` draws the same seeds for all recipes of a size.
        resamples: of seeds.

    Raises:
        UserError: other recipes at one size than at the other, fewer than three, or seeds that
            not all recipes have.
    """
    _check(small, large)
    sizes = [_table(values, names=sorted(small)) for values in (small, large)]
    tau, accuracy = _agreement(*(table.mean(1)[None] for table in sizes))
    taus = accuracies = None
    if min(table.shape[1] for table in sizes) >= MIN_SEEDS:
        drawn = [resample_seeds(t, test, resamples, stream=3 + i) for i, t in enumerate(sizes)]
        drawn_tau, drawn_accuracy = _agreement(*drawn)
        taus, accuracies = percentiles(drawn_tau), percentiles(drawn_accuracy)
    known = not np.isnan(tau[0])
    return ProxyValidity(
        recipes=len(small),
        pairs=len(small) * (len(small) - 1) // 2,
        tau=float(tau[0]) if known else None,
        tau_interval=taus if known else None,
        accuracy=float(accuracy[0]),
        accuracy_interval=accuracies,
    )


def _check(small: PerSeed, large: PerSeed) -> None:
    if small.keys() != large.keys():
        unlike = sorted(small.keys() ^ large.keys())
        raise UserError(f"measured at one size only: {', '.join(unlike)}")
    if len(small) < MIN_RECIPES:
        raise UserError(
            f"{len(small)} recipes cannot be ranked at two sizes",
            hint=f"Proxy validity takes {MIN_RECIPES} recipes or more; ten say something.",
        )
    for size, values in (("small", small), ("large", large)):
        seeds = {name: sorted(by_seed) for name, by_seed in values.items()}
        if len({tuple(s) for s in seeds.values()}) > 1:
            raise UserError(f"recipes of the {size} size have different seeds: {seeds}")


def _table(values: PerSeed, names: list[str]) -> Floats:
    return np.array([[values[name][seed] for seed in sorted(values[name])] for name in names])


def _agreement(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Tau-b and decision accuracy of each row, (resamples, recipes) in both."""
    first, second = np.triu_indices(one.shape[1], 1)
    a, b = (np.sign(x[:, first] - x[:, second]) for x in (one, other))
    alike = (a * b).sum(1)
    untied = np.sqrt((a != 0).sum(1) * (b != 0).sum(1))
    tau = np.where(untied > 0, alike / np.where(untied > 0, untied, 1.0), np.nan)
    agreed = (a == b) + 0.5 * ((a == 0) ^ (b == 0))
    return tau, agreed.mean(1)
