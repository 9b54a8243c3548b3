"""The objective as a fitted function: one predictor per target, summed by the weights of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from curation.config import build
from curation.errors import UserError
from mixtures.distances import hellinger
from mixtures.methods.candidates import usable
from mixtures.methods.method import Problem
from mixtures.predictors.predictor import Fit, Predictor, predictors
from mixtures.runs import Run, losses_of, weights_of
from mixtures.selection import Composite
from mixtures.simplex import Objective
from mixtures.space import Floats

Choice = str | dict[str, dict[str, Any]]
_STEP = 1e-6  # of the central differences: errors of 1e-9 of the loss


def predictor_of(choice: Choice) -> Predictor:
    """The predictor that a name, or {name: parameters}, stands for.

    Raises:
        UserError: there is none of that name, or a parameter is wrong.
    """
    if isinstance(choice, str):
        return predictors.get(choice)()
    if len(choice) != 1:
        raise UserError("must be one name, or one {name: parameters}", where="predictor")
    ((name, parameters),) = choice.items()
    return build(predictors.get(name), parameters, where=f"predictor.{name}", label=name)


def check_budget(problem: Problem, choice: Choice, weights: Floats) -> None:
    """Tells before anything is trained that a predictor cannot be fitted to so few runs.

    It is fitted to made-up losses at the mixtures (runs, domains): what it needs it says itself.

    Raises:
        UserError: it is unknown, a parameter is wrong, or the runs are too few.
    """
    predictor, made_up = predictor_of(choice), hellinger(weights, np.roll(weights[0], 1))
    try:
        for own in {problem.own(name) for name in problem.objective}:
            predictor.fit(weights, made_up, own)
    except UserError as error:
        raise UserError(error.what, where="budget.runs", hint=error.hint) from None


def fit_objective(problem: Problem, runs: Sequence[Run], choice: Choice) -> Fit:
    """The objective fitted to the finished runs of the first size.

    Raises:
        UserError: all runs failed, or there are too few for the predictor.
    """
    done = usable(runs)
    weights, predictor = weights_of(done), predictor_of(choice)
    fits = tuple(
        predictor.fit(weights, losses_of(done, name), problem.own(name))
        for name in problem.objective
    )
    return Composite(fits, tuple(problem.objective.values()))


def smooth(fit: Fit) -> Objective:
    """A fit as value and gradient, by central differences."""

    def objective(weights: Floats) -> tuple[float, Floats]:
        moves = _STEP * np.eye(len(weights))
        values = fit.mean(np.concatenate([weights[None], weights + moves, weights - moves]))
        after, before = np.split(values[1:], 2)
        return float(values[0]), (after - before) / (2 * _STEP)

    return objective
