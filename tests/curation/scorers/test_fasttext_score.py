"""fastText: trained for real on small samples, and files that are no models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.scorers.fasttext_file import read_labels
from curation.scorers.fasttext_score import NEGATIVE, FastTextScore
from tests.classes import SMALL, advert, fasttext_model, sample, two_classes
from tests.corpora import prose

PARTS: dict[str, Any] = {"positives": ("good",), "negatives": ("bad",)}


def trained(folder: Path, **changes: Any) -> FastTextScore:
    folder.mkdir(exist_ok=True)
    stage = FastTextScore(**(PARTS | SMALL | changes))
    stage.fit(two_classes(40), folder, seed=0)
    return stage.fitted(folder)


def chunked(texts: list[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([texts], pa.string())


def test_fasttext_score_ranks_texts_it_has_not_seen(tmp_path: Path) -> None:
    stage = trained(tmp_path)
    good = stage.score(chunked([prose(1000 + i) for i in range(50)]))
    bad = stage.score(chunked([advert(1000 + i) for i in range(50)]))
    assert good.min() > 0.9
    assert bad.max() < 0.1


def test_fasttext_score_is_the_probability_that_fasttext_gives(tmp_path: Path) -> None:
    stage = trained(tmp_path, epoch=5)
    texts = [f"{prose(i, 2)} {advert(i, 1 + i % 5)}" for i in range(60)]
    labels, chances = fasttext.load_model(str(stage.model)).predict(texts, k=2)
    expected = [
        float(row[names.index("__label__hq")]) for names, row in zip(labels, chances, strict=True)
    ]
    found = stage.score(chunked(texts))
    assert found == pytest.approx(expected, abs=3e-5)
    assert len(set(found)) > 50


def test_fasttext_score_tells_texts_apart_that_fasttext_rounds_to_one(tmp_path: Path) -> None:
    """What `keep_frac` ranks must not tie: near 1, a float32 has no digits left."""
    stage = trained(tmp_path, lr=5.0, epoch=50)
    words = sorted({word for word in prose(1).lower().split() if word.isalpha() and len(word) > 4})
    texts = [f"{word} {other}" for word in words for other in words[:5]]
    _, chances = fasttext.load_model(str(stage.model)).predict(texts, k=1)
    assert len({float(row[0]) for row in chances}) < 0.4 * len(texts)
    scores = stage.score(chunked(texts))
    assert len(set(scores)) > 0.7 * len(texts)
    assert scores.max() <= 1


def test_fasttext_score_does_not_depend_on_memory_that_was_used_before(tmp_path: Path) -> None:
    """With one thread, fastText leaves most of its matrix as `malloc` hands it out."""
    models = []
    for i in range(6):
        junk = [np.full(size, np.nan) for size in range(100, 60_000, 331 + i)]
        del junk
        trained(tmp_path / str(i), dim=16)
        models.append((tmp_path / str(i) / "model.bin").read_bytes())
    assert len(set(models)) == 1


def test_fasttext_score_seed_and_parameters_change_the_model(tmp_path: Path) -> None:
    models = set()
    for i, (seed, changes) in enumerate([(0, {}), (1, {}), (0, {"word_ngrams": 2, "bucket": 64})]):
        folder = tmp_path / str(i)
        folder.mkdir()
        FastTextScore(**(PARTS | SMALL | changes)).fit(two_classes(40), folder, seed)
        models.add((folder / "model.bin").read_bytes())
    assert len(models) == 3


def test_fasttext_score_model_of_words_alone_has_no_buckets(tmp_path: Path) -> None:
    words = len({word for i in range(40) for word in f"{prose(i)} {advert(i)}".split()})
    stage = trained(tmp_path)
    assert stage.model is not None
    assert stage.model.stat().st_size < 40 * words + 4 * SMALL["dim"] * (words + 10)


@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
def test_fasttext_score_takes_any_loss(tmp_path: Path, loss: str) -> None:
    stage = trained(tmp_path, loss=loss)
    good, bad = stage.score(chunked([prose(500), advert(500)]))
    assert 1 >= good > 0.8 > 0.2 > bad >= 0


def test_fasttext_score_learns_no_label_from_a_text(tmp_path: Path) -> None:
    samples = two_classes(30)
    texts = samples["positives"]["text"].to_pylist()
    texts[0] = f"__label__other\n{texts[0]} __label__cc"
    samples["positives"] = sample(texts)
    FastTextScore(**PARTS, **SMALL).fit(samples, tmp_path, seed=0)
    assert sorted(read_labels(tmp_path / "model.bin")) == [NEGATIVE, "__label__hq"]


def test_fasttext_score_takes_any_text() -> None:
    stage = FastTextScore(model=fasttext_model())
    odd = ["", None, " \n\t", "a\nb", "__label__hq", "\u2028", "x" * 100_000, "農民" * 1000, "\x01"]
    scores = stage.score(chunked(odd))
    assert len(scores) == len(odd)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert stage.score(chunked([])).shape == (0,)


def test_fasttext_score_lowercase_makes_case_not_matter(tmp_path: Path) -> None:
    stage = trained(tmp_path, lowercase=True)
    text = prose(77)
    low, high = stage.score(chunked([text, text.upper()]))
    assert low == high


def test_fasttext_score_counts_words_and_symbols() -> None:
    table = pa.table({"text": ["Hello, world!!", ""]})
    found = FastTextScore(model=fasttext_model()).measure(table)
    assert found["num_tokens"].to_pylist() == [4, 0]


def test_fasttext_score_metrics_name_the_words_that_tell(tmp_path: Path) -> None:
    metrics = FastTextScore(**PARTS, **SMALL).fit(two_classes(100), tmp_path, seed=0)
    assert metrics["documents"]["positives"] == {
        "sampled": 100, "distinct": 100, "train": 90, "held_out": 10, "near_duplicates": 0
    }  # fmt: skip
    assert metrics["auc"]["value"] > 0.99
    positives, negatives = (
        {row["ngram"] for row in metrics["telling"][role]} for role in ("positives", "negatives")
    )
    assert {"garden", "winter"} & positives
    assert {"discount", "voucher"} & negatives
    assert all(row["margin"] > 0 for row in metrics["telling"]["positives"])
    assert all(row["margin"] < 0 for row in metrics["telling"]["negatives"])
    json.dumps(metrics, allow_nan=False)


def test_fasttext_score_that_diverges_says_what_to_do(tmp_path: Path) -> None:
    stage = FastTextScore(**(PARTS | {"lr": 1e30, "dim": 4, "epoch": 50}))
    with pytest.raises(UserError, match=r"NaN.*\n.*Lower 'lr'"):
        stage.fit(two_classes(40), tmp_path, seed=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**PARTS, "label": "hq"}, "must begin with __label__"),
        ({**PARTS, "label": NEGATIVE}, "stands for the negatives"),
        ({**PARTS, "lr": 0.0}, "'lr' of fasttext_score must be > 0"),
        ({**PARTS, "minn": 3, "maxn": 2}, "0 <= minn <= maxn"),
        ({**PARTS, "keep_frac": 0.0}, "above 0 and at most 1"),
        ({**PARTS, "keep_by": "source"}, "needs a 'keep_frac'"),
        ({**PARTS, "min_score": 1.5}, r"must be in \[0, 1\]"),
        ({**PARTS, "max_documents": 0}, "must be at least 1"),
        ({"positives": ("a",), "negatives": ("b", "a")}, "among the positives and the negatives"),
        ({"positives": ({"form": "a"},), "negatives": ("b",)}, "a part is a name"),
    ],
)
def test_fasttext_score_refuses_impossible_parameters(given: dict[str, Any], said: str) -> None:
    shown = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
    with pytest.raises(UserError, match=said):
        build(FastTextScore, shown, where="r.yaml")


# --- files that are given


def whole() -> bytes:
    return fasttext_model().read_bytes()


def test_fasttext_file_labels_of_a_whole_model() -> None:
    assert sorted(read_labels(fasttext_model())) == [NEGATIVE, "__label__hq"]
    FastTextScore(model=fasttext_model()).check()


def test_fasttext_file_of_a_quantised_model_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.ftz"
    model = fasttext.load_model(str(trained(tmp_path / "fit", word_ngrams=2, bucket=512).model))
    model.quantize(retrain=False, qnorm=True)
    model.save_model(str(path))
    assert sorted(read_labels(path)) == [NEGATIVE, "__label__hq"]
    good, bad = FastTextScore(model=path).score(chunked([prose(500), advert(500)]))
    assert good > 0.5 > bad


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "too short"),
        (b"\x00" * 7, "too short"),
        (b"this is no model at all, but a text", "not a fastText model"),
        (b"PK\x03\x04" + b"\x00" * 100, "not a fastText model"),
        (np.int32(793712314).tobytes() + b"\x63\x00\x00\x00" + b"\x00" * 200, "not a fastText"),
    ],
)
def test_fasttext_file_of_another_kind_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        FastTextScore(model=path).check()
    with pytest.raises(UserError, match=said):
        FastTextScore(model=path).score(chunked(["a"]))


@pytest.mark.parametrize("part", [0.02, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_fasttext_file_cut_short_is_refused(tmp_path: Path, part: float) -> None:
    """The library crashes on the shortest, and loads the others to answer nothing."""
    path = tmp_path / "model.bin"
    path.write_bytes(whole()[: int(len(whole()) * part)])
    with pytest.raises(UserError, match="damaged or cut short"):
        FastTextScore(model=path).check()


def test_fasttext_file_with_bytes_left_over_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(whole() + b"\x00")
    with pytest.raises(UserError, match="damaged or cut short"):
        read_labels(path)


@pytest.mark.parametrize("at", [56, 60, 64, 76, 84, 92])
def test_fasttext_file_with_damaged_counts_is_refused(tmp_path: Path, at: int) -> None:
    content = bytearray(whole())
    content[at : at + 4] = b"\xff\xff\xff\x7f"
    path = tmp_path / "model.bin"
    path.write_bytes(bytes(content))
    try:
        labels = read_labels(path)
    except UserError:
        return
    assert sorted(labels) == [NEGATIVE, "__label__hq"]  # a count that nothing hangs on


def test_fasttext_file_of_word_vectors_is_refused(tmp_path: Path) -> None:
    content = bytearray(whole())
    assert content[36:40] == b"\x03\x00\x00\x00"  # supervised, among the arguments
    content[36] = 1
    path = tmp_path / "vectors.bin"
    path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="of word vectors, not a classifier"):
        read_labels(path)


def test_fasttext_file_without_the_label_names_those_it_has() -> None:
    stage = FastTextScore(model=fasttext_model(), label="__label__hp")
    with pytest.raises(UserError, match=r"Did you mean '__label__hq'\?\n.*__label__cc"):
        stage.check()


def test_fasttext_file_that_is_replaced_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(whole())
    before = FastTextScore(model=path).score(chunked([prose(9)]))
    other = trained(tmp_path / "other", label="__label__x")
    assert other.model is not None
    path.unlink()
    path.write_bytes(other.model.read_bytes())
    after = FastTextScore(model=path, label="__label__x").score(chunked([prose(9)]))
    assert before != after
