"""BiMix at one budget: a domain's loss as a power of its own share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.errors import UserError
from mixtures.bimix_law import BiMixLaw, fit_bimix_law
from mixtures.predictors.predictor import Predictor, predictors
from mixtures.space import Floats


@predictors.register("bimix")
@dataclass(frozen=True, kw_only=True)
class BiMix(Predictor):
    """L = C / r^alpha, r the share of the domain whose text the target is; see `bimix_law`.

    Of a target that belongs to no domain it knows nothing, and says so.
    """

    def fit(self, weights: Floats, losses: Floats, own: int | None = None) -> BiMixFit:
        """See `Predictor`; needs `own`.

        Raises:
            UserError: the target belongs to no domain, or its share hardly varies.
        """
        if own is None:
            raise UserError(
                "bimix predicts a domain's loss from the domain's share, and the target is of none",
                where="predictor",
                hint="Take another predictor, or targets that are held out from domains.",
            )
        shares = np.asarray(weights[:, own])
        return BiMixFit(fit_bimix_law(shares, np.ones(len(shares)), losses), own)


@dataclass(frozen=True)
class BiMixFit:
    """The law of one domain; its errors are relative, as it is fitted."""

    law: BiMixLaw
    own: int

    def mean(self, weights: Floats) -> Floats:
        """See `Fit`."""
        return self.law.at(weights[:, self.own], 1.0)

    def sd(self, weights: Floats) -> Floats:
        """See `Fit`."""
        return np.asarray(self.law.error * self.mean(weights))
