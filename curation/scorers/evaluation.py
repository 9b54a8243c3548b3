"""How well a score tells two classes apart, on documents it has not learned from."""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.scorers.splitting import Flags, Places
from curation.text import Rows

RESAMPLES = 1000  # of the bootstrap
THRESHOLDS = (0.01, 0.05, *(round(0.1 * i, 1) for i in range(1, 10)), 0.95, 0.99)
BINS = 10  # of the calibration


def evaluate(scores: Rows, positive: Flags, seed: int) -> dict[str, Any]:
    """Ranking, thresholds, calibration and distribution, as JSON.

    Calibration is to the share of positives in the sample, whatever it is elsewhere.

    Args:
        scores: probabilities of the positive class, in [0, 1].
        positive: of each, whether it is; both classes occur.
        seed: of the bootstrap.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss

    bins = calibration(scores, positive)
    return {
        "auc": auc_interval(scores, positive, seed),
        "average_precision": float(average_precision_score(positive, scores)),
        "positive_frac": float(positive.mean()),
        "brier": float(brier_score_loss(positive, scores)),
        "ece": expected_calibration_error(bins),
        "calibration": bins,
        "thresholds": [at_threshold(scores, positive, t) for t in THRESHOLDS],
        "deciles": {
            "positives": _deciles(scores[positive]),
            "negatives": _deciles(scores[~positive]),
        },
    }


def auc(scores: Rows, positive: Flags) -> float:
    """The chance that a positive scores above a negative, ties counting half."""
    return _auc(np.unique(scores, return_inverse=True)[1], positive, np.ones(len(scores)))


def auc_interval(scores: Rows, positive: Flags, seed: int) -> dict[str, float]:
    """The AUC and a 95 % interval by the bootstrap, resampled within each class."""
    draw = np.random.default_rng(seed)
    ranks = np.unique(scores, return_inverse=True)[1]
    weights, found = np.empty(len(scores)), np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        for group in (positive, ~positive):
            n = int(group.sum())
            weights[group] = np.bincount(draw.integers(n, size=n), minlength=n)
        found[i] = _auc(ranks, positive, weights)
    low, high = np.quantile(found, [0.025, 0.975])
    return {"value": auc(scores, positive), "ci_low": float(low), "ci_high": float(high)}


def _auc(ranks: Places, positive: Flags, weights: Rows) -> float:
    good = np.bincount(ranks, weights * positive)
    bad = np.bincount(ranks, weights * ~positive)
    below = np.cumsum(bad) - bad
    return float((good * (below + bad / 2)).sum() / (good.sum() * bad.sum()))


def spearman(a: Rows, b: Rows) -> float | None:
    """The rank correlation, ties at the mean of their ranks; None where one side is constant."""
    from scipy.stats import rankdata

    first, second = rankdata(a), rankdata(b)
    if not first.std() or not second.std():
        return None
    return float(np.corrcoef(first, second)[0, 1])


def at_threshold(scores: Rows, positive: Flags, threshold: float) -> dict[str, float | None]:
    """Precision, recall and the share that passes where scores from `threshold` on pass."""
    passes = scores >= threshold
    right = float((passes & positive).sum())
    return {
        "min_score": threshold,
        "precision": right / float(passes.sum()) if passes.any() else None,
        "recall": right / float(positive.sum()),
        "passing_frac": float(passes.mean()),
    }


def calibration(scores: Rows, positive: Flags) -> list[dict[str, Any]]:
    """Ten equal bins of the score: what was predicted there, and what was so."""
    place = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    said = np.bincount(place, scores, minlength=BINS) / np.maximum(count, 1)
    found = np.bincount(place, positive, minlength=BINS) / np.maximum(count, 1)
    return [
        {
            "min": i / BINS,
            "max": (i + 1) / BINS,
            "documents": int(count[i]),
            "mean_score": float(said[i]) if count[i] else None,
            "positive_frac": float(found[i]) if count[i] else None,
        }
        for i in range(BINS)
    ]


def expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """The mean distance of what was predicted from what was so (Naeini et al. 2015)."""
    total = sum(one["documents"] for one in bins)
    filled = [one for one in bins if one["documents"]]
    return float(
        sum(b["documents"] * abs(b["mean_score"] - b["positive_frac"]) for b in filled) / total
    )


def _deciles(scores: Rows) -> list[float]:
    return [float(value) for value in np.quantile(scores, np.linspace(0, 1, 11))]
