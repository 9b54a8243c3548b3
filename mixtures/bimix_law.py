"""BiMix's law: the loss on a domain as a function of its own share and of the tokens of the run.

L(r, s) = (A / r^alpha) (B / s^beta + C), Ge et al. 2024 (2405.14908). A only scales B and C, so it
is 1 here. What other domains teach about this one is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.errors import UserError
from mixtures.space import Floats

Bools = NDArray[np.bool_]

LEAST_SHARE = 1e-4  # below it the law, which ends at infinity, is held constant
_LEAST_RUNS = 3
_BETAS = (0.05, 0.1, 0.2, 0.4, 0.8)  # starts; measured exponents of loss over tokens are .05 to .5


@dataclass(frozen=True)
class BiMixLaw:
    """A fitted law.

    Attributes:
        alpha: of the share, from 0.
        beta: of the tokens, from 0.
        scale: B in units of `unit` tokens, from 0; 0 where all losses are at one number of tokens.
        floor: C, from 0.
        unit: tokens.
        error: root mean square of the residuals of ln L, degrees of freedom taken off.
    """

    alpha: float
    beta: float
    scale: float
    floor: float
    unit: float
    error: float

    def at(self, shares: Floats, tokens: float) -> Floats:
        """Losses of runs with these shares of the domain, same shape."""
        height = self.scale * (tokens / self.unit) ** -self.beta + self.floor
        return np.asarray(height * np.maximum(shares, LEAST_SHARE) ** -self.alpha)


def fit_bimix_law(shares: Floats, tokens: Floats, losses: Floats) -> BiMixLaw:
    """Least squares of ln L by the trust-region-reflective method, as the paper fits.

    Where the share is always the same alpha is 0, where the tokens are, beta and B.

    Args:
        shares: of the domain in each measurement, (n,); those below `LEAST_SHARE` are left out.
        tokens: that the run had read, (n,), above 0.
        losses: on the domain, (n,), above 0.

    Raises:
        UserError: no or two different shares are left.
    """
    used = shares >= LEAST_SHARE
    different = len(np.unique(shares[used]))
    if different != 1 and different < _LEAST_RUNS:
        raise UserError(
            f"BiMix needs {_LEAST_RUNS} different shares of a domain above {LEAST_SHARE:g}, "
            f"there are {different}",
            where="budget.runs",
            hint="Ask for more runs, or sample mixtures that hold every domain.",
        )
    unit = float(np.exp(np.log(tokens[used]).mean()))
    logs = np.stack([np.log(shares[used]), np.log(tokens[used] / unit), np.log(losses[used])])
    varies, grows = different > 1, float(np.ptp(logs[1])) > 0
    free = np.array([varies, grows, grows, True])
    starts = [_start(beta, logs, varies) for beta in (_BETAS if grows else (0.0,))]
    cost, found = min((_polish(start, logs, free) for start in starts), key=lambda pair: pair[0])
    freedom = max(1, int(used.sum()) - int(free.sum()))
    alpha, beta, scale, floor = found.tolist()
    return BiMixLaw(alpha, beta, scale, floor, unit, max(1e-6, (2 * cost / freedom) ** 0.5))


def _start(beta: float, logs: Floats, varies: bool) -> Floats:
    """Alpha by regression of ln L on ln r and ln s; B and C by sharing what is left evenly."""
    shares, tokens, losses = logs
    columns = np.stack([-shares, -tokens, np.ones_like(shares)], 1)
    alpha, _, height = np.linalg.lstsq(columns, losses, rcond=None)[0]
    scale = np.exp(height) / 2 if beta else 0.0
    return np.array([max(alpha, 1e-3) * varies, beta, scale, np.exp(height) - scale])


def _polish(start: Floats, logs: Floats, free: Bools) -> tuple[float, Floats]:
    """Half the sum of squares, and alpha, beta, B, C."""
    from scipy.optimize import least_squares

    shares, tokens, losses = logs

    def residuals(parameters: Floats) -> Floats:
        alpha, beta, scale, floor = _whole(start, free, parameters)
        height = np.maximum(scale * np.exp(-beta * tokens) + floor, 1e-300)
        return np.asarray(np.log(height) - alpha * shares - losses)

    bounds = (np.zeros(free.sum()), np.array([10.0, 5.0, np.inf, np.inf])[free])
    found = least_squares(
        residuals, start[free], bounds=bounds, method="trf", xtol=1e-12, ftol=1e-12, gtol=1e-12
    )
    return float(found.cost), _whole(start, free, found.x)


def _whole(start: Floats, free: Bools, parameters: Floats) -> Floats:
    whole = start.copy()
    whole[free] = parameters
    return whole
