"""Chinchilla's law: L(N, D) = E + A / N^alpha + B / D^beta, with intervals and a held-out check.

Fitted as in Hoffmann et al. 2022 (arXiv 2203.15556, D.2): logsumexp(a - alpha ln N,
b - beta ln D, e) to ln L under a Huber loss with delta 1e-3, by L-BFGS from a grid of 4,500
starts. Losses are summed, not averaged, with tight tolerances: averaging ended the published fit
too early (Besiroglu et al. 2024, arXiv 2404.10102). Of the grid the `STARTS` of least loss are
followed, at most `PER_CELL` for one pair of exponents; `tests/eval/test_scaling.py` shows that
all 4,500 end nowhere better.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from curation.errors import UserError
from eval.power import ALPHA
from eval.statistics import Floats

MIN_SIZES, MIN_DURATIONS = 5, 4  # that five parameters need
HUBER_DELTA = 1e-3  # in ln L
RESAMPLES = 200
STARTS, PER_CELL = 12, 2

_EXPONENTS = (0.0, 0.5, 1.0, 1.5, 2.0)
_LOG_FACTORS = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)
_LOG_FLOORS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_NAMES = ("E", "A", "B", "alpha", "beta")


@dataclass(frozen=True, kw_only=True)
class ScalingRun:
    """One run: parameters (N), tokens (D), and its loss in nats or bits."""

    params: int
    tokens: int
    loss: float

    @property
    def flops(self) -> float:
        """6 N D."""
        return 6.0 * self.params * self.tokens


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The run of least loss, predicted by a fit of all the others.

    `error` is the predicted loss over the measured one, less 1.
    """

    params: int
    tokens: int
    loss: float
    predicted: float
    error: float


@dataclass(frozen=True, kw_only=True)
class ChinchillaFit:
    """The five constants, each with a 95 % interval by resampled runs.

    Attributes:
        values: E, A, B, alpha, beta.
        intervals: of each of them and of `a`, the exponent of the optimal N over compute.
        a: beta / (alpha + beta).
        convention: which parameters N counts.
        runs: how many were fitted.
        objective: Huber loss at the optimum, in units of delta squared.
        held_out: the check by extrapolation.
    """

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    a: float
    convention: str
    runs: int
    objective: float
    held_out: HeldOut

    def predict(self, params: float, tokens: float) -> float:
        """The loss of a model of that size after that many tokens."""
        v = self.values
        by_size = v["A"] * math.pow(params, -v["alpha"])
        return v["E"] + by_size + v["B"] * math.pow(tokens, -v["beta"])


@dataclass(frozen=True)
class _Data:
    """Runs as logarithms; sizes and durations centred, which makes the search well conditioned."""

    log_params: Floats
    log_tokens: Floats
    log_loss: Floats
    centre: tuple[float, float]


def fit_chinchilla(
    runs: Sequence[ScalingRun], convention: str, resamples: int = RESAMPLES
) -> ChinchillaFit:
    """Fits one recipe's runs; `eval.scaling.fit_scaling` checks first that they allow it.

    Raises:
        UserError: the losses do not fall with size or with tokens.
    """
    data = _data(runs)
    best = search(data, pruned_starts(data))
    constants = _constants(best[1][None], data.centre)
    values = dict(zip(_NAMES, constants[0].tolist(), strict=True))
    for name, what in (("alpha", "parameters"), ("beta", "tokens")):
        if values[name] <= 0:
            raise UserError(f"the losses do not fall with {what}: {name} = {values[name]:.3g}")
    drawn = _constants(_bootstrap(data, best[1], resamples), data.centre)
    shares = drawn[:, 4:] / drawn[:, 3:].sum(1, keepdims=True)
    return ChinchillaFit(
        values=values,
        intervals=_intervals(np.hstack([drawn, shares])),
        a=values["beta"] / (values["alpha"] + values["beta"]),
        convention=convention,
        runs=len(runs),
        objective=best[0],
        held_out=_held_out(runs),
    )


def grid_starts(data: _Data) -> Floats:
    """All 4,500 starts (a, b, e, alpha, beta), in centred coordinates."""
    axes = (_LOG_FACTORS, _LOG_FACTORS, _LOG_FLOORS, _EXPONENTS, _EXPONENTS)
    grid = np.array(list(itertools.product(*axes)))
    grid[:, 0] -= grid[:, 3] * data.centre[0]
    grid[:, 1] -= grid[:, 4] * data.centre[1]
    return grid


def pruned_starts(data: _Data) -> Floats:
    """The starts of least loss, few of each pair of exponents."""
    grid = grid_starts(data)
    losses = _objectives(grid, data)[0]
    taken: dict[tuple[float, float], int] = {}
    chosen = []
    for i in np.argsort(losses, kind="stable"):
        cell = (grid[i, 3], grid[i, 4])
        taken[cell] = taken.get(cell, 0) + 1
        if taken[cell] <= PER_CELL:
            chosen.append(i)
    return grid[chosen[:STARTS]]


def search(data: _Data, starts: Floats) -> tuple[float, Floats]:
    """The least loss that L-BFGS reaches from any start, and where."""
    with _one_thread():
        ends = [_descend(start, data) for start in starts]
    return min(ends, key=lambda end: end[0])


def _descend(start: Floats, data: _Data) -> tuple[float, Floats]:
    options = {"maxiter": 5_000, "maxfun": 20_000, "ftol": 1e-11, "gtol": 1e-9, "maxcor": 20}
    end = minimize(_objective, start, (data,), "L-BFGS-B", jac=True, options=options)
    return float(end.fun), np.asarray(end.x, float)


def _objective(point: Floats, data: _Data) -> tuple[float, Floats]:
    losses, gradients = _objectives(point[None], data)
    return float(losses[0]), gradients[0]


def _objectives(points: Floats, data: _Data) -> tuple[Floats, Floats]:
    """Sums of Huber losses over delta squared, (points,), and gradients, (points, 5)."""
    a, b, e, alpha, beta = points.T[..., None]
    by_size, by_duration = a - alpha * data.log_params, b - beta * data.log_tokens
    terms = np.stack([by_size, by_duration, np.broadcast_to(e, by_size.shape)])
    top = terms.max(0)
    shares = np.exp(terms - top)
    total = shares.sum(0)
    residual = (top + np.log(total) - data.log_loss) / HUBER_DELTA
    slope = np.clip(residual, -1, 1)
    weighted = shares / total * slope / HUBER_DELTA  # (terms, points, runs)
    # Sums, not products of matrices: threads cost more than arrays of this size.
    by_alpha = -(weighted[0] * data.log_params).sum(-1)
    by_beta = -(weighted[1] * data.log_tokens).sum(-1)
    gradients = np.stack([*weighted.sum(-1), by_alpha, by_beta], axis=1)
    return (slope * (residual - slope / 2)).sum(-1), gradients


def _data(runs: Sequence[ScalingRun]) -> _Data:
    logs = np.log([[run.params, run.tokens, run.loss] for run in runs]).T
    centre = (float(logs[0].mean()), float(logs[1].mean()))
    return _Data(logs[0] - centre[0], logs[1] - centre[1], logs[2], centre)


def _constants(points: Floats, centre: tuple[float, float]) -> Floats:
    """E, A, B, alpha, beta of centred points, one per row."""
    a, b, e, alpha, beta = points.T
    factors = [e, a + alpha * centre[0], b + beta * centre[1]]
    return np.stack([*np.exp(factors), alpha, beta], axis=1)


def _bootstrap(data: _Data, best: Floats, resamples: int) -> Floats:
    """The optimum of each resample of the runs, followed from that of all runs."""
    rng = np.random.default_rng(0)
    n = len(data.log_loss)
    drawn: list[NDArray[np.int64]] = [rng.integers(0, n, n) for _ in range(resamples)]
    parts = (
        _Data(data.log_params[i], data.log_tokens[i], data.log_loss[i], data.centre) for i in drawn
    )
    with _one_thread():
        return np.array([_descend(best, part)[1] for part in parts])


def _one_thread() -> threadpool_limits:
    """Keeps BLAS to itself: on matrices this small its threads wait for each other, 12 times."""
    return threadpool_limits(1, "blas")


def _intervals(draws: Floats) -> dict[str, tuple[float, float]]:
    low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2], axis=0)
    rows = zip((*_NAMES, "a"), low.tolist(), high.tolist(), strict=True)
    return {name: (one, other) for name, one, other in rows}


def _held_out(runs: Sequence[ScalingRun]) -> HeldOut:
    last = min(runs, key=lambda run: run.loss)
    data = _data([run for run in runs if run is not last])
    _, best = search(data, pruned_starts(data))
    floor, a, b, alpha, beta = (float(v) for v in _constants(best[None], data.centre)[0])
    predicted = floor + a * math.pow(last.params, -alpha) + b * math.pow(last.tokens, -beta)
    return HeldOut(
        params=last.params,
        tokens=last.tokens,
        loss=last.loss,
        predicted=predicted,
        error=predicted / last.loss - 1,
    )
