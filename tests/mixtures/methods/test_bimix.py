"""BiMix: planted laws of share and tokens give their optimum, and what it cannot see."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.methods.bimix import BiMix
from mixtures.methods.method import Problem, Search, Size
from mixtures.runs import Ask, Documents, Measured, Run
from mixtures.space import Floats, Space
from tests.mixtures.worlds import World, eight_domains, five_domains, three_domains

DOMAINS = ("a", "b", "c")
ALPHAS = dict(zip(DOMAINS, (0.05, 0.2, 0.4), strict=True))
SCALES = dict(zip(DOMAINS, (50.0, 0.0, 150.0), strict=True))  # c gains from tokens, b does not
PROXY = Size(name="xs", params=10**6, tokens=10**7)
TARGET = Size(name="s", params=10**7, tokens=10**10)
OBJECTIVE = {"held-out a": 0.4, "held-out b": 0.3, "held-out c": 0.3}
OWNERS = {f"held-out {name}": name for name in DOMAINS}


def losses(weights: Sequence[float], tokens: float) -> dict[str, float]:
    return {
        f"held-out {name}": share ** -ALPHAS[name] * (SCALES[name] / tokens**0.3 + 1.0)
        for name, share in zip(DOMAINS, weights, strict=True)
    }


def problem(runs: int = 8, **changes: object) -> Problem:
    space = Space(tokens=dict.fromkeys(DOMAINS, 10**8), budget=10**8)
    whole = Problem(
        space=space,
        objective=OBJECTIVE,
        runs=runs,
        sizes=(PROXY,),
        target=TARGET,
        owners=OWNERS,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def measure(asks: Sequence[Ask]) -> list[Run]:
    return [
        Run(
            ask,
            losses(ask.weights, PROXY.tokens),
            tuple(
                Measured(round(point * PROXY.tokens), losses(ask.weights, point * PROXY.tokens))
                for point in ask.points
            ),
            PROXY.tokens,
        )
        for ask in asks
    ]


def searched(where: Problem) -> Search:
    search = Search(BiMix(), where)
    while asks := search.ask():
        search.tell(measure(asks))
    return search


def by_hand(tokens: float) -> Floats:
    """Where parts K alpha r^(-alpha - 1) of all domains are equal, by bisection of that number."""
    alphas = np.array(list(ALPHAS.values()))
    heights = np.array(list(SCALES.values())) / tokens**0.3 + 1.0
    parts = np.array(list(OBJECTIVE.values())) * heights * alphas
    low, high = 1e-6, 1e6
    for _ in range(200):
        slope = math.sqrt(low * high)
        shares = (parts / slope) ** (1 / (alphas + 1))
        low, high = (slope, high) if shares.sum() > 1 else (low, slope)
    return np.asarray(shares)


def test_the_optimum_of_planted_laws_at_the_target_s_tokens_is_found() -> None:
    best = searched(problem()).propose()[0]
    assert best.by == "law of share and tokens"
    np.testing.assert_allclose(best.weights, by_hand(TARGET.tokens), atol=0.005)
    at_target = losses(best.weights.tolist(), TARGET.tokens)
    assert best.mean == pytest.approx(
        sum(OBJECTIVE[name] * value for name, value in at_target.items()), rel=2e-3
    )
    assert np.abs(by_hand(TARGET.tokens) - by_hand(PROXY.tokens)).max() > 0.02


def test_without_points_it_is_the_optimum_at_the_proxy_s_tokens() -> None:
    where = problem(target=replace(TARGET, tokens=PROXY.tokens))
    search = searched(where)
    assert {run.ask.points for run in search.runs} == {()}
    best = search.propose()[0]
    assert best.by == "law of share"
    np.testing.assert_allclose(best.weights, by_hand(PROXY.tokens), atol=0.005)


def test_three_runs_are_enough_for_planted_laws() -> None:
    best = searched(problem(runs=3)).propose()[0]
    np.testing.assert_allclose(best.weights, by_hand(TARGET.tokens), atol=0.01)


def test_the_optimum_keeps_to_floors_and_caps() -> None:
    space = replace(problem().space, min_weights={"a": 0.3}, max_weights={"c": 0.2})
    best = searched(problem(space=space)).propose()[0]
    np.testing.assert_allclose(best.weights, [0.3, 0.5, 0.2], atol=1e-3)


def test_a_failed_run_leaves_the_others() -> None:
    search = searched(problem())
    broken = [Run(search.runs[0].ask, {}, failure="diverged"), *search.runs[1:]]
    assert BiMix().ask(search.problem, broken) == []
    best = BiMix().propose(search.problem, broken)[0]
    np.testing.assert_allclose(best.weights, by_hand(TARGET.tokens), atol=0.01)


def test_documents_give_shares_in_proportion_to_exp_of_the_entropy() -> None:
    search = searched(problem())
    nats = {"held-out a": 0.5, "held-out b": 1.0, "held-out c": 1.5}
    told = [
        replace(
            run,
            documents={
                name: Documents(np.array([40.0, 60.0]) * (value + i / 10), np.array([40.0, 60.0]))
                for name, value in nats.items()
            },
        )
        for i, run in enumerate(search.runs)
    ]
    second = BiMix().propose(search.problem, told)[1]
    expected = np.exp([0.5, 1.0, 1.5])
    assert second.by == "exp(entropy) of held-out text"
    np.testing.assert_allclose(second.weights, expected / expected.sum())


def test_a_target_that_belongs_to_no_domain_is_told() -> None:
    with pytest.raises(UserError, match="'held-out c' is none"):
        BiMix().ask(problem(owners={n: d for n, d in OWNERS.items() if d != "c"}), [])


def test_two_runs_are_too_few() -> None:
    with pytest.raises(UserError, match="bimix needs 3 runs, there are 2"):
        BiMix().ask(problem(runs=2), [])


def test_points_outside_a_run_are_told() -> None:
    with pytest.raises(ValueError, match=r"points must be in \(0, 1\)"):
        BiMix(points=(0.0, 0.5))


@pytest.mark.parametrize(
    ("make", "most"), [(three_domains, 0.02), (five_domains, 0.05), (eight_domains, 0.2)]
)
def test_on_a_world_of_n_grams_with_24_runs(make: Callable[[], World], most: float) -> None:
    world = make()
    best = world.search(BiMix(), world.problem(runs=24)).propose()[0].weights
    uniform = np.full(len(best), 1 / len(best))
    assert world.regret(best) < min(most, world.regret(uniform), world.regret(world.space.natural))
