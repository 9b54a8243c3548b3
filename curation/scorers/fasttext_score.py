"""Quality by a fastText classifier (Joulin et al. 2016, arXiv 1607.01759).

Trained as DCLM's (Li et al. 2024, arXiv 2406.11794: lr 0.1, dim 100, 5 epochs, single words), on
samples of the recipe's own sources and references.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.errors import UserError, closest
from curation.scorers.classifier import Classifier
from curation.scorers.fasttext_file import read_labels
from curation.scorers.splitting import Sample
from curation.stage import stages
from curation.text import Rows

PREFIX = "__label__"  # what fastText takes for a label wherever it stands
NEGATIVE = "__label__cc"  # the other label of models that are trained here, as in DCLM's
_SHIFT = 1e-5  # fastText adds it to a probability before it takes the logarithm
_M_PERTURB = -6  # of mallopt


@stages.register("fasttext_score")
@dataclass(frozen=True, kw_only=True)
class FastTextScore(Classifier):
    """Scores documents by a fastText classifier, trained on given parts or loaded from a file.

    `positives` and `negatives` name sources, references or parts of them; `model` loads a `.bin`
    instead, such as DCLM's. `score` is the probability of `label`. Defaults are those of DCLM's
    training script (Li et al. 2024, arXiv 2406.11794); its `keep_frac` is 0.1.
    """

    model_file: ClassVar[str] = "model.bin"

    label: str = "__label__hq"  # of the positives
    lowercase: bool = False
    lr: float = 0.1
    dim: int = 100
    epoch: int = 5
    word_ngrams: int = 1
    min_count: int = 1
    loss: Literal["softmax", "hs", "ova"] = "softmax"
    bucket: int = 2_000_000  # vectors of hashed n-grams, 4 x dim bytes each; none for words alone
    minn: int = 0  # characters of the shortest n-grams of characters
    maxn: int = 0  # and of the longest; 0 for none

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.model and (not self.label.startswith(PREFIX) or self.label == NEGATIVE):
            raise ValueError(
                f"'label' of fasttext_score must begin with {PREFIX} and not be {NEGATIVE}, which "
                f"stands for the negatives. Got '{self.label}' instead."
            )
        for name in ("lr", "dim", "epoch", "word_ngrams", "min_count", "bucket"):
            if getattr(self, name) <= 0:
                value = getattr(self, name)
                raise ValueError(f"'{name}' of fasttext_score must be > 0. Got {value} instead.")
        if not 0 <= self.minn <= self.maxn:
            raise ValueError(
                "'minn' and 'maxn' of fasttext_score must be 0 <= minn <= maxn. "
                f"Got {self.minn} and {self.maxn} instead."
            )

    @property
    def longest(self) -> int:
        """Words of the longest n-grams that it knows."""
        return self.word_ngrams

    def check(self) -> None:
        """The file must be a classifier that knows the label."""
        if self.model is not None:
            labels = read_labels(self.model)
            if self.label not in labels:
                what = f"{self.model} has no label '{self.label}'.{closest(self.label, labels)}"
                raise UserError(what, hint=f"label: one of {', '.join(labels[:20])}")

    def pieces(self, document: str) -> list[str]:
        """What stands between white space."""
        return (document.lower() if self.lowercase else document).split()

    def train(self, sample: Sample, path: Path, seed: int) -> None:
        """One thread, so that the same sample gives the same bytes."""
        import fasttext

        lines = path.with_name("lines.txt")
        with lines.open("w", encoding="utf-8") as out:
            for batch in range(0, len(sample.positive), 10_000):
                texts = self._lines(sample.texts[batch : batch + 10_000])
                for text, positive in zip(texts, sample.positive[batch:], strict=False):
                    out.write(f"{self.label if positive else NEGATIVE} {text}\n")
        try:
            with _zeroed_memory():
                model = fasttext.train_supervised(
                    input=str(lines),
                    lr=self.lr,
                    dim=self.dim,
                    epoch=self.epoch,
                    wordNgrams=self.word_ngrams,
                    minCount=self.min_count,
                    loss=self.loss,
                    bucket=self.bucket if self.word_ngrams > 1 or self.maxn else 0,
                    minn=self.minn,
                    maxn=self.maxn,
                    thread=1,
                    seed=1 + seed % (2**31 - 2),  # 0 and 1 are one seed to its generator
                    verbose=0,
                )
        except (RuntimeError, ValueError) as error:
            hint = f"Lower 'lr' (now {self.lr:g}), or give it more documents"
            raise UserError(
                f"fastText cannot learn from these samples: {error}", hint=hint
            ) from None
        finally:
            lines.unlink()
        model.save_model(str(path))

    def score(self, texts: pa.ChunkedArray) -> Rows:
        """By fastText's own prediction for a list."""
        assert self.model is not None
        if not len(texts):
            return np.zeros(0)
        stat = self.model.stat()
        model = _load(self.model, stat.st_size, stat.st_mtime_ns)
        labels, chances = model.predict(self._lines(texts), k=-1)
        found = np.array([_chance(*row, self.label) for row in zip(labels, chances, strict=True)])
        scores: Rows = np.clip(found, 0.0, 1.0)
        return scores

    def _lines(self, texts: pa.ChunkedArray) -> list[str]:
        """Each text as one line that holds no label."""
        texts = pc.fill_null(texts, "")
        for token in ("\n", PREFIX):
            texts = pc.replace_substring(texts, token, " ")
        lines: list[str] = (pc.utf8_lower(texts) if self.lowercase else texts).to_pylist()
        return lines


def _chance(labels: list[str], chances: Any, label: str) -> float:
    """The probability of `label`.

    Of two labels the likelier is taken from the other: near 1 a float32 has no digits left, and
    documents that `keep_frac` ranks would tie.
    """
    if label not in labels:  # far below the others in a hierarchical softmax
        return 0.0
    place = labels.index(label)
    chance = float(chances[place]) - _SHIFT
    if len(labels) == 2 and place == 0:
        rest = 1.0 - (float(chances[1]) - _SHIFT)
        return rest if abs(rest - chance) < _SHIFT else chance  # not if one-versus-all
    return chance


@functools.lru_cache(maxsize=4)
def _load(path: Path, size: int, mtime_ns: int) -> Any:
    """A model, once per process; another file in its place is another model."""
    import fasttext

    read_labels(path)
    return fasttext.load_model(str(path))


@contextmanager
def _zeroed_memory() -> Iterator[None]:
    """Lets `malloc` give zeros only, where the C library is glibc.

    With one thread, fastText 0.9.3 initialises a tenth of the input matrix and learns from what
    happens to be in the rest: a second training in a process gives another model, or "Encountered
    NaN". Fresh pages of the system are zero; this makes memory that was used before zero, too.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        yield
        return
    mallopt(_M_PERTURB, 255)  # the complement is what memory is filled with
    try:
        yield
    finally:
        mallopt(_M_PERTURB, 0)
