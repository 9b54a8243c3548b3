"""Projections and convex minimisation on the simplex with floors and caps."""

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from curation.errors import RunError
from mixtures.distances import kl
from mixtures.simplex import minimise, project, scale
from mixtures.space import Floats

FLOORS, CAPS = np.array([0.1, 0.0, 0.0, 0.0]), np.array([0.5, 0.4, 0.05, 1.0])
FREE = np.zeros(4), np.ones(4)


def in_bounds(weights: Floats, floors: Floats = FLOORS, caps: Floats = CAPS) -> bool:
    inside = (weights >= floors - 1e-12) & (weights <= caps + 1e-12)
    return bool(inside.all() and np.allclose(weights.sum(-1), 1, atol=1e-12))


def slsqp(function: object, floors: Floats, caps: Floats, start: Floats) -> Floats:
    """A second opinion from scipy."""
    sums = LinearConstraint(np.ones(len(floors)), 1, 1)
    bounds = list(zip(floors, caps, strict=True))
    options = {"ftol": 1e-14, "maxiter": 1000}
    start = project(start, floors, caps)
    found = minimize(function, start, bounds=bounds, constraints=sums, options=options)
    return np.asarray(found.x)


def test_projection_onto_the_whole_simplex_by_hand() -> None:
    assert project(np.array([0.6, 0.6, -1.0, 0.0]), *FREE) == pytest.approx([0.5, 0.5, 0, 0])
    assert project(np.array([2.0, 0.0, 0.0, 0.0]), *FREE) == pytest.approx([1, 0, 0, 0])
    assert project(np.zeros(4), *FREE) == pytest.approx([0.25] * 4)


def test_projection_leaves_what_is_inside() -> None:
    inside = np.array([0.3, 0.3, 0.03, 0.37])
    assert project(inside, FLOORS, CAPS) == pytest.approx(inside, abs=1e-15)
    assert scale(inside, FLOORS, CAPS) == pytest.approx(inside, abs=1e-15)


def test_projection_is_the_nearest_point_that_slsqp_finds() -> None:
    for wanted in np.random.default_rng(1).normal(0.2, 0.5, (20, 4)):
        found = project(wanted, FLOORS, CAPS)

        def distance(p: Floats, wanted: Floats = wanted) -> float:
            return float(((p - wanted) ** 2).sum())

        other = slsqp(distance, FLOORS, CAPS, np.full(4, 0.25))
        assert in_bounds(found)
        assert found == pytest.approx(other, abs=1e-6)


def test_scaling_is_the_nearest_point_in_kl() -> None:
    for wanted in np.random.default_rng(2).dirichlet(np.ones(4), 20):
        found = scale(wanted, FLOORS, CAPS)

        def divergence(p: Floats, wanted: Floats = wanted) -> float:
            return float(kl(np.maximum(p, 1e-15), wanted))

        other = slsqp(divergence, FLOORS, CAPS, np.full(4, 0.25))
        assert in_bounds(found)
        assert float(kl(found, wanted)) <= float(kl(other, wanted)) + 1e-8


def test_scaling_gives_the_excess_to_the_others_in_proportion() -> None:
    caps = np.array([0.4, 1.0, 1.0])
    assert scale(np.array([0.7, 0.2, 0.1]), np.zeros(3), caps) == pytest.approx([0.4, 0.4, 0.2])


def test_scaling_fills_from_vanishing_weights_where_the_caps_force_it() -> None:
    tiny = np.array([1.0, 1e-250, 1e-260])
    found = scale(tiny, np.zeros(3), np.array([0.5, 0.3, 0.9]))
    assert found == pytest.approx([0.5, 0.3, 0.2])


@pytest.mark.parametrize("domains", [2, 7, 20])
def test_projections_keep_bounds_that_leave_a_single_point_or_little_room(domains: int) -> None:
    rng = np.random.default_rng(domains)
    middle = rng.dirichlet(np.ones(domains))
    wild = rng.normal(0, 3, (500, domains))
    for room in (0.0, 1e-9, 0.01):
        floors, caps = np.maximum(middle - room, 0), np.minimum(middle + room, 1)
        assert in_bounds(project(wild, floors, caps), floors, caps)
        assert in_bounds(scale(np.exp(wild), floors, caps), floors, caps)


def test_projection_of_many_rows_is_that_of_each() -> None:
    rows = np.random.default_rng(3).normal(0.2, 0.5, (3, 5, 4))
    together = project(rows, FLOORS, CAPS)
    assert together.shape == rows.shape
    assert together[2, 4] == pytest.approx(project(rows[2, 4], FLOORS, CAPS), abs=1e-15)


def log_linear(seed: int, domains: int, targets: int = 6) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(-0.5, 1.5, (targets, domains)), rng.dirichlet(np.ones(targets))


@pytest.mark.parametrize("kl_weight", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_minimum_of_a_sum_of_exponentials_is_that_of_slsqp(seed: int, kl_weight: float) -> None:
    slopes, parts = log_linear(seed, 4)
    prior = np.random.default_rng(seed + 9).dirichlet(np.full(4, 5.0))

    def smooth(p: Floats) -> tuple[float, Floats]:
        terms = parts * np.exp(slopes @ p)
        return float(terms.sum()), np.asarray(terms @ slopes)

    def whole(p: Floats) -> float:
        return smooth(p)[0] + kl_weight * float(kl(np.maximum(p, 1e-12), prior))

    found = minimise(smooth, FLOORS, CAPS, prior, kl_weight=kl_weight)
    other = slsqp(whole, FLOORS, CAPS, prior)
    assert in_bounds(found.weights)
    assert found.gap <= 1e-7
    assert found.value == pytest.approx(whole(found.weights), abs=1e-10)
    assert found.value <= whole(other) + 1e-7
    assert found.weights == pytest.approx(other, abs=2e-3)


def test_minimum_of_a_linear_loss_with_kl_is_the_tilted_prior() -> None:
    prior, slope = np.array([0.2, 0.3, 0.5]), np.array([1.0, 0.0, 2.0])
    found = minimise(
        lambda p: (float(slope @ p), slope), np.zeros(3), np.ones(3), prior, kl_weight=0.5
    )
    tilted = prior * np.exp(-slope / 0.5)
    assert found.weights == pytest.approx(tilted / tilted.sum(), abs=1e-5)
    assert found.value == pytest.approx(-0.5 * np.log(tilted.sum()), abs=1e-7)


def test_minimum_without_kl_goes_to_a_corner_and_its_gap_is_the_bound_it_claims() -> None:
    slope = np.array([0.0, 1.0, 2.0, 3.0])
    found = minimise(lambda p: (float(slope @ p), slope), FLOORS, CAPS, np.full(4, 0.25))
    assert found.weights == pytest.approx([0.5, 0.4, 0.05, 0.05], abs=1e-6)
    early = minimise(lambda p: (float(slope @ p), slope), *FREE, np.full(4, 0.25), max_steps=1)
    assert 0 < early.value <= early.gap + 1e-12


def test_minimum_takes_domains_with_a_cap_of_zero_out() -> None:
    slope, caps = np.array([-1.0, 0.0, 0.0]), np.array([0.0, 1.0, 1.0])
    found = minimise(
        lambda p: (float(slope @ p), slope), np.zeros(3), caps, np.full(3, 1 / 3), kl_weight=0.1
    )
    assert found.weights == pytest.approx([0, 0.5, 0.5], abs=1e-6)


def test_minimum_of_a_loss_that_is_not_finite_is_refused() -> None:
    with pytest.raises(RunError, match="the loss to minimise is nan"):
        minimise(lambda p: (float("nan"), p), *FREE, np.full(4, 0.25))
