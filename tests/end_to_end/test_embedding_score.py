"""`linear_score` on embeddings inside a run: classes and ratings, drawn, embedded and applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from curation.backends import InlineBackend
from curation.files import read_json
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import Outcome, run
from tests.classes import advert, model_cache
from tests.corpora import prose, write_jsonl, write_yaml

EMBEDDED = {"features": "embedding", "fast": True, "cache": str(model_cache())}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A source of which a third is good, and a reference with ratings from 0 to 5."""
    for file in range(3):
        rows = [_row(i, "good") for i in range(file * 40, file * 40 + 40)]
        write_jsonl(tmp_path / "web" / f"{file}.jsonl", rows)
    write_jsonl(tmp_path / "rated.jsonl", [_row(i, "score") for i in range(9000, 9090)])
    return tmp_path


def _row(i: int, key: str) -> dict[str, Any]:
    good = i % 3 == 0
    value = (4.5 if good else 0.5) if key == "score" else good
    return {"id": f"{i}", "text": prose(i) if good else advert(i), key: value}


def _run(folder: Path, **params: Any) -> Outcome:
    keys = {
        "name": "r",
        "sources": [{"name": "web", "format": "jsonl", "path": "web/*.jsonl"}],
        "references": [{"name": "rated", "format": "jsonl", "path": "rated.jsonl"}],
        "curate": [{"linear_score": {"as": "edu", **EMBEDDED, **params}}],
    }
    file = write_yaml(folder / "r.yaml", keys)
    return run([load_recipe(file)], folder / "out", InlineBackend(), silent, "dataset")


def _kept(folder: Path) -> list[dict[str, Any]]:
    files = sorted(map(str, (folder / "out/r/dataset").glob("*.parquet")))
    return ds.dataset(files).to_table().to_pylist()


def test_regression_on_ratings_keeps_three_and_more(folder: Path) -> None:
    _run(folder, labelled=["rated"], label="score", min_score=3.0)
    kept = _kept(folder)
    assert len(kept) == 40
    assert {json.loads(row["meta"])["good"] for row in kept} == {True}
    assert min(row["edu.score"] for row in kept) >= 3
    metrics = read_json(folder / "out/r/classifiers/edu/metrics.json")
    assert metrics["regression"]["r2"] > 0.8
    assert str(folder) not in json.dumps(metrics)
    assert _run(folder, labelled=["rated"], label="score", min_score=3.0).found == {"r"}
    _run(folder, labelled=["rated"], label="score", min_score=4.0)
    assert len(list(folder.glob("out/work/fit-*"))) == 1


def test_good_against_random_text_keeps_the_best(folder: Path) -> None:
    best = {"from": "rated", "where": {"meta.score": {"min": 4}}}
    _run(folder, positives=[best], negatives=["web"], keep_frac=0.2)
    kept = _kept(folder)
    assert kept
    assert {json.loads(row["meta"])["good"] for row in kept} == {True}
    served = {"model": "out/r/classifiers/edu/model.npz", "max_score": 0.99}
    scores = {row["id"]: row["edu.score"] for row in kept}
    _run(folder, **served)
    again = {row["id"]: row["edu.score"] for row in _kept(folder)}
    assert {name: scores[name] for name in again.keys() & scores} == {
        name: again[name] for name in again.keys() & scores
    }
