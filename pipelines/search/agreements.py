"""How predicted losses agree with measured ones, with what JSON cannot hold as None."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mixtures.agreement import TOP, decision_accuracy, spearman, spearman_interval
from mixtures.agreement import top_decile_spearman as top_decile
from mixtures.space import Floats

_NORMAL_95 = 1.96


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Predictions against measurements of the same runs.

    Attributes:
        runs: how many.
        spearman: rank correlation in [-1, 1]; None below three runs.
        interval: 95 % of it, by resampled runs.
        top_runs: best measured tenth, among which a search has to choose.
        top_spearman: rank correlation within it; None below three runs.
        accuracy: share of pairs of runs whose order is predicted, in [0, 1]; None where no pair
            differs.
        mae: mean absolute error.
        bias: mean of predicted less measured.
        coverage: share of measurements within 1.96 standard errors of their predictions.
    """

    runs: int
    spearman: float | None
    interval: tuple[float, float] | None
    top_runs: int
    top_spearman: float | None
    accuracy: float | None
    mae: float
    bias: float
    coverage: float


def agreement(predicted: Floats, sd: Floats, measured: Floats) -> Agreement:
    """Compares losses (runs,) of the same runs; `sd` are standard errors of the predictions."""
    errors = predicted - measured
    low, high = spearman_interval(predicted, measured)
    return Agreement(
        runs=len(measured),
        spearman=_known(spearman(predicted, measured)),
        interval=None if math.isnan(low) else (low, high),
        top_runs=math.ceil(TOP * len(measured)),
        top_spearman=_known(top_decile(predicted, measured)),
        accuracy=_known(decision_accuracy(predicted, measured)),
        mae=float(np.abs(errors).mean()),
        bias=float(errors.mean()),
        coverage=float((np.abs(errors) <= _NORMAL_95 * sd).mean()),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
