"""What filters by one score share, whatever they learn it from: thresholds and `keep_frac`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from curation import text
from curation.filters.keep_top import KeepBy, KeepTop
from curation.stage import Annotations, Rule, Stage, Trained
from curation.text import Rows


@dataclass(frozen=True, kw_only=True)
class ScoreFilter(Trained):
    """Keeps documents by a score that is learned, or comes from a model that is given.

    `keep_frac` is short for a `keep_top` on the score right after the stage.
    """

    min_score: float | None = None
    max_score: float | None = None
    keep_frac: float | None = None  # of all tokens, in (0, 1]; null keeps all
    keep_by: KeepBy = "all"

    decides: ClassVar[tuple[str, ...]] = ("min_score", "max_score")

    def __post_init__(self) -> None:
        if self.keep_frac is not None and not 0 < self.keep_frac <= 1:
            raise ValueError(
                f"'keep_frac' of {self.name} must be above 0 and at most 1. "
                f"Got {self.keep_frac} instead."
            )
        if self.max_documents < 1 or (self.max_chars is not None and self.max_chars < 1):
            raise ValueError(f"'max_documents' and 'max_chars' of {self.name} must be at least 1")
        if self.kept_frac is None and self.keep_by != "all":
            raise ValueError(f"'keep_by' of {self.name} needs a 'keep_frac'")

    def check_probabilities(self) -> None:
        """The thresholds must lie in [0, 1].

        Raises:
            ValueError: one does not.
        """
        for name in ("min_score", "max_score"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"'{name}' of {self.name} must be in [0, 1]. Got {value} instead.")

    @property
    def kept_frac(self) -> float | None:
        """The share of tokens that `keep_top` is to keep; None for none of it."""
        return self.keep_frac

    def expand(self, label: str) -> tuple[tuple[str, Stage], ...]:
        """The scorer and, for `keep_frac`, `<label>.keep_frac`."""
        if self.kept_frac is None:
            return ((label, self),)
        top = KeepTop(
            column=f"{label}.score",
            tokens=f"{label}.num_tokens",
            keep_frac=self.kept_frac,
            keep_by=self.keep_by,
        )
        alone = dataclasses.replace(self, **self.without_keeping())
        return ((label, alone), (f"{label}.keep_frac", top))

    def without_keeping(self) -> dict[str, Any]:
        """The parameters of a stage that leaves `keep_frac` to another."""
        return {"keep_frac": None, "keep_by": "all"}

    def columns(self) -> Annotations:
        """The score, and words + symbols (`curation.text`)."""
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

    def score(self, texts: pa.ChunkedArray) -> Rows:
        """The score of each text, by `model`."""
        raise NotImplementedError
