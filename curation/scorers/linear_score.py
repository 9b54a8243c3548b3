"""Quality by a linear classifier over hashed n-grams of words.

Logistic regression on a document's single words and pairs, as GPT-3's filter of Common Crawl was
(Brown et al. 2020, arXiv 2005.14165, appendix A). Each n-gram is one of `features` by its hash and
counts 1 / sqrt(n-grams of the document), so that a document of distinct n-grams has length 1.
"""

from __future__ import annotations

import functools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.errors import UserError
from curation.jit import kernel, leaf
from curation.scorers.classifier import Classifier
from curation.scorers.splitting import Sample
from curation.stage import stages
from curation.text import (
    MIX_A,
    WORD,
    Bytes,
    Characters,
    Offsets,
    Rows,
    Tokens,
    find_tokens,
    mix,
    token_room,
)

Weights = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]

_BATCH = 1_000  # documents per step of training
_WORD = re.compile(r"\w+")


@stages.register("linear_score")
@dataclass(frozen=True, kw_only=True)
class LinearScore(Classifier):
    """Scores documents by logistic regression over hashed words and pairs of words.

    Like `fasttext_score`, trained on given parts or loaded from the `.npz` that an earlier run has
    trained; several times faster to apply. Learned by scikit-learn's stochastic gradient descent,
    averaged over its steps.
    """

    model_file: ClassVar[str] = "model.npz"

    word_ngrams: int = 2  # 1 for single words, 2 for pairs, too
    features: int = 2**20  # a power of two
    alpha: float = 1e-6  # of the L2 penalty
    epoch: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.features < 2 or self.features & (self.features - 1) or self.features > 2**30:
            raise ValueError(
                "'features' of linear_score must be a power of two, at most 2^30. "
                f"Got {self.features} instead."
            )
        if self.word_ngrams not in (1, 2):
            raise ValueError(
                f"'word_ngrams' of linear_score must be 1 or 2. Got {self.word_ngrams} instead."
            )
        for name in ("alpha", "epoch"):
            if getattr(self, name) <= 0:
                value = getattr(self, name)
                raise ValueError(f"'{name}' of linear_score must be > 0. Got {value} instead.")

    @property
    def longest(self) -> int:
        """Words of the longest n-grams that it knows."""
        return self.word_ngrams

    def check(self) -> None:
        """The file must hold weights."""
        if self.model is not None:
            _read(self.model)

    def pieces(self, document: str) -> list[str]:
        """Its words, lower-cased."""
        return _WORD.findall(document.lower())

    def train(self, sample: Sample, path: Path, seed: int) -> None:
        """Averaged stochastic gradient descent; every epoch takes the documents in a new order."""
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import SGDClassifier

        draw = np.random.default_rng(seed)
        learner = SGDClassifier(
            loss="log_loss", alpha=self.alpha, average=True, random_state=seed % 2**32
        )
        for _ in range(self.epoch):
            order = draw.permutation(len(sample.positive))
            for start in range(0, len(order), _BATCH):
                rows = order[start : start + _BATCH]
                data, offsets = text.buffers(pc.utf8_lower(sample.texts.take(pa.array(rows))))
                places, bounds, values = _features(
                    data, offsets, text.characters(), self.features - 1, self.word_ngrams > 1
                )
                shape = (len(rows), self.features)
                learner.partial_fit(
                    csr_matrix((values, places, bounds), shape),
                    sample.positive[rows],
                    [False, True],
                )
        if not np.isfinite(learner.coef_).all():
            hint = f"Raise 'alpha' (now {self.alpha:g}), or give it more documents"
            raise UserError("the weights diverge on these samples", hint=hint)
        weights = learner.coef_[0].astype(np.float32)
        np.savez(
            path, weights=weights, bias=learner.intercept_, word_ngrams=np.array(self.word_ngrams)
        )

    def score(self, texts: pa.ChunkedArray) -> Rows:
        """The logistic function of the sum of weights."""
        assert self.model is not None
        stat = self.model.stat()
        weights, bias, word_ngrams = _load(self.model, stat.st_size, stat.st_mtime_ns)
        data, offsets = text.buffers(pc.utf8_lower(texts))
        sums = _sums(data, offsets, text.characters(), weights, word_ngrams > 1)
        return logistic(sums + bias)


def logistic(values: Rows) -> Rows:
    """1 / (1 + exp(-values)), without overflow."""
    small = np.exp(-np.abs(values))
    found: Rows = np.where(values >= 0, 1 / (1 + small), small / (1 + small))
    return found


@functools.lru_cache(maxsize=4)
def _load(path: Path, size: int, mtime_ns: int) -> tuple[Weights, float, int]:
    """A model, once per process; another file in its place is another model."""
    return _read(path)


def _read(path: Path) -> tuple[Weights, float, int]:
    """(weights, bias, words of the longest n-grams).

    Raises:
        UserError: the file is none that `train` wrote.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no whole .npz file")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            weights, bias, longest = (found[k] for k in ("weights", "bias", "word_ngrams"))
        fits = weights.dtype == np.float32 and weights.ndim == 1 and bias.size == longest.size == 1
        if not fits or len(weights) & (len(weights) - 1) or len(weights) < 2:
            raise ValueError("its arrays have another shape")
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        what = f"{path} is no model of linear_score: {error}"
        raise UserError(what, hint="It takes the model.npz that linear_score has trained") from None
    return weights, float(bias.item()), int(longest.item())


@kernel
def _features(
    data: Bytes, offsets: Offsets, chars: Characters, mask: int, pairs: bool
) -> tuple[Places, Offsets, Weights]:
    """Rows of a sparse matrix: columns, where each row begins, values."""
    bounds = np.zeros(len(offsets), np.int64)
    tokens = token_room(offsets)
    places = np.empty(len(data) * 2 + 2, np.int32)
    values = np.empty(len(places), np.float32)
    n = 0
    for doc in range(len(offsets) - 1):
        count = find_tokens(data, offsets[doc], offsets[doc + 1], chars, tokens)
        first, before, inside = n, np.uint64(0), False
        for i in range(count):
            if tokens.flags[i] & WORD:
                word = tokens.hash[i]
                places[n] = np.int64(word & np.uint64(mask))
                n += 1
                if pairs and inside:
                    places[n] = np.int64(mix(before * MIX_A + word) & np.uint64(mask))
                    n += 1
                before, inside = word, True
        values[first:n] = 1 / np.sqrt(max(n - first, 1))
        bounds[doc + 1] = n
    return places[:n], bounds, values[:n]


@kernel
def _sums(data: Bytes, offsets: Offsets, chars: Characters, weights: Weights, pairs: bool) -> Rows:
    """The weights of each document's n-grams, added and divided by the root of their number."""
    out = np.zeros(len(offsets) - 1, np.float64)
    tokens = token_room(offsets)
    for doc in range(len(out)):
        count = find_tokens(data, offsets[doc], offsets[doc + 1], chars, tokens)
        out[doc] = _sum(tokens, count, weights, pairs)
    return out


@leaf
def _sum(tokens: Tokens, count: int, weights: Weights, pairs: bool) -> float:
    mask = np.uint64(len(weights) - 1)
    total, n, before, inside = 0.0, 0, np.uint64(0), False
    for i in range(count):
        if tokens.flags[i] & WORD:
            word = tokens.hash[i]
            total += weights[word & mask]
            n += 1
            if pairs and inside:
                total += weights[mix(before * MIX_A + word) & mask]
                n += 1
            before, inside = word, True
    return float(total / np.sqrt(max(n, 1)))
