"""Resampling against enumeration and closed forms."""

import itertools

import numpy as np
import pytest
from scipy import stats

from eval.bootstrap import MAX_CLUSTERS, percentiles, resample_items, resample_seeds
from eval.items import Stratum, metric


def stratum(recipes: int = 2, seeds: int = 3, items: int = 200) -> Stratum:
    rng = np.random.default_rng(items)
    return Stratum(
        parts=rng.gamma(2.0, size=(recipes, seeds, items)), sizes=rng.integers(1, 9, items) * 1.0
    )


def test_item_draws_equal_the_enumeration_of_all() -> None:
    one = stratum(1, 1, 4)
    parts, sizes = one.parts[0, 0], one.sizes
    every = [
        parts[list(i)].sum() / sizes[list(i)].sum() for i in itertools.product(range(4), repeat=4)
    ]
    drawn = resample_items([one], 40_000)[:, 0, 0]
    assert drawn.mean() == pytest.approx(np.mean(every), rel=0.01)
    assert drawn.std() == pytest.approx(np.std(every), rel=0.02)
    levels = [0.05, 0.3, 0.5, 0.8, 0.95]
    assert np.quantile(drawn, levels) == pytest.approx(np.quantile(every, levels), rel=0.03)


def test_item_draws_vary_as_the_delta_method_says() -> None:
    one = stratum(items=900)
    drawn = resample_items([one], 4000)
    influence = (one.parts - one.ratios[..., None] * one.sizes) / one.sizes.mean()
    assert drawn.std(0) == pytest.approx(influence.std(-1) / 30, rel=0.06)
    assert drawn.mean(0) == pytest.approx(metric([one]), rel=0.002)


def test_all_recipes_and_seeds_meet_the_same_items() -> None:
    one = stratum()
    twins = Stratum(parts=np.repeat(one.parts[:1, :1], 2, axis=0), sizes=one.sizes)
    drawn = resample_items([twins], 500)
    assert np.array_equal(drawn[:, 0], drawn[:, 1])
    assert drawn.std() > 0


def test_strata_weigh_alike_and_vary_independently() -> None:
    few, many = stratum(items=50), stratum(items=700)
    both = resample_items([few, many], 4000)
    expected = np.sqrt(sum(resample_items([one], 4000).var(0) for one in (few, many))) / 2
    assert both.std(0) == pytest.approx(expected, rel=0.08)
    assert both.mean(0) == pytest.approx(metric([few, many]), rel=0.01)


def test_more_items_than_clusters_keep_their_spread() -> None:
    one = stratum(1, 1, 5 * MAX_CLUSTERS + 7)
    influence = (one.parts - one.ratios[..., None] * one.sizes) / one.sizes.mean()
    expected = influence.std() / np.sqrt(len(one.sizes))
    assert resample_items([one], 3000).std() == pytest.approx(expected, rel=0.1)


def test_draws_repeat() -> None:
    one = stratum()
    first, second = (resample_seeds(resample_items([one], 300), "welch") for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("seeds", [5, 8])
def test_seed_draws_have_the_variance_of_a_mean(seeds: int) -> None:
    values = np.random.default_rng(0).normal(size=(2, seeds))
    drawn = resample_seeds(values, "welch", 40_000)
    assert drawn.var(0) == pytest.approx(values.var(1, ddof=1) / seeds, rel=0.03)
    assert drawn.mean(0) == pytest.approx(values.mean(1), abs=0.02)
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("seeds", [3, 4, 6])
def test_paired_draws_take_the_same_seeds_for_all(seeds: int) -> None:
    base = np.random.default_rng(1).normal(size=seeds)
    drawn = resample_seeds(np.stack([base, base + 0.5]), "paired", 2000)
    assert drawn[:, 1] - drawn[:, 0] == pytest.approx(0.5)
    assert drawn[:, 0].std() > 0


@pytest.mark.parametrize("seeds", [3, 4])
def test_few_seeds_are_drawn_from_students_t(seeds: int) -> None:
    values = np.random.default_rng(2).normal(size=(2, seeds))
    drawn = resample_seeds(values, "paired", 200_000)
    difference = values[0] - values[1]
    t = stats.t(seeds - 1, difference.mean(), difference.std(ddof=1) / np.sqrt(seeds))
    low, high = percentiles(drawn[:, 0] - drawn[:, 1])
    assert (low, high) == pytest.approx(t.ppf([0.025, 0.975]), rel=0.04)


def test_streams_are_independent() -> None:
    values = np.random.default_rng(3).normal(size=(1, 3))
    one, other = (resample_seeds(values, "paired", 20_000, stream=s)[:, 0] for s in (1, 2))
    assert abs(stats.spearmanr(one, other).statistic) < 0.03


def test_percentiles_hold_the_middle_95_per_cent() -> None:
    assert percentiles(np.arange(1001.0)) == (25.0, 975.0)
