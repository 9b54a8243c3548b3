"""How well predicted losses order measured ones."""

from __future__ import annotations

import math

import numpy as np

from mixtures.space import Floats

TOP = 0.1
_RESAMPLES = 1000


def spearman(predicted: Floats, measured: Floats) -> float:
    """Rank correlation in [-1, 1], ties sharing their mean rank.

    0 where either is the same for all runs: that orders nothing. NaN below 3 runs.
    """
    if len(measured) < 3:
        return float("nan")
    a, b = _ranks(predicted), _ranks(measured)
    size = math.sqrt(float((a @ a) * (b @ b)))
    return float(a @ b) / size if size else 0.0


def _ranks(values: Floats) -> Floats:
    """Along the last axis, less their mean."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=-1)
    return np.asarray(ranks - ranks.mean(-1, keepdims=True))


def spearman_interval(predicted: Floats, measured: Floats, seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap over runs."""
    if len(measured) < 3:
        return float("nan"), float("nan")
    rng = np.random.default_rng([seed, len(measured)])
    picks = rng.integers(0, len(measured), (_RESAMPLES, len(measured)))
    a, b = _ranks(predicted[picks]), _ranks(measured[picks])
    size = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    found = np.divide((a * b).sum(1), size, out=np.zeros(_RESAMPLES), where=size > 0)
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def top_decile_spearman(predicted: Floats, measured: Floats) -> float:
    """Rank correlation within the tenth of the runs that measured best; NaN below 3 of them."""
    best = np.argsort(measured, kind="stable")[: math.ceil(TOP * len(measured))]
    return spearman(predicted[best], measured[best])


def decision_accuracy(predicted: Floats, measured: Floats) -> float:
    """Share of the pairs of runs that differ whose order is predicted, in [0, 1].

    A tie of predictions counts half. NaN where no pair differs.
    """
    upper = np.triu_indices(len(measured), 1)
    real = np.sign(np.subtract.outer(measured, measured)[upper])
    guess = np.sign(np.subtract.outer(predicted, predicted)[upper])
    differ = real != 0
    return float(((real * guess)[differ] + 1).mean() / 2) if differ.any() else float("nan")
