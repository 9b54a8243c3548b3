"""FineWeb's own rules (Penedo et al. 2024, arXiv 2406.17557, 3.6, and its code, in datatrove).

The paper gives 0.1 as the largest share of characters in duplicated lines; the code that made
FineWeb has 0.01, and so has this default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from curation.stage import Rule, stages
from curation.statistics.fineweb import FinewebSettings
from curation.text_rules import TextRules


@stages.register("fineweb_quality")
@dataclass(frozen=True, kw_only=True)
class FinewebQuality(TextRules):
    """Drops lists, menus and texts whose lines do not end as sentences do.

    Defaults are those of FineWeb's code. A line of at most `short_line_chars` code points is short.
    Newlines are compared with the tokens of `curation.text`, or, as in datatrove, with spaCy's.
    """

    min_line_punct_frac: float | None = 0.12
    max_short_line_frac: float | None = 0.67
    max_dup_line_char_frac: float | None = 0.01
    max_newline_word_ratio: float | None = 0.3
    short_line_chars: int = 30
    words: Literal["tokens", "spacy"] = "tokens"

    family: ClassVar[str] = "fineweb"
    decides: ClassVar[tuple[str, ...]] = (
        "min_line_punct_frac",
        "max_short_line_frac",
        "max_dup_line_char_frac",
        "max_newline_word_ratio",
    )

    def settings(self) -> Any:
        """The length of a short line, and what a token is."""
        return FinewebSettings(self.short_line_chars, self.words == "spacy")

    def rules(self) -> tuple[Rule, ...]:
        """In the order of datatrove."""
        return self.limits(**{param: param[4:] for param in self.decides})
