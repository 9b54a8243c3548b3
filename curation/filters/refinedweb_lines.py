"""RefinedWeb's line corrections (Penedo et al. 2023, arXiv 2306.01116, appendix G.2).

The paper names the kinds of line; the numbers for capitals (0.5), digits and words are DCLM's
(dclm_baseline_refinedweb.yaml), as is the list of what is counted ("3 likes").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from curation.stage import Modifier, Rule, stages
from curation.statistics.edit import correct_lines
from curation.statistics.refinedweb import refinedweb_settings
from curation.text_rules import TextRules


@stages.register("refinedweb_lines")
@dataclass(frozen=True, kw_only=True)
class RefinedwebLines(TextRules, Modifier):
    """Cuts lines that are no text, and drops documents in which they hold too many of the words.

    A line goes if more than `max_upper_char_frac` of its characters are capitals, all are digits
    (`max_digit_char_frac`), it counts something ("3 likes"), or has fewer than
    `min_words_per_line` pieces. A line of at most `max_phrase_words` pieces loses "Sign-in" at its
    beginning and "Read more..." at its end, and goes if it holds "items in cart". Shares are over
    the characters of a line that are not white space. Source: arXiv 2306.01116, G.2.
    """

    max_removed_word_frac: float | None = 0.05
    max_upper_char_frac: float | None = 0.5
    max_digit_char_frac: float | None = 0.999999
    min_words_per_line: int | None = 2
    max_phrase_words: int = 10

    family: ClassVar[str] = "refinedweb"
    decides: ClassVar[tuple[str, ...]] = ("max_removed_word_frac",)

    def settings(self) -> Any:
        """Which lines go."""
        return refinedweb_settings(
            self.max_upper_char_frac,
            self.max_digit_char_frac,
            self.min_words_per_line,
            self.max_phrase_words,
        )

    def rules(self) -> tuple[Rule, ...]:
        """The share of words that would go."""
        return self.limits(max_removed_word_frac="removed_word_frac")

    def edit(self, table: pa.Table) -> pa.Table:
        """The lines that stay, and blank ones."""
        text = correct_lines(table["text"], self.settings())
        return table.set_column(table.column_names.index("text"), "text", text)
