"""The statistics of a difference between two recipes over shared seeds.

Seeds are the unit: each gives one number per recipe. A paired interval takes out what a seed does
to both recipes; where the seeds' effects are not positively correlated there is nothing to take
out, and Welch's interval is used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

MIN_SEEDS = 3  # below, a t interval is so wide that it says nothing
CONFIDENCE = 0.95
POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A 95 % interval of a mean difference and the two-sided p value of no difference.

    `mde` is the smallest true difference that the same test would find in 80 % of repeats:
    (t_.975 + t_.8) times the standard error, at the test's own degrees of freedom.
    """

    ci_low: float
    ci_high: float
    p: float
    mde: float


def paired_interval(a: Sequence[float], b: Sequence[float]) -> Interval:
    """Student's t on the differences a - b, with n - 1 degrees of freedom."""
    difference = np.subtract(a, b)
    error = float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return _interval(float(difference.mean()), error, len(difference) - 1)


def welch_interval(a: Sequence[float], b: Sequence[float]) -> Interval:
    """Welch's t for means of unequal variance, with Satterthwaite's degrees of freedom."""
    parts = [float(np.var(x, ddof=1)) / len(x) for x in (a, b)]
    scale = sum(part**2 / (len(x) - 1) for part, x in zip(parts, (a, b), strict=True))
    freedom = sum(parts) ** 2 / scale if scale > 0 else 1.0
    return _interval(float(np.mean(a) - np.mean(b)), math.sqrt(sum(parts)), freedom)


def correlated(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether the seeds move both recipes the same way (Pearson's r above 0)."""
    return float(np.cov(a, b)[0, 1]) > 0


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: the family of tests errs in 5 % of cases at p < .05."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def _interval(mean: float, error: float, freedom: float) -> Interval:
    if error == 0:  # the seeds agree to the last bit: no spread, so no doubt
        return Interval(ci_low=mean, ci_high=mean, p=1.0 if mean == 0 else 0.0, mde=0.0)
    half = float(stats.t.ppf(1 - (1 - CONFIDENCE) / 2, df=freedom)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, df=freedom))
    mde = half + float(stats.t.ppf(POWER, df=freedom)) * error
    return Interval(ci_low=mean - half, ci_high=mean + half, p=p, mde=mde)
