"""The lattice of grid search: which one is taken, and what constraints leave of it."""

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.methods.grid import lattice
from mixtures.space import Space


def space(domains: int, **bounds: object) -> Space:
    tokens = {f"d{i}": 100 for i in range(domains)}
    return Space(tokens=tokens, budget=100, **bounds)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("domains", "most", "points", "parts"),
    [(3, 66, 66, 10), (3, 65, 55, 9), (8, 40, 36, 2), (8, 35, 8, 1), (2, 12, 12, 11)],
)
def test_the_finest_lattice_within_the_budget_is_taken(
    domains: int, most: int, points: int, parts: int
) -> None:
    found = lattice(space(domains), most)
    assert found.shape == (points, domains)
    assert (np.abs(found * parts - np.round(found * parts)) < 1e-12).all()
    assert found.sum(1) == pytest.approx(1)
    assert len(np.unique(found, axis=0)) == points


def test_constraints_make_room_for_a_finer_lattice() -> None:
    names = [f"d{i}" for i in range(8)]
    where = space(8, max_weights=dict.fromkeys(names, 0.3), min_weights={"d0": 0.25})
    found = lattice(where, 40)
    # Quarters: d0 has one, and three of the other seven have one each.
    assert len(found) == 35
    assert where.inside(found).all()
    assert set(found.ravel().tolist()) == {0.0, 0.25}


def test_bounds_that_are_multiples_of_the_step_belong_to_the_lattice() -> None:
    where = space(3, max_weights={"d0": 0.3}, min_weights={"d1": 0.7})
    found = lattice(where, 10)
    assert where.inside(found).all()
    assert {0.0, 0.3} <= set(found[:, 0].round(12).tolist())


def test_the_natural_point_is_all_that_a_tight_cap_leaves() -> None:
    # Each domain may fill a quarter of the budget.
    assert lattice(space(4, max_epochs=0.25), 5).tolist() == [[0.25] * 4]


def test_a_lattice_that_needs_more_runs_says_how_many() -> None:
    with pytest.raises(UserError, match=r"at most 7 mixtures .* the smallest has 8"):
        lattice(space(8), 7)


def test_constraints_between_all_lattices_are_told() -> None:
    third = {f"d{i}": 0.33333 for i in range(2)} | {"d2": 0.33334}
    where = space(3, min_weights=third)
    with pytest.raises(UserError, match="no lattice of at most 9 mixtures"):
        lattice(where, 9)
