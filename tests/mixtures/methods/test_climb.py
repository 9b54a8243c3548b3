"""CLIMB: its rounds, what each of them measures, and its proposals."""

from dataclasses import replace

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.methods.climb import Climb
from mixtures.methods.method import Problem
from mixtures.runs import Run
from tests.mixtures.methods.laws import SPACE, measure, problem, searched, value

METHOD = Climb(predictor="log_linear", pool=3000)


def rounds(method: Climb, where: Problem) -> list[list[Run]]:
    runs: list[Run] = []
    made = []
    while asks := method.ask(where, runs):
        made.append(measure(asks))
        runs += made[-1]
    return made


@pytest.mark.parametrize(
    ("budget", "sizes"), [(112, [64, 32, 16]), (40, [23, 11, 6]), (56, [32, 16, 8])]
)
def test_rounds_split_the_budget_four_to_two_to_one(budget: int, sizes: list[int]) -> None:
    assert [len(made) for made in rounds(METHOD, problem(budget))] == sizes


def test_a_round_is_never_empty_and_too_few_runs_are_told() -> None:
    method = Climb(predictor="log_linear", split=(60, 1, 1), pool=500)
    assert [len(made) for made in rounds(method, problem(20))] == [18, 1, 1]
    with pytest.raises(UserError, match="3 rounds need as many runs, there are 2"):
        METHOD.ask(problem(2), [])


def test_later_rounds_are_better_than_the_first() -> None:
    means = [
        np.mean([problem(40).value(run) for run in made]) for made in rounds(METHOD, problem(40))
    ]
    assert means[0] - 0.1 > means[1] >= means[2] - 0.01


def test_the_first_round_is_around_the_token_counts() -> None:
    asks = METHOD.ask(problem(500), [])
    assert np.array([ask.weights for ask in asks]).mean(0) == pytest.approx(SPACE.natural, abs=0.06)


def test_every_mixture_is_of_the_pool_and_measured_once() -> None:
    asked = [run.ask.weights for made in rounds(METHOD, problem(40)) for run in made]
    pool = {tuple(row) for row in METHOD._pool(problem(40)).tolist()}
    assert len(set(asked)) == 40
    assert set(asked) <= pool


def test_a_round_that_was_cut_short_is_finished_as_it_was_chosen() -> None:
    first, second = rounds(METHOD, problem(40))[:2]
    for told in range(1, len(second)):
        asks = METHOD.ask(problem(40), [*first, *second[:told]])
        assert asks == [run.ask for run in second[told:]]


def test_argmax_of_the_fit_comes_first_and_best_measured_second() -> None:
    search = searched(METHOD, problem(40))
    first, second = search.propose()[:2]
    best = min(search.runs, key=search.problem.value)
    assert first.by == "best of a pool of 3,000"
    assert first.mean == pytest.approx(value(first.weights), abs=0.01)
    if second.by == "measured":  # else it is the argmax, to a reader
        assert tuple(second.weights) == best.ask.weights
    assert value(first.weights) <= search.problem.value(best) + 5e-3


def test_impossible_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="split"):
        Climb(split=())
    with pytest.raises(ValueError, match="top must be at least 1"):
        Climb(top=0.5)


def test_a_space_with_one_mixture_is_told() -> None:
    point = replace(SPACE, max_epochs=1.0)  # the budget is all there is
    with pytest.raises(UserError, match="found 1 distinct mixtures for 40 runs"):
        METHOD.ask(problem(40, space=point), [])
