"""Curves: the metrics of a run's models at several token budgets, for token multipliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eval.multiplier import CurvePoint
from eval.scorecard import FINAL_LOSS, Scorecard, make_scorecard
from pipelines.scores import TrialScores
from train.checkpoint import MODEL

MIN_POINTS = 2  # of a curve that anything can be read off


def scored_curve(
    record: Mapping[str, Any], scores: Callable[[str], TrialScores]
) -> list[dict[str, Any]]:
    """The `curve` of a run's record, each point with the metrics of its model.

    Args:
        record: content of `run.json`.
        scores: of the model file that a point names.
    """
    last = {"tokens": record["tokens"], "flops": record["flops"], "loss": record["final_loss"]}
    points = record.get("curve") or [{**last, "model": MODEL, "decayed": True}]
    return [{**point, "metrics": _metrics(record, point, scores)} for point in points]


def curve_points(card: Scorecard) -> list[CurvePoint] | None:
    """The primary metric of a recipe by budget; None where its runs have no curve.

    Only models whose learning rate has decayed count: half-way down a schedule a model scores
    worse than its tokens deserve.
    """
    points = [
        CurvePoint(
            tokens=point["tokens"],
            flops=point["flops"],
            seed=run["seed"],
            value=point["metrics"][card.primary],
        )
        for run in card.runs
        for point in run.get("curve", ())
        if point.get("decayed") and card.primary in point.get("metrics", ())
    ]
    return points if len({point.tokens for point in points}) >= MIN_POINTS else None


def _metrics(
    record: Mapping[str, Any], point: Mapping[str, Any], scores: Callable[[str], TrialScores]
) -> dict[str, float]:
    seed, found = record["seed"], scores(point["model"])
    run = {**record, "final_loss": point["loss"]}
    card = make_scorecard(
        record["recipe"],
        record["judge"],
        FINAL_LOSS,
        [run],
        {seed: found.panels},
        {seed: found.suites},
    )
    return {name: metric.mean for name, metric in card.metrics.items()}
