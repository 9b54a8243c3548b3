"""Ranks and the chance to be best, against closed forms and brute force."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from eval.compare import compare
from eval.ranks import ranks
from eval.scorecard import Scorecard

MakeCard = Callable[..., Scorecard]


def test_two_normal_means_have_the_closed_form() -> None:
    draws = np.random.default_rng(0).normal([2.0, 2.1], [0.1, 0.2], (200_000, 2))
    first, second = ranks(draws, higher_is_better=False)
    assert first.p_best == pytest.approx(stats.norm.cdf(0.1 / math.hypot(0.1, 0.2)), abs=0.004)
    assert first.p_best + second.p_best == pytest.approx(1)
    assert [(r.low, r.high) for r in (first, second)] == [(1, 2), (1, 2)]


def test_ranks_equal_counting_recipe_by_recipe() -> None:
    draws = np.random.default_rng(1).normal([0.0, 0.2, 1.0, 3.0], 0.5, (4000, 4))
    for k, rank in enumerate(ranks(draws, higher_is_better=True)):
        places = np.sort([1 + (row > row[k]).sum() for row in draws])
        assert rank.low == places[math.ceil(0.025 * 4000) - 1]
        assert rank.high == places[math.ceil(0.975 * 4000) - 1]
        assert rank.p_best == np.mean([row.argmax() == k for row in draws])


def test_far_apart_recipes_have_one_place_each() -> None:
    draws = np.random.default_rng(2).normal([3.0, 1.0, 2.0], 0.01, (500, 3))
    lower, higher = ranks(draws, False), ranks(draws, True)
    assert [(r.low, r.high, r.p_best) for r in lower] == [(3, 3, 0), (1, 1, 1), (2, 2, 0)]
    assert [r.low for r in higher] == [1, 3, 2]


def test_twins_share_the_best_place() -> None:
    draws = np.repeat(np.random.default_rng(3).normal(size=(100, 1)), 2, axis=1)
    assert [(r.low, r.high, r.p_best) for r in ranks(draws, False)] == [(1, 2, 0.5)] * 2


def test_p_best_of_two_recipes_is_the_paired_tests_one_sided_p(make_card: MakeCard) -> None:
    a, b = {0: 2.00, 1: 2.06, 2: 2.11}, {0: 2.03, 1: 2.05, 2: 2.15}
    comparison = compare([make_card("a", a), make_card("b", b)], test="paired")
    rank = comparison.recipes[0].rank
    p = stats.ttest_rel(list(a.values()), list(b.values())).pvalue
    assert rank is not None
    assert rank.p_best == pytest.approx(1 - p / 2, abs=0.01)


def test_below_three_seeds_there_is_no_rank(make_card: MakeCard) -> None:
    comparison = compare([make_card(n, {0: 1.0, 1: 1.1}) for n in "ab"])
    assert [recipe.rank for recipe in comparison.recipes] == [None, None]
