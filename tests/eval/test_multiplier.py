"""Multipliers from curves whose answer is known, and bounds where the curve cannot tell."""

import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest

from curation.errors import UserError
from eval.compare import compare
from eval.multiplier import CurvePoint, multiplier
from eval.scorecard import Scorecard
from eval.table import table

MakeCard = Callable[..., Scorecard]
BUDGET = 1_000_000
SHARES = (0.25, 0.5, 1, 2)


def law(tokens: float) -> float:
    return 1.7 + 40 * tokens**-0.28


def curve(
    value: Callable[[float], float] = law,
    shares: tuple[float, ...] = SHARES,
    noise: float = 0.0,
    seeds: int = 3,
    per_token: int = 6,
) -> list[CurvePoint]:
    """A seed moves the whole curve."""
    shifts = noise * np.random.default_rng(0).standard_normal(seeds)
    return [
        CurvePoint(
            tokens=int(share * BUDGET),
            flops=int(share * BUDGET) * per_token,
            seed=seed,
            value=value(share * BUDGET) + float(shifts[seed]),
        )
        for share in shares
        for seed in range(seeds)
    ]


def times(points: list[CurvePoint], values: list[float], **options: object) -> object:
    options = {"higher_is_better": False, "test": "welch", **options}
    return multiplier(points, dict(enumerate(values)), BUDGET, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.0, 1.4, 1.9])
def test_multiplier_of_a_power_law_is_read_within_one_per_cent(factor: float) -> None:
    found = times(curve(), [law(factor * BUDGET)] * 3)
    assert found.value == pytest.approx(factor, rel=0.01)  # type: ignore[attr-defined]
    assert not found.extrapolated  # type: ignore[attr-defined]


def test_multiplier_of_a_straight_line_is_exact() -> None:
    found = times(curve(lambda t: 9 - np.log(t) / 2), [9 - np.log(1.234 * BUDGET) / 2] * 3)
    assert found.value == pytest.approx(1.234)  # type: ignore[attr-defined]
    # Beyond the last point it goes on along the last chord, here the truth.
    beyond = times(curve(lambda t: 9 - np.log(t) / 2), [9 - np.log(3.9 * BUDGET) / 2] * 3)
    assert beyond.value == pytest.approx(3.9)  # type: ignore[attr-defined]
    assert beyond.extrapolated  # type: ignore[attr-defined]


def test_multiplier_beyond_twice_the_largest_point_is_a_bound() -> None:
    points = curve(shares=(0.25, 0.5, 1))
    found = times(points, [law(50 * BUDGET)] * 3)
    assert found.value == pytest.approx(2)  # type: ignore[attr-defined]
    assert str(found) == ">= 2x [>= 2x, >= 2x]"
    worse = times(points, [law(0.1 * BUDGET)] * 3)
    assert str(worse) == "<= 0.25x [<= 0.25x, <= 0.25x]"


def test_flat_end_of_a_curve_is_not_followed() -> None:
    points = curve(lambda t: max(2.0, 8 - np.log(t) / 2), shares=(0.25, 4, 16))
    assert str(times(points, [1.9] * 3)).startswith(">= 32x")


def test_points_out_of_order_are_pooled() -> None:
    values = {0.25e6: 3.0, 0.5e6: 2.4, 1e6: 2.6, 2e6: 2.0}
    found = times(curve(lambda t: values[t]), [2.5] * 3)
    assert found.value == pytest.approx(0.5)  # type: ignore[attr-defined]
    # Both points count as 2.5 then; what is better lies behind them.
    assert 1 < times(curve(lambda t: values[t]), [2.4] * 3).value < 2  # type: ignore[attr-defined]


def test_higher_is_better_is_mirrored() -> None:
    up = curve(lambda t: -law(t))
    found = times(up, [-law(1.4 * BUDGET)] * 3, higher_is_better=True)
    assert found == times(curve(), [law(1.4 * BUDGET)] * 3)


def test_interval_covers_the_truth_in_95_per_cent() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        sd = 0.01
        points = [
            CurvePoint(tokens=int(s * BUDGET), flops=1, seed=seed, value=law(s * BUDGET) + shift)
            for seed, shift in enumerate(rng.normal(0, sd, 6).tolist())
            for s in SHARES
        ]
        values = law(1.4 * BUDGET) + rng.normal(0, sd, 6)
        found = times(points, values.tolist(), resamples=500)
        covered += found.ci_low <= 1.4 <= found.ci_high  # type: ignore[attr-defined]
    assert 270 <= covered <= 297


def test_paired_seeds_cancel() -> None:
    points = curve(noise=0.05)
    shared = [p.value - law(p.tokens) for p in points if p.tokens == BUDGET]
    values = [law(1.4 * BUDGET) + shift for shift in shared]
    paired, welch = (times(points, values, test=test) for test in ("paired", "welch"))
    width = [m.ci_high - m.ci_low for m in (paired, welch)]  # type: ignore[attr-defined]
    assert width[0] < 0.02 < width[1]


def test_few_seeds_give_no_interval() -> None:
    found = times(curve(seeds=2), [law(1.4 * BUDGET)] * 2)
    assert (found.ci_low, found.ci_high) == (None, None)  # type: ignore[attr-defined]
    assert str(found) == "1.40x"


def test_compute_multiplier_takes_the_best_size_at_each_budget() -> None:
    # The small model is the better buy up to 1 budget; the large one above, dominated below.
    small = curve(lambda t: 3 - 0.2 * np.log(t / BUDGET), shares=(0.25, 0.5, 1), per_token=6)
    large = [
        CurvePoint(tokens=p.tokens // 2, flops=p.flops, seed=p.seed, value=value)
        for share, value in ((0.5, 3.5), (2, 2.7), (4, 2.4))
        for p in curve(shares=(share,))
    ]
    options = {"higher_is_better": False, "test": "welch", "by": "flops"}
    for wanted, factor in ((3.0, 1.0), (2.7, 2.0), (2.4, 4.0)):
        found = multiplier(small + large, dict.fromkeys(range(3), wanted), 6 * BUDGET, **options)  # type: ignore[arg-type]
        assert found.value == pytest.approx(factor)
    with pytest.raises(UserError, match="each of one size"):
        times(small + large, [3.0] * 3)


@pytest.mark.parametrize(
    "points",
    [[], curve(shares=(1,)), curve()[:-1], [*curve(), curve()[0]]],
    ids=["none", "one budget", "seed missing", "twice"],
)
def test_curves_with_holes_are_refused(points: list[CurvePoint]) -> None:
    with pytest.raises(UserError, match="curve"):
        times(points, [2.0] * 3)


def test_comparison_shows_multipliers(make_card: MakeCard) -> None:
    values = {0: 2.0, 1: 2.01, 2: 2.02}
    cards = [make_card(n, {s: v - d for s, v in values.items()}) for n, d in (("a", 0), ("b", 0.1))]
    points = [
        CurvePoint(tokens=t, flops=99 * t // 1000, seed=s, value=v + 0.2 * np.log2(1000 / t))
        for s, v in values.items()
        for t in (250, 500, 1000)
    ]
    comparison = compare(cards, curve=points)
    baseline, other = comparison.recipes
    assert baseline.token_multiplier is None
    assert other.token_multiplier is not None
    assert other.token_multiplier.value == pytest.approx(2**0.5)
    assert other.token_multiplier.extrapolated
    assert "token multiplier" in table(comparison)
    assert "1.41x" in table(comparison)
    json.dumps(asdict(comparison), allow_nan=False)
