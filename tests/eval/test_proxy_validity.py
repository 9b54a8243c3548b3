"""Agreement of two sizes against scipy and counting, and refusals."""

import itertools

import numpy as np
import pytest
from scipy import stats

from curation.errors import UserError
from eval.proxy_validity import PerSeed, proxy_validity


def measured(means: list[float], sd: float = 0.0, seeds: int = 3, rng: int = 0) -> PerSeed:
    draws = np.random.default_rng(rng).normal(0, sd, (len(means), seeds))
    draws -= draws.mean(1, keepdims=True)
    return {f"r{i}": dict(enumerate((mean + draws[i]).tolist())) for i, mean in enumerate(means)}


@pytest.mark.parametrize("case", range(6))
def test_tau_and_accuracy_equal_scipy_and_counting(case: int) -> None:
    rng = np.random.default_rng(case)
    one, other = rng.integers(0, 5 if case % 2 else 100, (2, 7)).astype(float)  # odd: with ties
    found = proxy_validity(measured(one.tolist()), measured(other.tolist()), resamples=10)
    assert found.tau == pytest.approx(stats.kendalltau(one, other).statistic)
    alike = [
        1.0 if s == t else 0.5 if 0 in (s, t) else 0.0
        for i, j in itertools.combinations(range(7), 2)
        for s, t in [(np.sign(one[i] - one[j]), np.sign(other[i] - other[j]))]
    ]
    assert found.accuracy == pytest.approx(np.mean(alike))
    assert (found.recipes, found.pairs) == (7, 21)


def test_accuracy_is_tau_plus_one_over_two_without_ties() -> None:
    found = proxy_validity(measured([1, 2, 3, 4, 5]), measured([1, 3, 2, 5, 4]), resamples=10)
    assert found.tau is not None
    assert found.accuracy == pytest.approx((found.tau + 1) / 2)
    assert found.accuracy == pytest.approx(0.8)


def test_clear_orders_have_no_doubt_and_noisy_ones_a_wide_interval() -> None:
    means = [1.0, 1.1, 1.2, 1.3, 1.4]
    clear = proxy_validity(measured(means, 1e-4), measured(means, 1e-4, rng=1))
    assert clear.tau_interval == (1, 1)
    assert clear.accuracy_interval == (1, 1)
    noisy = proxy_validity(measured(means, 0.2), measured(means, 0.2, rng=1))
    assert noisy.accuracy == 1
    assert noisy.accuracy_interval is not None
    assert noisy.accuracy_interval[0] < 0.6


def test_paired_seeds_that_move_all_recipes_alike_do_not_blur_the_order() -> None:
    shifts = {0: 0.0, 1: 0.5, 2: -0.7}
    values = {f"r{i}": {s: i / 10 + shift for s, shift in shifts.items()} for i in range(4)}
    paired = proxy_validity(values, values, test="paired")
    welch = proxy_validity(values, values, test="welch")
    assert paired.accuracy_interval == (1, 1)
    assert welch.accuracy_interval is not None
    assert welch.accuracy_interval[0] < 0.7


def test_sizes_may_have_other_seeds_and_few_give_no_interval() -> None:
    found = proxy_validity(measured([1, 2, 3], seeds=2), measured([1, 2, 3], seeds=5))
    assert (found.tau, found.tau_interval, found.accuracy_interval) == (1, None, None)


def test_size_that_ties_all_recipes_has_no_tau() -> None:
    found = proxy_validity(measured([1, 1, 1]), measured([1, 2, 3]), resamples=10)
    assert (found.tau, found.tau_interval, found.accuracy) == (None, None, 0.5)


def test_unlike_measurements_are_refused() -> None:
    three = measured([1, 2, 3])
    with pytest.raises(UserError, match="measured at one size only: r3"):
        proxy_validity(three, measured([1, 2, 3, 4]))
    with pytest.raises(UserError, match="2 recipes cannot be ranked"):
        proxy_validity(measured([1, 2]), measured([1, 2]))
    with pytest.raises(UserError, match="small size have different seeds"):
        proxy_validity({**three, "r0": {0: 1.0}}, three)
