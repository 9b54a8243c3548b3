"""RegMix: its simulation, the mean of the best, and the predictor that is chosen."""

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.methods.random_search import Random
from mixtures.methods.regmix import RegMix
from mixtures.sampling import Dirichlet
from tests.mixtures.methods.laws import SPACE, problem, searched, value

METHOD = RegMix(predictor="log_linear", simulated=20_000)


def test_shares_its_swarm_with_random_search() -> None:
    assert METHOD.ask(problem(40), []) == Random().ask(problem(40), [])


def test_simulates_around_the_natural_mixture_as_published() -> None:
    simulation = RegMix().simulation
    found = simulation.sample(SPACE, 50_000, np.random.default_rng(0))
    assert found.mean(0) == pytest.approx(SPACE.natural, abs=0.01)
    natural = SPACE.natural
    assert found.var(0) == pytest.approx(natural * (1 - natural) / 2, abs=0.01)


def test_the_mean_of_the_best_comes_first_and_the_best_one_second() -> None:
    search = searched(METHOD, problem(40))
    mean, best = search.propose()[:2]
    assert mean.by == "mean of the 128 best of 20,000"
    assert best.by == "best of 20,000 simulated"
    assert mean.mean is not None
    assert best.mean is not None
    assert mean.mean <= best.mean + 0.02
    assert mean.mean == pytest.approx(value(mean.weights), abs=0.01)


def test_the_mean_of_one_is_the_best_one() -> None:
    one = RegMix(predictor="log_linear", simulated=5000, top=1)
    search = searched(one, problem(40))
    assert search.propose()[0].weights == pytest.approx(
        RegMix(predictor="log_linear", simulated=5000, top=1)
        .propose(search.problem, search.runs)[0]
        .weights
    )
    assert len(search.propose()) == 1


def test_finds_a_mixture_much_better_than_natural_and_the_best_of_its_swarm() -> None:
    search = searched(METHOD, problem(40))
    found = value(search.propose()[0].weights)
    best_run = min(search.problem.value(run) for run in search.runs)
    assert found < best_run < value(SPACE.natural)


def test_refuses_unknown_predictors_before_anything_runs() -> None:
    with pytest.raises(UserError, match="there is no predictor 'lightgmb'"):
        RegMix(predictor="lightgmb").ask(problem(40), [])
    with pytest.raises(UserError, match="no parameter 'depht'"):
        RegMix(predictor={"lightgbm": {"depht": 3}}).ask(problem(40), [])
    with pytest.raises(UserError, match="one name"):
        RegMix(predictor={}).ask(problem(40), [])


def test_impossible_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="top must be from 1 to simulated"):
        RegMix(top=200, simulated=100)


def test_a_swarm_of_another_sampler_is_another_swarm() -> None:
    uniform = RegMix(sampler=Dirichlet(temperature=0.0))
    assert uniform.ask(problem(10), []) != METHOD.ask(problem(10), [])
