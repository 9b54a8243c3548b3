"""Ranks of many recipes: where each may stand, and how likely each is the best.

All pairs of many recipes are a wall of p values; ranks under resampling say the same in one line
each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from eval.power import ALPHA
from eval.statistics import Floats


@dataclass(frozen=True, kw_only=True)
class Rank:
    """A recipe's place; 1 is best.

    Attributes:
        low: best rank of the 95 % interval.
        high: worst rank of it.
        p_best: share of resamples in which the recipe has the best mean, in [0, 1].
    """

    low: int
    high: int
    p_best: float


def ranks(means: Floats, higher_is_better: bool) -> list[Rank]:
    """A rank per recipe from their resampled means, (resamples, recipes).

    Equal means share the middle of their ranks, and the best place evenly.
    """
    values = -means if higher_is_better else means
    places = stats.rankdata(values, axis=1)
    best = values == values.min(1, keepdims=True)
    p_best = (best / best.sum(1, keepdims=True)).mean(0)
    low = np.floor(np.quantile(places, ALPHA / 2, axis=0, method="inverted_cdf"))
    high = np.ceil(np.quantile(places, 1 - ALPHA / 2, axis=0, method="inverted_cdf"))
    rows = zip(low, high, p_best, strict=True)
    return [Rank(low=int(a), high=int(b), p_best=float(p)) for a, b, p in rows]
