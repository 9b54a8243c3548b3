"""Phases: whole steps that add up, epochs that run through all phases, one cap for the run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from curation.errors import UserError
from train.config import TrainConfig
from train.order import BLOCK, DataOrder
from train.phases import Phase, phase_steps, restarts
from train.run import plan, run_proxy
from train.schedule import rate
from train.shards import TokenShards
from train.spec import ProxySpec

RUN = TrainConfig(tokens=100 * 256, batch_tokens=256)


def phases(*sizes: float | int | None) -> list[Phase]:
    """Phases of a share (float), of tokens (int), or of the rest (None)."""
    return [
        Phase(
            weights="uniform",
            frac=size if isinstance(size, float) else None,
            tokens=size if isinstance(size, int) else None,
        )
        for size in sizes
    ]


@pytest.mark.parametrize(
    ("sizes", "steps"),
    [
        ((1.0,), [100]),
        ((0.9, 0.1), [90, 10]),
        ((0.333, 0.333, None), [33, 34, 33]),
        ((2560, None, 0.25), [10, 65, 25]),
        ((20 * 256 + 100, 80 * 256 - 100), [20, 80]),
    ],
)
def test_phases_get_whole_steps_that_add_up(sizes: tuple[Any, ...], steps: list[int]) -> None:
    assert phase_steps(phases(*sizes), RUN) == steps


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0.5, 0.4), "0.9 of the 25,600 tokens"),
        ((0.5, 0.6), "1.1 of the 25,600 tokens"),
        ((None, None), "2 of 2 leave out"),
        ((30_000,), "1.172 of"),
        ((0.999, None), "less than one step of 256"),
        ((1.0, None), r"phases\[1\]"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        phase_steps(phases(*sizes), RUN)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tokens": 5, "frac": 0.5}, "not both"),
        ({"tokens": 0}, "'tokens' must be > 0"),
        ({"frac": 1.5}, "'frac' must be in"),
        ({"warmup_frac": 0.5}, "need a 'schedule'"),
        ({"schedule": "wsd", "warmup_frac": 0.5, "decay_frac": 0.6}, "sum to at most 1"),
    ],
)
def test_impossible_phase_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Phase(weights="uniform", **values)


def test_order_draws_each_phase_by_its_weights_and_goes_on_within_a_source() -> None:
    windows = {"web": 5000, "code": 700}
    first, second = BLOCK + 300, 2 * BLOCK + 7
    order = DataOrder(windows, [({"web": 1.0}, first), ({"web": 0.5, "code": 0.5}, second)], seed=0)
    assert order.total == first + second
    sources, index = order.windows(0, order.total)
    web = order.sources.index("web")
    assert (sources[:first] == web).all()
    assert abs((sources[first:] == web).sum() - second / 2) <= 1
    drawn = index[sources == web]
    assert len(set(drawn.tolist())) == len(drawn)  # 1324 + 1028 windows of 5000: none twice
    again = DataOrder(windows, [({"web": 1.0}, first), ({"web": 0.5, "code": 0.5}, second)], seed=0)
    for i in (0, first - 1, first, first + BLOCK, order.total - 1):
        assert again.window(i) == (order.sources[sources[i]], index[i])


def test_order_of_the_first_phase_does_not_depend_on_the_second() -> None:
    windows = {"web": 5000, "code": 700}
    one = DataOrder(windows, [({"web": 0.9, "code": 0.1}, 500), ({"code": 1.0}, 80)], seed=2)
    two = DataOrder(windows, [({"web": 0.9, "code": 0.1}, 500)], seed=2)
    for a, b in zip(one.windows(0, 500), two.windows(0, 500), strict=True):
        assert np.array_equal(a, b)


def test_schedules_of_phases_begin_where_the_phases_do() -> None:
    given = [
        Phase(weights="natural", frac=0.6),
        Phase(weights="uniform", frac=0.3, schedule="rewarm", warmup_frac=0.1),
        Phase(weights={"code": 1.0}),
    ]
    anew = restarts(given, phase_steps(given, RUN), RUN)
    assert [(r.step, r.schedule, r.warmup_frac, r.decay_frac) for r in anew] == [
        (60, "rewarm", 0.1, RUN.decay_frac)
    ]


def test_run_records_its_phases_and_trains_on_them(
    make_spec: Callable[..., ProxySpec], shards: TokenShards, tmp_path: Any
) -> None:
    steps = (
        Phase(weights={"web": 1.0}, frac=0.5),
        Phase(weights={"web": 1.0, "books": 3.0}, schedule="linear", warmup_frac=0.0),
    )
    record = run_proxy(make_spec(phases=steps, weights="natural"), tmp_path)
    assert [phase["tokens"] for phase in record["phases"]] == [15 * 256, 15 * 256]
    for source, drawn in {"web": 15 * 8 + 30, "books": 90}.items():
        windows = (shards.sources[source].tokens - 1) // 32
        assert record["epochs"][source] == drawn / windows
    assert record["train"]["restarts"][0]["step"] == 15
    plain = run_proxy(make_spec(), tmp_path / "plain")
    assert plain["fingerprint"] != record["fingerprint"]


def test_cap_counts_all_phases(make_spec: Callable[..., ProxySpec], shards: TokenShards) -> None:
    books = (shards.sources["books"].tokens - 1) // 32  # windows
    rows = {"tokens": 2 * books * 32, "batch_tokens": 32}
    twice = (Phase(weights={"books": 1.0}, frac=0.5), Phase(weights={"books": 1.0}, frac=0.5))
    assert plan(make_spec(train=rows, phases=twice, max_epochs=2.0), shards).drawn == {
        "books": 2 * books
    }
    with pytest.raises(UserError, match="of earlier phases") as caught:
        plan(make_spec(train=rows, phases=twice, max_epochs=1.5), shards)
    assert caught.value.where == "recipe tiny.mixture.max_epochs"
    assert "raise max_epochs to 2," in caught.value.hint
    shared = (twice[0], Phase(weights={"books": 1.0, "web": 1.0}, frac=0.5))
    drawn = plan(make_spec(train=rows, phases=shared, max_epochs=1.25), shards).drawn
    assert drawn["books"] == pytest.approx(1.25 * books, abs=1)  # what its cap leaves; web the rest
    assert sum(drawn.values()) == 2 * books


def test_schedule_that_a_phase_cannot_have_is_refused_before_training(
    make_spec: Callable[..., ProxySpec], tmp_path: Any
) -> None:
    bad = Phase(weights="natural", frac=1.0, schedule="infinite", decay_frac=0.9)
    with pytest.raises(UserError, match="sum to at most 1"):
        run_proxy(make_spec(phases=(bad,)), tmp_path)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_unchanged_schedule_runs_through_all_phases() -> None:
    given = phases(0.5, 0.5)
    assert restarts(given, phase_steps(given, RUN), RUN) == ()
    assert rate(RUN, 75) == 25 / 51
