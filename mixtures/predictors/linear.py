"""Linear regression on the weights: RegMix's baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.errors import UserError
from mixtures.predictors.predictor import Predictor, predictors
from mixtures.space import Floats


@predictors.register("linear")
@dataclass(frozen=True, kw_only=True)
class Linear(Predictor):
    """Least squares of the loss on the weights; without an intercept, since weights sum to 1."""

    def fit(self, weights: Floats, losses: Floats, own: int | None = None) -> LinearFit:
        """See `Predictor`; needs no `own`."""
        if len(losses) < 2:
            what = f"linear needs 2 runs, there are {len(losses)}"
            raise UserError(what, where="runs", hint="Measure more mixtures.")
        slopes, _, rank, _ = np.linalg.lstsq(weights, losses, rcond=None)
        residuals = losses - weights @ slopes
        variance = float(residuals @ residuals) / max(1, len(losses) - int(rank))
        inverse = np.linalg.pinv(weights.T @ weights)
        return LinearFit(np.asarray(slopes, float), variance, np.asarray(inverse, float))


@dataclass(frozen=True)
class LinearFit:
    """Slopes, and the textbook standard error of a new run."""

    slopes: Floats  # (domains,)
    variance: float  # of the residuals
    inverse: Floats  # of X'X, (domains, domains)

    def mean(self, weights: Floats) -> Floats:
        """See `Fit`."""
        return np.asarray(weights @ self.slopes)

    def sd(self, weights: Floats) -> Floats:
        """See `Fit`."""
        leverage = np.einsum("ij,jk,ik->i", weights, self.inverse, weights)
        return np.asarray(np.sqrt(max(self.variance, 1e-18) * (1.0 + np.maximum(leverage, 0.0))))
