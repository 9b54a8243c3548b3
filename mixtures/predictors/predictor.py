"""Predictor: what every way of predicting a loss from a mixture has in common.

A predictor is a frozen dataclass of parameters; `fit` leaves it unchanged and returns the fitted
function. One target at a time: a weighted sum of targets is the sum of their predictions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

from curation.registry import Registry
from mixtures.space import Floats


class Fit(Protocol):
    """A fitted predictor."""

    def mean(self, weights: Floats) -> Floats:
        """Predicted loss of each mixture: (mixtures, domains) to (mixtures,)."""

    def sd(self, weights: Floats) -> Floats:
        """Standard error of the prediction, of the same shape; above 0."""


@dataclass(frozen=True, kw_only=True)
class Predictor(ABC):
    """One way to predict."""

    name: ClassVar[str]

    @abstractmethod
    def fit(self, weights: Floats, losses: Floats, own: int | None = None) -> Fit:
        """Fits measured runs; deterministic.

        Args:
            weights: (runs, domains), rows on the simplex.
            losses: of one target, (runs,), finite; lower is better.
            own: index of the domain whose held-out text the target is, where it is one.

        Raises:
            UserError: too few runs for this predictor.
        """


predictors: Registry[Predictor] = Registry("predictor", "mixtures.predictors")
