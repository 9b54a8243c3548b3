"""The simplex with floors and caps: projection onto it, and convex minimisation over it.

Both projections move all weights by one level and clip what leaves its bounds. What the weights
then sum to is piecewise linear in the level, so that the level is exact: sort where weights meet
their bounds, bisect for the piece that holds the sum of 1, and solve it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from curation.errors import RunError
from mixtures.distances import kl
from mixtures.space import Floats

Objective = Callable[[Floats], tuple[float, Floats]]
_SHRINK, _GROW = 0.5, 2.0  # of the step, when it fails and when it holds
_SMALLEST_STEP = 1e-12
_LEAST_LOG = -600.0  # of a weight: its logarithm stays finite


def project(weights: Floats, floors: Floats, caps: Floats) -> Floats:
    """The nearest mixtures in Euclidean distance: min |p - w|, floors <= p <= caps, sum p = 1.

    Args:
        weights: any numbers, (..., domains).
        floors: least weights, (domains,), summing to at most 1.
        caps: largest weights, (domains,), at least the floors and summing to at least 1.
    """
    return _level(np.asarray(weights, float), np.ones_like(weights, float), floors, caps)


def scale(weights: Floats, floors: Floats, caps: Floats) -> Floats:
    """The nearest mixtures in KL(p || w): all weights times one factor, then clipped.

    What the caps cut off goes to the others in proportion to their weight. Arguments are those of
    `project`, with weights above 0.
    """
    weights = np.asarray(weights, float)
    return _level(np.zeros_like(weights), weights, floors, caps)


def _level(base: Floats, slope: Floats, floors: Floats, caps: Floats) -> Floats:
    """clip(base + level * slope, floors, caps) at the level where it sums to 1; slopes above 0."""
    shape, domains = base.shape, base.shape[-1]
    base, slope = base.reshape(-1, domains), slope.reshape(-1, domains)
    bends = np.concatenate([(floors - base) / slope, (caps - base) / slope], 1)
    bends.sort(1)

    def clipped(level: Floats) -> Floats:
        return np.clip(base + level[:, None] * slope, floors, caps)

    rows = np.arange(len(base))
    below, above = np.zeros(len(base), int), np.full(len(base), 2 * domains - 1)
    for _ in range(math.ceil(math.log2(2 * domains))):
        middle = (below + above) // 2
        fits = clipped(bends[rows, middle]).sum(1) <= 1
        below, above = np.where(fits, middle, below), np.where(fits, above, middle)
    low, high = bends[rows, below], bends[rows, above]
    least, most = clipped(low).sum(1), clipped(high).sum(1)
    part = np.divide(1 - least, most - least, out=np.zeros_like(low), where=most > least)
    level = low + np.clip(part, 0, 1) * (high - low)
    return np.asarray(_settle(clipped(level), floors, caps).reshape(shape))


def _settle(weights: Floats, floors: Floats, caps: Floats) -> Floats:
    """Takes rounding out of the sums, within the bounds."""
    short = 1 - weights.sum(-1, keepdims=True)
    room = np.where(short > 0, caps - weights, weights - floors)
    total = room.sum(-1, keepdims=True)
    part = np.divide(room, total, out=np.zeros_like(room), where=total > 0)
    return np.asarray(weights + short * part)


@dataclass(frozen=True)
class Minimum:
    """Where a convex function is least.

    Attributes:
        weights: (domains,).
        value: there, the KL term included.
        gap: bound on how far `value` is above the least.
    """

    weights: Floats
    value: float
    gap: float


def minimise(
    objective: Objective,
    floors: Floats,
    caps: Floats,
    prior: Floats,
    *,
    kl_weight: float = 0.0,
    tolerance: float = 1e-7,
    max_steps: int = 20_000,
) -> Minimum:
    """Least f(p) + kl_weight * KL(p || prior) with floors <= p <= caps and sum p = 1, f convex.

    Exponentiated gradient with the KL term and the bounds taken exactly in each step (Bregman
    proximal gradient): the next p is the bounded mixture nearest in KL to
    (p exp(-step g))^(1/(1+step k)) prior^(step k/(1+step k)), with the step by backtracking. It
    ends by the duality gap max_q g(p).(p - q), which bounds the error whatever the path.

    Args:
        objective: mixture (domains,) to its loss and gradient.
        floors: least weights, (domains,).
        caps: largest weights, (domains,).
        prior: mixture above 0, (domains,): where the descent starts, and what KL is taken to.
        kl_weight: from 0.
        tolerance: gap at which to stop.
        max_steps: after which the gap is taken as it is.

    Raises:
        RunError: the loss is not finite.
    """
    task = _Task(objective, floors, caps, prior, kl_weight)
    weights, step = task.within(np.log(prior)), 1.0
    value, gradient = task.smooth(weights)
    for _ in range(max_steps):
        if task.gap(weights, gradient) <= tolerance:
            break
        found = task.descend(weights, value, gradient, step)
        if found is None:  # no step is left that rounding does not swallow
            break
        weights, value, gradient, step = found
    total = value + kl_weight * float(kl(weights, prior))
    return Minimum(weights=weights, value=total, gap=task.gap(weights, gradient))


@dataclass(frozen=True)
class _Task:
    """What `minimise` is given."""

    objective: Objective
    floors: Floats
    caps: Floats
    prior: Floats
    kl_weight: float

    def smooth(self, weights: Floats) -> tuple[float, Floats]:
        """The loss without the KL term, and its gradient."""
        value, gradient = self.objective(weights)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            raise RunError(f"the loss to minimise is {value} at {weights.round(4).tolist()}")
        return value, gradient

    def within(self, logs: Floats) -> Floats:
        """The mixture within the bounds nearest to exp(logs), every weight above 0."""
        weights = scale(np.exp(np.maximum(logs - logs.max(), _LEAST_LOG)), self.floors, self.caps)
        return np.maximum(weights, np.exp(_LEAST_LOG))

    def descend(
        self, weights: Floats, value: float, gradient: Floats, step: float
    ) -> tuple[Floats, float, Floats, float] | None:
        """One step that the bound of relative smoothness allows, and the next to try."""
        step = min(step, -_LEAST_LOG / 2 / max(float(np.ptp(gradient)), 1e-300))  # none underflows
        while step > _SMALLEST_STEP:
            share = 1 / (1 + step * self.kl_weight)
            logs = share * (np.log(weights) - step * gradient) + (1 - share) * np.log(self.prior)
            after = self.within(logs)
            new_value, new_gradient = self.smooth(after)
            bound = value + float(gradient @ (after - weights)) + float(kl(after, weights)) / step
            if new_value <= bound + 1e-15 * abs(value):
                return after, new_value, new_gradient, step * _GROW
            step *= _SHRINK
        return None

    def gap(self, weights: Floats, gradient: Floats) -> float:
        """The most that the linear approximation at p promises anywhere within the bounds."""
        slope = gradient + self.kl_weight * (np.log(weights / self.prior) + 1)
        best, left = self.floors.copy(), 1 - self.floors.sum()
        for domain in np.argsort(slope, kind="stable"):
            taken = min(left, self.caps[domain] - self.floors[domain])
            best[domain] += taken
            left -= taken
        return float(slope @ (weights - best))
