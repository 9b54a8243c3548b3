"""`linear_score` on embeddings, and as a regression: learned for real, ranked, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.filters.keep_top import KeepTop
from curation.scorers.linear_score import LinearScore
from curation.scorers.splitting import VECTOR
from tests.classes import advert, linear_model, model_cache, sample, two_classes
from tests.corpora import prose

EMBEDDED: dict[str, Any] = {"features": "embedding", "fast": True, "cache": str(model_cache())}
CLASSES: dict[str, Any] = {"positives": ["good"], "negatives": ["bad"]}
LABELLED: dict[str, Any] = {"labelled": ["rated"], "label": "score"}
RATED = [(prose(i), 5.0) if i % 2 else (advert(i), 0.0) for i in range(80)]


def stage(**given: Any) -> LinearScore:
    return build(LinearScore, given, where="test")


def rated(rows: list[tuple[str, Any]] = RATED) -> pa.Table:
    meta = [json.dumps({"score": score}) for _, score in rows]
    return sample([text for text, _ in rows]).append_column("meta", pa.array(meta, pa.string()))


def texts(*found: str) -> pa.ChunkedArray:
    return pa.chunked_array([found], pa.string())


def learn(one: LinearScore, folder: Path, tables: dict[str, pa.Table]) -> dict[str, Any]:
    return one.fit({role: one.attach(table) for role, table in tables.items()}, folder, seed=0)


def test_embedding_classifier_tells_classes_apart(tmp_path: Path) -> None:
    one = stage(**CLASSES, **EMBEDDED)
    metrics = learn(one, tmp_path, two_classes(40))
    assert metrics["auc"]["value"] == 1
    assert metrics["telling"]["positives"]
    ready = one.fitted(tmp_path)
    ready.check()
    good, bad = ready.score(texts(prose(1000), advert(1000), ""))[:2]
    assert good > 0.5 > bad
    again = tmp_path / "again"
    again.mkdir()
    learn(one, again, two_classes(40))
    assert (again / "model.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


def test_embedding_score_does_not_depend_on_the_batch(tmp_path: Path) -> None:
    one = stage(**CLASSES, **EMBEDDED)
    learn(one, tmp_path, two_classes(30))
    found = [prose(i) for i in range(7)]
    ready = one.fitted(tmp_path)
    alone = [ready.score(texts(text))[0] for text in found]
    assert ready.score(texts(*found)).tolist() == alone


@pytest.mark.parametrize("features", [EMBEDDED, {"n_features": 2**12, "epoch": 40}])
def test_regression_predicts_the_label(tmp_path: Path, features: dict[str, Any]) -> None:
    one = stage(**LABELLED, **features, min_score=3.0)
    metrics = learn(one, tmp_path, {"labelled": rated()})
    assert metrics["auc"]["value"] == 1
    assert metrics["regression"]["r2"] > 0.5
    assert metrics["documents"]["labelled"]["sampled"] == 80
    ready = one.fitted(tmp_path)
    good, bad = ready.score(texts(prose(5000), advert(5000)))
    assert good > 3 > bad
    [low, _] = ready.rules()
    assert low.threshold == 3.0


def test_regression_leaves_out_what_has_no_number(tmp_path: Path) -> None:
    rows = [*RATED, (prose(900), None), (prose(901), "5"), (prose(902), True)]
    one = stage(**LABELLED, **EMBEDDED)
    metrics = learn(one, tmp_path, {"labelled": rated(rows)})
    assert metrics["documents"]["labelled"]["sampled"] == 80


def test_keep_by_language_ranks_each_language_alone() -> None:
    one = stage(**CLASSES, **EMBEDDED, keep_frac=0.5, keep_by="language")
    _, (_, top) = one.expand("code")
    assert isinstance(top, KeepTop)
    assert top.reads == ("code.score", "code.num_tokens", "language")
    table = pa.table(
        {
            "code.score": [0.9, 0.8, 0.2, 0.1, 0.5],
            "code.num_tokens": pa.array([10] * 5, pa.int64()),
            "language": ["py", "py", "c", "c", None],
        }
    )
    assert top.evidence(table)["group"].to_pylist() == ["py", "py", "c", "c", ""]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**LABELLED, "positives": ["a"], "negatives": ["b"]}, "'labelled' documents alone"),
        ({"labelled": ["a"]}, "needs 'label' and either"),
        ({"label": "score"}, "needs 'label' and either"),
        ({**LABELLED, "model": "m.npz"}, "needs 'label' and either"),
        ({**CLASSES, "min_score": 3.0}, r"must be in \[0, 1\]"),
        ({**CLASSES, **EMBEDDED, "chunks": "mean"}, "'chunks' is for 'fast: false'"),
        ({**CLASSES, "features": "words"}, "It takes: hashed, embedding"),
    ],
)
def test_impossible_parameters(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        stage(**given)


def test_labels_that_teach_nothing_are_refused(tmp_path: Path) -> None:
    one = stage(**LABELLED, **EMBEDDED)
    same = [(text, 3.0) for text, _ in RATED]
    with pytest.raises(UserError, match=r"'meta\.score' is 3 in all"):
        learn(one, tmp_path, {"labelled": rated(same)})
    none = [(text, None) for text, _ in RATED]
    with pytest.raises(UserError, match="0 of 80 labelled documents have a number"):
        learn(one, tmp_path, {"labelled": rated(none)})


def test_sample_without_any_vector_is_refused(tmp_path: Path) -> None:
    one = stage(**CLASSES, **EMBEDDED)
    tables = {}
    for role, table in two_classes(30).items():
        table = one.attach(table)
        column = table[VECTOR].combine_chunks()
        empty = pa.array(np.full(len(column.flatten()), np.nan, np.float16))
        broken = pa.FixedSizeListArray.from_arrays(empty, column.type.list_size)
        tables[role] = table.set_column(table.column_names.index(VECTOR), VECTOR, broken)
    with pytest.raises(UserError, match="gives no document of the sample a finite vector"):
        one.fit(tables, tmp_path, seed=0)


def test_check_refuses_a_model_of_another_kind(tmp_path: Path) -> None:
    one = stage(**CLASSES, **EMBEDDED)
    learn(one, tmp_path, two_classes(30))
    path = str(tmp_path / "model.npz")
    with pytest.raises(UserError, match="was not learned from hashed words"):
        stage(model=path).check()
    with pytest.raises(UserError, match="tells classes apart"):
        stage(model=path, label="score", **EMBEDDED).check()
    with pytest.raises(UserError, match="was not learned from embeddings of this kind"):
        stage(model=str(linear_model()), **EMBEDDED).check()
    other = {"features": "embedding", "chunks": "top_middle_bottom"}
    with pytest.raises(UserError, match="was not learned from embeddings of this kind"):
        stage(model=path, **other).check()
    stage(model=path, **EMBEDDED).check()
