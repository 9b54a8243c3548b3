"""Steps that methods share: swarms, outstanding asks, measured and distinct proposals."""

from dataclasses import replace

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.methods.candidates import asks, distinct, measured, outstanding, swarm, usable
from mixtures.methods.method import Problem, Proposal, Size
from mixtures.runs import Ask, Run
from mixtures.sampling import Dirichlet
from mixtures.space import Space

SIZE = Size(name="smoke", params=1000, tokens=1000)
SPACE = Space(tokens={"web": 700, "books": 200, "wiki": 100}, budget=1000)
PROBLEM = Problem(space=SPACE, objective={"loss": 1.0}, runs=8, sizes=(SIZE,), target=SIZE)


def ran(weights: tuple[float, ...], loss: float, size: int = 0) -> Run:
    return Run(ask=Ask(weights, size=size), losses={"loss": loss})


def test_a_swarm_belongs_to_the_seed_and_a_larger_budget_starts_with_it() -> None:
    found = swarm(PROBLEM, Dirichlet())
    assert found.shape == (8, 3)
    assert (swarm(replace(PROBLEM, runs=40), Dirichlet())[:8] == found).all()
    assert not (swarm(replace(PROBLEM, seed=1), Dirichlet()) == found).all()


def test_a_space_without_enough_distinct_mixtures_says_how_many_it_has() -> None:
    pair = Space(tokens={"a": 1, "b": 1}, budget=1, max_weights={"a": 0.6, "b": 0.6})
    with pytest.raises(UserError, match="found 2 distinct mixtures for 8 runs"):
        swarm(replace(PROBLEM, space=pair), Dirichlet(max_usage=None, min_distance=0.15))


def test_outstanding_is_what_has_no_run_in_any_order_within_the_budget() -> None:
    wanted = asks(swarm(PROBLEM, Dirichlet()))
    made = [Run(ask=wanted[i], losses={}, failure="diverged") for i in (5, 0)]
    assert outstanding(PROBLEM, made, wanted) == [wanted[i] for i in (1, 2, 3, 4, 6, 7)]
    assert outstanding(replace(PROBLEM, runs=3), made, wanted) == [wanted[1]]
    assert outstanding(replace(PROBLEM, runs=1), made, wanted) == []


def test_usable_runs_are_finished_and_of_the_size() -> None:
    good, other = ran((1, 0, 0), 2.0), ran((0, 1, 0), 2.0, size=1)
    bad = Run(ask=Ask((0, 0, 1)), losses={}, failure="loss is nan at step 7")
    assert usable([good, bad, other]) == [good]
    with pytest.raises(UserError, match="all 1 runs failed") as caught:
        usable([bad])
    assert "nan at step 7" in caught.value.hint
    with pytest.raises(UserError, match="no run was made"):
        usable([])


def test_measured_mixtures_come_best_first_and_outsiders_move_to_the_edge() -> None:
    where = replace(PROBLEM, space=replace(SPACE, max_weights={"wiki": 0.4}))
    runs = [ran((0.5, 0.3, 0.2), 3.0), ran((0.1, 0.0, 0.9), 1.0), ran((0.2, 0.5, 0.3), 2.0)]
    found = list(measured(where, runs))
    assert found[0].weights == pytest.approx([0.35, 0.25, 0.4])
    assert "outside the constraints" in found[0].by
    assert [tuple(p.weights) for p in found[1:]] == [(0.2, 0.5, 0.3), (0.5, 0.3, 0.2)]
    assert {p.by for p in found[1:]} == {"measured"}


def test_distinct_keeps_the_first_of_near_mixtures_and_stops_at_the_count() -> None:
    rows = np.array([[0.5, 0.5], [0.51, 0.49], [0.53, 0.47], [0.1, 0.9], [0.9, 0.1]])
    found = distinct((Proposal(row) for row in rows), count=3)
    assert [tuple(p.weights) for p in found] == [(0.5, 0.5), (0.53, 0.47), (0.1, 0.9)]
