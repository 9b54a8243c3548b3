"""Scaling fits: which law the runs allow, fitted, or refused with the reason.

Five sizes by four durations allow L(N, D) = E + A / N^alpha + B / D^beta per recipe. Fewer allow
E + k C^-g along one line of growing compute, with one g for all recipes. Anything less allows
nothing: a fit through too few points extrapolates noise. To choose between recipes compare them at
one scale (DataDecide: no fit beat that); fits are for sizes that cannot be run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from curation.errors import UserError
from eval.chinchilla import MIN_DURATIONS, MIN_SIZES, ChinchillaFit, ScalingRun, fit_chinchilla
from eval.shared_power import SharedFit, fit_shared, refusal_of_shared

MATRICES = "matrices and head"  # what `ModelConfig.params` counts: a tied embedding once


def fit_scaling(
    runs: Mapping[str, Sequence[ScalingRun]], convention: str = MATRICES
) -> dict[str, ChinchillaFit] | SharedFit:
    """The richest law that the grid of runs allows.

    Args:
        runs: by recipe.
        convention: which parameters `ScalingRun.params` counts; exponents depend on it.

    Raises:
        UserError: the grid allows none, or the losses contradict the law; says why.
    """
    for recipe, given in runs.items():
        _check(recipe, given)
    short = [reason for recipe, given in runs.items() if (reason := _short(recipe, given))]
    if runs and not short:
        return {recipe: fit_chinchilla(given, convention) for recipe, given in runs.items()}
    refused = refusal_of_shared(runs)
    if refused:
        hint = "Train more sizes and durations, or compare the recipes at one scale."
        raise UserError(f"no scaling law can be fitted: {'; '.join([*short, refused])}", hint=hint)
    return fit_shared(runs, convention)


def _check(recipe: str, runs: Sequence[ScalingRun]) -> None:
    for run in runs:
        if run.params < 1 or run.tokens < 1 or not (math.isfinite(run.loss) and run.loss > 0):
            raise UserError(
                f"a run needs params and tokens >= 1 and a finite loss > 0. Got {run}.",
                where=f"recipe {recipe}",
            )


def _short(recipe: str, runs: Sequence[ScalingRun]) -> str:
    """Why the five parameters cannot be told apart; empty if they can."""
    durations: dict[int, set[int]] = {}
    for run in runs:
        durations.setdefault(run.params, set()).add(run.tokens)
    full = sum(len(tokens) >= MIN_DURATIONS for tokens in durations.values())
    if full >= MIN_SIZES:
        return ""
    return (
        f"'{recipe}' has {full} sizes with {MIN_DURATIONS} durations or more, "
        f"five parameters need {MIN_SIZES}"
    )
