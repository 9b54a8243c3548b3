"""The process with a width per domain: finds what matters, and is unsure away from the runs."""

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.predictors.gp import GP, _evidence

DOMAINS = 6


def mixtures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(DOMAINS), count)


def own_share(weights: np.ndarray) -> np.ndarray:
    """A loss that one domain decides."""
    return 2.0 * (weights[:, 1] + 0.01) ** -0.15


def test_gp_learns_that_one_domain_matters():
    weights = mixtures(60)
    rates = GP().fit(weights, own_share(weights)).kernel.rates
    assert rates.argmax() == 1
    assert rates[1] > 10 * np.delete(rates, 1).max()


def test_gp_with_free_widths_beats_nearly_fixed_ones():
    weights, rows = mixtures(40), mixtures(200, seed=1)

    def error(width_sd: float) -> float:
        fit = GP(width_sd=width_sd).fit(weights, own_share(weights))
        return float(np.abs(fit.mean(rows) - own_share(rows)).mean())

    assert error(1.5) < error(1e-3) / 2


def test_gp_goes_through_runs_without_noise():
    weights = mixtures(40)
    fit = GP().fit(weights, own_share(weights))
    assert fit.mean(weights) == pytest.approx(own_share(weights), abs=0.01)


def test_gp_is_less_sure_away_from_the_runs():
    weights = 0.9 * mixtures(40) + 0.1 / DOMAINS
    fit = GP().fit(weights, own_share(weights))
    assert fit.sd(np.eye(DOMAINS)[1:2])[0] > 3 * fit.sd(weights).max()


def test_gp_errors_hold_most_new_noisy_runs():
    # .95 with the true widths; that they are learnt costs some

    rng, weights, rows = np.random.default_rng(2), mixtures(80), mixtures(400, seed=3)
    fit = GP().fit(weights, own_share(weights) + rng.normal(0, 0.03, 80))
    measured = own_share(rows) + rng.normal(0, 0.03, 400)
    inside = np.abs(measured - fit.mean(rows)) <= 1.96 * fit.sd(rows)
    assert 0.85 <= inside.mean() <= 0.99


def test_gp_evidence_has_the_gradient_of_its_differences():
    points = mixtures(12) ** 0.25
    gaps = np.stack([np.subtract.outer(column, column) ** 2 for column in points.T])
    targets, theta = np.random.default_rng(4).normal(size=12), np.linspace(-1, 1, DOMAINS + 2)
    _, gradient = _evidence(theta, gaps, targets)
    moves = 1e-6 * np.eye(len(theta))
    slopes = [
        (_evidence(theta + m, gaps, targets)[0] - _evidence(theta - m, gaps, targets)[0]) / 2e-6
        for m in moves
    ]
    assert gradient == pytest.approx(slopes, rel=1e-4, abs=1e-6)


def test_gp_gives_the_same_bits_twice_and_takes_rows_in_any_batch():
    weights, rows = mixtures(30), mixtures(5000, seed=5)
    one, two = (GP().fit(weights, own_share(weights)) for _ in range(2))
    assert np.array_equal(one.mean(rows), two.mean(rows))
    assert one.mean(rows)[4500:] == pytest.approx(one.mean(rows[4500:]))
    assert one.mean(rows[:0]).shape == one.sd(rows[:0]).shape == (0,)


def test_gp_learns_from_some_and_knows_all():
    weights = mixtures(60)
    fit = GP(evidence_runs=20).fit(weights, own_share(weights))
    assert len(fit.points) == 60


def test_gp_takes_equal_losses_and_equal_mixtures():
    weights = np.repeat(mixtures(3), 4, axis=0)
    fit = GP().fit(weights, np.full(12, 3.0))
    assert fit.mean(mixtures(4)) == pytest.approx(3.0)
    assert (fit.sd(mixtures(4)) > 0).all()


def test_gp_refuses_four_runs_and_takes_five():
    with pytest.raises(UserError, match="needs 5 runs, there are 4"):
        GP().fit(mixtures(4), np.arange(4.0))
    GP().fit(mixtures(5), np.arange(5.0))


@pytest.mark.parametrize(
    "wrong", [{"power": 0.0}, {"power": 1.1}, {"width_sd": 0}, {"ridge": 0}, {"evidence_runs": 4}]
)
def test_gp_refuses_parameters_that_mean_nothing(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GP(**wrong)
