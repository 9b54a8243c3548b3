"""What other test items would have changed, apart from what other seeds would have.

The spread of the seeds' means says nothing about the items: all seeds are scored on the same ones.
With fewer than five seeds, too few to resample, the variance of the items is added to that of the
t interval on the seeds' means.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.items import Stratum
from eval.power import errors_by_t
from eval.statistics import Effect, Floats, Interval, Test, interval, satterthwaite


def over_items(found: Effect, strata: Sequence[Stratum], a: int, b: int, test: Test) -> Interval:
    """The t interval of the difference of recipes a and b over other seeds and other items.

    Degrees of freedom are Satterthwaite's for the sum of all variances. `found` is the effect on
    the seeds' means; recipes are positions in the strata.
    """
    added = item_variances(strata, a, b, test)
    variance = max(0.0, sum(added))
    if variance == 0:
        return interval(found)
    error, freedom = float(found.error), float(found.freedom)
    # An estimate below 0 stands for a variance too small to be seen.
    seen = [error**2, *(max(0.0, one) for one in added)]
    counts = [freedom + 1, *(max(2, len(one.sizes)) for one in strata)]
    total = satterthwaite(seen, counts)
    both = np.sqrt(error**2 + variance)
    needed = errors_by_t(round(float(total), 1))  # a tenth is less than it is known to
    return interval(Effect(mean=found.mean, error=both, freedom=total, needed=needed))


def item_variances(strata: Sequence[Stratum], a: int, b: int, test: Test) -> list[float]:
    """What each stratum's items add to the variance of the metric's difference.

    From the two-way layout of seeds and items: the variance of the items' mean differences less
    what seeds and items have between them, which the spread of the seeds' means holds already.
    Unbiased, so that where items add nothing it may come out below 0.
    """
    return [_stratum_variance(one, a, b, test) / len(strata) ** 2 for one in strata]


def _stratum_variance(stratum: Stratum, a: int, b: int, test: Test) -> float:
    n = len(stratum.sizes)
    if n < 2:
        return 0.0
    first, second = (_influences(stratum, k) for k in (a, b))
    layouts = [first - second] if test == "paired" else [first, second]
    between = float((first - second).mean(0).var(ddof=1)) / n
    return between - sum(_residual(layout) for layout in layouts) / n


def _influences(stratum: Stratum, recipe: int) -> Floats:
    """How far each item moves each seed's ratio, (seeds, items), linearised (the delta method)."""
    ratios = stratum.ratios[recipe][:, None]
    moved: Floats = (stratum.parts[recipe] - ratios * stratum.sizes) / stratum.sizes.mean()
    return moved


def _residual(layout: Floats) -> float:
    """Mean square of seed x item over the number of seeds. Seeds' means are 0 by construction."""
    seeds, n = layout.shape
    squares = ((layout - layout.mean(0)) ** 2).sum()
    return float(squares / ((seeds - 1) * (n - 1) * seeds))
