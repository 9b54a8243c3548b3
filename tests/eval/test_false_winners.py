"""The study of false winners: its verdicts are the comparison's own, its rate is the level."""

from collections.abc import Callable

import numpy as np
import pytest

from curation.errors import UserError
from eval.compare import compare
from eval.detectable import mde_before
from eval.false_winners import draw_splits, false_winners
from eval.scorecard import Scorecard
from eval.statistics import Test, effect, p_values

MakeCard = Callable[..., Scorecard]


def runs(count: int = 80, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(2.5, 0.01, count)


@pytest.mark.parametrize("test", ["paired", "welch"])
@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("corpus", range(3))
def test_equal_runs_have_a_winner_in_two_to_seven_per_cent(
    test: Test, seeds: int, corpus: int
) -> None:
    study = false_winners(runs(seed=corpus).tolist(), seeds, test)
    assert (study.runs, study.splits) == (80, 10_000)
    assert 0.02 < study.rate < 0.07


@pytest.mark.parametrize("test", ["paired", "welch"])
@pytest.mark.parametrize("seeds", [3, 5])
def test_split_is_judged_as_the_comparison_judges_it(
    make_card: MakeCard, test: Test, seeds: int
) -> None:
    values = runs(16)
    winners = []
    for split in draw_splits(16, seeds, 120):
        a, b = (dict(enumerate(values[half].tolist())) for half in np.split(split, 2))
        # The verdict of the tool on scorecards of these very runs.
        cards = [make_card("one", b), make_card("two", a)]
        pair = compare(cards, test=test, resamples=10).pairs[0]
        winners.append(pair.verdict in ("better", "worse"))
        # Values are read back from documents' nats, which costs the last digits.
        p = float(p_values(effect(list(a.values()), list(b.values()), test)))
        assert pair.p == pytest.approx(p, rel=1e-6)
    study = false_winners(values.tolist(), seeds, test, splits=120)
    assert study.rate == np.mean(winners)


def test_splits_are_disjoint_cover_all_runs_and_repeat() -> None:
    splits = draw_splits(80, 5, 1000)
    assert splits.shape == (1000, 10)
    assert all(len(set(split)) == 10 for split in splits.tolist())
    assert set(splits.ravel().tolist()) == set(range(80))
    assert np.array_equal(splits, draw_splits(80, 5, 1000))
    assert not np.array_equal(splits, draw_splits(80, 5, 1000, rng_seed=1))


def test_mean_mde_agrees_with_the_spread() -> None:
    study = false_winners(runs().tolist(), 5, "welch")
    # A sd estimated from 5 seeds is short by 6 % on average, one from two times 5 by 3 %.
    assert study.mean_mde == pytest.approx(mde_before(study.sd, 5, "welch"), rel=0.06)


def test_runs_of_two_sorts_win_as_often_as_the_sorts_are_parted() -> None:
    """Runs that are not alike at all: every group of one sort against the other wins."""
    values = [0.0, 0.001, 0.002, 9.0, 9.001, 9.002]
    study = false_winners(values, 3, "welch", splits=2000)
    assert study.rate == pytest.approx(2 / 20, abs=0.02)  # 2 of the 20 ways to deal them


@pytest.mark.parametrize(("count", "seeds"), [(5, 3), (80, 2), (80, 41), (0, 3)])
def test_too_few_runs_are_refused(count: int, seeds: int) -> None:
    with pytest.raises(UserError, match=f"cannot be drawn from {count}"):
        false_winners(runs(count).tolist(), seeds)
