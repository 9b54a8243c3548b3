"""Comparison: numbers worked out by hand, verdicts that follow, refusals that name the reason."""

import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from curation.errors import UserError
from eval.compare import Comparison, compare
from eval.detectable import mde_before
from eval.scorecard import Scorecard
from eval.statistics import holm, paired_interval, welch_interval
from eval.table import table

MakeCard = Callable[..., Scorecard]

RAW = {0: 2.00, 1: 2.10, 2: 2.20}
CURATED = {0: 1.80, 1: 1.92, 2: 1.98}


def test_paired_interval_by_hand() -> None:
    # Differences -.20, -.18, -.22: mean -.2, sd .02, error .02 / sqrt 3, t(.975, 2) = 4.302653.
    interval = paired_interval(list(CURATED.values()), list(RAW.values()))
    half = 4.302653 * 0.02 / math.sqrt(3)
    assert interval.ci_low == pytest.approx(-0.2 - half, abs=1e-7)
    assert interval.ci_high == pytest.approx(-0.2 + half, abs=1e-7)
    # With 2 degrees of freedom P(|T| > t) = 1 - t / sqrt(t^2 + 2).
    t = 0.2 / (0.02 / math.sqrt(3))
    assert interval.p == pytest.approx(1 - t / math.sqrt(t * t + 2), rel=1e-6)


def test_welch_interval_by_hand() -> None:
    # Equal variances 1 and n = 3 each: error sqrt(2/3), 4 degrees of freedom, t(.975) = 2.776445.
    interval = welch_interval([1, 2, 3], [5, 6, 7])
    half = 2.776445 * math.sqrt(2 / 3)
    assert interval.ci_low == pytest.approx(-4 - half, abs=1e-6)
    assert interval.ci_high == pytest.approx(-4 + half, abs=1e-6)


def test_welch_interval_with_unequal_variances_by_hand() -> None:
    # Variances 1 and 4 over 3: v = 1/3, 4/3; df = (5/3)^2 / ((1/9 + 16/9) / 2) = 50/17 = 2.941.
    interval = welch_interval([1, 2, 3], [2, 4, 6])
    half = interval.ci_high - (2 - 4)
    # t(.975) falls from 3.182446 at 3 degrees of freedom to 4.302653 at 2.
    assert 3.182446 * math.sqrt(5 / 3) < half < 3.30 * math.sqrt(5 / 3)


def test_minimum_detectable_is_the_one_stated_before_for_the_measured_spread() -> None:
    # Both sd 1, differences' sd 2 where the seeds go against each other (r = -1).
    value = welch_interval([1, 2, 3], [5, 6, 7]).mde
    assert value == pytest.approx(mde_before(1.0, 3, "welch"))
    against = paired_interval([1, 2, 3], [7, 6, 5]).mde
    assert against == pytest.approx(mde_before(1.0, 3, "paired", correlation=-1.0))


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.04, 0.01], [0.04, 0.02]),
        ([0.9, 0.8], [1.0, 1.0]),
        ([0.02], [0.02]),
        ([], []),
    ],
)
def test_holm_by_hand(p_values: list[float], adjusted: list[float]) -> None:
    assert holm(p_values) == pytest.approx(adjusted)


def test_compare_better_recipe_is_better_by_the_paired_interval(make_card: MakeCard) -> None:
    comparison = compare([make_card("raw", RAW), make_card("curated", CURATED)], test="paired")
    (pair,) = comparison.pairs
    assert (pair.a, pair.b, comparison.baseline) == ("curated", "raw", "raw")
    assert pair.difference == pytest.approx(-0.2)
    assert pair.method == "paired"
    assert pair.verdict == "better"
    assert pair.p_holm == pair.p
    assert pair.paired is not None
    assert (pair.ci_low, pair.ci_high) == (pair.paired.ci_low, pair.paired.ci_high)


def test_compare_takes_the_declared_test_whatever_the_seeds_show(make_card: MakeCard) -> None:
    # Seeds that go together all the way: the paired test would see .2 with an sd of .02.
    (pair,) = compare([make_card("raw", RAW), make_card("curated", CURATED)], test="welch").pairs
    assert pair.correlation is not None
    assert pair.correlation > 0.98
    assert (pair.method, pair.verdict) == ("welch", "tied")
    assert pair.paired is not None
    assert pair.paired.ci_high < 0
    assert pair.welch is not None
    assert (pair.ci_low, pair.ci_high, pair.p) == (
        pair.welch.ci_low,
        pair.welch.ci_high,
        pair.welch.p,
    )


def test_compare_identical_recipes_are_tied(make_card: MakeCard) -> None:
    (pair,) = compare([make_card("one", RAW), make_card("two", RAW)]).pairs
    assert (pair.verdict, pair.difference, pair.p) == ("tied", 0.0, 1.0)


def test_compare_small_noisy_difference_is_tied(make_card: MakeCard) -> None:
    noisy = {0: 2.05, 1: 2.02, 2: 2.24}
    (pair,) = compare([make_card("raw", RAW), make_card("noisy", noisy)]).pairs
    assert pair.verdict == "tied"


def test_compare_finds_planted_effects_and_errs_at_its_rate(make_card: MakeCard) -> None:
    rng = random.Random(0)

    def verdict(effect: float) -> str:
        shared = [rng.gauss(2.0, 0.02) for _ in range(5)]
        one = {s: v + rng.gauss(0, 0.01) for s, v in enumerate(shared)}
        two = {s: v + effect + rng.gauss(0, 0.01) for s, v in enumerate(shared)}
        cards = [make_card("one", one), make_card("two", two)]
        return compare(cards, test="paired", resamples=100).pairs[0].verdict

    assert [verdict(-0.1) for _ in range(40)].count("better") >= 38
    assert [verdict(+0.1) for _ in range(40)].count("worse") >= 38
    assert [verdict(0.0) for _ in range(200)].count("tied") >= 180  # 5 % false alarms, 3 sd


def test_compare_respects_higher_is_better(make_card: MakeCard) -> None:
    def flipped(card: Scorecard) -> Scorecard:
        metric = replace(card.metrics[card.primary], higher_is_better=True)
        return replace(card, metrics={**card.metrics, card.primary: metric})

    cards = [flipped(make_card("raw", RAW)), flipped(make_card("curated", CURATED))]
    comparison = compare(cards, test="paired")
    assert comparison.higher_is_better
    assert comparison.pairs[0].verdict == "worse"


@pytest.mark.parametrize("seeds", [1, 2])
def test_compare_with_too_few_seeds_gives_no_verdict(make_card: MakeCard, seeds: int) -> None:
    few = {seed: RAW[seed] for seed in range(seeds)}
    better = {seed: CURATED[seed] for seed in range(seeds)}
    comparison = compare([make_card("raw", few), make_card("curated", better)])
    (pair,) = comparison.pairs
    assert pair.verdict == "not enough seeds"
    assert (pair.ci_low, pair.p, pair.p_holm, pair.mde) == (None, None, None, None)
    assert pair.difference < 0
    assert "not enough seeds" in table(comparison)


def test_compare_many_gives_all_pairs_with_baseline_first(make_card: MakeCard) -> None:
    cards = [make_card(name, {s: v + i for s, v in RAW.items()}) for i, name in enumerate("abcd")]
    comparison = compare(cards, baseline="c")
    assert [r.name for r in comparison.recipes] == ["c", "a", "b", "d"]
    against = [(p.a, p.b) for p in comparison.pairs if p.p_holm is not None]
    assert against == [("a", "c"), ("b", "c"), ("d", "c")]
    assert len(comparison.pairs) == 6
    assert [(p.a, p.b) for p in comparison.panels["books"]] == [
        (p.a, p.b) for p in comparison.pairs
    ]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"judge": "another"}, "judge"),
        ({"tokens": 999}, "token budget"),
        ({"steps": 11}, "steps"),
        ({"params": 65}, "parameters"),
        ({"flops": 100}, "FLOPs: [99] and [100]"),
        ({"tokenizer": "b"}, r"tokenizer: [None] and ['b']"),
    ],
)
def test_compare_refuses_what_was_not_measured_alike(
    make_card: MakeCard, changes: dict[str, Any], what: str
) -> None:
    with pytest.raises(UserError, match=re.escape(f"'raw' and 'curated' differ in {what}")):
        compare([make_card("raw", RAW), make_card("curated", CURATED, **changes)])


def test_compare_names_everything_that_differs(make_card: MakeCard) -> None:
    other = make_card("curated", CURATED, tokens=999, steps=11)
    what = r"token budget: \[1000\] and \[999\]; steps: \[10\] and \[11\]"
    with pytest.raises(UserError, match=what):
        compare([make_card("raw", RAW), other])


def test_compare_shows_repeats_cost_and_ranks(make_card: MakeCard) -> None:
    epochs = {"web": 4.0, "books": 4.01}
    repeats = make_card("repeats", CURATED, epochs=epochs, wall_s=2.0)
    comparison = compare([make_card("raw", RAW), repeats], test="paired")
    raw, repeats_result = comparison.recipes
    assert (raw.repeated, repeats_result.repeated) == ([], ["books"])
    assert (raw.seconds, repeats_result.seconds) == (None, 6.0)
    assert (raw.flops, raw.unique_tokens) == (99, 800)
    assert [r.rank and (r.rank.low, r.rank.high) for r in comparison.recipes] == [(2, 2), (1, 1)]
    text = table(comparison)
    assert "4.01 !" in text
    assert "! repeats read books more than 4 times" in text


def test_compare_ties_by_holm_what_a_single_test_would_call_better(make_card: MakeCard) -> None:
    """One p of .03 among five equal recipes is what chance gives."""
    cards = [make_card("raw", {0: 2.00, 1: 2.01, 2: 2.02})]
    cards += [make_card(f"r{i}", {0: 2.00, 1: 2.01, 2: 2.03}) for i in range(4)]
    cards += [make_card("lucky", {0: 1.97, 1: 1.98, 2: 1.99})]
    pair = next(p for p in compare(cards).pairs if p.a == "lucky" and p.b == "raw")
    assert pair.p is not None
    assert pair.p_holm is not None
    assert pair.p < 0.05 < pair.p_holm
    assert pair.p_holm == pytest.approx(5 * pair.p)
    assert pair.verdict == "tied"


def test_compare_refuses_other_seeds_and_shows_them(make_card: MakeCard) -> None:
    other = {0: 1.0, 1: 1.0, 5: 1.0}
    with pytest.raises(UserError, match=r"seeds: \[0, 1, 2\] and \[0, 1, 5\]"):
        compare([make_card("raw", RAW), make_card("curated", other)])


def test_compare_refuses_one_recipe_twins_and_unknown_baselines(make_card: MakeCard) -> None:
    raw, curated = make_card("raw", RAW), make_card("curated", CURATED)
    with pytest.raises(UserError, match="at least two"):
        compare([raw])
    with pytest.raises(UserError, match="two scorecards are of the recipe 'raw'"):
        compare([raw, raw])
    with pytest.raises(UserError, match="Did you mean 'raw'"):
        compare([raw, curated], baseline="row")


def test_comparison_is_plain_json(make_card: MakeCard) -> None:
    comparison: Comparison = compare([make_card("raw", RAW), make_card("curated", CURATED)])
    raw = json.loads(json.dumps(asdict(comparison), allow_nan=False))
    assert set(raw["pairs"][0]) >= {
        *("a", "b", "difference", "ci_low", "ci_high", "method", "p", "p_holm", "mde", "verdict")
    }
    assert raw["recipes"][0]["per_seed"] == pytest.approx({"0": 2.0, "1": 2.1, "2": 2.2})
    assert set(raw["recipes"][0]) >= {"rank", "epochs", "repeated", "unique_tokens", "flops"}
    assert set(raw["pairs"][0]) >= {"over_items", "bootstrap_low", "bootstrap_high", "correlation"}
    assert raw["test"] == "welch"
    assert set(raw["noise"]["panels.mean_bpb"]) == {"floor", "signal", "snr", "bpb_rank"}


def test_table_shows_every_recipe_and_the_verdict(make_card: MakeCard) -> None:
    cards = [make_card("raw", RAW), make_card("curated", CURATED)]
    text = table(compare(cards, test="paired"))
    raw_line, curated_line = text.splitlines()[1:3]
    assert "baseline" in raw_line
    assert curated_line.startswith("curated")
    assert "-0.2000" in curated_line
    assert "better" in curated_line
    for column in ("n", "sd", "95 % interval", "p (Holm)", "MDE", "rank", "P(best)", "unique"):
        assert column in text
    assert "by the paired t test over seeds, declared before training" in text
