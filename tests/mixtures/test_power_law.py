"""Power laws: planted floors, scales and the shared exponent come back."""

import numpy as np
import pytest

from mixtures.power_law import fit_power_laws
from mixtures.space import Floats

TOKENS = np.array([1e6, 2e6, 3e6, 4e6, 8e6])
FLOORS, SCALES = np.array([1.2, 2.0, 0.7]), np.array([2e5, 5e4, 9e5])


def curves(alpha: float, x: Floats) -> Floats:
    return np.asarray(FLOORS[:, None] + (SCALES[:, None] / x) ** alpha)


@pytest.mark.parametrize("alpha", [0.1, 0.35, 0.8, 1.5])
@pytest.mark.parametrize("points", [3, 5])
def test_planted_curves_come_back_and_extrapolate(alpha: float, points: int) -> None:
    laws = fit_power_laws(TOKENS[:points], curves(alpha, TOKENS[:points]), delta=0.02)
    assert laws.exponent == pytest.approx(alpha, rel=0.02)
    np.testing.assert_allclose(laws.floors, FLOORS, rtol=0.02, atol=0.02)
    expected = curves(alpha, np.array([1e8]))[:, 0]
    np.testing.assert_allclose(laws.at(1e8), expected, rtol=0.005)


def test_a_curve_that_does_not_fall_is_flat() -> None:
    losses = np.vstack([curves(0.5, TOKENS), np.full(5, 3.0), 3.0 + np.arange(5) / 100])
    laws = fit_power_laws(TOKENS, losses, delta=0.02)
    assert laws.at(1e9)[3:] == pytest.approx([3.0, 3.02], abs=0.005)
    assert laws.exponent == pytest.approx(0.5, rel=0.02)


def test_a_spike_weighs_no_more_than_huber_lets_it() -> None:
    losses = curves(0.5, TOKENS)
    losses[1, 2] += 1.0
    laws = fit_power_laws(TOKENS, losses, delta=1e-4)
    np.testing.assert_allclose(laws.at(1e8), curves(0.5, np.array([1e8]))[:, 0], atol=0.01)


def test_the_same_curves_give_the_same_law() -> None:
    noisy = curves(0.4, TOKENS) + np.random.default_rng(0).normal(0, 0.01, (3, 5))
    first, second = (fit_power_laws(TOKENS, noisy, delta=0.02) for _ in range(2))
    assert first.exponent == second.exponent
    assert first.at(1e8).tolist() == second.at(1e8).tolist()


def test_units_do_not_matter() -> None:
    losses = curves(0.4, TOKENS)
    tokens, billions = (fit_power_laws(TOKENS / u, losses, delta=0.02) for u in (1.0, 1e9))
    np.testing.assert_allclose(tokens.at(1e8), billions.at(0.1), rtol=1e-6)


def test_two_points_are_too_few() -> None:
    with pytest.raises(ValueError, match=r"needs 3 points\. Got 2"):
        fit_power_laws(TOKENS[[0, 1, 1]], curves(0.5, TOKENS[[0, 1, 1]]), delta=0.02)
