"""Choice of a predictor by K-fold cross-validation over measured runs, one target at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.errors import UserError
from mixtures.agreement import spearman
from mixtures.folds import folds
from mixtures.predictors.predictor import Fit, Predictor, predictors
from mixtures.space import Floats

FOLDS = 5
CANDIDATES = ("gp", "log_linear", "linear", "bimix", "lightgbm")


@dataclass(frozen=True)
class Score:
    """How a candidate predicts runs that it was not fitted to.

    Attributes:
        name: of the candidate.
        spearman: of predictions and losses, in [-1, 1]; NaN where it could not be fitted.
        rmse: root mean square error, in units of the loss.
        predicted: loss of each run by the fit that did not see it, (runs,); empty likewise.
        failure: why it could not be fitted.
    """

    name: str
    spearman: float
    rmse: float
    predicted: Floats
    failure: str = ""


@dataclass(frozen=True)
class Selected:
    """The candidate of least cross-validated error, fitted to all runs.

    Attributes:
        name: of the candidate.
        predictor: its parameters.
        fit: to all runs.
        scores: of all candidates, in their order.
    """

    name: str
    predictor: Predictor
    fit: Fit
    scores: tuple[Score, ...]

    @property
    def score(self) -> Score:
        """That of the chosen candidate."""
        return next(score for score in self.scores if score.name == self.name)


@dataclass(frozen=True)
class Composite:
    """Weighted sum of the fits of several targets.

    Standard errors are added as if the targets erred together: an upper bound.

    Attributes:
        fits: by target.
        parts: weight of each.
    """

    fits: tuple[Fit, ...]
    parts: tuple[float, ...]

    def mean(self, weights: Floats) -> Floats:
        """Predicted objective, (mixtures,)."""
        pairs = zip(self.fits, self.parts, strict=True)
        return np.asarray(sum(part * fit.mean(weights) for fit, part in pairs))

    def sd(self, weights: Floats) -> Floats:
        """Its standard error, (mixtures,)."""
        pairs = zip(self.fits, self.parts, strict=True)
        return np.asarray(sum(abs(part) * fit.sd(weights) for fit, part in pairs))


def cross_validate(
    predictor: Predictor, weights: Floats, losses: Floats, own: int | None = None, seed: int = 0
) -> Score:
    """Predicts each run from the other folds; a predictor that cannot be fitted says why."""
    out = np.empty(len(losses))
    try:
        for train, test in folds(len(losses), FOLDS, seed):
            out[test] = predictor.fit(weights[train], losses[train], own).mean(weights[test])
    except UserError as error:
        return Score(predictor.name, float("nan"), float("nan"), np.empty(0), error.what)
    rmse = float(np.sqrt(((out - losses) ** 2).mean()))
    return Score(predictor.name, spearman(out, losses), rmse, out)


def select(
    weights: Floats,
    losses: Floats,
    own: int | None = None,
    candidates: Sequence[str] = CANDIDATES,
    seed: int = 0,
) -> Selected:
    """The candidate of least cross-validated root mean square error, fitted to all runs.

    Args:
        weights: (runs, domains), rows on the simplex.
        losses: of one target, (runs,), finite.
        own: index of the domain whose held-out text the target is.
        candidates: names of predictors.
        seed: of the folds, which are the same for all candidates and targets.

    Raises:
        UserError: no candidate can be fitted to so few runs.
    """
    made = {name: predictors.get(name)() for name in candidates}
    scores = tuple(cross_validate(made[name], weights, losses, own, seed) for name in made)
    usable = [score for score in scores if not score.failure and np.isfinite(score.rmse)]
    if not usable:
        reasons = "; ".join(f"{score.name}: {score.failure}" for score in scores)
        raise UserError(
            f"no predictor can be cross-validated on {len(losses)} runs ({reasons})",
            hint="Measure more mixtures.",
        )
    best = min(usable, key=lambda score: score.rmse).name
    return Selected(best, made[best], made[best].fit(weights, losses, own), scores)
