"""Brute force: the optimum to the stated resolution."""

from collections.abc import Callable

import numpy as np
import pytest

from mixtures.brute_force import lattice_descent
from mixtures.space import Floats, Space
from tests.mixtures.worlds import (
    World,
    eight_domains,
    five_domains,
    markov_world,
    three_domains,
)


@pytest.mark.parametrize(
    ("caps", "best"),
    [({}, [0.123, 0.456, 0.321, 0.1]), ({"b": 0.3}, [0.175, 0.3, 0.373, 0.152])],
)
def test_a_quadratic_s_optimum_is_found_within_the_step(
    caps: dict[str, float], best: list[float]
) -> None:
    centre = np.array([0.123, 0.456, 0.321, 0.1])
    space = Space(tokens=dict.fromkeys("abcd", 1), budget=1, max_weights=caps)

    def bowl(weights: Floats) -> Floats:
        return np.asarray(((weights - centre) ** 2).sum(1))

    np.testing.assert_allclose(lattice_descent(bowl, space, 200), best, atol=1e-3)


def test_the_optimum_of_a_linear_function_lies_at_the_caps() -> None:
    space = Space(tokens=dict.fromkeys("abc", 1), budget=1, max_weights=dict.fromkeys("abc", 0.35))
    found = lattice_descent(lambda w: w[:, 0], space, 50)
    assert found == pytest.approx([0.3, 0.35, 0.35])


@pytest.mark.parametrize("make", [three_domains, five_domains, eight_domains])
def test_worlds_have_an_interior_optimum_that_no_random_mixture_beats(
    make: Callable[[], World],
) -> None:
    world = make()
    best = world.optimum
    wanted = [world.space.domains.index(name) for name in world.objective]
    assert (best[wanted] > 0.03).all()
    assert world.space.inside(best)
    random = np.random.default_rng(0).dirichlet(np.ones(len(best)), 3000)
    near = np.random.default_rng(1).dirichlet(200 * best + 0.01, 3000)
    for mixtures in (random, near):
        inside = mixtures[world.space.inside(mixtures)]
        assert len(inside) > 20
        assert world.proxies[-1].objective(inside, world.objective).min() >= world.value(best)
    uniform = np.full(len(best), 1 / len(best))
    assert min(world.regret(world.space.natural), world.regret(uniform)) > 0.1


def test_worlds_have_the_transfer_that_was_planted() -> None:
    mixing = np.array([[0.6, 0.4, 0.0], [0.4, 0.6, 0.0], [0.0, 0.0, 1.0]])
    world = markov_world(0, mixing, (100, 100, 100), dict.fromkeys(("domain0", "domain1"), 0.5))
    alone = [world.proxies[-1].losses(row) for row in np.eye(3)]
    assert alone[0]["domain0"] < alone[1]["domain0"] < alone[2]["domain0"] - 0.5
    assert alone[1]["domain1"] < alone[0]["domain1"] < alone[2]["domain1"] - 0.5
