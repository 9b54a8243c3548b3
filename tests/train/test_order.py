"""Data order: exact mixture counts, permutations, and no state."""

from itertools import pairwise

import numpy as np
import pytest

from train.order import BLOCK, DataOrder, n_windows, permute

WINDOWS = {"web": 900, "books": 130, "wiki": 17}
WEIGHTS = {"web": 0.7, "books": 0.25, "wiki": 0.05}


def names(order: DataOrder, start: int, stop: int) -> list[str]:
    return [order.sources[s] for s in order.windows(start, stop)[0]]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 16, 17, 1000, 4097])
def test_permute_is_a_permutation(size: int) -> None:
    out = permute(np.arange(size), size, [11, 22, 33, 44, 55, 66])
    assert sorted(out) == list(range(size))


def test_permute_depends_on_keys_and_moves_things() -> None:
    first = permute(np.arange(1000), 1000, [1, 2, 3, 4, 5, 6])
    second = permute(np.arange(1000), 1000, [7, 8, 9, 10, 11, 12])
    assert np.mean(first == second) < 0.02
    assert np.mean(first == np.arange(1000)) < 0.02
    assert abs(np.corrcoef(first, np.arange(1000))[0, 1]) < 0.15


@pytest.mark.parametrize("total", [1, 100, BLOCK, BLOCK + 1, 7 * BLOCK, 5000])
def test_counts_of_the_whole_run_are_within_one_window_of_exact(total: int) -> None:
    order = DataOrder(WINDOWS, [(WEIGHTS, total)], seed=0)
    drawn = names(order, 0, total)
    for source, weight in WEIGHTS.items():
        assert abs(drawn.count(source) - weight * total) < 1
        assert drawn.count(source) == order.drawn[source]


def test_counts_hold_after_every_block() -> None:
    order = DataOrder(WINDOWS, [(WEIGHTS, 6 * BLOCK)], seed=3)
    for blocks in range(1, 7):
        drawn = names(order, 0, blocks * BLOCK)
        for source, weight in WEIGHTS.items():
            assert abs(drawn.count(source) - weight * blocks * BLOCK) < 1


def test_counts_with_many_tiny_weights_still_fill_every_block() -> None:
    weights = {f"s{i:03}": 1 / 5000 for i in range(300)} | {"big": 0.94}
    order = DataOrder(dict.fromkeys(weights, 10), [(weights, 20 * BLOCK)], seed=0)
    assert sum(order.drawn.values()) == 20 * BLOCK
    for source, weight in weights.items():
        assert abs(order.drawn[source] - weight * 20 * BLOCK) <= 2


def test_windows_of_a_source_do_not_repeat_within_an_epoch() -> None:
    order = DataOrder(WINDOWS, [(WEIGHTS, 3000)], seed=1)
    sources, index = order.windows(0, 3000)
    for s, source in enumerate(order.sources):
        drawn = index[sources == s]
        size = WINDOWS[source]
        for epoch in range(len(drawn) // size):
            assert sorted(drawn[epoch * size : (epoch + 1) * size]) == list(range(size))
    assert not np.array_equal(index[sources == 1][:17], index[sources == 1][17:34])


def test_window_is_a_pure_function_of_position() -> None:
    order = DataOrder(WINDOWS, [(WEIGHTS, 2500)], seed=5)
    fresh = DataOrder(WINDOWS, [(WEIGHTS, 2500)], seed=5)
    sources, index = order.windows(1000, 1100)  # crosses a block
    for i in range(1099, 999, -1):
        expected = order.sources[sources[i - 1000]], int(index[i - 1000])
        assert fresh.window(i) == expected


def test_order_depends_on_the_seed_only_in_order() -> None:
    one = DataOrder(WINDOWS, [(WEIGHTS, 2000)], seed=0)
    two = DataOrder(WINDOWS, [(WEIGHTS, 2000)], seed=1)
    assert one.drawn == two.drawn
    assert not np.array_equal(one.windows(0, 2000)[1], two.windows(0, 2000)[1])


def test_order_does_not_depend_on_how_sources_are_listed() -> None:
    one = DataOrder(WINDOWS, [(WEIGHTS, 100)], seed=0)
    two = DataOrder(WINDOWS, [(dict(reversed(WEIGHTS.items())), 100)], seed=0)
    assert [one.window(i) for i in range(100)] == [two.window(i) for i in range(100)]


def test_blocks_are_mixed_inside() -> None:
    drawn = names(DataOrder(WINDOWS, [({"web": 0.5, "books": 0.5}, BLOCK)], seed=0), 0, BLOCK)
    switches = sum(a != b for a, b in pairwise(drawn))
    assert 420 < switches < 605  # a fair shuffle of two halves: 512 +- 16 (one sd)


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (5, 5), (0, 101)])
def test_windows_outside_the_run_are_refused(start: int, stop: int) -> None:
    with pytest.raises(IndexError):
        DataOrder(WINDOWS, [(WEIGHTS, 100)], seed=0).windows(start, stop)


def test_source_without_windows_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="wiki"):
        DataOrder({**WINDOWS, "wiki": 0}, [(WEIGHTS, 100)], seed=0)


@pytest.mark.parametrize(
    ("tokens", "windows"), [(0, 0), (1, 0), (32, 0), (33, 1), (64, 1), (65, 2)]
)
def test_n_windows_needs_one_token_more_than_it_predicts(tokens: int, windows: int) -> None:
    assert n_windows(tokens, context=32) == windows
