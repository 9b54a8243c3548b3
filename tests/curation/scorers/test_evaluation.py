"""Metrics of a score, against scikit-learn and by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from curation.scorers.evaluation import (
    at_threshold,
    auc,
    auc_interval,
    calibration,
    evaluate,
    expected_calibration_error,
)


def drawn(seed: int, n: int = 400, decimals: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """Scores that rank well but not perfectly; with few decimals, many tie."""
    draw = np.random.default_rng(seed)
    positive = draw.random(n) < 0.3
    scores = np.clip(draw.normal(0.4 + 0.2 * positive, 0.2), 0, 1)
    return scores.round(decimals), positive


@pytest.mark.parametrize("decimals", [17, 1])
@pytest.mark.parametrize("seed", range(3))
def test_auc_is_that_of_scikit_learn_with_and_without_ties(seed: int, decimals: int) -> None:
    scores, positive = drawn(seed, decimals=decimals)
    assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_auc_of_a_perfect_a_reversed_and_a_constant_score() -> None:
    positive = np.array([True, True, False])
    assert auc(np.array([0.9, 0.8, 0.1]), positive) == 1
    assert auc(np.array([0.1, 0.2, 0.9]), positive) == 0
    assert auc(np.array([0.5, 0.5, 0.5]), positive) == 0.5


def test_auc_interval_holds_the_value_and_narrows_with_more_documents() -> None:
    few, many = (auc_interval(*drawn(1, n), seed=0) for n in (100, 3000))
    for found in (few, many):
        assert found["ci_low"] < found["value"] < found["ci_high"]
    assert many["ci_high"] - many["ci_low"] < 0.3 * (few["ci_high"] - few["ci_low"])


def test_auc_interval_is_that_of_the_normal_approximation() -> None:
    """Hanley and McNeil (1982)."""
    scores, positive = drawn(2, 2000)
    found = auc_interval(scores, positive, seed=0)
    a, n, m = found["value"], positive.sum(), (~positive).sum()
    q1, q2 = a / (2 - a) - a**2, 2 * a**2 / (1 + a) - a**2
    error = np.sqrt((a * (1 - a) + (n - 1) * q1 + (m - 1) * q2) / (n * m))
    assert (found["ci_high"] - found["ci_low"]) / (2 * 1.96 * error) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.7])
def test_at_threshold_is_precision_and_recall_of_scores_that_reach_it(threshold: float) -> None:
    scores, positive = drawn(3, decimals=1)
    row = at_threshold(scores, positive, threshold)
    passes = scores >= threshold
    assert row["precision"] == pytest.approx(precision_score(positive, passes))
    assert row["recall"] == pytest.approx(recall_score(positive, passes))
    assert row["passing_frac"] == pytest.approx(passes.mean())


def test_at_threshold_that_nothing_reaches_has_no_precision() -> None:
    row = at_threshold(np.array([0.1, 0.2]), np.array([True, False]), 0.9)
    assert row == {"min_score": 0.9, "precision": None, "recall": 0.0, "passing_frac": 0.0}


def test_calibration_bins_hold_what_was_said_and_what_was_so() -> None:
    scores = np.array([0.0, 0.05, 0.1, 0.95, 1.0])
    bins = calibration(scores, np.array([False, True, False, True, True]))
    assert [one["documents"] for one in bins] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins[0]["mean_score"] == pytest.approx(0.025)
    assert bins[0]["positive_frac"] == 0.5
    assert bins[3]["mean_score"] is None
    assert expected_calibration_error(bins) == pytest.approx((2 * 0.475 + 1 * 0.1 + 2 * 0.025) / 5)


def test_expected_calibration_error_of_calibrated_scores_is_small() -> None:
    draw = np.random.default_rng(0)
    scores = draw.random(20_000)
    bins = calibration(scores, draw.random(20_000) < scores)
    assert expected_calibration_error(bins) < 0.02


def test_evaluate_is_json_and_the_same_again() -> None:
    found = [json.dumps(evaluate(*drawn(5), seed=1), allow_nan=False) for _ in range(2)]
    assert found[0] == found[1]
    metrics = json.loads(found[0])
    assert len(metrics["deciles"]["positives"]) == 11
    assert metrics["positive_frac"] == pytest.approx(drawn(5)[1].mean())
    recalls = [row["recall"] for row in metrics["thresholds"]]
    assert recalls == sorted(recalls, reverse=True)


def test_evaluate_takes_one_document_per_class() -> None:
    metrics = evaluate(np.array([1.0, 0.0]), np.array([True, False]), seed=0)
    assert metrics["auc"] == {"value": 1.0, "ci_low": 1.0, "ci_high": 1.0}
    assert metrics["ece"] == 0
