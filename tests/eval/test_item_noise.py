"""Item noise: the strata add up to the metric, its variance is unbiased, its interval covers."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from curation.errors import UserError
from eval.bpb import PanelScore
from eval.compare import compare
from eval.item_noise import item_variances, over_items
from eval.items import PanelScores, RecipeItems, Stratum, metric, strata_of
from eval.metrics import ItemValues
from eval.scorecard import Scorecard, make_scorecard
from eval.statistics import Test, effect, interval

MakeCard = Callable[..., Scorecard]
SEEDS = [0, 1, 2]


def crossed(
    rng: np.random.Generator, seeds: int, items: int, seed_sd: float, item_sd: float, both_sd: float
) -> Stratum:
    """Two equal recipes; `item_sd` is that of the items' differences between them."""
    runs = rng.normal(0, seed_sd, (2, seeds, 1))
    ours = rng.normal(0, item_sd / math.sqrt(2), (2, 1, items))
    common = rng.normal(0, 3.0, (1, 1, items))  # hard items are hard for both: it cancels
    both = rng.normal(0, both_sd, (2, seeds, items))
    return Stratum(parts=5 + common + runs + ours + both, sizes=np.ones(items))


def scores(sizes: np.ndarray, seed: int) -> PanelScores:
    rng = np.random.default_rng(seed)
    return {
        s: {n: PanelScore(nats=sizes * rng.gamma(2.0, size=len(sizes)), bytes=sizes) for n in "ab"}
        for s in SEEDS
    }


def test_strata_of_panels_add_up_to_the_scorecards_metric(make_card: MakeCard) -> None:
    sizes = np.array([100, 40, 900])
    items = {name: RecipeItems(panels=scores(sizes, i)) for i, name in enumerate(("one", "two"))}
    runs = make_card("r", dict.fromkeys(SEEDS, 1.0)).runs
    for primary in ("panels.mean_bpb", "panels.b.bpb"):
        strata = strata_of(primary, items, SEEDS)
        assert strata is not None
        assert len(strata) == (2 if primary == "panels.mean_bpb" else 1)
        for row, (name, found) in zip(metric(strata), items.items(), strict=True):
            card = make_scorecard(name, "judge", primary, runs, found.panels)
            assert row == pytest.approx(list(card.metrics[primary].per_seed.values()))
    assert strata_of("train.final_loss", items, SEEDS) is None


def test_strata_of_a_suite_sum_items_of_one_passage() -> None:
    values = ItemValues(
        values=np.array([1.0, 0.0, 1.0, 1.0]),
        weights=np.ones(4),
        clusters=np.array([7, 2, 7, 4]),
    )
    suites = {seed: {"blimp": {"accuracy.islands": values}} for seed in SEEDS}
    items = {n: RecipeItems(panels={}, suites=suites) for n in ("one", "two")}
    (stratum,) = strata_of("suites.blimp.accuracy.islands", items, SEEDS) or []
    assert stratum.sizes.tolist() == [1, 1, 2]
    assert stratum.parts[0, 0].tolist() == [0, 1, 2]
    assert metric([stratum]) == pytest.approx(0.75)


def test_other_documents_are_refused() -> None:
    items = {
        "one": RecipeItems(panels=scores(np.array([10, 20]), 0)),
        "two": RecipeItems(panels=scores(np.array([10, 21]), 1)),
    }
    with pytest.raises(UserError, match=r"panels\.a: .* different items"):
        strata_of("panels.mean_bpb", items, SEEDS)


def test_items_of_other_scorecards_are_refused(make_card: MakeCard) -> None:
    cards = [make_card(name, {s: 1.0 + s / 10 for s in SEEDS}) for name in ("one", "two")]
    sizes = np.array([100, 300])
    wrong = {s: {"books": PanelScore(nats=sizes * 2.0, bytes=sizes)} for s in SEEDS}
    with pytest.raises(UserError, match=r"do not add up to the scorecards' panels\.mean_bpb"):
        compare(cards, items={name: RecipeItems(panels=wrong) for name in ("one", "two")})


@pytest.mark.parametrize("test", ["paired", "welch"])
@pytest.mark.parametrize(("item_sd", "both_sd"), [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
def test_item_variance_is_unbiased(test: Test, item_sd: float, both_sd: float) -> None:
    rng = np.random.default_rng(0)
    drawn = [crossed(rng, 3, 40, 0.2, item_sd, both_sd) for _ in range(1500)]
    found = np.array([item_variances([one], 0, 1, test)[0] for one in drawn])
    error = found.std() / math.sqrt(len(found))
    # sd^2 / n, whatever seeds there are and whatever they do with the items.
    assert found.mean() == pytest.approx(item_sd**2 / 40, abs=4 * error + 1e-12)


@pytest.mark.parametrize("test", ["paired", "welch"])
@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize(("item_sd", "both_sd"), [(0.0, 0.5), (0.6, 0.0), (0.6, 0.5)])
def test_interval_over_items_covers_where_that_over_seeds_does_not(
    test: Test, seeds: int, item_sd: float, both_sd: float
) -> None:
    rng = np.random.default_rng(seeds)
    covered = {"seeds": 0, "items": 0}
    for _ in range(1000):
        strata = [crossed(rng, seeds, 60, 0.05, item_sd, both_sd)]
        a, b = metric(strata)
        found = effect(a, b, test)
        for name, one in (
            ("seeds", interval(found)),
            ("items", over_items(found, strata, 0, 1, test)),
        ):
            covered[name] += one.ci_low <= 0 <= one.ci_high
    assert 925 <= covered["items"] <= 985  # 95 %; Welch's is a little wide at 3 seeds
    if item_sd:
        assert covered["seeds"] < 900


def test_interval_without_item_noise_is_that_over_seeds() -> None:
    stratum = crossed(np.random.default_rng(0), 3, 1, 0.1, 0.0, 0.0)
    a, b = metric([stratum])
    found = effect(a, b, "welch")
    assert over_items(found, [stratum], 0, 1, "welch") == interval(found)


def test_verdict_that_rests_on_few_documents_is_marked(make_card: MakeCard) -> None:
    """Every seed says better, by one document of four: other documents may say otherwise."""
    sizes = np.array([100, 100, 100, 100])
    gains = {"raw": np.zeros(4), "lucky": np.array([0.0, 0.0, 0.0, -1.0])}
    found: dict[str, PanelScores] = {
        name: {
            s: {"books": PanelScore(nats=sizes * (2 + gain + s / 1000), bytes=sizes)} for s in SEEDS
        }
        for name, gain in gains.items()
    }
    runs = make_card("r", dict.fromkeys(SEEDS, 1.0)).runs
    cards = [make_scorecard(n, "judge", "panels.mean_bpb", runs, f) for n, f in found.items()]
    items = {name: RecipeItems(panels=f) for name, f in found.items()}
    (pair,) = compare(cards, items=items).pairs
    assert (pair.verdict, pair.holds_over_items) == ("better", False)
    assert pair.over_items is not None
    assert pair.over_items.ci_low < 0 < pair.over_items.ci_high
    assert pair.bootstrap_low is not None
    assert pair.bootstrap_low < pair.difference
    (bare,) = compare(cards).pairs
    assert (bare.over_items, bare.holds_over_items) == (None, None)
