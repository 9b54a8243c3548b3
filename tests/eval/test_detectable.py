"""What is stated before training: where its sd comes from, and that it is what verdicts state."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest

from eval.compare import compare
from eval.detectable import PRIOR_SD, announce, mde_before, pilot
from eval.noise import noise
from eval.scorecard import Metric, Scorecard
from train.config import PRESETS

MakeCard = Callable[..., Scorecard]
PRIMARY = "panels.mean_bpb"


def test_pilot_pools_the_recipes_of_this_judge(make_card: MakeCard) -> None:
    cards = [
        make_card("one", {0: 2.0, 1: 2.1, 2: 2.2}),  # sd .1, 2 degrees of freedom
        make_card("two", {0: 2.0, 1: 2.4}),  # sd .2 sqrt 2, 1 degree
        make_card("single", {0: 9.0}),
        make_card("foreign", {0: 1.0, 1: 5.0}, judge="another"),
    ]
    found = pilot(cards, "judge", PRIMARY)
    assert found is not None
    assert found.freedom == 3
    assert found.sd == pytest.approx(np.sqrt((2 * 0.01 + 0.08) / 3))
    # chi-squared with 3 degrees of freedom: .2157953 and 9.348404.
    assert (found.low, found.high) == pytest.approx(
        (np.sqrt(0.1 / 9.348404), np.sqrt(0.1 / 0.2157953))
    )
    assert pilot(cards[2:], "judge", PRIMARY) is None
    assert pilot(cards, "judge", "panels.other.bpb") is None


def test_earlier_runs_come_before_the_presets_prior(make_card: MakeCard) -> None:
    earlier = pilot([make_card("one", {0: 2.0, 1: 2.1, 2: 2.2})], "judge", PRIMARY)
    told = announce(earlier, "smoke", PRIMARY, 3, "welch")
    assert told.sd == pytest.approx(0.1)
    assert told.mde == pytest.approx(mde_before(0.1, 3, "welch"))
    assert "earlier runs of this judge, 2 degrees of freedom" in str(told)
    prior = announce(None, "smoke", PRIMARY, 3, "welch")
    assert prior.mde == mde_before(PRIOR_SD["smoke"], 3, "welch")
    assert (
        "at 3 seeds (welch test, 80 % power, sd 0.0110 from earlier runs of preset smoke)"
        in str(prior)
    )


def test_nothing_is_promised_without_a_known_sd_or_seeds() -> None:
    unknown = announce(None, "xl", PRIMARY, 3, "welch")
    assert (unknown.mde, unknown.sd) == (None, None)
    assert "unknown before the first runs" in str(unknown)
    other = announce(None, "smoke", "suites.blimp.accuracy", 3, "welch")
    assert other.mde is None  # the prior is of bits per byte
    assert "suites.blimp.accuracy at preset smoke" in str(other)
    few = announce(None, "smoke", PRIMARY, 2, "welch")
    assert few.mde is None
    assert "no verdict below 3 seeds" in str(few)
    json.dumps(asdict(unknown), allow_nan=False)


def test_priors_are_of_presets() -> None:
    assert set(PRIOR_SD) <= set(PRESETS)


def test_stated_and_printed_mde_agree_for_one_spread(make_card: MakeCard) -> None:
    values = {0: 2.0, 1: 2.1, 2: 2.2}
    cards = [make_card(name, values) for name in ("one", "two")]
    found = pilot(cards, "judge", PRIMARY)
    assert compare(cards).pairs[0].mde == pytest.approx(
        announce(found, "xs", PRIMARY, 3, "welch").mde
    )


def test_noise_is_the_spread_within_recipes_not_between(make_card: MakeCard) -> None:
    near = {0: 2.0, 1: 2.1, 2: 2.2}
    cards = [make_card("one", near), make_card("two", {s: v + 5 for s, v in near.items()})]
    found = noise(cards)[PRIMARY]
    assert (found.floor, found.signal, found.snr) == pytest.approx((0.1, 5.0, 50.0))
    assert noise(cards)["train.final_loss"].snr is None  # the same in every run


def test_metrics_are_told_by_whether_they_rank_recipes_as_bits_per_byte_do(
    make_card: MakeCard,
) -> None:
    cards = [make_card(n, {0: v, 1: v + 0.1}) for n, v in (("a", 2.0), ("b", 2.5), ("c", 3.0))]
    for card, score in zip(cards, (0.9, 0.7, 0.8), strict=True):
        per_seed = {0: score, 1: score + 0.01}
        task = Metric(per_seed=per_seed, mean=score, sd=0.01, higher_is_better=True)
        card.metrics["suites.task.acc"] = task
    found = noise(cards)
    assert found[PRIMARY].bpb_rank == pytest.approx(1.0)
    assert found["suites.task.acc"].bpb_rank == pytest.approx(0.5)  # b and c change places
    assert found["train.final_loss"].bpb_rank is None  # the same in every run
    assert noise(cards[:2])["suites.task.acc"].bpb_rank is None


def test_noise_lists_what_all_recipes_have_clearest_first(make_card: MakeCard) -> None:
    near = {0: 2.0, 1: 2.1, 2: 2.2}
    one, two = (make_card(n, {s: v + d for s, v in near.items()}) for n, d in (("a", 0), ("b", 1)))
    extra = Metric(per_seed={0: 1.0}, mean=1.0, sd=None, higher_is_better=True)
    odd = replace(one, metrics={**one.metrics, "suites.x.accuracy": extra})
    assert list(noise([odd, two])) == [PRIMARY, "panels.books.bpb", "train.final_loss"]
    assert noise([make_card("a", {0: 1.0}), make_card("b", {0: 1.0})]) == {}
