"""Pruning and merging clusters: by thresholds, in balance, and how plain thresholds chain."""

from __future__ import annotations

import numpy as np
import pytest

from curation.clustering.building import (
    Sums,
    distances,
    levels,
    merge_balanced,
    merge_within,
    prune,
)
from curation.clustering.vectors import Vectors


def arc(count: int, step: float) -> Vectors:
    """Unit vectors on a circle, each `step` (an angle) from the next."""
    angles = step * np.arange(count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def sums_of(documents: list[int], **columns: list[float]) -> Sums:
    counts = np.array(documents, np.int64)
    return Sums(
        documents=counts,
        num_bytes=counts * 100,
        sources={"web": counts},
        totals={name: np.array(means) * counts for name, means in columns.items()},
        counts=dict.fromkeys(columns, counts),
    )


def test_merging_within_a_distance_chains_and_merging_in_balance_does_not() -> None:
    """Every centroid is near the next: CLIMB's rule makes one cluster of all there is."""
    centroids, sizes = arc(64, 0.05), np.full(64, 100)
    apart = distances(centroids.astype(np.float64))
    assert apart[0, 1] < 0.06
    assert apart[0, 63] > 1.9  # the ends are nearly opposite
    assert [len(group) for group in merge_within(centroids, 0.06)] == [64]
    balanced = merge_balanced(centroids, sizes, 8, 1.5)
    assert len(balanced) == 8
    assert max(map(len, balanced)) <= 12  # 1.5 of the mean of 8
    widest = max(apart[np.ix_(group, group)].max() for group in balanced)
    assert widest < 0.65


def test_merging_within_a_distance_keeps_what_is_apart() -> None:
    centroids = np.concatenate([arc(3, 0.01), -arc(2, 0.01)])
    assert merge_within(centroids, 0.02) == [[0, 1, 2], [3, 4]]
    assert merge_within(centroids, 0.0) == [[0], [1], [2], [3], [4]]


def test_merging_in_balance_takes_the_nearest_first() -> None:
    centroids = np.array([[1, 0], [0.999, 0.045], [0, 1], [0.045, 0.999], [-1, 0]], np.float32)
    groups = merge_balanced(centroids, np.full(5, 10), 3, 2.0)
    assert sorted(map(sorted, groups)) == [[0, 1], [2, 3], [4]]


def test_merging_in_balance_reaches_k_even_if_nothing_fits() -> None:
    groups = merge_balanced(arc(4, 0.1), np.array([100, 100, 1, 1]), 3, 1.0)
    assert sorted(map(sorted, groups)) == [[0], [1], [2, 3]]
    assert len(merge_balanced(arc(4, 0.1), np.array([100, 100, 100, 100]), 3, 1.0)) == 3
    assert len(merge_balanced(arc(3, 0.1), np.full(3, 1), 8, 1.5)) == 3


def test_merging_in_balance_leaves_no_crumbs() -> None:
    """What is small joins a neighbour before large ones that are nearer join one another."""
    sizes = np.array([100, 100, 1, 100, 100])
    groups = merge_balanced(arc(5, 0.1), sizes, 4, 1.5)
    assert sorted(map(len, groups)) == [1, 1, 1, 2]
    assert next(group for group in groups if len(group) == 2) in ([1, 2], [2, 3])


def test_merging_a_huge_cluster_leaves_it_alone() -> None:
    groups = merge_balanced(arc(8, 0.01), np.array([1000, *[10] * 7]), 2, 1.5)
    assert sorted(map(sorted, groups)) == [[0], [1, 2, 3, 4, 5, 6, 7]]


@pytest.mark.parametrize(("least", "expected"), [(2.0, []), (2.0001, [1]), (3.5, [0, 1])])
def test_pruning_keeps_a_mean_that_equals_the_threshold(least: float, expected: list[int]) -> None:
    sums = sums_of([10, 10, 0], quality=[3.0, 2.0, 0.0])
    assert [one.cluster for one in prune(sums, {"quality": least})] == expected


def test_pruning_names_the_first_column_that_is_too_low() -> None:
    sums = sums_of([10], a=[1.0], b=[1.0])
    (one,) = prune(sums, {"a": 0.5, "b": 2.0})
    assert (one.column, one.mean, one.least) == ("b", 1.0, 2.0)


def test_a_mean_without_values_prunes_nothing() -> None:
    counts = np.array([4], np.int64)
    none = {"a": np.zeros(1, np.int64)}
    sums = Sums(counts, counts, {"web": counts}, {"a": np.zeros(1)}, none)
    assert prune(sums, {"a": 1.0}) == ()


def test_levels_are_ordered_by_size_without_what_is_pruned_or_empty() -> None:
    sums = sums_of([5, 50, 0, 20, 7], quality=[1, 1, 1, 1, 0])
    built = levels(
        arc(5, 0.8), sums, k=3, balance=1.5, max_distance=None, min_mean={"quality": 0.5}
    )
    assert built.members == ((1,), (3,), (0,))
    assert [one.cluster for one in built.pruned] == [4]
    assert np.linalg.norm(built.centroids, axis=1) == pytest.approx([1, 1, 1])


def test_levels_of_nothing_are_none() -> None:
    sums = sums_of([3], quality=[0.0])
    for distance in (None, 1.0):
        built = levels(
            arc(1, 1), sums, k=2, balance=1.5, max_distance=distance, min_mean={"quality": 1.0}
        )
        assert built.members == ()
        assert built.centroids.shape == (0, 2)
