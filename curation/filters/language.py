"""Language identification with py3langid's model, walked by a compiled kernel.

The model is a byte automaton whose states emit features, and naive Bayes over log(1 + count) of
each feature (py3langid 0.4; Lui and Baldwin 2012). Labels equal the library's.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.errors import UserError, closest
from curation.jit import kernel
from curation.stage import Annotations, Filter, Rule, stages
from curation.text import Bytes, Offsets

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@stages.register("language")
@dataclass(frozen=True, kw_only=True)
class Language(Filter):
    """Identifies the language and keeps documents of some of them.

    `keep` lists ISO 639 codes as py3langid gives them; null keeps all. `min_score` is the
    probability of the label, in [0, 1]; 0.65 is FineWeb's and RefinedWeb's. Fills the document's
    `language`; a text without letters the model knows is `und` with score 0.
    """

    keep: tuple[str, ...] | None = ("en",)
    min_score: float | None = 0.65

    decides: ClassVar[tuple[str, ...]] = ("keep", "min_score")

    def __post_init__(self) -> None:
        if self.keep is not None and not self.keep:
            raise ValueError("'keep' of language is empty: that drops everything; null keeps all")
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise ValueError(
                f"'min_score' of language must be in [0, 1]. Got {self.min_score} instead."
            )

    def check(self) -> None:
        """The codes must be the model's."""
        known = _model().labels
        for code in self.keep or ():
            if code not in known:
                what = f"'keep' of language has no code '{code}'.{closest(code, known)}"
                raise UserError(what, hint=f"It knows: {', '.join(known)}")

    def columns(self) -> Annotations:
        """The document's own `language` and the probability of that label."""
        return {"language": pa.string(), "score": pa.float64()}

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """Labels every document; the whole text counts."""
        labels, scores = identify(table["text"])
        return {"language": labels, "score": scores}

    def rules(self) -> tuple[Rule, ...]:
        """The label, then its probability."""
        return (
            Rule("keep", "language", "in", self.keep),
            Rule("min_score", "score", "min", self.min_score),
        )


def identify(texts: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """(label, probability) of each text."""
    model = _model()
    data, offsets = text.buffers(_normalise(texts))
    scores = _scores(
        data, offsets, model.next_state, model.row, model.feature, model.weights, model.prior
    )
    scores[:, model.first] += scores[:, model.alias]
    scores[:, model.alias] = 0
    best = scores.argmax(axis=1) if len(scores) else np.zeros(0, np.int64)
    top = scores[np.arange(len(scores)), best].astype(np.float64)
    labels = np.array(model.classes, object)[best]
    return pa.array(np.where(top > 0, labels, "und"), pa.string()), pa.array(top)


def _normalise(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """As py3langid: texts all in capitals are lower-cased, everything is NFC."""
    texts = pc.if_else(pc.utf8_is_upper(texts), pc.utf8_lower(texts), texts)
    return pc.utf8_normalize(texts, form="NFC")


@dataclass(frozen=True)
class _Model:
    next_state: Ints  # (rows << 8): state after a byte
    row: Ints  # state -> row of next_state, times 256
    feature: Ints  # state -> feature emitted on entry, -1 for none
    weights: Floats  # (features, classes)
    prior: Floats  # (classes,)
    classes: list[str]
    first: list[int]  # columns that stand for one label twice: `alias` is added to `first`
    alias: list[int]

    @property
    def labels(self) -> list[str]:
        return sorted(set(self.classes))


@functools.cache
def _model() -> _Model:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    loaded = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    classes = list(loaded.nb_classes)
    pairs = [(classes.index(c), i) for i, c in enumerate(classes) if classes.index(c) != i]
    return _Model(
        np.asarray(loaded.tk_nextmove, np.int64),
        np.asarray(loaded.tk_row, np.int64) << 8,
        np.asarray(loaded.tk_output, np.int64),
        np.ascontiguousarray(loaded.nb_ptc, np.float32),
        np.asarray(loaded.nb_pc, np.float32),
        classes,
        [first for first, _ in pairs],
        [alias for _, alias in pairs],
    )


@kernel
def _scores(
    data: Bytes,
    offsets: Offsets,
    next_state: Ints,
    row: Ints,
    feature: Ints,
    weights: Floats,
    prior: Floats,
) -> Floats:
    """(documents, classes) probabilities; all zero where the model knows nothing of the text."""
    n_docs, n_classes = len(offsets) - 1, len(prior)
    out = np.zeros((n_docs, n_classes), np.float32)
    counts = np.zeros(len(weights), np.int64)
    seen = np.empty(len(weights), np.int64)
    for doc in range(n_docs):
        state, n_seen = 0, 0
        for at in range(offsets[doc], offsets[doc + 1]):
            state = next_state[row[state] + data[at]]
            hit = feature[state]
            if hit >= 0:
                if counts[hit] == 0:
                    seen[n_seen] = hit
                    n_seen += 1
                counts[hit] += 1
        if n_seen == 0:
            continue
        _softmax(counts, seen[:n_seen], weights, prior, offsets[doc + 1] - offsets[doc], out[doc])
    return out


@kernel
def _softmax(
    counts: Ints, seen: Ints, weights: Floats, prior: Floats, n_bytes: int, out: Floats
) -> None:
    """Naive Bayes at temperature sqrt(bytes), which keeps the softmax calibrated over lengths.

    Resets the counts it reads.
    """
    out[:] = prior
    for hit in seen:
        factor = np.float32(np.log1p(counts[hit]))
        counts[hit] = 0
        for c in range(len(out)):
            out[c] += factor * weights[hit, c]
    scale = np.float32(1.0 / np.sqrt(n_bytes))
    top = out.max()
    total = np.float32(0)
    for c in range(len(out)):
        out[c] = np.exp((out[c] - top) * scale)
        total += out[c]
    out /= total
