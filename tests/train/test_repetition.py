"""Repetition matching: a run confined to a seeded share of each source's windows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from train.order import DataOrder, n_windows, seen_windows
from train.run import plan, run_proxy
from train.shards import TokenShards
from train.spec import ProxySpec, identity

WINDOWS = {"web": 900, "books": 130, "wiki": 17}
WEIGHTS = {"web": 0.7, "books": 0.25, "wiki": 0.05}
MakeSpec = Callable[..., ProxySpec]


def subset(order: DataOrder, source: str) -> set[int]:
    """Windows of `source` that the whole run draws."""
    sources, index = order.windows(0, order.total)
    return set(index[sources == order.sources.index(source)].tolist())


@pytest.mark.parametrize(
    ("windows", "frac", "seen"),
    [(900, 0.1, 90), (130, 0.1, 13), (17, 0.1, 2), (17, 0.01, 1), (0, 0.5, 0), (900, 1.0, 900)],
)
def test_seen_windows_are_the_nearest_whole_share_and_at_least_one(
    windows: int, frac: float, seen: int
) -> None:
    assert seen_windows(windows, frac) == seen


def test_run_sees_exactly_its_subset_of_every_source() -> None:
    order = DataOrder(WINDOWS, [(WEIGHTS, 4000)], seed=0, window_frac=0.1)
    sizes = {source: len(subset(order, source)) for source in WINDOWS}
    assert sizes == {"web": 90, "books": 13, "wiki": 2}
    assert all(max(subset(order, source)) < n for source, n in WINDOWS.items())


def test_subset_differs_by_seed_and_source_and_is_spread_over_the_source() -> None:
    windows, weights = {"a": 1000, "b": 1000}, {"a": 0.5, "b": 0.5}
    one, two = (DataOrder(windows, [(weights, 2000)], seed=s, window_frac=0.1) for s in (0, 1))
    assert subset(one, "a") != subset(two, "a")
    assert subset(one, "a") != subset(one, "b")
    assert len(subset(one, "a") & subset(two, "a")) < 30  # 10 of 100 by chance
    assert 400 < np.mean(list(subset(one, "a"))) < 600


def test_windows_of_the_subset_come_once_per_epoch() -> None:
    order = DataOrder({"a": 70}, [({"a": 1.0}, 70)], seed=3, window_frac=0.2)
    index = order.windows(0, 70)[1]
    epochs = [set(index[start : start + 14].tolist()) for start in range(0, 70, 14)]
    assert all(epoch == epochs[0] and len(epoch) == 14 for epoch in epochs)
    assert index[:14].tolist() != index[14:28].tolist()


def test_whole_share_is_the_order_of_before() -> None:
    plain = DataOrder(WINDOWS, [(WEIGHTS, 500)], seed=5)
    whole = DataOrder(WINDOWS, [(WEIGHTS, 500)], seed=5, window_frac=1.0)
    assert np.array_equal(plain.windows(0, 500)[1], whole.windows(0, 500)[1])


def test_identity_changes_only_where_a_share_is_asked_for(
    make_spec: MakeSpec, shards: TokenShards
) -> None:
    spec = make_spec()
    assert identity(replace(spec, window_frac=1.0), shards) == identity(spec, shards)
    assert identity(replace(spec, window_frac=0.5), shards) != identity(spec, shards)


def test_proxy_repeats_a_source_as_often_as_its_target(
    make_spec: MakeSpec, shards: TokenShards, tmp_path: Path
) -> None:
    weights = {"web": 0.4, "books": 0.6}
    target = make_spec(weights=weights, train={"tokens": 120 * 256})
    proxy = make_spec(weights=weights, train={"tokens": 30 * 256}, window_frac=0.25)
    record = run_proxy(proxy, tmp_path)
    context = target.model.context
    whole = plan(target, shards).drawn
    for name, epochs in record["epochs"].items():
        count = n_windows(shards.sources[name].tokens, context)
        assert epochs == pytest.approx(whole[name] / count, rel=0.02)
    seen = sum(seen_windows(n_windows(s.tokens, context), 0.25) for s in shards.sources.values())
    assert record["unique_tokens"] == seen * context


def test_caps_count_passes_over_what_is_seen(make_spec: MakeSpec, shards: TokenShards) -> None:
    spec = make_spec(weights={"web": 0.1, "books": 0.9}, max_epochs=2.0, window_frac=0.5)
    order = plan(spec, shards)
    seen = seen_windows(n_windows(shards.sources["books"].tokens, spec.model.context), 0.5)
    assert order.drawn["books"] == pytest.approx(2 * seen, abs=1)


@pytest.mark.parametrize("frac", [0.0, -0.1, 1.5])
def test_impossible_share_is_refused(make_spec: MakeSpec, frac: float) -> None:
    with pytest.raises(ValueError, match="'window_frac' must be in"):
        make_spec(window_frac=frac)
