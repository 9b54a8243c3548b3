"""The log-linear law L = c + exp(A.p): Data Mixing Laws and Olmix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.errors import UserError
from mixtures.predictors.predictor import Predictor, predictors
from mixtures.space import Floats

_FLOORS = (0.02, 0.1, 0.5, 2.0, 8.0)  # starts of c: so many ranges of the losses below the least
_SCREEN, _POLISH = 60, 500  # steps of every start, and of the best one after them
_STEEPEST = 30.0  # |A|: exp of more is no loss that was measured


@predictors.register("log_linear")
@dataclass(frozen=True, kw_only=True)
class LogLinear(Predictor):
    """L = c + exp(A.p) per target, with one slope per domain and a floor.

    The law of Data Mixing Laws (Ye et al. 2024, 2403.16952), c + k exp(t.r), whose factor k is in
    the slopes because weights sum to 1; fitted as Olmix does (2602.12237), by L-BFGS under a Huber
    loss. Several starts, each with another floor and the slopes of ln(L - c); after a few steps of
    each the best goes on.
    Deviation: slopes are held within 30 of 0, and a ridge of 1e-6 on them ties down domains that
    no run has.

    Attributes:
        delta: residual beyond which errors count linearly, in units of the loss; .02 in Olmix.
        ridge: of the slopes.
    """

    delta: float = 0.02
    ridge: float = 1e-6

    def __post_init__(self) -> None:
        if self.delta <= 0 or self.ridge < 0:
            raise ValueError("'delta' of log_linear must be > 0 and 'ridge' >= 0")

    def fit(self, weights: Floats, losses: Floats, own: int | None = None) -> LogLinearFit:
        """See `Predictor`; needs no `own`."""
        if len(losses) < 3:
            what = f"log_linear needs 3 runs, there are {len(losses)}"
            raise UserError(what, where="runs", hint="Measure more mixtures.")
        starts = _starts(weights, losses)
        ends = [self._descend(start, weights, losses, _SCREEN) for start in starts]
        _, best = min(ends, key=lambda end: end[0])
        _, found = self._descend(best, weights, losses, _POLISH)
        return _with_errors(found, weights, losses)

    def _descend(
        self, start: Floats, weights: Floats, losses: Floats, steps: int
    ) -> tuple[float, Floats]:
        from scipy.optimize import minimize

        bounds = [(None, float(losses.min())), *[(-_STEEPEST, _STEEPEST)] * weights.shape[1]]
        options = {"maxiter": steps, "ftol": 1e-13, "gtol": 1e-10, "maxfun": 5 * steps}
        arguments = (weights, losses, self.delta, self.ridge)
        end = minimize(
            _huber, start, arguments, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        return float(end.fun), np.asarray(end.x)


@dataclass(frozen=True)
class LogLinearFit:
    """The law, and the standard error of a new run by the delta method."""

    floor: float
    slopes: Floats  # (domains,)
    variance: float  # of the residuals
    inverse: Floats  # of J'J, of floor and slopes

    def mean(self, weights: Floats) -> Floats:
        """See `Fit`."""
        return np.asarray(self.floor + np.exp(weights @ self.slopes))

    def sd(self, weights: Floats) -> Floats:
        """See `Fit`."""
        slant = _slant(np.concatenate([[self.floor], self.slopes]), weights)
        leverage = np.einsum("ij,jk,ik->i", slant, self.inverse, slant)
        return np.asarray(np.sqrt(max(self.variance, 1e-18) * (1.0 + np.maximum(leverage, 0.0))))


def _starts(weights: Floats, losses: Floats) -> list[Floats]:
    """Floor and slopes, as many as there are floors to try."""
    spread = float(np.ptp(losses)) or 1e-3
    out = []
    for times in _FLOORS:
        floor = float(losses.min()) - times * spread
        slopes, *_ = np.linalg.lstsq(weights, np.log(losses - floor), rcond=None)
        out.append(np.concatenate([[floor], np.clip(slopes, -_STEEPEST, _STEEPEST)]))
    return out


def _huber(
    parameters: Floats, weights: Floats, losses: Floats, delta: float, ridge: float
) -> tuple[float, Floats]:
    """The Huber loss over delta squared, summed over runs, and its gradient."""
    raised = np.exp(np.clip(weights @ parameters[1:], -_STEEPEST, _STEEPEST))
    scaled = (parameters[0] + raised - losses) / delta
    inside = np.abs(scaled) <= 1
    value = np.where(inside, 0.5 * scaled**2, np.abs(scaled) - 0.5).sum()
    pull = np.clip(scaled, -1, 1) / delta
    slopes = weights.T @ (pull * raised) + 2 * ridge * parameters[1:]
    whole = float(value + ridge * (parameters[1:] ** 2).sum())
    return whole, np.concatenate([[pull.sum()], slopes])


def _slant(parameters: Floats, weights: Floats) -> Floats:
    """Derivatives of the law by floor and slopes, (mixtures, 1 + domains)."""
    raised = np.exp(weights @ parameters[1:])
    return np.concatenate([np.ones((len(weights), 1)), raised[:, None] * weights], 1)


def _with_errors(parameters: Floats, weights: Floats, losses: Floats) -> LogLinearFit:
    slant = _slant(parameters, weights)
    residuals = losses - (parameters[0] + np.exp(weights @ parameters[1:]))
    freedom = max(1, len(losses) - min(len(losses) - 1, slant.shape[1]))
    return LogLinearFit(
        floor=float(parameters[0]),
        slopes=parameters[1:],
        variance=float(residuals @ residuals) / freedom,
        inverse=np.asarray(np.linalg.pinv(slant.T @ slant), float),
    )
