"""Gaussian process with a width per domain: which domains matter is learnt from the runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from curation.errors import UserError
from mixtures.predictors.predictor import Predictor, predictors
from mixtures.space import Floats

_LEAST_RUNS = 5
_BATCH = 4096  # mixtures whose kernel with the runs is in memory at once
_JITTER = 1e-10  # on the diagonal, so that equal mixtures leave the kernel invertible
_REACH = 6.0  # prior standard deviations within which parameters are sought
_AMPLITUDE_SD = 2.0  # of the log-normal priors of signal and noise
_STEPS = 60
_LEAST_NOISE = 1e-8  # variance, in units of the variance of the losses


@predictors.register("gp")
@dataclass(frozen=True, kw_only=True)
class GP(Predictor):
    """RBF kernel on p^power with automatic relevance determination, by maximum a posteriori.

    Log-normal priors are centred on the median heuristic for every width and on `ridge` for the
    noise: few runs get nearly the plain Hellinger kernel, many find the few domains that a loss
    depends on.

    Attributes:
        power: of the weights, in (0, 1]; .5 makes distances Hellinger's, less spreads small
            weights, where a domain's own loss falls fastest.
        width_sd: of the prior of a log squared width, above 0.
        ridge: on which the prior of the noise variance is centred, in units of the variance of
            the losses.
        evidence_runs: most runs that widths are learnt from, evenly spaced; the cost grows with
            their cube. The posterior takes all runs.
    """

    power: float = 0.25
    width_sd: float = 1.5
    ridge: float = 1e-2
    evidence_runs: int = 192

    def __post_init__(self) -> None:
        if not 0 < self.power <= 1:
            raise ValueError(f"'power' of gp must be in (0, 1]. Got {self.power:g}.")
        if self.width_sd <= 0 or self.ridge <= 0:
            raise ValueError("'width_sd' and 'ridge' of gp must be > 0")
        if self.evidence_runs < _LEAST_RUNS:
            raise ValueError(f"'evidence_runs' of gp must be >= {_LEAST_RUNS}")

    def fit(self, weights: Floats, losses: Floats, own: int | None = None) -> GPFit:
        """See `Predictor`; needs no `own`."""
        if len(losses) < _LEAST_RUNS:
            what = f"gp needs {_LEAST_RUNS} runs, there are {len(losses)}"
            raise UserError(what, where="runs", hint="Measure more mixtures.")
        points, offset = weights**self.power, float(losses.mean())
        scale = float(losses.std()) or 1.0
        targets = (losses - offset) / scale
        count = min(len(points), self.evidence_runs)
        picked = np.linspace(0, len(points) - 1, count).astype(int)
        kernel = self._learn(points[picked], targets[picked])
        return GPFit(points, targets, kernel, offset, scale, self.power)

    def _learn(self, points: Floats, targets: Floats) -> Kernel:
        """The kernel of largest posterior density."""
        from scipy.optimize import minimize

        gaps = np.stack([np.subtract.outer(column, column) ** 2 for column in points.T])
        median = float(np.median(gaps.sum(0)[np.triu_indices(len(points), 1)])) or 1.0
        rates = np.full(len(gaps), -np.log(2 * median))
        centre = np.concatenate([rates, [0.0, np.log(self.ridge)]])
        spread = np.append(np.full(len(gaps), self.width_sd), [_AMPLITUDE_SD, _AMPLITUDE_SD])

        def cost(theta: Floats) -> tuple[float, Floats]:
            value, gradient = _evidence(theta, gaps, targets)
            away = (theta - centre) / spread
            return value + float(away @ away) / 2, gradient + away / spread

        low, high = centre - _REACH * spread, centre + _REACH * spread
        low[-1] = max(low[-1], np.log(_LEAST_NOISE))
        found = minimize(
            cost,
            centre,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
            options={"maxiter": _STEPS},
        )
        *best, signal, noise = np.exp(found.x)
        return Kernel(np.array(best), float(signal), float(noise))


@dataclass(frozen=True)
class Kernel:
    """k(x, y) = signal exp(-sum_j rate_j (x_j - y_j)^2 / 2), and the noise of a run beside it.

    Attributes:
        rates: inverse squared widths, (domains,).
        signal: variance, in units of the variance of the losses.
        noise: likewise.
    """

    rates: Floats
    signal: float
    noise: float

    def between(self, one: Floats, other: Floats) -> Floats:
        """(one, domains) and (other, domains) to (one, other)."""
        a, b = one * np.sqrt(self.rates), other * np.sqrt(self.rates)
        squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T
        return np.asarray(self.signal * np.exp(-np.maximum(squares, 0.0) / 2))


@dataclass(frozen=True)
class GPFit:
    """A posterior; see `Fit`. `sd` is of a measured run: it includes the noise of a seed.

    Widths are taken as known, so it is somewhat narrow: of RegMix's 256 test runs .95, .91 and .92
    lay within 1.96 of it after 24, 48 and 96 runs, mean of three targets and four draws, .82 in
    the worst; leave-one-out errors, which share the widths, do not show it.

    Attributes:
        points: p^power of the runs, (runs, domains).
        targets: their losses less `offset`, over `scale`, (runs,).
        kernel: learnt.
        offset: mean loss.
        scale: standard deviation of the losses.
        power: of the weights.
    """

    points: Floats
    targets: Floats
    kernel: Kernel
    offset: float
    scale: float
    power: float

    def mean(self, weights: Floats) -> Floats:
        """See `Fit`."""
        parts = [cross @ self._pull for cross in self._crosses(weights)]
        return np.asarray(self.offset + self.scale * np.concatenate(parts))

    def sd(self, weights: Floats) -> Floats:
        """See `Fit`."""
        from scipy.linalg import solve_triangular

        parts = []
        for cross in self._crosses(weights):
            known = (solve_triangular(self._factor, cross.T, lower=True) ** 2).sum(0)
            parts.append(np.maximum(self.kernel.signal - known, 0.0) + self.kernel.noise)
        return np.asarray(self.scale * np.sqrt(np.concatenate(parts)))

    @cached_property
    def _factor(self) -> Floats:
        from scipy.linalg import cholesky

        inner = self.kernel.between(self.points, self.points)
        inner[np.diag_indices_from(inner)] += self.kernel.noise + _JITTER
        return np.asarray(cholesky(inner, lower=True))

    @cached_property
    def _pull(self) -> Floats:
        from scipy.linalg import cho_solve

        return np.asarray(cho_solve((self._factor, True), self.targets))

    def _crosses(self, weights: Floats) -> Iterator[Floats]:
        points = weights**self.power
        for start in range(0, max(1, len(points)), _BATCH):
            yield self.kernel.between(points[start : start + _BATCH], self.points)


def _evidence(theta: Floats, gaps: Floats, targets: Floats) -> tuple[float, Floats]:
    """Negative log marginal likelihood, less its constant, and its gradient by log parameters.

    Args:
        theta: logs of rates, signal and noise, (domains + 2,).
        gaps: squared distances by domain, (domains, runs, runs).
        targets: of mean 0 and variance 1, (runs,).
    """
    from scipy.linalg import cho_solve, cholesky

    *rates, signal, noise = np.exp(theta)
    count, flat = len(targets), gaps.reshape(len(gaps), -1)
    process = signal * np.exp(-(np.array(rates) @ flat).reshape(count, count) / 2)
    factor = cholesky(process + (noise + _JITTER) * np.eye(count), lower=True)
    inverse = cho_solve((factor, True), np.eye(count))
    pull = inverse @ targets
    value = float(targets @ pull / 2 + np.log(np.diag(factor)).sum())
    slope = (inverse - np.outer(pull, pull)) / 2
    moved = slope * process
    by_rate = -(flat @ moved.ravel()) * np.array(rates) / 2
    return value, np.concatenate([by_rate, [moved.sum(), np.trace(slope) * noise]])
