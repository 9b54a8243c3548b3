"""Data Mixing Laws: planted laws of steps, size and mixture, and what is left out when."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.brute_force import lattice_descent
from mixtures.methods.method import Problem, Proposal, Search, Size
from mixtures.methods.mixing_laws import MixingLaws
from mixtures.runs import Ask, Measured, Run
from mixtures.space import Floats, Space
from tests.mixtures.worlds import World, eight_domains, five_domains, three_domains

DOMAINS = ("a", "b", "c", "d")
OBJECTIVE = {"t": 0.4, "u": 0.6}
SIZES = tuple(
    Size(name=f"{n}M", params=n * 10**6, tokens=tokens * 10**6)
    for n, tokens in ((10, 400), (20, 400), (40, 400), (80, 400))
)
TARGET = Size(name="1B", params=10**9, tokens=10**11)
SLOPES = {"t": np.array([-2.0, -1.0, 0.2, 0.1]), "u": np.array([-0.3, 0.2, -2.5, -1.0])}
FADING = {"t": 0.0, "u": 3.0}  # how much more a small model has to gain


def loss(target: str, weights: Floats, params: float, tokens: float) -> Floats:
    """A mixing law at every size; the optimum moves as small models gain more on target u."""
    gain = 1 + FADING[target] * (2e7 / params) ** 0.5
    return np.asarray(1.5 + gain * np.exp(weights @ SLOPES[target]) + (3e6 / tokens) ** 0.4)


def objective(weights: Floats, size: Size) -> Floats:
    return np.asarray(
        sum(part * loss(t, weights, size.params, size.tokens) for t, part in OBJECTIVE.items())
    )


def problem(runs: int = 80, **changes: object) -> Problem:
    space = Space(tokens=dict.fromkeys(DOMAINS, 10**9), budget=10**9)
    whole = Problem(space=space, objective=OBJECTIVE, runs=runs, sizes=SIZES, target=TARGET)
    return replace(whole, **changes)  # type: ignore[arg-type]


def measure(where: Problem, asks: Sequence[Ask]) -> list[Run]:
    def at(ask: Ask, tokens: float) -> dict[str, float]:
        params = where.sizes[ask.size].params
        return {t: float(loss(t, np.array(ask.weights), params, tokens)) for t in where.objective}

    runs = []
    for ask in asks:
        end = where.sizes[ask.size].tokens
        points = [round(end * point) for point in ask.points]
        curve = tuple(Measured(tokens, at(ask, tokens)) for tokens in points)
        runs.append(Run(ask, at(ask, end), curve, end))
    return runs


def search(where: Problem, change: Callable[[Run], Run] = lambda run: run) -> list[Proposal]:
    made = Search(MixingLaws(), where)
    while asks := made.ask():
        made.tell([change(run) for run in measure(where, asks)])
    return made.propose()


def optimum(size: Size) -> Floats:
    return lattice_descent(lambda w: objective(w, size), problem().space)


def test_nested_laws_find_the_optimum_of_a_target_that_no_run_is_near() -> None:
    best = search(problem())[0]
    assert best.by == (
        "mixing law; step law to 100,000,000,000 tokens; size law to 1,000,000,000 parameters"
    )
    np.testing.assert_allclose(best.weights, optimum(TARGET), atol=0.05)
    assert best.mean == pytest.approx(objective(best.weights[None], TARGET)[0], abs=0.05)
    assert np.abs(optimum(TARGET) - optimum(SIZES[0])).sum() > 0.4  # small runs point elsewhere


def test_with_one_size_it_is_the_law_of_that_size_and_says_so() -> None:
    best = search(problem(runs=30, sizes=SIZES[:1]))[0]
    assert best.by == (
        "mixing law; step law to 100,000,000,000 tokens; "
        "no size law: it takes 3 proxies smaller than the target, there are 1"
    )
    at_steps = replace(SIZES[0], tokens=TARGET.tokens)
    regret = objective(best.weights[None], at_steps)[0] - objective(
        optimum(at_steps)[None], at_steps
    )
    assert regret[0] < 0.02
    assert best.mean == pytest.approx(objective(best.weights[None], at_steps)[0], abs=0.03)


def test_without_points_there_is_no_step_law() -> None:
    best = search(problem(runs=30, sizes=SIZES[:1]), lambda run: replace(run, curve=()))[0]
    assert best.by.startswith(
        "mixing law; no step law: it takes 2 earlier points of every run, there are 0; no size law"
    )
    assert best.mean == pytest.approx(objective(best.weights[None], SIZES[0])[0], abs=0.03)


def test_points_are_asked_only_where_the_target_is_longer() -> None:
    assert {ask.points for ask in MixingLaws().ask(problem(), [])} == {(0.35, 0.5, 0.65, 0.8)}
    short = problem(target=replace(TARGET, tokens=SIZES[0].tokens))
    assert {ask.points for ask in MixingLaws().ask(short, [])} == {()}
    assert "no step law: the target is no longer" in search(short)[0].by


def test_every_mixture_is_asked_at_every_size_below_the_target_s() -> None:
    sizes = (*SIZES[:3], TARGET)
    asks = MixingLaws().ask(problem(runs=32, sizes=sizes), [])
    assert len(asks) == 30
    by_mixture: dict[tuple[float, ...], list[int]] = {}
    for ask in asks:
        by_mixture.setdefault(ask.weights, []).append(ask.size)
    assert set(map(tuple, by_mixture.values())) == {(0, 1, 2)}


def test_a_budget_too_small_for_every_size_is_spent_on_the_first() -> None:
    where = problem(runs=14, sizes=SIZES[:3])
    assert {ask.size for ask in MixingLaws().ask(where, [])} == {0}
    assert "no size law: it takes 5 mixtures at 3 sizes, there are 14 runs" in search(where)[0].by


def test_mixtures_that_failed_at_one_size_are_left_out_of_the_size_law() -> None:
    whole = search(problem())[0]

    def one_fails(run: Run) -> Run:
        failed = run.ask.size == 1 and run.ask.weights[0] > 0.4
        return Run(run.ask, {}, failure="diverged") if failed else run

    best = search(problem(), one_fails)[0]
    assert "size law to" in best.by
    np.testing.assert_allclose(best.weights, whole.weights, atol=0.05)


def test_a_size_that_fails_altogether_leaves_the_law_of_another() -> None:
    def one_size_fails(run: Run) -> Run:
        return Run(run.ask, {}, failure="diverged") if run.ask.size == 0 else run

    best = search(problem(), one_size_fails)[0]
    assert "no size law: 0 mixtures finished at every size" in best.by
    at_steps = replace(SIZES[1], tokens=TARGET.tokens)
    assert best.mean == pytest.approx(objective(best.weights[None], at_steps)[0], abs=0.03)


def test_fewer_runs_than_parameters_of_the_law_are_refused() -> None:
    with pytest.raises(UserError, match="mixing_laws needs 5 runs for 4 domains, there are 4"):
        MixingLaws().ask(problem(runs=4), [])


@pytest.mark.parametrize("change", [{"points": (0.5, 1.0)}, {"step_delta": 0.0}])
def test_impossible_parameters_are_told(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        MixingLaws(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [three_domains, five_domains, eight_domains])
def test_on_a_world_of_n_grams_it_beats_natural_and_uniform(make: Callable[[], World]) -> None:
    world = make()
    best = world.search(MixingLaws(), world.problem(runs=36)).propose()[0].weights
    uniform = np.full(len(best), 1 / len(best))
    assert world.regret(best) < min(world.regret(uniform), world.regret(world.space.natural))
