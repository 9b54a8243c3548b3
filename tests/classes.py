"""Two kinds of text that a classifier can tell apart, and tiny models of them."""

from __future__ import annotations

import functools
import random
import re
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from curation.scorers.fasttext_score import FastTextScore
from tests.corpora import prose, write_jsonl

_OFFERS = re.findall(
    r"\w+",
    "discount voucher bargain checkout delivery cart order coupon price sale offer bonus gift "
    "refund warranty sign click stock brand size colour customer shipping payment basket member",
)
_LINKS = re.findall(r"\w+", "the of and to that with have be in for on as by from")


def advert(seed: int, sentences: int = 12) -> str:
    """A text like `prose` of the words of shops, different for every seed."""
    draw = random.Random(-1 - seed)
    lines = []
    for _ in range(sentences):
        words = []
        for _ in range(draw.randint(5, 9)):
            words += [draw.choice(_LINKS), draw.choice(_OFFERS)]
        lines.append(" ".join(words).capitalize() + ".")
    return " ".join(lines)


def sample(texts: list[str], source: str = "s") -> pa.Table:
    """Documents as `fit` gets them."""
    ids = [f"{source}-{i}" for i in range(len(texts))]
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "text": pa.array(texts, pa.string()),
            "url": pa.nulls(len(texts), pa.string()),
            "source": pa.array([source] * len(texts), pa.string()),
        }
    )


def two_classes(count: int) -> dict[str, pa.Table]:
    """So many documents of either kind."""
    return {
        "positives": sample([prose(i) for i in range(count)], "good"),
        "negatives": sample([advert(i) for i in range(count)], "bad"),
    }


SMALL = {"dim": 4, "lr": 1.0, "epoch": 25}  # of fastText, so that it learns from few documents
_FOLDER = tempfile.TemporaryDirectory(prefix="tilth-models-")


@functools.cache
def fasttext_model() -> Path:
    """A classifier that fastText has trained, for tests that only apply one."""
    folder = Path(_FOLDER.name) / "fasttext"
    folder.mkdir()
    stage = FastTextScore(positives=("good",), negatives=("bad",), **SMALL)
    stage.fit(two_classes(30), folder, seed=0)
    return folder / stage.model_file


@functools.cache
def linear_model() -> Path:
    """Weights that nobody has learned, for tests that only apply a model."""
    path = Path(_FOLDER.name) / "model.npz"
    weights = np.random.default_rng(0).normal(size=1024).astype(np.float32)
    np.savez(path, weights=weights, bias=np.zeros(1), word_ngrams=np.array(2))
    return path


@functools.cache
def model_cache() -> Path:
    """Where what is distilled from MiniLM is kept, for all tests of a machine."""
    folder = Path(tempfile.gettempdir()) / "tilth-test-models"
    folder.mkdir(exist_ok=True)
    return folder


@functools.cache
def word_list() -> Path:
    """A list whose words stand for bad ones."""
    path = Path(_FOLDER.name) / "words.txt"
    path.write_text("lorem\nlorem ipsum\n農民\n农民\nrain to come\n&\n", "utf-8")
    return path


@functools.cache
def evidence_file() -> Path:
    """Test items, some of which the texts of the contract tests hold."""
    path = Path(_FOLDER.name) / "evidence.jsonl"
    items = ["The farmer turned the soil early", "农民一大早就翻了地，等着下雨"]
    asked = {"suite": "quiz", "field": "question"}
    rows = [{**asked, "item": str(i), "text": text} for i, text in enumerate(items)]
    return write_jsonl(path, rows)
