"""MixMin: a planted mixture comes back, and the ensemble's loss is what it says."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import logsumexp

from curation.errors import UserError
from mixtures.methods.method import Problem, Size
from mixtures.methods.mixmin import MixMin
from mixtures.runs import Ask, Documents, Run
from mixtures.space import Floats, Space
from tests.mixtures.worlds import (
    World,
    chains,
    eight_domains,
    five_domains,
    markov_text,
    three_domains,
)
from train.count_proxy import CountProxy

NAMES = ("a", "b", "c", "d")
SIZE = Size(name="one", params=1, tokens=100)


def problem(runs: int = 4, **constraints: object) -> Problem:
    space = Space(tokens=dict.fromkeys(NAMES, 1000), budget=100, **constraints)  # type: ignore[arg-type]
    return Problem(space=space, objective={"t": 1.0}, runs=runs, sizes=(SIZE,), target=SIZE)


def vertex_runs(log_p: Floats, sizes: Floats, target: str = "t") -> list[Run]:
    """Runs on single domains that give documents (documents, domains) these log-likelihoods."""
    return [
        Run(
            ask=Ask(tuple(row)),
            losses={target: float(-log_p[:, i].sum() / sizes.sum() / math.log(2))},
            documents={target: Documents(-log_p[:, i], sizes)},
        )
        for i, row in enumerate(np.eye(log_p.shape[1]).tolist())
    ]


def planted(shares: Floats, documents: int, separation: float) -> Floats:
    """Documents of domains in the given shares; their own model is `separation` nats better."""
    owner = np.random.default_rng(0).choice(len(shares), documents, p=shares)
    noise = np.random.default_rng(1).normal(0, 1, (documents, len(shares)))
    return np.asarray(-60 + noise + separation * np.eye(len(shares))[owner])


def best_of_scipy(log_p: Floats) -> Floats:
    """Expectation maximisation of mixture weights, to convergence."""
    weights = np.full(log_p.shape[1], 1 / log_p.shape[1])
    for _ in range(500):
        joint = log_p + np.log(weights)
        weights = np.exp(joint - logsumexp(joint, 1, keepdims=True)).mean(0)
    return np.asarray(weights)


@pytest.mark.parametrize("separation", [2.0, 8.0, 900.0])
def test_the_optimum_is_that_of_expectation_maximisation(separation: float) -> None:
    log_p = planted(np.array([0.1, 0.2, 0.3, 0.4]), 500, separation)
    found = MixMin().propose(problem(), vertex_runs(log_p, np.full(500, 40.0)))[0]
    np.testing.assert_allclose(found.weights, best_of_scipy(log_p), atol=0.01)


@pytest.mark.parametrize("shares", [(0.1, 0.2, 0.3, 0.4), (0.7, 0.1, 0.15, 0.05)])
def test_a_planted_target_mixture_is_recovered_by_real_models(shares: tuple[float, ...]) -> None:
    laws = chains(np.random.default_rng(0), 4, 10)
    domains = {
        name: markov_text(law, 60, i) for i, (name, law) in enumerate(zip(NAMES, laws, strict=True))
    }
    counts = np.round(200 * np.array(shares)).astype(int)
    target = [d for i, n in enumerate(counts) for d in markov_text(laws[i], int(n), 100 + i)]
    proxy = CountProxy.fit(domains, {"t": target}, vocab=10, order=2)
    runs = [proxy.run(ask) for ask in MixMin().ask(problem(), [])]
    best = MixMin().propose(problem(), runs)[0]
    np.testing.assert_allclose(best.weights, shares, atol=0.02)
    assert best.mean is not None
    assert best.mean < min(run.losses["t"] for run in runs)


def test_the_recovered_mixture_is_nearer_with_models_that_read_more() -> None:
    laws = 0.15 * chains(np.random.default_rng(0), 4, 10) + 0.85 / 10  # hard to tell apart
    domains = {
        name: markov_text(law, 400, i)
        for i, (name, law) in enumerate(zip(NAMES, laws, strict=True))
    }
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    target = [
        document
        for i, law in enumerate(laws)
        for document in markov_text(law, int(400 * shares[i]), 100 + i)
    ]
    proxy = CountProxy.fit(domains, {"t": target}, vocab=10, order=2)
    errors = []
    for budget in (100, 1000, 20_000):
        runs = [proxy.run(ask, budget) for ask in MixMin().ask(problem(), [])]
        errors.append(np.abs(MixMin().propose(problem(), runs)[0].weights - shares).sum())
    assert errors == sorted(errors, reverse=True)


def test_the_predicted_loss_is_the_ensemble_s_pooled_over_bytes() -> None:
    log_p = planted(np.array([0.4, 0.1, 0.25, 0.25]), 50, 3.0)
    sizes = np.arange(10.0, 60.0)
    best = MixMin().propose(problem(), vertex_runs(log_p, sizes))[0]
    mixed = logsumexp(log_p, 1, b=best.weights)
    assert best.mean == pytest.approx(-mixed.sum() / sizes.sum() / math.log(2))


def test_targets_count_by_their_weight_in_the_objective() -> None:
    first = vertex_runs(planted(np.array([1.0, 0, 0, 0]), 100, 20.0), np.full(100, 40.0))
    second = vertex_runs(planted(np.array([0, 0, 0, 1.0]), 100, 20.0), np.full(100, 40.0), "u")
    runs = [
        Run(a.ask, {**a.losses, **b.losses}, documents={**a.documents, **b.documents})
        for a, b in zip(first, second, strict=True)
    ]
    both = Problem(
        space=problem().space,
        objective={"t": 0.3, "u": 0.7},
        runs=4,
        sizes=(SIZE,),
        target=SIZE,
    )
    np.testing.assert_allclose(MixMin().propose(both, runs)[0].weights, [0.3, 0, 0, 0.7], atol=0.01)


def test_floors_and_caps_hold_in_every_proposal() -> None:
    runs = vertex_runs(planted(np.array([0.7, 0.1, 0.1, 0.1]), 200, 9.0), np.full(200, 40.0))
    tight = problem(max_weights={"a": 0.4, "b": 0.0}, min_weights={"d": 0.35})
    proposals = MixMin().propose(tight, runs)
    assert all(tight.space.inside(proposal.weights) for proposal in proposals)
    np.testing.assert_allclose(proposals[0].weights, [0.4, 0, 0.25, 0.35], atol=1e-3)


def test_asks_one_run_per_domain_and_none_again() -> None:
    asked = MixMin().ask(problem(runs=9), [])
    assert [ask.weights.index(1.0) for ask in asked] == [0, 1, 2, 3]
    runs = vertex_runs(planted(np.full(4, 0.25), 10, 1.0), np.full(10, 40.0))
    assert MixMin().ask(problem(runs=9), runs[:2]) == asked[2:]
    assert MixMin().ask(problem(runs=9), runs) == []


def test_a_failed_domain_gets_what_the_constraints_leave_it() -> None:
    runs = vertex_runs(planted(np.array([0.4, 0.3, 0.2, 0.1]), 200, 9.0), np.full(200, 40.0))
    runs[0] = Run(runs[0].ask, {}, failure="diverged")
    assert MixMin().ask(problem(), runs) == []
    assert MixMin().propose(problem(), runs)[0].weights[0] < 1e-3
    floor = problem(min_weights={"a": 0.2})
    assert MixMin().propose(floor, runs)[0].weights[0] == pytest.approx(0.2, abs=1e-3)


def test_a_budget_below_the_domains_is_told() -> None:
    with pytest.raises(UserError, match="a run per domain: 4, not 3"):
        MixMin().ask(problem(runs=3), [])


def test_a_target_without_documents_is_told() -> None:
    runs = [Run(ask, {"t": 1.0}) for ask in MixMin().ask(problem(), [])]
    with pytest.raises(UserError, match="target 't' has none"):
        MixMin().propose(problem(), runs)


@pytest.mark.parametrize("change", [{"max_steps": 0}, {"tolerance": 0.0}])
def test_impossible_parameters_are_told(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="max_steps must be at least 1"):
        MixMin(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [three_domains, five_domains, eight_domains])
def test_on_a_world_of_n_grams_it_gains_97_percent_of_what_can_be_gained(
    make: Callable[[], World],
) -> None:
    world = make()
    domains = len(world.space.domains)
    search = world.search(MixMin(), world.problem(runs=domains))
    assert len(search.runs) == domains
    best = search.propose()[0].weights
    assert world.regret(best) < 0.03
    assert world.regret(best) < world.regret(np.full(domains, 1 / domains)) / 5
