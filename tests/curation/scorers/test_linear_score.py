"""The linear classifier: trained for real, its kernel against a sum by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curation import text
from curation.config import build
from curation.errors import UserError
from curation.scorers.hashed_ngrams import sparse_rows
from curation.scorers.linear_score import LinearScore, logistic
from tests.classes import advert, linear_model, two_classes
from tests.corpora import prose

PARTS: dict[str, Any] = {"positives": ("good",), "negatives": ("bad",)}


def chunked(texts: list[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([texts], pa.string())


def trained(folder: Path, **changes: Any) -> LinearScore:
    stage = LinearScore(**(PARTS | {"n_features": 2**12} | changes))
    stage.fit(two_classes(40), folder, seed=0)
    return stage.fitted(folder)


@pytest.mark.parametrize("word_ngrams", [1, 2])
def test_linear_score_ranks_texts_it_has_not_seen(tmp_path: Path, word_ngrams: int) -> None:
    stage = trained(tmp_path, word_ngrams=word_ngrams)
    good = stage.score(chunked([prose(1000 + i) for i in range(50)]))
    bad = stage.score(chunked([advert(1000 + i) for i in range(50)]))
    assert good.min() > 0.9
    assert bad.max() < 0.1


def test_linear_score_is_the_logistic_of_the_weights_of_its_ngrams() -> None:
    with np.load(linear_model()) as found:
        weights = found["weights"].astype(np.float64)
    for document in ("Rain", "The rain, THE soil!", "a b c d e a b", "農民 soil", ""):
        words, _ = text.ngram_hashes(pa.array([document]), 1)
        places, bounds, values = sparse_rows(chunked([document]), 1024, 2)
        assert bounds[-1] == len(places) == max(2 * len(words) - 1, 0)
        expected = logistic(np.array([(weights[places] * values).sum()]))
        found_scores = LinearScore(model=linear_model()).score(chunked([document]))
        assert found_scores == pytest.approx(expected, rel=1e-6)


def test_linear_score_values_make_a_document_of_distinct_ngrams_length_one() -> None:
    _, bounds, values = sparse_rows(chunked(["one two three four", ""]), 2**20, 2)
    assert bounds.tolist() == [0, 7, 7]
    assert (values**2).sum() == pytest.approx(1)


def test_linear_score_knows_the_order_of_two_words_but_not_case(tmp_path: Path) -> None:
    stage = LinearScore(model=linear_model())
    scores = stage.score(chunked(["soil rain", "rain soil", "RAIN Soil", "rain, soil"]))
    assert scores[0] != scores[1]
    assert scores[1] == scores[2] == scores[3]


def test_linear_score_takes_any_text() -> None:
    odd = ["", None, " \n\t", "!?", "\u2028", "x" * 100_000, "農民" * 1000, "\x01"]
    scores = LinearScore(model=linear_model()).score(chunked(odd))
    assert ((scores >= 0) & (scores <= 1)).all()
    assert LinearScore(model=linear_model()).score(chunked([])).shape == (0,)


def test_linear_score_does_not_depend_on_the_array_it_is_cut_from() -> None:
    texts = chunked([prose(i) for i in range(9)])
    stage = LinearScore(model=linear_model())
    whole = stage.score(texts)
    parts = [stage.score(texts[i : i + 2]) for i in range(0, 9, 2)]
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_logistic_does_not_overflow() -> None:
    found = logistic(np.array([-1e4, -1.0, 0.0, 1.0, 1e4]))
    assert found.tolist() == pytest.approx([0, 0.26894142137, 0.5, 0.73105857863, 1])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_features": 1000}, "must be a power of two"),
        ({"n_features": 1}, "must be a power of two"),
        ({"word_ngrams": 3}, "must be 1 or 2"),
        ({"alpha": 0.0}, "must be > 0"),
    ],
)
def test_linear_score_refuses_impossible_parameters(given: dict[str, Any], said: str) -> None:
    parts = {"positives": ["a"], "negatives": ["b"]}
    with pytest.raises(UserError, match=said):
        build(LinearScore, parts | given, where="r.yaml")


def write(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_linear_score_refuses_files_that_are_no_weights(tmp_path: Path) -> None:
    good = np.zeros(4, np.float32)
    files = [
        write(tmp_path / "a.npz", weights=good),
        write(tmp_path / "b.npz", weights=good[:3], bias=np.zeros(1), word_ngrams=np.array(1)),
        write(tmp_path / "c.npz", weights=np.zeros(4), bias=np.zeros(1), word_ngrams=np.array(1)),
        write(tmp_path / "d.npz", weights=good, bias=np.zeros(2), word_ngrams=np.array(1)),
        write(
            tmp_path / "e.npz",
            weights=np.array([{}] * 4, object),
            bias=np.zeros(1),
            word_ngrams=np.array(1),
        ),
    ]
    for name, content in (("f", b""), ("g", b"text"), ("h", linear_model().read_bytes()[:300])):
        (tmp_path / name).write_bytes(content)
        files.append(tmp_path / name)
    single = tmp_path / "single.npy"
    np.save(single, good)
    for path in (*files, single):
        with pytest.raises(UserError, match="is no model of linear_score"):
            LinearScore(model=path).check()
