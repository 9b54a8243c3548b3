"""C4's rules (Raffel et al. 2020, arXiv 1910.10683, 2.2), which cut lines and drop documents.

Five sentences and three words per line are the numbers of the paper's first version and of
datatrove; TensorFlow Datasets and the last version have three and five. The list of bad words is
the stage `toxicity`. What exactly is counted: `curation.statistics.c4`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from curation.stage import Modifier, Rule, stages
from curation.statistics.c4 import c4_settings
from curation.statistics.edit import keep_c4_lines
from curation.text_rules import TextRules


@stages.register("c4_quality")
@dataclass(frozen=True, kw_only=True)
class C4Quality(TextRules, Modifier):
    """Drops pages with few sentences, placeholders or code, and cuts menus from the others.

    A line stays if it ends in one of `end_marks` and not in `...` (None: in anything), has
    `min_words_per_line` pieces and none longer than `max_word_chars`, and mentions neither
    javascript nor cookies, privacy and terms. Citation marks such as `[1]` are cut out of it, and
    white space at its ends. The counts are over the lines that stay. Source: arXiv 1910.10683.
    """

    min_sentences: int | None = 5
    max_lorem_ipsum_lines: int | None = 0
    max_curly_bracket_lines: int | None = 0
    end_marks: str | None = ".?!\"'”’。？！"
    min_words_per_line: int | None = 3
    max_word_chars: int | None = 1000
    cut_citations: bool = True
    cut_javascript: bool = True
    cut_policies: bool = True

    family: ClassVar[str] = "c4"
    decides: ClassVar[tuple[str, ...]] = (
        "min_sentences",
        "max_lorem_ipsum_lines",
        "max_curly_bracket_lines",
    )

    def settings(self) -> Any:
        """Which lines stay."""
        return c4_settings(
            self.end_marks or "",
            self.min_words_per_line,
            self.max_word_chars,
            self.cut_citations,
            self.cut_javascript,
            self.cut_policies,
        )

    def rules(self) -> tuple[Rule, ...]:
        """In the order of datatrove."""
        return self.limits(
            max_lorem_ipsum_lines="num_lorem_ipsum_lines",
            max_curly_bracket_lines="num_curly_bracket_lines",
            min_sentences="num_sentences",
        )

    def edit(self, table: pa.Table) -> pa.Table:
        """The lines that stay."""
        text = keep_c4_lines(table["text"], self.settings())
        return table.set_column(table.column_names.index("text"), "text", text)
