"""BiMix's law: planted exponents come back, and lines are straight where it says so."""

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.bimix_law import LEAST_SHARE, fit_bimix_law
from mixtures.space import Floats

SHARES = np.repeat([0.02, 0.05, 0.1, 0.3, 0.7], 4)
TOKENS = np.tile([1e6, 2e6, 4e6, 8e6], 5)


def losses(alpha: float, beta: float, shares: Floats, tokens: Floats) -> Floats:
    return np.asarray(shares**-alpha * (40.0 / tokens**beta + 1.5))


@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("beta", [0.1, 0.3, 0.5])
def test_a_planted_law_comes_back_and_extrapolates(alpha: float, beta: float) -> None:
    law = fit_bimix_law(SHARES, TOKENS, losses(alpha, beta, SHARES, TOKENS))
    assert law.alpha == pytest.approx(alpha, rel=1e-3)
    assert law.beta == pytest.approx(beta, rel=0.05)
    new = np.array([0.01, 0.2, 0.9])
    expected = losses(alpha, beta, new, np.full(3, 1e8))
    np.testing.assert_allclose(law.at(new, 1e8), expected, rtol=2e-3)  # the paper's .2 %


def test_the_log_of_the_loss_is_a_line_in_the_log_of_the_share() -> None:
    law = fit_bimix_law(SHARES, TOKENS, losses(0.2, 0.3, SHARES, TOKENS))
    shares = np.geomspace(1e-3, 1, 20)
    slopes = np.diff(np.log(law.at(shares, 5e6))) / np.diff(np.log(shares))
    np.testing.assert_allclose(slopes, -law.alpha)


def test_runs_measured_once_give_a_law_of_the_share_alone() -> None:
    shares = np.array([0.05, 0.1, 0.4, 0.8])
    tokens = np.full(4, 1e6)
    law = fit_bimix_law(shares, tokens, losses(0.2, 0.3, shares, tokens))
    assert law.scale == 0.0
    assert law.alpha == pytest.approx(0.2)
    assert law.at(shares, 1e6).tolist() == law.at(shares, 1e9).tolist()


def test_the_error_is_that_of_the_noise() -> None:
    rng = np.random.default_rng(0)
    shares, tokens = rng.uniform(0.01, 1, 4000), np.exp(rng.uniform(13, 17, 4000))
    noisy = losses(0.2, 0.3, shares, tokens) * np.exp(rng.normal(0, 0.03, 4000))
    assert fit_bimix_law(shares, tokens, noisy).error == pytest.approx(0.03, rel=0.05)


def test_a_domain_that_is_absent_says_nothing() -> None:
    with_absent = np.concatenate([SHARES, [0.0, LEAST_SHARE / 2]])
    tokens = np.concatenate([TOKENS, [1e6, 1e6]])
    values = np.concatenate([losses(0.2, 0.3, SHARES, TOKENS), [9.0, 9.0]])
    law = fit_bimix_law(with_absent, tokens, values)
    assert law.alpha == pytest.approx(0.2, rel=1e-3)
    assert law.at(np.array([0.0]), 1e6) == law.at(np.array([LEAST_SHARE]), 1e6)


def test_one_share_alone_gives_a_law_of_the_tokens() -> None:
    tokens = np.array([1e6, 2e6, 4e6, 8e6])
    law = fit_bimix_law(np.full(4, 0.3), tokens, losses(0.2, 0.3, np.full(4, 0.3), tokens))
    assert law.alpha == 0.0
    expected = losses(0.2, 0.3, np.array([0.3]), np.array([1e8]))
    assert law.at(np.array([0.9]), 1e8) == pytest.approx(expected, rel=2e-3)


def test_two_shares_are_too_few() -> None:
    with pytest.raises(UserError, match=r"3 different shares .* there are 2"):
        fit_bimix_law(np.array([0.1, 0.2, 0.2, 0.0]), np.full(4, 1e6), np.ones(4))
