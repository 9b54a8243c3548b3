"""Cross-validation chooses the predictor whose law made the losses, and says what it tried."""

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.folds import folds
from mixtures.predictors.predictor import predictors
from mixtures.selection import Composite, cross_validate, select

DOMAINS = 4


def mixtures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(DOMAINS), count)


def test_folds_test_every_run_once_and_never_fit_it():
    tested = []
    for train, test in folds(23, 5, seed=1):
        assert set(train).isdisjoint(test)
        assert len(train) + len(test) == 23
        tested += test.tolist()
    assert sorted(tested) == list(range(23))


def test_folds_are_as_many_as_runs_where_those_are_few():
    assert [len(test) for _, test in folds(3, 5)] == [1, 1, 1]


def test_select_takes_the_plane_for_losses_on_a_plane():
    weights = mixtures(40)
    losses = weights @ [3.0, 4.0, 5.0, 2.5] + np.random.default_rng(1).normal(0, 0.01, 40)
    found = select(weights, losses, candidates=("gp", "linear"))
    assert found.name == "linear"
    assert found.score.rmse == min(score.rmse for score in found.scores)


def test_select_takes_the_power_of_the_own_share_for_losses_that_are_one():
    weights = mixtures(40)
    noise = np.exp(np.random.default_rng(1).normal(0, 0.003, 40))
    losses = 2.0 * np.maximum(weights[:, 2], 1e-4) ** -0.1 * noise
    assert select(weights, losses, 2, ("linear", "bimix")).name == "bimix"


def test_select_passes_over_what_cannot_be_fitted_and_says_why():
    weights = mixtures(30)
    found = select(weights, weights[:, 0], None, ("bimix", "linear"))
    assert found.name == "linear"
    assert found.scores[0].failure
    assert np.isnan(found.scores[0].rmse)


def test_select_says_why_where_nothing_can_be_fitted():
    weights = mixtures(30)
    with pytest.raises(UserError, match="bimix"):
        select(weights, weights[:, 0], None, ("bimix",))


def test_select_gives_the_same_choice_and_predictions_every_time():
    weights, losses = mixtures(30), mixtures(30) @ [1.0, 2.0, 3.0, 4.0]
    one, two = (select(weights, losses, candidates=("gp", "linear")) for _ in range(2))
    assert one.name == two.name
    assert [s.rmse for s in one.scores] == [s.rmse for s in two.scores]


def test_cross_validate_predicts_a_run_without_its_loss():
    weights = mixtures(20)
    losses = weights @ [1.0, 2.0, 3.0, 4.0]
    before = cross_validate(predictors.get("linear")(), weights, losses)
    losses[7] += 100
    after = cross_validate(predictors.get("linear")(), weights, losses)
    assert after.predicted[7] == pytest.approx(before.predicted[7], abs=1e-9)


def test_composite_is_the_weighted_sum_and_its_error_an_upper_bound():
    weights = mixtures(30)
    fits = tuple(predictors.get("linear")().fit(weights, weights[:, i] ** 2) for i in (0, 1))
    both = Composite(fits, (0.25, 0.75))
    rows = mixtures(5, seed=9)
    assert both.mean(rows) == pytest.approx(0.25 * fits[0].mean(rows) + 0.75 * fits[1].mean(rows))
    assert (both.sd(rows) >= np.hypot(0.25 * fits[0].sd(rows), 0.75 * fits[1].sd(rows))).all()


def test_auto_predicts_what_its_choice_predicts():
    weights = mixtures(30)
    losses = weights @ [1.0, 2.0, 3.0, 4.0]
    auto = predictors.get("auto")(candidates=("gp", "linear"))
    chosen = select(weights, losses, candidates=("gp", "linear"))
    rows = mixtures(5, seed=9)
    assert np.array_equal(auto.fit(weights, losses).mean(rows), chosen.fit.mean(rows))


def test_auto_cannot_be_its_own_candidate():
    with pytest.raises(ValueError, match="other than 'auto'"):
        predictors.get("auto")(candidates=("gp", "auto"))
