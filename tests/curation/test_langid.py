"""The compiled walk of py3langid's model gives the library's labels."""

import numpy as np
import pyarrow as pa
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from curation import langid, langid_model
from tests.benchmarks.data import SHARED, json_lines
from tests.curation.sentences import SENTENCES

ODD = [
    "THE FARMER TURNED THE SOIL AND WAITED FOR RAIN",  # capitals are lower-cased first
    "LE FERMIER A RETOURNÉ LA TERRE",
    "cafe\u0301 de\u0301ja\u0300 vu a\u0300 Paris l'e\u0301te\u0301",  # not composed
    "Der Boden and the rain et la terre y la lluvia",
    "def main():\n    return {'soil': 1, 'rain': [2, 3]}\n",
    "Straße ΤΟΥ ΑΓΡΌΤΗ ΟΔΥΣΣΕΎΣ",
    "ΟΔΥΣΣΕΥΣ ΚΑΙ ΠΗΝΕΛΟΠΗ",
    "ok",
    "a" * 5000,
    "x\u2028y\u00a0z soil and rain",
    "😀 soil 🎉 rain 👨‍👩‍👧",
    "Њива је чекала кишу",
    "EN: 1234 / DE: 5678",
]


@pytest.fixture(scope="module")
def library() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def ranked(texts: list[str], k: int = 1) -> langid.Ranked:
    return langid.rank(pa.chunked_array([texts], pa.string()), k)


def found(texts: list[str]) -> list[tuple[str, float]]:
    labels, scores = ranked(texts)
    return list(zip(labels[:, 0], scores[:, 0], strict=True))


@pytest.mark.parametrize("code", SENTENCES)
def test_langid_plain_sentence_is_recognised(code: str) -> None:
    label, score = found([SENTENCES[code]])[0]
    assert label == code
    assert score > 0.3


def test_langid_labels_and_scores_equal_the_library(library: LanguageIdentifier) -> None:
    texts = [*SENTENCES.values(), *ODD]
    texts += [s[:n] for s in SENTENCES.values() for n in range(3, 40)]  # around the first lanes
    texts += [" ".join(SENTENCES.values()), *(s.upper() for s in SENTENCES.values())]
    for text, (label, score) in zip(texts, found(texts), strict=True):
        expected, confidence = library.classify(text)
        if score == 0:  # no feature of the model: the library is undecided among all
            assert label == ""
            assert confidence < 0.02
        else:
            assert label == expected, text
            # A final sigma becomes another lower-case letter in the library: a feature or two.
            close = 0.1 if text.isupper() and "Σ" in text else 1e-4
            assert score == pytest.approx(confidence, abs=close)


@pytest.mark.shared
def test_langid_labels_equal_the_library_on_real_text(library: LanguageIdentifier) -> None:
    texts = []
    for file in sorted((SHARED / "text").glob("*.jsonl.zst")):
        size = 400 if "lang" in file.name else 1500
        for i, row in enumerate(json_lines(file)):
            if i % 7 == 0 or "langid" in file.name:
                texts += [row["text"][at : at + size] for at in range(0, 5 * size, size)]
    texts = [text for text in texts if text]
    assert len(texts) >= 5000
    labels = found(texts)
    assert len({label for label, _ in labels}) > 90
    pairs = zip(texts, labels, strict=True)
    assert [t for t, (label, _) in pairs if label and label != library.classify(t)[0]] == []


def test_langid_ranking_equals_the_library(library: LanguageIdentifier) -> None:
    texts = list(SENTENCES.values())
    labels, scores = ranked(texts, 5)
    for i, text in enumerate(texts):
        expected = library.rank(text)[:5]
        assert list(labels[i]) == [label for label, _ in expected]
        assert list(scores[i]) == pytest.approx([score for _, score in expected], abs=1e-4)


def test_langid_more_languages_than_there_are_gives_all_once() -> None:
    labels, scores = ranked(["The soil and the rain"], 1000)
    seen = [label for label in labels[0] if label]
    assert len(seen) == len(set(seen)) <= len(langid_model.load().labels)
    assert scores[0].sum() == pytest.approx(1, abs=1e-4)
    assert (np.diff(scores[0]) <= 0).all()


@pytest.mark.parametrize("text", ["", " ", "\n\n", "1", "\u2028", "\x01"])
def test_langid_text_unknown_to_the_model_has_no_label(text: str) -> None:
    assert found([text]) == [("", 0.0)]


def test_langid_no_texts_gives_no_labels() -> None:
    assert found([]) == []


def test_langid_counts_beyond_the_table_of_logarithms_count(library: LanguageIdentifier) -> None:
    text = "the rain " * (langid_model.TABLED * 2)
    label, score = found([text])[0]
    expected, confidence = library.classify(text)
    assert label == expected
    assert score == pytest.approx(confidence, abs=1e-4)


def test_langid_state_depends_on_the_last_bytes_only() -> None:
    """What lets stretches of a text be walked at once: states merge within WARM_UP bytes."""
    automaton = langid_model.load().automaton
    width = len(set(automaton.byte_class.tolist()))
    moves = automaton.next_state.reshape(-1, width)
    row = automaton.row // width
    weights = np.random.default_rng(0).integers(1, 2**63, width, np.uint64)
    kinds = row.astype(np.uint64)  # states of one kind are one state a byte later
    for _ in range(langid.WARM_UP - 1):
        assert len(np.unique(kinds)) > 1
        hashes = (kinds[moves] * weights).sum(axis=1)
        kinds = np.unique(hashes, return_inverse=True)[1].astype(np.uint64)[row]
    assert len(np.unique(kinds)) == 1
