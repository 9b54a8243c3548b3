"""The two halves: disjoint, balanced, whole sites, and losses that add up."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.errors import UserError
from eval.bpb import PanelScore
from eval.metrics import ItemValues
from pipelines.scores import TrialScores
from pipelines.search.halves import MIN_SHARE, Halves, split_items, split_panel
from pipelines.search.objective import Target

BPB = Target(name="panels.held.bpb", weight=1.0, panel="held")
ACCURACY = Target(name="suites.quiz.accuracy", weight=1.0, suite="quiz", metric="accuracy")


def panel(path: Path, groups: list[str], texts: list[str] | None = None) -> Path:
    texts = texts or ["ten bytes."] * len(groups)
    records = [f"r{i}" for i in range(len(groups))]
    pq.write_table(pa.table({"group": groups, "record": records, "text": texts}), path)
    return path


def test_sites_are_kept_whole(tmp_path: Path) -> None:
    groups = [f"site{i % 12}" for i in range(60)]
    mask = split_panel("held", panel(tmp_path / "p.parquet", groups))
    sides = {
        name: {bool(m) for m, g in zip(mask, groups, strict=True) if g == name} for name in groups
    }
    assert all(len(side) == 1 for side in sides.values())
    assert mask.sum() == 30


def test_site_that_is_most_of_the_panel_is_split(tmp_path: Path) -> None:
    groups = ["big"] * 90 + [f"site{i}" for i in range(10)]
    mask = split_panel("held", panel(tmp_path / "p.parquet", groups))
    assert 0 < mask[:90].sum() < 90
    assert MIN_SHARE < mask.mean() < 1 - MIN_SHARE


def test_one_site_is_split_by_document(tmp_path: Path) -> None:
    assert split_panel("held", panel(tmp_path / "p.parquet", ["one"] * 9)).sum() == 5


def test_documents_without_text_do_not_fill_a_half(tmp_path: Path) -> None:
    texts = ["", "one", "", "", "two", ""]
    mask = split_panel("held", panel(tmp_path / "p.parquet", list("abcdef"), texts))
    assert mask[1] != mask[4]
    with pytest.raises(UserError, match="panel 'held' has 1 documents with text"):
        split_panel("held", panel(tmp_path / "q.parquet", list("abcdef"), ["", "x", *[""] * 4]))


def test_split_depends_on_the_documents_and_not_on_their_order(tmp_path: Path) -> None:
    groups = [f"g{i}" for i in range(20)]
    mask = split_panel("held", panel(tmp_path / "p.parquet", groups))
    back = split_panel("held", panel(tmp_path / "q.parquet", groups[::-1]))
    assert mask.tolist() == back[::-1].tolist()


def test_items_of_one_passage_stay_together() -> None:
    clusters = np.repeat(np.arange(10), 3)
    values = ItemValues(values=np.ones(30), weights=np.ones(30), clusters=clusters)
    mask = split_items(values, ACCURACY)
    assert mask.sum() == 15
    assert all(len(set(mask[clusters == c])) == 1 for c in range(10))
    whole = ItemValues(values=np.ones(3), weights=np.ones(3), clusters=np.zeros(3, int))
    with pytest.raises(UserError, match=r"objective.suites.quiz.accuracy: all items share"):
        split_items(whole, ACCURACY)


def test_losses_are_bits_per_byte_and_negated_metrics_of_each_half(tmp_path: Path) -> None:
    path = panel(tmp_path / "p.parquet", [f"g{i}" for i in range(8)])
    halves = Halves({"held": path}, (BPB, ACCURACY))
    nats, sizes = np.arange(1.0, 9.0), np.full(8, 10)
    answers = ItemValues(
        values=np.array([1.0, 0.0, 1.0, 1.0]), weights=np.ones(4), clusters=np.arange(4)
    )
    scores = TrialScores(
        {"held": PanelScore(nats=nats, bytes=sizes)}, {"quiz": {"accuracy": answers}}
    )
    losses, mask = halves.losses(scores), split_panel("held", path)
    assert losses.search[BPB.name] == pytest.approx(nats[mask].sum() / 40 / math.log(2))
    assert losses.confirm[BPB.name] == pytest.approx(nats[~mask].sum() / 40 / math.log(2))
    chosen = split_items(answers, ACCURACY)
    assert losses.search[ACCURACY.name] == -answers.values[chosen].mean()
    assert losses.confirm[ACCURACY.name] == -answers.values[~chosen].mean()
    documents = halves.documents(scores)
    assert list(documents) == [BPB.name]
    assert documents[BPB.name].nats.tolist() == nats[mask].tolist()
    assert documents[BPB.name].bytes.dtype == np.float64
