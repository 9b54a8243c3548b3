"""Metrics against sums by hand, their standard errors, and their way through the scorecard."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.bpb import PanelScore
from eval.metrics import ItemValues, SuiteScore, metric_names, suite_metrics
from eval.scorecard import (
    Scorecard,
    make_scorecard,
    read_items,
    read_scorecard,
    read_suite_items,
    write_scorecard,
)
from eval.scorer import Scores
from eval.suites.header import Header
from eval.suites.items import Item, LmCompletion, MinimalPair, MultipleChoice, Schema
from eval.suites.suite import Suite

BITS = math.log(2)
ONES = {"version": 1, "source": "ours", "licence": "CC0-1.0", "formulation": "cloze"}


def scores(log_prob: list[float], sizes: list[int], greedy: list[bool] | None = None) -> Scores:
    return Scores(
        log_prob=np.array(log_prob),
        greedy=np.array(greedy or [False] * len(sizes)),
        tokens=np.ones(len(sizes), dtype=np.int64),
        bytes=np.array(sizes),
    )


def suite(items: tuple[Item, ...], **keys: object) -> Suite:
    return Suite(Header(**{"name": "s", **ONES, **keys}), items)  # type: ignore[arg-type]


def choices(*gold: int) -> tuple[Item, ...]:
    return tuple(
        MultipleChoice(id=f"{i}", query="q", choices=("one", "three"), gold=g)
        for i, g in enumerate(gold)
    )


def means(score: SuiteScore) -> dict[str, float]:
    return {name: values.mean for name, values in score.items()}


def test_multiple_choice_metrics_divide_by_what_they_say() -> None:
    made = suite(
        choices(0, 1), type="multiple_choice", baseline=0.5, normalisation="pmi", unconditional="A:"
    )
    found = suite_metrics(
        made,
        #        conditional  unconditional
        scores([-3.0, -4.0, -5.0, -4.5, -1.0, -4.0, -1.0, -5.0], [3, 5] * 4),
    )
    assert means(found) == pytest.approx(
        {
            "accuracy": 0.5,  # -3 > -4 right; -1 > -4 wrong
            "accuracy_per_byte": 0.0,  # -1 < -4/5 wrong; -1/3 > -4/5 wrong
            "accuracy_pmi": 1.0,  # -3 + 5 > -4 + 4.5; -4 + 5 > -1 + 1
            "centered_accuracy": 1.0,
            "choice_probability": (1 / (1 + math.exp(-1)) + 1 / (1 + math.exp(3))) / 2,
            "gold_bpb": (3.0 + 4.0) / (3 + 5) / BITS,
        }
    )
    assert list(found) == metric_names(made)


def test_centered_accuracy_is_zero_at_the_baseline_and_negative_below() -> None:
    made = suite(choices(0, 0, 1, 1), type="multiple_choice", baseline=0.5)
    at = suite_metrics(made, scores([-1.0, -2.0] * 4, [3, 5] * 4))
    below = suite_metrics(made, scores([-2.0, -1.0] * 2 + [-1.0, -2.0] * 2, [3, 5] * 4))
    assert (at["accuracy"].mean, at["centered_accuracy"].mean) == (0.5, 0.0)
    assert below["centered_accuracy"].mean == -1.0


def test_centered_accuracy_follows_the_normalisation_of_the_header() -> None:
    keys = {"type": "multiple_choice", "baseline": 0.5}
    by_byte = suite(choices(1), normalisation="bytes", **keys)
    found = suite_metrics(by_byte, scores([-3.0, -4.0], [3, 5]))
    assert (found["accuracy"].mean, found["centered_accuracy"].mean) == (0.0, 1.0)


def test_schema_metrics() -> None:
    item = Schema(id="a", context_options=("x", "y"), continuation="grew", gold=1)
    found = suite_metrics(suite((item,), type="schema"), scores([-3.0, -2.0], [4, 4]))
    assert means(found) == pytest.approx(
        {
            "accuracy": 1.0,
            "centered_accuracy": 1.0,
            "choice_probability": 1 / (1 + math.exp(-1)),
            "gold_bpb": 2.0 / 4 / BITS,
        }
    )


def test_completion_metrics() -> None:
    items = tuple(LmCompletion(id=f"{i}", context="c", continuation="w") for i in range(2))
    found = suite_metrics(
        suite(items, type="lm_completion"), scores([-3.0, -2.0], [4, 6], [True, False])
    )
    expected = {"accuracy": 0.5, "nats_per_answer": 2.5, "gold_bpb": 5.0 / 10 / BITS}
    assert means(found) == pytest.approx(expected)


def test_minimal_pair_metrics_by_phenomenon() -> None:
    items = tuple(
        MinimalPair(id=f"{i}", good="g", bad="b", phenomenon=p) for i, p in enumerate("xxy")
    )
    found = suite_metrics(
        suite(items, type="minimal_pair"), scores([-1.0, -2.0, -3.0, -1.0, -1.0, -1.0], [1] * 6)
    )
    assert means(found) == pytest.approx(
        {
            "accuracy": 1 / 3,  # a tie is not right
            "log_odds": -1 / 3,
            "accuracy.x": 0.5,
            "log_odds.x": -0.5,
            "accuracy.y": 0.0,
            "log_odds.y": 0.0,
        }
    )
    assert found["accuracy.x"].n == 2


def values(numbers: list[float], clusters: list[int] | None = None) -> ItemValues:
    count = len(numbers)
    return ItemValues(
        values=np.array(numbers),
        weights=np.ones(count),
        clusters=np.array(clusters if clusters is not None else range(count)),
    )


def test_standard_error_of_single_items_is_that_of_a_mean() -> None:
    numbers = np.random.default_rng(0).normal(size=50).tolist()
    assert values(numbers).stderr == pytest.approx(np.std(numbers, ddof=1) / math.sqrt(50))


def test_items_of_one_passage_count_as_one() -> None:
    numbers = np.random.default_rng(0).normal(size=20).tolist()
    once = values(numbers)
    thrice = values(np.repeat(numbers, 3).tolist(), np.repeat(range(20), 3).tolist())
    assert thrice.stderr == pytest.approx(once.stderr)
    naive = values(np.repeat(numbers, 3).tolist()).stderr
    assert naive is not None
    assert once.stderr is not None
    assert naive < 0.6 * once.stderr


def test_standard_error_of_a_ratio_agrees_with_resampling() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(5, 50, 300).astype(float)
    bits = sizes * 2 + rng.normal(scale=10, size=300)
    ratio = ItemValues(values=bits, weights=sizes, clusters=np.arange(300))
    picks = rng.integers(0, 300, (2000, 300))
    spread = (bits[picks].sum(1) / sizes[picks].sum(1)).std()
    assert ratio.stderr == pytest.approx(spread, rel=0.1)


def test_standard_error_of_one_passage_is_unknown() -> None:
    assert values([1.0, 0.0], [3, 3]).stderr is None


def test_suite_metrics_go_through_the_scorecard(
    make_card: Callable[..., Scorecard], tmp_path: Path
) -> None:
    runs = make_card("r", {0: 1.0, 1: 1.1}).runs
    panel = PanelScore(nats=np.ones(2), bytes=np.array([5, 5]))
    panels = {seed: {"books": panel} for seed in (0, 1)}
    suites: dict[int, dict[str, SuiteScore]] = {
        seed: {"s": {"accuracy": values([1.0, 0.0, float(seed)]), "gold_bpb": values([2.0, 3.0])}}
        for seed in (0, 1)
    }
    card = make_scorecard("r", "judge", "suites.s.accuracy", runs, panels, suites)
    metric = card.metrics["suites.s.accuracy"]
    assert metric.per_seed == pytest.approx({0: 1 / 3, 1: 2 / 3})
    assert (metric.n, metric.higher_is_better) == (3, True)
    assert metric.stderr == pytest.approx(1 / 3)  # of both seeds
    assert card.metrics["suites.s.gold_bpb"].higher_is_better is False
    assert card.metrics["panels.mean_bpb"].n is None
    write_scorecard(card, panels, tmp_path, suites)
    assert read_scorecard(tmp_path) == card
    assert read_items(tmp_path)[1]["books"].nats.tolist() == [1.0, 1.0]
    again = read_suite_items(tmp_path)
    assert again.keys() == suites.keys()
    for seed, by_suite in suites.items():
        for name, item_values in by_suite["s"].items():
            for field, array in vars(item_values).items():
                assert np.array_equal(getattr(again[seed]["s"][name], field), array)
