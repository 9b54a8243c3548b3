"""What methods find in worlds whose best mixture is known, and claims made for them.

Regret is the part of the optimum's gain over the natural mixture that a mixture lacks; of three
proposals the best counts, as they are measured before one is taken.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from mixtures.methods.climb import Climb
from mixtures.methods.grid import Grid
from mixtures.methods.method import SearchMethod
from mixtures.methods.olmix import Olmix
from mixtures.methods.random_search import Random
from mixtures.methods.regmix import RegMix
from mixtures.simplex import project
from tests.mixtures.worlds import World, eight_domains, five_domains, three_domains

RUNS, SEEDS = 40, (0, 1, 2)
GP_REGMIX = RegMix(predictor="gp", simulated=20_000)
GP_CLIMB = Climb(predictor="gp")

five, eight, three = cache(five_domains), cache(eight_domains), cache(three_domains)


@cache
def found(make: Callable[[], World], seed: int, name: str) -> list[float]:
    """Regret of each proposal."""
    world, method = make(), METHODS[name]
    proposals = world.search(method, world.problem(RUNS, seed=seed)).propose()
    return [world.regret(proposal.weights) for proposal in proposals]


METHODS: dict[str, SearchMethod] = {
    "random": Random(),
    "grid": Grid(),
    "regmix": RegMix(simulated=5_000),
    "regmix gp": GP_REGMIX,
    "regmix gp argmax": RegMix(predictor="gp", simulated=20_000, top=1),
    "regmix log-linear": RegMix(predictor="log_linear", simulated=20_000),
    "regmix log-linear argmax": RegMix(predictor="log_linear", simulated=20_000, top=1),
    "climb": Climb(pool=4_000),
    "climb gp": GP_CLIMB,
    "olmix": Olmix(),
}


def best_of_three(make: Callable[[], World], name: str) -> float:
    return float(np.mean([min(found(make, seed, name)[:3]) for seed in SEEDS]))


def first(make: Callable[[], World], name: str) -> float:
    return float(np.mean([found(make, seed, name)[0] for seed in SEEDS]))


def uniform(make: Callable[[], World]) -> float:
    world = make()
    share = np.full(len(world.space.domains), 1 / len(world.space.domains))
    return world.regret(project(share, world.space.floors, world.space.caps))


@pytest.mark.parametrize(
    ("make", "name", "most"),
    [
        (three, "random", 0.05),
        (three, "grid", 0.01),
        (five, "regmix", 0.15),
        (five, "regmix gp", 0.15),
        (five, "climb", 0.2),
        (five, "climb gp", 0.15),
        (five, "olmix", 0.1),
        (eight, "olmix", 0.1),
    ],
)
def test_finds_most_of_what_there_is_to_gain(
    make: Callable[[], World], name: str, most: float
) -> None:
    regret = best_of_three(make, name)
    assert regret <= most
    assert regret < min(uniform(make), 1.0)  # 1 is the natural mixture's


def test_with_many_domains_a_lattice_is_too_coarse_to_beat_random_search() -> None:
    assert best_of_three(eight, "grid") > best_of_three(eight, "random")


@pytest.mark.parametrize("make", [three, five, eight])
@pytest.mark.parametrize("predictor", ["gp", "log-linear"])
def test_regmix_mean_of_the_best_simulated_is_better_than_the_best(
    make: Callable[[], World], predictor: str
) -> None:
    assert first(make, f"regmix {predictor}") < first(make, f"regmix {predictor} argmax")


def test_climb_s_rounds_are_better_than_regmix_s_one_shot_at_equal_runs() -> None:
    assert best_of_three(eight, "climb gp") < 0.7 * best_of_three(eight, "regmix gp")


@pytest.mark.parametrize("name", ["climb gp", "regmix gp"])
def test_with_three_domains_one_shot_leaves_little_for_rounds_to_gain(name: str) -> None:
    assert best_of_three(three, name) < 0.02
