"""Scorecards: the numbers, and that they survive the disk."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from curation.errors import UserError
from eval.bpb import PanelScore
from eval.scorecard import (
    SCORECARD,
    Scorecard,
    make_scorecard,
    read_items,
    read_scorecard,
    write_scorecard,
)

MakeCard = Callable[..., Scorecard]


def scores(seeds: range) -> dict[int, dict[str, PanelScore]]:
    rng = np.random.default_rng(0)
    sizes = np.array([10, 20, 30])
    return {
        seed: {name: PanelScore(nats=rng.random(3), bytes=sizes) for name in ("a/b", "wiki")}
        for seed in seeds
    }


def test_mean_bpb_is_the_plain_mean_over_panels(make_card: MakeCard) -> None:
    items = scores(range(2))
    runs = make_card("r", {0: 1.0, 1: 1.0}).runs
    card = make_scorecard("r", "judge", "panels.mean_bpb", runs, items)
    for seed, panels in items.items():
        expected = statistics.fmean(panel.bpb for panel in panels.values())
        assert card.metrics["panels.mean_bpb"].per_seed[seed] == pytest.approx(expected)
        assert card.panels["wiki"].bpb[seed] == panels["wiki"].bpb
    assert (card.panels["wiki"].documents, card.panels["wiki"].bytes) == (3, 60)
    assert card.metrics["train.final_loss"].mean == 2.0


def test_mean_and_sd_are_over_seeds(make_card: MakeCard) -> None:
    metric = make_card("r", {0: 1.0, 1: 1.2, 2: 1.7}).metrics["panels.mean_bpb"]
    assert metric.mean == pytest.approx(1.3)
    assert metric.sd == pytest.approx(statistics.stdev([1.0, 1.2, 1.7]))


def test_sd_of_one_seed_is_unknown(make_card: MakeCard) -> None:
    assert make_card("r", {0: 1.0}).metrics["panels.mean_bpb"].sd is None


def test_written_scorecard_reads_back_equal(make_card: MakeCard, tmp_path: Path) -> None:
    items = scores(range(3))
    runs = make_card("r", {0: 1.0, 1: 1.1, 2: 1.2}).runs
    card = make_scorecard("r", "judge", "panels.mean_bpb", runs, items)
    write_scorecard(card, items, tmp_path)
    assert read_scorecard(tmp_path) == card
    read = read_items(tmp_path)
    assert read.keys() == items.keys()
    for seed, panels in items.items():
        for name, panel in panels.items():
            assert np.array_equal(read[seed][name].nats, panel.nats)
            assert np.array_equal(read[seed][name].bytes, panel.bytes)


def test_scorecard_file_has_the_agreed_keys(make_card: MakeCard, tmp_path: Path) -> None:
    card = make_card("r", {0: 1.0, 1: 1.2})
    write_scorecard(card, scores(range(2)), tmp_path)
    raw = json.loads((tmp_path / SCORECARD).read_text())
    assert {"recipe", "judge", "primary", "seeds", "panels", "metrics", "runs", "epochs"} <= set(
        raw
    )
    assert set(raw["panels"]["books"]) == {"documents", "bytes", "bpb", "mean", "sd"}
    metric = raw["metrics"]["panels.mean_bpb"]
    assert metric["higher_is_better"] is False
    assert set(metric["per_seed"]) == {"0", "1"}


def test_unknown_primary_lists_what_is_measured(make_card: MakeCard) -> None:
    with pytest.raises(UserError) as caught:
        make_scorecard("r", "j", "panels.bpb", make_card("r", {0: 1.0}).runs, scores(range(1)))
    assert "panels.mean_bpb" in caught.value.hint
    assert caught.value.where == "primary"


@pytest.mark.parametrize("content", [None, "{}", '{"panels": {}, "metrics": {}, "x": 1}'])
def test_read_of_something_else_is_a_user_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / SCORECARD).write_text(content)
    with pytest.raises(UserError):
        read_scorecard(tmp_path)
