"""What classifiers of documents share: samples, thresholds, metrics, `keep_frac`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa

from curation import text
from curation.filters.keep_top import KeepTop
from curation.parts import Part
from curation.scorers.evaluation import evaluate
from curation.scorers.splitting import Sample, split_samples
from curation.scorers.telling import telling_ngrams
from curation.stage import Annotations, Rule, Stage, Trained
from curation.text import Rows

ROLES = ("positives", "negatives")


@dataclass(frozen=True, kw_only=True)
class Classifier(Trained):
    """A probability that a document is like the positives, learned or by a model that is given.

    `keep_frac` is short for a `keep_top` on the score right after the stage.
    """

    positives: tuple[str | dict[str, Any], ...] = ()  # see `curation.parts`
    negatives: tuple[str | dict[str, Any], ...] = ()
    min_score: float | None = None
    max_score: float | None = None
    keep_frac: float | None = None  # of all tokens, in (0, 1]; null keeps all
    keep_by: Literal["all", "source"] = "all"

    decides: ClassVar[tuple[str, ...]] = ("min_score", "max_score")

    def __post_init__(self) -> None:
        self._check_thresholds()
        given = [role for role in ROLES if getattr(self, role)]
        if (self.model is not None) == bool(given) or len(given) == 1:
            raise ValueError(
                f"{self.name} needs either 'model', or 'positives' and 'negatives' to learn from. "
                f"Got {', '.join(given) or ('both' if self.model else 'none')} instead."
            )
        positives, negatives = ([p.describe() for p in self._parts(role)] for role in ROLES)
        both = [part for part in positives if part in negatives]
        if both:
            raise ValueError(
                f"{json.dumps(both[0], ensure_ascii=False)} of {self.name} is among the positives "
                "and the negatives: nothing tells them apart"
            )
        if self.max_documents < 1 or (self.max_chars is not None and self.max_chars < 1):
            raise ValueError(f"'max_documents' and 'max_chars' of {self.name} must be at least 1")

    def _check_thresholds(self) -> None:
        for name in ("min_score", "max_score"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"'{name}' of {self.name} must be in [0, 1]. Got {value} instead.")
        if self.keep_frac is not None and not 0 < self.keep_frac <= 1:
            raise ValueError(
                f"'keep_frac' of {self.name} must be above 0 and at most 1. "
                f"Got {self.keep_frac} instead."
            )
        if self.keep_frac is None and self.keep_by != "all":
            raise ValueError(f"'keep_by' of {self.name} needs a 'keep_frac'")

    def expand(self, label: str) -> tuple[tuple[str, Stage], ...]:
        """The scorer and, for `keep_frac`, `<label>.keep_frac`."""
        if self.keep_frac is None:
            return ((label, self),)
        top = KeepTop(
            column=f"{label}.score",
            tokens=f"{label}.num_tokens",
            keep_frac=self.keep_frac,
            keep_by=self.keep_by,
        )
        alone = dataclasses.replace(self, keep_frac=None, keep_by="all")
        return ((label, alone), (f"{label}.keep_frac", top))

    def _parts(self, role: str) -> tuple[Part, ...]:
        return tuple(Part.parse(given) for given in getattr(self, role))

    def samples(self) -> dict[str, tuple[Part, ...]]:
        """The two classes."""
        return {role: self._parts(role) for role in ROLES if getattr(self, role)}

    def columns(self) -> Annotations:
        """The probability of the positive class, and words + symbols (`curation.text`)."""
        return {"score": pa.float64(), "num_tokens": pa.int64()}

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """Scores every document; the whole text counts."""
        scores = pa.array(self.score(table["text"]), pa.float64())
        return {"score": scores, "num_tokens": text.count_tokens(table["text"])}

    def rules(self) -> tuple[Rule, ...]:
        """The lower bound, then the upper."""
        return (
            Rule("min_score", "score", "min", self.min_score),
            Rule("max_score", "score", "max", self.max_score),
        )

    def fit(self, samples: Mapping[str, pa.Table], folder: Path, seed: int) -> dict[str, Any]:
        """Trains on 90 % of the distinct documents and measures on the others."""
        split = split_samples(samples)
        self.train(split.train, folder / self.model_file, seed)
        ready = self.fitted(folder)
        scores = ready.score(split.held_out.texts)
        return {
            "documents": split.counts,
            **evaluate(scores, split.held_out.positive, seed),
            "telling": telling_ngrams(split.train, self.pieces, self.longest, ready.score),
        }

    @property
    def longest(self) -> int:
        """Words of the longest n-grams that it knows."""
        return 1

    def pieces(self, document: str) -> list[str]:
        """The text cut as the classifier cuts it."""
        raise NotImplementedError

    def train(self, sample: Sample, path: Path, seed: int) -> None:
        """Writes the model that is learned from `sample`.

        Raises:
            UserError: training fails.
        """
        raise NotImplementedError

    def score(self, texts: pa.ChunkedArray) -> Rows:
        """The probability that each text is a positive, in [0, 1], by `model`."""
        raise NotImplementedError
