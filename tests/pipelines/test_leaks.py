"""Scores on items that documents hold and on others: each item on one side, seeds alike."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eval.metrics import ItemValues
from eval.readers.read import read_suite
from pipelines.leaks import Split, contaminated_items, leaked_flags, split_scores, table_text
from tests.corpora import write_jsonl


def values(*items: float, weight: float = 1.0) -> ItemValues:
    count = len(items)
    return ItemValues(
        values=np.array(items), weights=np.full(count, weight), clusters=np.arange(count)
    )


def test_scores_are_split_by_item() -> None:
    scores = {
        seed: {
            "quiz": {"accuracy": values(1, 0, seed), "gold_bpb": values(2, 4, 6, weight=2.0)},
            "other": {"accuracy": values(1, 1)},
        }
        for seed in (0, 1)
    }
    leaked = {"quiz": np.array([False, True, True]), "other": np.array([False, False])}
    assert split_scores(scores, leaked, "raw") == [
        Split("quiz", "gold_bpb", "raw", 2, 2.5, 1.0),
        Split("quiz", "accuracy", "raw", 2, 0.25, 1.0),
    ]


def test_items_are_those_of_the_judge(tmp_path: Path) -> None:
    rows = [{"query": f"the river {i}", "choices": ["was", "were"], "gold": 0} for i in range(3)]
    path = write_jsonl(tmp_path / "judge" / "suites" / "quiz.jsonl", rows)
    second = read_suite(path).items[1].id
    states = {"suite": ["quiz", "quiz", "old"], "item": ["none", second, second]}
    states["state"] = ["clean", "contaminated", "contaminated"]
    pq.write_table(pa.table(states), tmp_path / "items.parquet")
    found = contaminated_items(tmp_path / "items.parquet")
    assert found == {"quiz": {second}, "old": {second}}
    assert leaked_flags(tmp_path, found)["quiz"].tolist() == [False, True, False]


def test_table_has_a_row_per_score() -> None:
    text = table_text([Split("quiz", "accuracy", "raw", 2, 0.25, 1.0)])
    assert text.split("\n")[-1] == "| quiz | accuracy | raw | 2 | 0.2500 | 1.0000 |"
