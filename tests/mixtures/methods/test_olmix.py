"""Olmix: the exact optimum of its law, constraints in it and not in the swarm, frozen domains."""

from dataclasses import replace

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.methods.olmix import Olmix
from mixtures.runs import Ask, Run
from mixtures.simplex import minimise
from tests.mixtures.methods.laws import DOMAINS, SPACE, gradient, measure, problem, searched, value

OPTIMUM = minimise(
    lambda p: (value(p), gradient(p)), np.zeros(4), np.ones(4), SPACE.natural, kl_weight=0.05
)


def weights_asked(
    method: Olmix, **changes: object
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([ask.weights for ask in method.ask(problem(24, **changes), [])])


def test_finds_the_optimum_of_a_law_that_holds() -> None:
    proposals = searched(Olmix(), problem(24)).propose()
    assert proposals[0].weights == pytest.approx(OPTIMUM.weights, abs=0.02)
    assert proposals[0].mean == pytest.approx(value(proposals[0].weights), abs=0.01)


def test_the_weight_of_the_prior_pulls_towards_it() -> None:
    search = searched(Olmix(), problem(24))
    loose, tight = (
        Olmix(kl_weight=k).propose(search.problem, search.runs)[0].weights for k in (0.0, 10.0)
    )
    assert tight == pytest.approx(SPACE.natural, abs=0.02)
    assert value(loose) < value(OPTIMUM.weights) < value(tight)


def test_repetition_is_a_constraint_of_the_optimum_and_not_of_the_swarm() -> None:
    space = replace(SPACE, max_epochs=1.2)
    search = searched(Olmix(), problem(24, space=space))
    asked = np.array([run.ask.weights for run in search.runs])
    assert not space.inside(asked).all()
    assert space.inside(search.propose()[0].weights)
    named = replace(SPACE, max_weights={"web": 0.4}, max_epochs=4)
    assert (weights_asked(Olmix(), space=named)[:, 0] <= 0.4).all()


def test_the_swarm_is_around_the_natural_mixture_and_has_all_domains() -> None:
    asked = np.array([ask.weights for ask in Olmix().ask(problem(400), [])])
    assert asked.mean(0) == pytest.approx(SPACE.natural, abs=0.1)
    assert asked.min() >= 0.002 - 1e-12


@pytest.mark.parametrize(("frozen", "least"), [({}, 15), ({"web": 3.0, "wiki": 1.0}, 12)])
def test_needs_three_runs_per_parameter(frozen: dict[str, float], least: int) -> None:
    assert len(Olmix(frozen=frozen).ask(problem(least), [])) == least
    with pytest.raises(UserError, match=f"olmix needs {least} runs") as caught:
        Olmix(frozen=frozen).ask(problem(least - 1), [])
    assert caught.value.where == "budget.runs"


def test_frozen_domains_keep_their_ratio_in_runs_and_proposals() -> None:
    method = Olmix(frozen={"web": 3.0, "wiki": 1.0})
    search = searched(method, problem(24))
    web, wiki = DOMAINS.index("web"), DOMAINS.index("wiki")
    asked = np.array([run.ask.weights for run in search.runs])
    assert asked[:, web] == pytest.approx(3 * asked[:, wiki])
    best = search.propose()[0].weights
    assert best[web] == pytest.approx(3 * best[wiki])
    free = searched(Olmix(), problem(24)).propose()[0].weights
    assert value(SPACE.natural) > value(best) >= value(free) - 5e-3


def test_runs_that_do_not_keep_the_ratio_are_not_fitted() -> None:
    method, where = Olmix(frozen={"web": 3.0, "wiki": 1.0}), problem(24)
    search = searched(method, where)
    stray = Run(ask=Ask((0.1, 0.1, 0.1, 0.7)), losses=dict.fromkeys(where.objective, 0.0))
    assert (
        method.propose(where, [*search.runs, stray])[0].weights == search.propose()[0].weights
    ).all()


def test_failed_runs_are_not_fitted() -> None:
    asks = Olmix().ask(problem(24), [])
    runs = [Run(ask=ask, losses={}, failure="diverged") for ask in asks[:6]] + measure(asks[6:])
    assert Olmix().propose(problem(24), runs)[0].weights == pytest.approx(OPTIMUM.weights, abs=0.02)


def test_impossible_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="kl_weight must be at least 0"):
        Olmix(kl_weight=-0.1)
    with pytest.raises(UserError, match="there is no domain 'webb'"):
        Olmix(frozen={"webb": 1.0}).ask(problem(24), [])
