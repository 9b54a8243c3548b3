"""A table of runs, fitted: per target the predictor that cross-validation prefers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mixtures.columns import owner
from mixtures.folds import folds
from mixtures.predictors.predictor import Fit
from mixtures.run_table import RunTable
from mixtures.selection import FOLDS, Composite, Selected, select
from mixtures.space import Floats
from pipelines.search.predictors import score_entry
from pipelines.search.record import PredictorScore


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The objective as a function of the mixture, and how it does on runs it has not seen.

    Attributes:
        fits: by target.
        fit: of the objective.
        scores: cross-validation of every predictor on every target.
        failures: why a predictor could not be fitted, by its name.
        held_out: predicted objective of each run by fits to other runs, (runs,).
        held_out_sd: standard errors of these, (runs,).
    """

    fits: Mapping[str, Fit]
    fit: Fit
    scores: tuple[PredictorScore, ...]
    failures: Mapping[str, str]
    held_out: Floats
    held_out_sd: Floats


def fit_table(table: RunTable, objective: Mapping[str, float], names: Sequence[str]) -> Fitted:
    """Fits the targets of an objective.

    Args:
        table: one row per mixture.
        objective: weight by target, summing to 1.
        names: of the predictors to choose from.

    Raises:
        UserError: none of them can be fitted to so few runs.
    """
    chosen = {
        target: select(table.weights, table.column(target), own(table, target), names)
        for target in objective
    }
    parts = tuple(objective.values())
    every = [score for found in chosen.values() for score in found.scores]
    predicted = [found.score.predicted for found in chosen.values()]
    return Fitted(
        fits={target: found.fit for target, found in chosen.items()},
        fit=Composite(tuple(found.fit for found in chosen.values()), parts),
        scores=tuple(
            score_entry(target, score, found.name)
            for target, found in chosen.items()
            for score in found.scores
            if math.isfinite(score.rmse)
        ),
        failures={score.name: score.failure for score in every if score.failure},
        held_out=np.asarray(np.array(parts) @ np.array(predicted)),
        held_out_sd=_held_out_sd(table, chosen, parts),
    )


def own(table: RunTable, target: str) -> int | None:
    """Index of the domain whose held-out text the target is, by its name."""
    domain = owner(target, table.domains)
    return None if domain is None else table.domains.index(domain)


def _held_out_sd(
    table: RunTable, chosen: Mapping[str, Selected], parts: tuple[float, ...]
) -> Floats:
    """Standard errors of the objective, each run by fits to the folds that it is not in."""
    out = np.empty(len(table.keys))
    for train, test in folds(len(out), FOLDS, 0):
        fits = tuple(
            found.predictor.fit(
                table.weights[train], table.column(target)[train], own(table, target)
            )
            for target, found in chosen.items()
        )
        out[test] = Composite(fits, parts).sd(table.weights[test])
    return out
