"""The n-grams that tell classes apart, as a known score ranks them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute

from curation.scorers.splitting import Sample
from curation.scorers.telling import SHOWN, telling_ngrams


def sample(positives: list[str], negatives: list[str]) -> Sample:
    texts = pa.chunked_array([[*positives, *negatives]], pa.string())
    return Sample(texts, np.arange(len(texts)) < len(positives))


def by_word(**odds: float):  # type: ignore[no-untyped-def]
    """A score whose log-odds are the sum of its words'."""

    def score(texts: pa.ChunkedArray) -> np.ndarray:
        sums = [sum(odds.get(word, 0.0) for word in text.split()) for text in texts.to_pylist()]
        return 1 / (1 + np.exp(-np.array(sums)))

    return score


def test_telling_ngrams_rank_by_margin_and_count_documents() -> None:
    one = sample(["good fine of of"] * 6 + ["of"] * 4, ["bad of"] * 10)
    found = telling_ngrams(one, str.split, 1, by_word(good=2, fine=1, bad=-3))
    assert [row["ngram"] for row in found["positives"]] == ["good", "fine"]
    assert found["negatives"][0] == {
        "ngram": "bad",
        "margin": found["negatives"][0]["margin"],
        "positives_frac": 0.0,
        "negatives_frac": 1.0,
    }
    assert found["positives"][0]["positives_frac"] == 0.6
    assert found["positives"][0]["margin"] > found["positives"][1]["margin"] > 0


def test_telling_ngrams_hold_pairs_where_the_classifier_does() -> None:
    def score(texts: pa.ChunkedArray) -> np.ndarray:
        return np.where(pa.compute.equal(texts, "not bad").to_numpy(), 0.9, 0.5)

    one = sample(["not bad"] * 9, ["bad not"] * 9)
    pairs = telling_ngrams(one, str.split, 2, score)
    assert [row["ngram"] for row in pairs["positives"]] == ["not bad"]
    assert telling_ngrams(one, str.split, 1, score) == {"positives": [], "negatives": []}


def test_telling_ngrams_leave_out_rare_ones_and_show_a_few() -> None:
    words = " ".join(f"w{i}" for i in range(100))
    one = sample([f"{words} rare{i}" for i in range(20)], [words] * 20)
    odds = {f"w{i}": i - 50.0 for i in range(100)} | {f"rare{i}": 99.0 for i in range(20)}
    found = telling_ngrams(one, str.split, 1, by_word(**odds))
    assert len(found["positives"]) == len(found["negatives"]) == SHOWN
    assert not any(row["ngram"].startswith("rare") for row in found["positives"])


def test_telling_ngrams_of_texts_without_words_are_none() -> None:
    found = telling_ngrams(sample([""] * 9, [" "] * 9), str.split, 2, by_word())
    assert found == {"positives": [], "negatives": []}
