"""Token and compute multipliers: what the baseline would have to spend to score as well.

A recipe that reaches v with budget X, where the baseline needs Y for v, has the multiplier Y / X.
Y is read off the baseline's curve: its checkpoints or decay branches at several budgets. Between
points the curve is monotone cubic (PCHIP) in the logarithm of the budget, after points out of
order were pooled (isotonic regression). Past the largest point it goes on along the last chord for
a factor of 2 and no further: learning curves flatten, so that the chord flatters the baseline, and
what lies beyond is `>= 2x`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.interpolate import PchipInterpolator

from curation.errors import UserError
from eval.bootstrap import RESAMPLES, percentiles, resample_seeds
from eval.statistics import MIN_SEEDS, Floats, Test

REACH = 2.0  # factor beyond the largest point that the curve is followed
_BISECTIONS = 40  # of a segment: its width over 2^40

By = Literal["tokens", "flops"]


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """The primary metric of one seed at one budget, its learning rate decayed to 0."""

    tokens: int
    flops: int
    seed: int
    value: float


@dataclass(frozen=True, kw_only=True)
class Multiplier:
    """How many times the recipe's own budget the baseline needs.

    Attributes:
        value: at the means over seeds.
        ci_low: 95 % interval by resampled seeds; None below 3 seeds.
        smallest: the least that the baseline's curve can tell; values there mean `<=`.
        largest: the most that it can tell; values there mean `>=`.
        extrapolated: `value` lies beyond the curve's largest point.
    """

    value: float
    ci_low: float | None
    ci_high: float | None
    smallest: float
    largest: float
    extrapolated: bool

    def __str__(self) -> str:
        """`1.62x [1.21x, >= 2x]`."""
        text = self._bounded(self.value)
        if self.ci_low is None or self.ci_high is None:
            return text
        return f"{text} [{self._bounded(self.ci_low)}, {self._bounded(self.ci_high)}]"

    def _bounded(self, value: float) -> str:
        if value >= self.largest:
            return f">= {self.largest:.3g}x"
        return f"<= {self.smallest:.3g}x" if value <= self.smallest else f"{value:.2f}x"


def multiplier(
    baseline: Sequence[CurvePoint],
    values: Mapping[int, float],
    budget: int,
    *,
    by: By = "tokens",
    higher_is_better: bool,
    test: Test,
    resamples: int = RESAMPLES,
) -> Multiplier:
    """The multiplier of a recipe over the baseline.

    Args:
        baseline: its curve: the same seeds at two budgets or more. By `flops` it may hold models
            of several sizes; then it is the best of them at each budget.
        values: the recipe's metric by seed.
        budget: what the recipe spent, in tokens or FLOPs.
        by: the unit of budgets.
        higher_is_better: of the metric.
        test: `paired` resamples the recipe's seeds together with the baseline's.
        resamples: of seeds.

    Raises:
        UserError: fewer than two budgets, or seeds that are missing at one of them.
    """
    seeds = sorted({p.seed for p in baseline})
    x, table = _curve(baseline, seeds, by, higher_is_better)
    sign = -1.0 if higher_is_better else 1.0
    wanted = sign * np.array([[values[seed] for seed in sorted(values)]])
    together = test == "paired" and seeds == sorted(values)
    point = _read_off(x, table.mean(-1)[None], wanted.mean(-1))[0]
    low = high = None
    if min(table.shape[1], wanted.shape[1]) >= MIN_SEEDS:
        drawn = _draw(table, wanted, together, resamples)
        low, high = percentiles(_read_off(x, drawn[:, :-1], drawn[:, -1]))

    def times(log_budget: float) -> float:
        return math.exp(log_budget) / budget  # bounds and values alike, so that they compare equal

    return Multiplier(
        value=times(point),
        ci_low=None if low is None else times(low),
        ci_high=None if high is None else times(high),
        smallest=times(x[0]),
        largest=times(x[-1] + math.log(REACH)),
        extrapolated=bool(point > x[-1]),
    )


def _curve(
    points: Sequence[CurvePoint], seeds: Sequence[int], by: By, higher_is_better: bool
) -> tuple[Floats, Floats]:
    """Logarithms of budgets, ascending, and values with lower as better, (budgets, seeds)."""
    sign = -1.0 if higher_is_better else 1.0
    cells = {(p.tokens, p.flops, p.seed): sign * p.value for p in points}
    runs = sorted({(p.tokens, p.flops) for p in points})
    if len(cells) < len(points) or len(cells) < len(runs) * len(seeds):
        raise UserError(
            f"the baseline's curve needs one value of each of the seeds {list(seeds)} at each "
            f"budget: {len(runs)} budgets, {len(points)} values"
        )
    rows = [(flops if by == "flops" else tokens, tokens, flops) for tokens, flops in runs]
    table = {row: [cells[*row[1:], seed] for seed in seeds] for row in rows}
    kept = _frontier(table) if by == "flops" and len({f / t for _, t, f in rows}) > 1 else rows
    budgets = [row[0] for row in kept]
    if len(budgets) < 2 or len(set(budgets)) < len(budgets):
        raise UserError(
            f"a curve over {by} needs two or more budgets, each of one size. Got {budgets}.",
            hint="Train the baseline with decay branches at .25, .5 and 1 of its tokens.",
        )
    return np.log(np.array(budgets, float)), np.array([table[row] for row in kept])


_Row = tuple[int, int, int]  # budget, tokens, FLOPs


def _frontier(table: Mapping[_Row, Sequence[float]]) -> list[_Row]:
    """Of several model sizes, the points that no cheaper one beats; the better of equal ones."""
    kept: list[_Row] = []
    for row in sorted(table, key=lambda row: (row[0], sum(table[row]))):
        if not kept or sum(table[row]) < sum(table[kept[-1]]):
            kept.append(row)
    return kept


def _draw(table: Floats, wanted: Floats, together: bool, resamples: int) -> Floats:
    """The curve and, last, the recipe's mean under every draw, (resamples, budgets + 1)."""
    if together:
        return resample_seeds(np.vstack([table, wanted]), "paired", resamples)
    # A seed's points are one run: they move together whatever the test is.
    curve = resample_seeds(table, "paired", resamples)
    return np.hstack([curve, resample_seeds(wanted, "paired", resamples, stream=2)])


def _read_off(x: Floats, curves: Floats, wanted: Floats) -> Floats:
    """Where each curve (rows of `curves`, over `x`) comes down to its wanted value."""
    y = _falling(curves)
    chord = (y[:, -1] - y[:, -2]) / (x[-1] - x[-2])
    with np.errstate(divide="ignore", invalid="ignore"):
        further = np.where(chord < 0, (wanted - y[:, -1]) / chord, np.inf)
    beyond = x[-1] + np.minimum(further, math.log(REACH))
    inside = _invert(x, y, wanted)
    found: Floats = np.where(wanted < y[:, -1], beyond, np.where(wanted > y[:, 0], x[0], inside))
    return found


def _falling(curves: Floats) -> Floats:
    """Isotonic regression of each row: least squares under the condition that it never rises.

    At i the min over s <= i of the max over t >= i of the mean of s to t (Robertson, Wright and
    Dykstra, Order Restricted Statistical Inference, 1988, 1.4).
    """
    n = curves.shape[1]
    fits = []
    for i in range(n):
        spans = [[curves[:, s : t + 1].mean(1) for t in range(i, n)] for s in range(i + 1)]
        fits.append(np.min([np.max(ends, axis=0) for ends in spans], axis=0))
    return np.stack(fits, axis=1)


def _invert(x: Floats, y: Floats, wanted: Floats) -> Floats:
    """Bisects the monotone cubic of each row in the segment that holds its wanted value."""
    cubic = PchipInterpolator(x, y, axis=1).c  # (4, segments, rows)
    segment = np.clip((y[:, 1:] > wanted[:, None]).sum(1), 0, len(x) - 2)
    c = cubic[:, segment, np.arange(len(y))]
    low, high = np.zeros(len(y)), x[segment + 1] - x[segment]
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = ((c[0] * middle + c[1]) * middle + c[2]) * middle + c[3] > wanted
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    found: Floats = x[segment] + (low + high) / 2
    return found
