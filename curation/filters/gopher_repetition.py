"""The repetition rules of Gopher (Rae et al. 2021, arXiv 2112.11446, table A1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from curation.stage import Rule, stages
from curation.statistics.repetition import COLUMNS
from curation.text_rules import TextRules


@stages.register("gopher_repetition")
@dataclass(frozen=True, kw_only=True)
class GopherRepetition(TextRules):
    """Drops documents in which lines, paragraphs or n-grams repeat too much.

    Defaults are those of Gopher, table A1: the largest share in [0, 1] that is kept. What exactly
    is counted: `curation.statistics.repetition`. N-grams are of the tokens of `curation.text`, or,
    as in datatrove, of spaCy's (`curation.statistics.spacy_tokens`).
    """

    max_dup_line_frac: float | None = 0.30
    max_dup_para_frac: float | None = 0.30
    max_dup_line_char_frac: float | None = 0.20
    max_dup_para_char_frac: float | None = 0.20
    max_top_2_gram_char_frac: float | None = 0.20
    max_top_3_gram_char_frac: float | None = 0.18
    max_top_4_gram_char_frac: float | None = 0.16
    max_dup_5_gram_char_frac: float | None = 0.15
    max_dup_6_gram_char_frac: float | None = 0.14
    max_dup_7_gram_char_frac: float | None = 0.13
    max_dup_8_gram_char_frac: float | None = 0.12
    max_dup_9_gram_char_frac: float | None = 0.11
    max_dup_10_gram_char_frac: float | None = 0.10
    words: Literal["tokens", "spacy"] = "tokens"

    family: ClassVar[str] = "repetition"
    version: ClassVar[int] = 2
    decides: ClassVar[tuple[str, ...]] = tuple(f"max_{name}" for name in COLUMNS)

    def settings(self) -> Any:
        """Whether tokens are spaCy's."""
        return self.words == "spacy"

    def rules(self) -> tuple[Rule, ...]:
        """In the order of table A1."""
        return self.limits(**{f"max_{column}": column for column in COLUMNS})
