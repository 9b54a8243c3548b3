"""The default: whichever predictor cross-validation prefers for the target."""

from __future__ import annotations

from dataclasses import dataclass

from mixtures.predictors.predictor import Fit, Predictor, predictors
from mixtures.selection import CANDIDATES, select
from mixtures.space import Floats


@predictors.register("auto")
@dataclass(frozen=True, kw_only=True)
class Auto(Predictor):
    """The candidate of least cross-validated error; see `mixtures.selection`.

    Attributes:
        candidates: names of predictors; those that cannot be fitted to the runs are passed over.
    """

    candidates: tuple[str, ...] = CANDIDATES

    def __post_init__(self) -> None:
        if not self.candidates or self.name in self.candidates:
            raise ValueError("candidates must name predictors other than 'auto'")

    def fit(self, weights: Floats, losses: Floats, own: int | None = None) -> Fit:
        """As the base class; needs 5 runs or more."""
        return select(weights, losses, own, self.candidates).fit
