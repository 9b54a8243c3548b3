"""What every registered search method keeps to, whatever it does inside."""

import dataclasses
import pickle
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from curation.config import build
from curation.errors import UserError
from mixtures.distances import tv
from mixtures.methods.candidates import MIN_TV
from mixtures.methods.method import Problem, Proposal, Search, SearchMethod, methods
from mixtures.runs import Ask, Run
from tests.mixtures.worlds import World, three_domains

RUNS = 24
TREES = {"lightgbm": {"rounds": 50}}  # a thousand, and the candidates of a search, take a minute
LIGHTER = {
    "regmix": {"predictor": TREES, "simulated": 5_000},
    "climb": {"predictor": TREES, "pool": 2_000},
}
INSIDE_ONLY = ("climb", "grid", "random", "regmix")  # ask for nothing outside the constraints


@cache
def world() -> World:
    return three_domains()


def method(name: str) -> SearchMethod:
    return build(methods.get(name), LIGHTER.get(name, {}), where=name)


def problem(runs: int = RUNS, **changes: object) -> Problem:
    return replace(world().problem(runs, sizes=(0, 1, 2)), **changes)  # type: ignore[arg-type]


def measure(where: Problem, asks: Sequence[Ask]) -> list[Run]:
    return world().measure(where, asks)


def failed(ask: Ask) -> Run:
    return Run(ask=ask, losses={}, failure="loss is not finite at step 3")


@cache
def searched(name: str) -> Search:
    return world().search(method(name), problem())


def show(proposals: Sequence[Proposal]) -> list[tuple[object, ...]]:
    return [(tuple(p.weights), p.mean, p.sd, p.by) for p in proposals]


@pytest.mark.parametrize("name", list(methods))
def test_is_a_frozen_dataclass_of_defaults_with_a_reference(name: str) -> None:
    made = method(name)
    assert made.name == name
    assert made.reference
    assert type(made).__doc__
    assert all(
        "    " + field.name + ":" in type(made).__doc__ for field in dataclasses.fields(made)
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.anything = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(methods))
def test_asks_mixtures_of_known_sizes_within_the_budget(name: str) -> None:
    search = searched(name)
    asked = [run.ask for run in search.runs]
    assert 0 < len(asked) <= RUNS
    assert len(set(asked)) == len(asked)
    weights = np.array([ask.weights for ask in asked])
    assert weights.min() >= 0
    assert weights.sum(1) == pytest.approx(1, abs=1e-9)
    assert all(ask.size in range(3) for ask in asked)
    assert all(0 < point < 1 for ask in asked for point in ask.points)


@pytest.mark.parametrize("name", list(methods))
def test_proposes_distinct_mixtures_of_the_space(name: str) -> None:
    search = searched(name)
    proposals = search.propose()
    assert proposals
    for proposal in proposals:
        assert proposal.weights.sum() == pytest.approx(1, abs=1e-9)
        assert search.problem.space.inside(proposal.weights)
        assert proposal.mean is None or np.isfinite(proposal.mean)
        assert proposal.sd is None or proposal.sd >= 0
        assert proposal.by
    for i, one in enumerate(proposals):
        for other in proposals[:i]:
            assert tv(one.weights, other.weights) >= MIN_TV


@pytest.mark.parametrize("name", list(methods))
def test_a_second_search_asks_and_proposes_the_same(name: str) -> None:
    again = world().search(method(name), problem())
    assert [run.ask for run in again.runs] == [run.ask for run in searched(name).runs]
    assert show(again.propose()) == show(searched(name).propose())


@pytest.mark.parametrize("name", list(methods))
def test_a_killed_search_goes_on_where_it_was(name: str) -> None:
    whole = searched(name)
    for told in range(len(whole.runs)):
        left = method(name).ask(whole.problem, whole.runs[:told])
        assert left == [run.ask for run in whole.runs[told : told + len(left)]]
        assert left
    assert method(name).ask(whole.problem, whole.runs) == []


@pytest.mark.parametrize("name", list(methods))
def test_failed_runs_count_and_are_not_repeated(name: str) -> None:
    search, made = Search(method(name), problem()), 0
    while asks := search.ask():
        told = []
        for ask, run in zip(asks, measure(search.problem, asks), strict=True):
            made += 1
            told.append(failed(ask) if made % 5 == 0 else run)
        search.tell(told)
    asked = [run.ask for run in search.runs]
    assert len(set(asked)) == len(asked) <= RUNS
    assert search.problem.space.inside(search.propose()[0].weights)


@pytest.mark.parametrize("name", list(methods))
def test_a_search_without_a_finished_run_says_so(name: str) -> None:
    search = Search(method(name), problem())
    search.tell([failed(ask) for ask in search.ask()])
    with pytest.raises(UserError, match="failed"):
        search.propose()
    with pytest.raises(UserError, match="no run"):
        method(name).propose(problem(), [])


@pytest.mark.parametrize("name", list(methods))
def test_a_budget_too_small_is_told_before_anything_runs(name: str) -> None:
    small = problem(1)
    if name == "random":  # predicts nothing
        assert len(method(name).ask(small, [])) == 1
        return
    with pytest.raises(UserError) as caught:
        method(name).ask(small, [])
    assert caught.value.where == "budget.runs"


@pytest.mark.parametrize("name", list(methods))
def test_pickles_and_does_the_same_after_it(name: str) -> None:
    copy = pickle.loads(pickle.dumps(method(name)))
    assert copy == method(name)
    assert copy.ask(problem(), []) == method(name).ask(problem(), [])


@pytest.mark.parametrize("name", list(methods))
def test_proposals_keep_to_floors_and_caps(name: str) -> None:
    bounds = {"min_weights": {"domain0": 0.3}, "max_weights": {"domain2": 0.4}}
    space = replace(world().space, max_epochs=4.0, **bounds)
    where = problem(space=space)
    search = world().search(method(name), where)
    for proposal in search.propose():
        assert space.inside(proposal.weights)
    if name in INSIDE_ONLY:
        assert all(space.inside(np.array(run.ask.weights)) for run in search.runs)


@pytest.mark.parametrize("name", list(methods))
def test_a_domain_without_room_is_left_out(name: str) -> None:
    space = replace(world().space, max_weights={"domain1": 0.0})
    search = world().search(method(name), problem(space=space))
    assert all(proposal.weights[1] <= 1e-9 for proposal in search.propose())


def test_the_registry_holds_the_methods() -> None:
    assert {"random", "grid", "regmix", "climb", "olmix"} <= set(methods)
