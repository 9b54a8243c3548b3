"""Schedules: the values of their formulas, no jumps, no step wasted on a rate of 0."""

import math
from itertools import pairwise
from typing import Any

import pytest

from curation.errors import UserError
from train.config import SCHEDULES, Restart, TrainConfig
from train.schedule import branches, rate


def config(schedule: str, steps: int = 100, **changes: Any) -> TrainConfig:
    return TrainConfig(tokens=steps * 10, batch_tokens=10, schedule=schedule, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("schedule", "changes", "expected"),
    [
        # 5 steps of warm-up: step s climbs to (s + 1) / 6; 50 of decay: (100 - s) / 51.
        ("wsd", {}, {0: 1 / 6, 4: 5 / 6, 5: 1, 49: 1, 50: 50 / 51, 99: 1 / 51}),
        ("wsd", {"warmup_frac": 0.0, "decay_frac": 0.2}, {0: 1, 79: 1, 80: 20 / 21, 99: 1 / 21}),
        ("linear", {}, {0: 1 / 6, 5: 1, 24: 76 / 95, 99: 1 / 95}),
        ("cosine", {}, {4: 5 / 6, 5: 1, 99: 0.1 + 0.45 * (1 + math.cos(math.pi * 94 / 95))}),
        ("cosine", {"warmup_frac": 0.0, "min_frac": 0.01}, {0: 1, 50: 0.505}),
        ("rewarm", {"warmup_frac": 0.1}, {0: 0.1 + 0.9 / 11, 10: 1, 55: 0.55}),
        # cool-down over steps 10 to 40, stay at 1/8, anneal to 1/10 over the last 20
        (
            "infinite",
            {"warmup_frac": 0.1, "cooldown_frac": 0.3, "decay_frac": 0.2},
            {9: 10 / 11, 10: 1, 25: 0.5625, 40: 0.125, 80: 0.125, 90: 0.125 * 0.8**0.5},
        ),
    ],
)
def test_rate_is_that_of_the_formula(
    schedule: str, changes: dict[str, Any], expected: dict[int, float]
) -> None:
    for step, value in expected.items():
        assert rate(config(schedule, **changes), step) == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100])
def test_every_rate_is_above_zero_and_at_most_the_peak(schedule: str, steps: int) -> None:
    rates = [rate(config(schedule, steps, min_frac=0.05), step) for step in range(steps)]
    assert min(rates) > 0
    assert max(rates) <= 1
    assert steps < 5 or max(rates) == 1


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_step_of_a_long_run_jumps(schedule: str) -> None:
    """The steepest part takes 5 % of the steps, or half a cosine over a quarter of them."""
    long = config(schedule, 10_000)
    rates = [rate(long, step) for step in range(10_000)]
    assert max(abs(b - a) for a, b in pairwise(rates)) < 1.05 / 500


def test_rewarm_starts_where_a_cosine_run_ends() -> None:
    before, after = config("cosine", 10_000), config("rewarm", 10_000)
    assert rate(before, 9_999) == pytest.approx(rate(after, 0), abs=0.003)


def test_restart_takes_over_at_its_step_and_runs_over_its_own_steps() -> None:
    anew = Restart(step=60, schedule="rewarm", warmup_frac=0.1, decay_frac=0.0)
    last = Restart(step=80, schedule="linear", warmup_frac=0.0, decay_frac=0.0)
    run = config("cosine", restarts=(anew, last))
    expected = [rate(config("cosine", 60), step) for step in range(60)]
    expected += [rate(config("rewarm", 20, warmup_frac=0.1), step) for step in range(20)]
    expected += [rate(config("linear", 20, warmup_frac=0.0), step) for step in range(20)]
    assert [rate(run, step) for step in range(100)] == expected


def test_branch_has_the_rates_of_the_run_that_ends_there() -> None:
    trunk = config("wsd", decay_frac=0.2)
    assert branches(trunk, (0.5, 0.25)) == {20: 25, 40: 50}
    short = config("wsd", 50, decay_frac=0.2)
    assert [rate(trunk, s) for s in range(5, 40)] == [rate(short, s) for s in range(5, 40)]
    assert rate(short, 40) == 10 / 11
    assert branches(config("cosine"), (0.25,)) == {25: 25}


@pytest.mark.parametrize(
    ("changes", "points", "message"),
    [
        ({}, (1.0,), "no step of its own"),
        ({}, (0.001,), "no step of its own"),
        ({}, (0.5, 0.501), "no step of its own"),
        ({"warmup_frac": 0.2, "decay_frac": 0.5}, (0.3,), "inside the warm-up"),
        (
            {"restarts": (Restart(step=9, schedule="wsd", warmup_frac=0, decay_frac=0),)},
            (0.5,),
            "no decay branches",
        ),
    ],
)
def test_impossible_points_are_refused(
    changes: dict[str, Any], points: tuple[float, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        branches(config("wsd", **changes), points)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule": "step"}, "wsd, linear, cosine"),
        ({"schedule": "infinite", "min_frac": 0.0}, "0 < min_frac"),
        ({"schedule": "infinite", "min_frac": 0.2}, "<= stable_frac"),
        ({"schedule": "infinite", "cooldown_frac": 0.5}, "sum to at most 1"),
        ({"warmup_frac": 0.6}, "sum to at most 1"),
    ],
)
def test_impossible_schedules_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        TrainConfig(tokens=1000, **changes)
