"""The tests against scipy, their error rates by simulation, and why none is chosen by the data."""

import numpy as np
import pytest
from scipy import stats

from eval.detectable import mde_before
from eval.power import errors_by_t
from eval.statistics import (
    Test,
    correlation,
    effect,
    p_values,
    paired_interval,
    satterthwaite,
    welch_interval,
)

REPEATS = 60_000


def null(seeds: int, r: float, ratio: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Two equal recipes, (repeats, seeds) each, whose seeds correlate by r."""
    rng = np.random.default_rng(seeds)
    shared, one, two = rng.standard_normal((3, REPEATS, seeds))
    a, b = (np.sqrt(r) * shared + np.sqrt(1 - r) * own for own in (one, two))
    return a, ratio * b


def false_winners(p: np.ndarray) -> float:
    return float((p < 0.05).mean())


@pytest.mark.parametrize("seeds", [3, 5, 8])
def test_intervals_equal_those_of_scipy(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    a, b = rng.normal(2, 0.1, seeds), rng.normal(2.1, 0.3, seeds)
    paired, welch = paired_interval(a.tolist(), b.tolist()), welch_interval(a.tolist(), b.tolist())
    for ours, theirs in (
        (paired, stats.ttest_rel(a, b)),
        (welch, stats.ttest_ind(a, b, equal_var=False)),
    ):
        ends = theirs.confidence_interval()
        assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
        assert (ours.ci_low, ours.ci_high) == pytest.approx((ends.low, ends.high), rel=1e-9)


@pytest.mark.parametrize("test", ["paired", "welch"])
def test_many_at_once_equal_one_at_a_time(test: Test) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 40, 4))
    together = p_values(effect(a, b, test))
    alone = [float(p_values(effect(x, y, test))) for x, y in zip(a, b, strict=True)]
    assert together.tolist() == alone


def test_seeds_without_spread_leave_no_doubt() -> None:
    a = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    b = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    for test in ("paired", "welch"):
        assert p_values(effect(a, b, test)).tolist() == [1.0, 0.0]  # type: ignore[arg-type]


def test_satterthwaite_by_hand() -> None:
    # Equal variances of n = 3 each: 2 + 2. One variance alone: its own. None: 1, for want of any.
    freedom = satterthwaite([np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])], [3, 3])
    assert freedom.tolist() == [4.0, 2.0, 1.0]


def test_correlation_is_pearsons() -> None:
    a, b = np.random.default_rng(1).normal(size=(2, 6)).tolist()
    assert correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert correlation(a, [1.0] * 6) is None


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("r", [0.0, 0.3, 0.6, 0.9])
def test_declared_tests_err_in_five_per_cent_at_most(seeds: int, r: float) -> None:
    a, b = null(seeds, r)
    assert false_winners(p_values(effect(a, b, "paired"))) == pytest.approx(0.05, abs=0.004)
    assert false_winners(p_values(effect(a, b, "welch"))) < 0.05


@pytest.mark.parametrize("seeds", [3, 5])
def test_welch_bears_unequal_spread(seeds: int) -> None:
    assert 0.04 < false_winners(p_values(effect(*null(seeds, 0.0, ratio=3.0), "welch"))) < 0.057


@pytest.mark.parametrize(("seeds", "rate"), [(3, 0.064), (5, 0.066)])
def test_test_chosen_by_the_measured_correlation_errs_more_often(seeds: int, rate: float) -> None:
    """Why the judge declares its test: this choice finds winners among equals too often."""
    a, b = null(seeds, 0.0)
    go_together = ((a - a.mean(1, keepdims=True)) * b).sum(1) > 0
    paired, welch = (p_values(effect(a, b, test)) for test in ("paired", "welch"))  # type: ignore[arg-type]
    chosen = np.where(go_together, paired, welch)
    assert false_winners(chosen) == pytest.approx(rate, abs=0.004)
    assert false_winners(chosen[go_together]) > 0.08


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(("test", "r"), [("welch", 0.0), ("paired", 0.0), ("paired", 0.7)])
def test_difference_of_the_size_of_the_mde_is_found_in_80_per_cent(
    seeds: int, test: Test, r: float
) -> None:
    a, b = null(seeds, r)
    found = p_values(effect(a + mde_before(1.0, seeds, test, r), b, test)) < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.007)


def test_mde_by_hand() -> None:
    # Many seeds: z(.975) + z(.8) = 1.959964 + .841621 standard errors, whichever the test.
    for test in ("paired", "welch"):
        value = mde_before(0.02, 100_000, test)  # type: ignore[arg-type]
        assert value == pytest.approx(2.801585 * 0.02 * np.sqrt(2 / 100_000), rel=1e-4)
    independent = mde_before(0.02, 3, "paired")
    assert mde_before(0.02, 3, "paired", correlation=0.5) == pytest.approx(
        independent * np.sqrt(0.5)
    )
    assert mde_before(0.02, 3, "welch", correlation=0.5) == mde_before(0.02, 3, "welch")
    assert mde_before(0.04, 3, "welch") == 2 * mde_before(0.02, 3, "welch")


@pytest.mark.parametrize("freedom", [10, 30])
def test_errors_needed_equal_the_noncentral_t(freedom: int) -> None:
    critical = stats.t.ppf(0.975, freedom)
    assert stats.nct.sf(critical, freedom, errors_by_t(freedom)) == pytest.approx(0.8, abs=1e-4)


def test_common_formula_promises_too_much_at_few_seeds() -> None:
    a, b = null(3, 0.0)
    promised = (stats.t.ppf(0.975, 4) + stats.t.ppf(0.8, 4)) * np.sqrt(2 / 3)
    found = (p_values(effect(a + promised, b, "welch")) < 0.05).mean()
    assert found == pytest.approx(0.69, abs=0.01)
    assert mde_before(1.0, 3, "welch") == pytest.approx(3.507, abs=0.005)
    assert promised == pytest.approx(3.035, abs=0.005)


def test_pairing_pays_from_the_stated_correlations_on() -> None:
    for seeds, r in ((3, 0.42), (5, 0.23)):
        welch = mde_before(1.0, seeds, "welch")
        assert mde_before(1.0, seeds, "paired", r - 0.02) > welch
        assert mde_before(1.0, seeds, "paired", r + 0.02) < welch
