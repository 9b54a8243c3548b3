"""The statistics of a difference between two recipes over shared seeds.

Seeds are the unit: each gives one number per recipe. Which test decides is declared before
training and never chosen by the data. Taking the paired test where the seeds happen to correlate
and Welch's elsewhere declares 6.4 % of equal recipes different at 3 seeds and 6.6 % at 5, and 9 %
of those that happen to correlate (`tests/eval/test_statistics.py` simulates it); either test by
itself keeps to 5 %.

`welch` is the default. Its smallest detectable difference at 3 seeds is 3.5 sd, the paired
test's 4.6 sd x sqrt(1 - r) for seeds that correlate by r: fewer degrees of freedom cost more than
pairing gains unless r > .42 (3 seeds) or r > .23 (5 seeds). If seeds correlate, Welch's test errs
less often than 5 %, never more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from eval.power import ALPHA, errors_by_t, errors_by_welch

Test = Literal["paired", "welch"]
Floats = NDArray[np.float64]

TEST: Test = "welch"
MIN_SEEDS = 3  # below, a t interval is so wide that it says nothing
CLAIM_SEEDS = 5  # from here on resampled seeds carry an interval; fewer have few distinct resamples


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A 95 % interval of a mean difference and the two-sided p value of no difference.

    `mde` is the smallest true difference that the same test would find in 80 % of repeats.
    """

    ci_low: float
    ci_high: float
    p: float
    mde: float


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Mean differences with their standard errors and degrees of freedom, arrays of one shape.

    `needed` is how many standard errors a true difference must measure to be found in 80 % of
    repeats.
    """

    mean: Floats
    error: Floats
    freedom: Floats
    needed: float


def effect(a: ArrayLike, b: ArrayLike, test: Test) -> Effect:
    """Differences a - b of seeds' values; seeds are the last axis, axes before it are repeats.

    `paired`: Student's t on the differences, n - 1 degrees of freedom. `welch`: means of unequal
    variance, with Satterthwaite's degrees of freedom.
    """
    x, y = np.asarray(a, float), np.asarray(b, float)  # as many seeds in both
    return _paired(x, y) if test == "paired" else _welch(x, y)


def p_values(found: Effect) -> Floats:
    """Two-sided p of no difference. Seeds that agree to the last bit leave no doubt: 0 or 1."""
    sure = np.where(found.mean == 0, 1.0, 0.0)
    t = np.abs(found.mean) / np.where(found.error == 0, 1.0, found.error)
    p: Floats = np.where(found.error == 0, sure, 2 * stats.t.sf(t, found.freedom))
    return p


def interval(found: Effect) -> Interval:
    """The interval of a single effect."""
    mean, error, freedom = (float(x) for x in (found.mean, found.error, found.freedom))
    half = float(stats.t.ppf(1 - ALPHA / 2, df=freedom)) * error
    return Interval(
        ci_low=mean - half,
        ci_high=mean + half,
        p=float(p_values(found)),
        mde=found.needed * error,
    )


def paired_interval(a: Sequence[float], b: Sequence[float]) -> Interval:
    """Student's interval of the mean difference a - b, seed by seed."""
    return interval(effect(a, b, "paired"))


def welch_interval(a: Sequence[float], b: Sequence[float]) -> Interval:
    """Welch's interval of mean a minus mean b."""
    return interval(effect(a, b, "welch"))


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's r of the seeds' values; None where one of the recipes has no spread."""
    x, y = np.subtract(a, np.mean(a)), np.subtract(b, np.mean(b))
    scale = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / scale if scale > 0 else None


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: the family of tests errs in 5 % of cases at p < .05."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def _paired(a: Floats, b: Floats) -> Effect:
    difference = a - b
    n = difference.shape[-1]
    mean, error = difference.mean(-1), difference.std(-1, ddof=1) / math.sqrt(n)
    freedom = np.full(mean.shape, n - 1.0)
    return Effect(mean=mean, error=error, freedom=freedom, needed=errors_needed("paired", n))


def _welch(a: Floats, b: Floats) -> Effect:
    parts = [x.var(-1, ddof=1) / x.shape[-1] for x in (a, b)]
    mean, error = a.mean(-1) - b.mean(-1), np.sqrt(parts[0] + parts[1])
    n = a.shape[-1]
    freedom = satterthwaite(parts, [n, n])
    return Effect(mean=mean, error=error, freedom=freedom, needed=errors_needed("welch", n))


def errors_needed(test: Test, seeds: int) -> float:
    """Standard errors that a true difference must measure to be found in 80 % of repeats."""
    return errors_by_t(seeds - 1) if test == "paired" else errors_by_welch(seeds)


def satterthwaite(variances: Sequence[Any], counts: Sequence[float]) -> Floats:
    """Degrees of freedom of a sum of estimated variances of means, each of so many values."""
    whole = sum(variances)
    scale = sum(v**2 / (n - 1) for v, n in zip(variances, counts, strict=True))
    freedom: Floats = np.where(scale > 0, whole**2 / np.where(scale > 0, scale, 1.0), 1.0)
    return freedom
