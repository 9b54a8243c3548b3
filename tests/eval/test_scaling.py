"""Scaling fits of laws that are known: recovered within their intervals, or refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad

from curation.errors import UserError
from eval import chinchilla
from eval.chinchilla import ChinchillaFit, ScalingRun, fit_chinchilla
from eval.scaling import MATRICES, fit_scaling
from eval.shared_power import SharedFit

CHINCHILLA = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}  # Hoffmann et al.
SIZES, PER_PARAM = (1e6, 4e6, 16e6, 64e6, 256e6), (5, 10, 20, 40, 80)


def loss(params: float, tokens: float, **changes: float) -> float:
    v = CHINCHILLA | changes
    return v["E"] + v["A"] * params ** -v["alpha"] + v["B"] * tokens ** -v["beta"]


def grid(
    noise: float = 0.0,
    seed: int = 0,
    sizes: tuple[float, ...] = SIZES,
    durations: tuple[float, ...] = PER_PARAM,
    **changes: float,
) -> list[ScalingRun]:
    rng = np.random.default_rng(seed)
    return [
        ScalingRun(
            params=int(n),
            tokens=int(n * d),
            loss=loss(n, n * d, **changes) * math.exp(noise * rng.standard_normal()),
        )
        for n in sizes
        for d in durations
    ]


def test_law_without_noise_is_recovered() -> None:
    found = fit_chinchilla(grid(), MATRICES, resamples=2)
    assert found.values == pytest.approx(CHINCHILLA, rel=1e-3)
    assert found.a == pytest.approx(0.28 / 0.62, rel=1e-3)
    assert found.predict(70e9, 1.4e12) == pytest.approx(loss(70e9, 1.4e12), rel=1e-4)
    assert found.held_out.error == pytest.approx(0, abs=1e-5)
    assert (found.held_out.params, found.held_out.tokens) == (256_000_000, 20_480_000_000)


@pytest.mark.parametrize("seed", [0, 1])
def test_law_with_noise_lies_within_its_intervals(seed: int) -> None:
    found = fit_scaling({"web": grid(noise=0.003, seed=seed)})
    assert isinstance(found, dict)
    fit = found["web"]
    for name, truth in CHINCHILLA.items():
        low, high = fit.intervals[name]
        assert low <= truth <= high, name
        assert low < fit.values[name] < high
    low, high = fit.intervals["a"]
    assert low <= 0.28 / 0.62 <= high
    assert abs(fit.held_out.error) < 0.02
    assert (fit.convention, fit.runs) == (MATRICES, 25)


def test_one_wild_run_hardly_moves_the_fit() -> None:
    """Huber's loss: a run that went wrong pulls with bounded force."""
    runs = grid(noise=0.001)
    wild = [replace(run, loss=run.loss * 1.3) if i == 7 else run for i, run in enumerate(runs)]
    found = fit_chinchilla(wild, MATRICES, resamples=2)
    assert found.values["alpha"] == pytest.approx(0.34, abs=0.01)
    assert found.values["beta"] == pytest.approx(0.28, abs=0.01)


def test_fit_repeats() -> None:
    runs = grid(noise=0.003)
    first, second = (fit_chinchilla(runs, MATRICES, resamples=5) for _ in range(2))
    assert first == second


def test_gradient_equals_finite_differences() -> None:
    data = chinchilla._data(grid(noise=0.01))
    for point in np.random.default_rng(0).normal([0, 0, 0.5, 0.4, 0.3], 0.1, (5, 5)):
        error = check_grad(
            lambda p: chinchilla._objective(p, data)[0],
            lambda p: chinchilla._objective(p, data)[1],
            point,
        )
        assert error < 1e-5 * np.abs(chinchilla._objective(point, data)[1]).max()


def test_grid_is_that_of_the_paper() -> None:
    data = chinchilla._data(grid())
    starts = chinchilla.grid_starts(data)
    assert starts.shape == (4500, 5)
    # Centring moves the starts, not the law: ln A = a + alpha ln N at the centre.
    back = np.log(chinchilla._constants(starts, data.centre)[:, 1])
    assert set(np.round(back, 9)) == {0.0, 5.0, 10.0, 15.0, 20.0, 25.0}
    assert len(chinchilla.pruned_starts(data)) == chinchilla.STARTS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "changes"),
    [
        (0.003, {}),
        (0.01, {"E": 0.9, "A": 900.0, "B": 60.0, "alpha": 0.6, "beta": 0.35}),
        (0.03, {"E": 0.5, "A": 30.0, "B": 8.0, "alpha": 0.25, "beta": 0.12}),
    ],
    ids=["chinchilla", "steep", "flat and noisy"],
)
def test_pruned_starts_end_as_low_as_the_others(noise: float, changes: dict[str, float]) -> None:
    """Every fortieth of the 4,500; all of them were followed once, for the first case."""
    data = chinchilla._data(grid(noise=noise, **changes))
    pruned, _ = chinchilla.search(data, chinchilla.pruned_starts(data))
    whole, _ = chinchilla.search(data, chinchilla.grid_starts(data)[::40])
    assert pruned <= whole + 1e-6 * max(1.0, whole)


@pytest.mark.parametrize(
    ("sizes", "durations"),
    [(SIZES[:4], PER_PARAM), (SIZES, PER_PARAM[:3])],
    ids=["four sizes", "three durations"],
)
def test_smaller_grids_are_refused_with_the_reason(
    sizes: tuple[float, ...], durations: tuple[float, ...]
) -> None:
    with pytest.raises(UserError, match=r"'web' has \d sizes with 4 durations or more.*need 5"):
        fit_scaling({"web": grid(sizes=sizes, durations=durations)})


def test_repeats_of_one_duration_are_not_four_durations() -> None:
    runs = [run for seed in range(4) for run in grid(0.01, seed, durations=(20,))]
    with pytest.raises(UserError, match="'web' has 0 sizes with 4 durations"):
        fit_scaling({"web": [r for r in runs if r.params < 5e6]})


@pytest.mark.parametrize("bad", [{"loss": math.nan}, {"loss": 0.0}, {"params": 0}, {"tokens": 0}])
def test_impossible_runs_are_refused(bad: dict[str, float]) -> None:
    runs = grid()
    runs[3] = replace(runs[3], **bad)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="recipe web: a run needs"):
        fit_scaling({"web": runs})


def test_losses_that_do_not_fall_are_refused() -> None:
    rising = [replace(run, loss=20 - run.loss) for run in grid()]
    with pytest.raises(UserError, match="do not fall with"):
        fit_scaling({"web": rising})


def ladder(floor: float, k: float, g: float, noise: float = 0.0, seed: int = 0) -> list[ScalingRun]:
    """One size, decay branches at .25, .5, 1 and 2 of its tokens."""
    rng = np.random.default_rng(seed)
    return [
        ScalingRun(
            params=10**6,
            tokens=int(share * 2e7),
            loss=floor + k * (6e6 * share * 2e7 / 1e14) ** -g + noise * rng.standard_normal(),
        )
        for share in (0.25, 0.5, 1, 2)
    ]


def test_shared_law_is_recovered_from_ladders() -> None:
    laws = {"web": (2.0, 0.9), "books": (2.3, 0.7)}
    found = fit_scaling({name: ladder(*law, 0.3) for name, law in laws.items()})
    assert isinstance(found, SharedFit)
    assert found.g == pytest.approx(0.3, rel=0.005)
    for name, (floor, k) in laws.items():
        assert found.recipes[name].floor == pytest.approx(floor, abs=0.01)
        scale = (found.centre / 1e14) ** -0.3
        assert found.recipes[name].k == pytest.approx(k * scale, abs=0.01)
        assert found.predict(name, 4e14) == pytest.approx(floor + k * 4**-0.3, abs=0.002)
    assert (found.convention, found.runs) == (MATRICES, 8)


def test_shared_law_takes_a_ladder_of_sizes_at_one_duration() -> None:
    runs = [
        ScalingRun(params=n, tokens=20 * n, loss=1.8 + 0.8 * (120 * n * n / 1e14) ** -0.2)
        for n in (10**6, 4 * 10**6, 16 * 10**6, 64 * 10**6, 256 * 10**6)
    ]
    found = fit_scaling({"web": runs})
    assert isinstance(found, SharedFit)
    assert found.g == pytest.approx(0.2, rel=0.005)


def test_shared_intervals_cover_the_exponent() -> None:
    covered = 0
    for seed in range(25):
        runs = {
            f"r{i}": ladder(2 + i / 10, 0.8, 0.3, noise=0.002, seed=100 * seed + i)
            for i in range(4)
        }
        found = fit_scaling(runs)
        assert isinstance(found, SharedFit)
        covered += found.g_interval[0] <= 0.3 <= found.g_interval[1]
    assert covered >= 20


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        ({"web": ladder(2, 1, 0.3)[:2]}, "'web' has 2 budgets"),
        ({"web": ladder(2, 1, 0.3)[:3]}, "3 budgets for 3 constants"),
        ({"web": grid(sizes=SIZES[:2], durations=(5, 80))}, "off a single line"),
        ({}, "0 budgets for 1 constants"),
    ],
    ids=["two points", "as many constants", "two sizes cross", "nothing"],
)
def test_grids_for_no_law_are_refused(runs: dict[str, list[ScalingRun]], reason: str) -> None:
    with pytest.raises(UserError, match=f"no scaling law can be fitted: .*{reason}"):
        fit_scaling(runs)


def test_narrow_ladders_are_refused() -> None:
    near = [
        ScalingRun(params=10**6, tokens=tokens, loss=3 - tokens / 1e8)
        for tokens in (10**7, 2 * 10**7, 3 * 10**7, 35 * 10**6)
    ]
    with pytest.raises(UserError, match=r"spans 3\.5x of compute, not 4x"):
        fit_scaling({"web": near})


@pytest.mark.parametrize(
    ("bend", "reason"),
    [(lambda i: 3 + i / 10, "do not fall"), (lambda i: 3 - i * i / 10, "no power law")],
    ids=["rising", "falling ever faster"],
)
def test_ladders_that_are_no_power_law_are_refused(bend, reason: str) -> None:  # type: ignore[no-untyped-def]
    runs = [replace(run, loss=bend(i)) for i, run in enumerate(ladder(2, 1, 0.3))]
    with pytest.raises(UserError, match=reason):
        fit_scaling({"web": runs})


def test_full_grids_are_fitted_recipe_by_recipe() -> None:
    found = fit_scaling({"web": grid(), "books": grid(E=2.0)})
    assert isinstance(found, dict)
    assert all(isinstance(fit, ChinchillaFit) for fit in found.values())
    assert found["books"].values["E"] == pytest.approx(2.0, abs=0.01)
