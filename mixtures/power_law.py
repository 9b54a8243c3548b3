"""Power laws with one exponent: L(x) = c + (x0 / x)^alpha, for loss over steps or over parameters.

Many curves, each with a floor c and a scale x0 of its own, share alpha, as Data Mixing Laws ties it
(2403.16952; `tie_alpha="all"` in its code): short curves alone leave an exponent open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtures.space import Floats

LEAST_POINTS = 3  # that tell a floor, a scale and an exponent apart
_STARTS = np.geomspace(0.05, 2.0, 40)  # exponents


@dataclass(frozen=True)
class PowerLaws:
    """Fitted curves.

    Attributes:
        floors: c of each curve, (curves,), from 0.
        scales: (x0 / unit)^alpha, (curves,), from 0.
        exponent: alpha.
        unit: of x.
    """

    floors: Floats
    scales: Floats
    exponent: float
    unit: float

    def at(self, x: float) -> Floats:
        """Loss of each curve at x, (curves,)."""
        return np.asarray(self.floors + self.scales * (x / self.unit) ** -self.exponent)


def fit_power_laws(x: Floats, losses: Floats, delta: float) -> PowerLaws:
    """Least Huber loss over all curves together, by L-BFGS.

    It starts from the best of 40 exponents from .05 to 2, for each of which floors and scales are
    a linear least-squares problem; the paper draws 5,000 random starts.

    Args:
        x: tokens or parameters, (points,), above 0.
        losses: (curves, points).
        delta: of the Huber loss, in units of the loss.

    Raises:
        ValueError: fewer than `LEAST_POINTS` distinct x.
    """
    if len(np.unique(x)) < LEAST_POINTS:
        raise ValueError(f"a power law needs {LEAST_POINTS} points. Got {len(np.unique(x))}.")
    unit = float(np.exp(np.log(x).mean()))
    logs = np.log(x / unit)
    starts = [np.array([*_linear(np.exp(-a * logs), losses), a]) for a in _STARTS]
    best = min(starts, key=lambda start: _huber(start, logs, losses, delta)[0])
    found = _polish(best, logs, losses, delta)
    floors, scales = found[:-1].reshape(2, -1)
    return PowerLaws(floors, scales, float(found[-1]), unit)


def _linear(basis: Floats, losses: Floats) -> Floats:
    """Floors then scales, each from 0, of losses = floor + scale * basis: (2 * curves,)."""
    spread = basis - basis.mean()
    scales = np.maximum(losses @ spread / (spread @ spread), 0)
    floors = losses.mean(1) - scales * basis.mean()
    through_zero = losses @ basis / (basis @ basis)
    scales = np.where(floors < 0, through_zero, scales)
    return np.concatenate([np.maximum(floors, 0), scales])


def _polish(start: Floats, logs: Floats, losses: Floats, delta: float) -> Floats:
    from scipy.optimize import minimize

    bounds = [(0.0, None)] * (len(start) - 1) + [(1e-3, 10.0)]
    options = {"maxiter": 2_000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-10}
    arguments = (logs, losses, delta)
    found = minimize(_huber, start, arguments, "L-BFGS-B", jac=True, bounds=bounds, options=options)
    return np.asarray(found.x)


def _huber(parameters: Floats, logs: Floats, losses: Floats, delta: float) -> tuple[float, Floats]:
    """Sum of Huber losses in units of delta squared, and its gradient."""
    floors, scales = parameters[:-1].reshape(2, -1, 1)
    basis = np.exp(-parameters[-1] * logs)
    residuals = (floors + scales * basis - losses) / delta
    pull = np.clip(residuals, -1, 1)
    value = float((pull * (residuals - pull / 2)).sum())
    by_exponent = -(pull * scales * basis * logs).sum()
    gradient = np.concatenate([pull.sum(1), (pull * basis).sum(1), [by_exponent]])
    return value, gradient / delta
