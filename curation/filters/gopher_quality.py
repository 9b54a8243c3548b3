"""The quality rules of Gopher (Rae et al. 2021, arXiv 2112.11446, appendix A.1.1).

The paper does not say what a word is. Lengths and counts are over the words of `curation.text`;
the symbol and letter rules are over what `words` says: *pieces*, what stands between white space,
as in Dolma and DCLM; or *tokens*, where punctuation marks count as well, which drops most prose
with code or tables in it. `spacy` is what datatrove counts, and so FineWeb: every rule is over
spaCy's tokens (`curation.statistics.spacy_tokens`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from curation.stage import Rule, stages
from curation.statistics.quality import quality_settings
from curation.text_rules import TextRules

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")  # A.1.1
BULLETS = ("•", "-", "*", "‣", "▪", "●", "◦", "–")


@stages.register("gopher_quality")
@dataclass(frozen=True, kw_only=True)
class GopherQuality(TextRules):
    """Drops documents that are too short, too long, or do not look like prose.

    Defaults are those of Gopher, appendix A.1.1; `min_*` and `max_*` keep at equality.
    `stop_words` are compared as they are written; at most 63.
    """

    min_words: int | None = 50
    max_words: int | None = 100_000
    min_avg_word_len: float | None = 3.0
    max_avg_word_len: float | None = 10.0
    max_symbol_word_ratio: float | None = 0.1  # for '#' and for ellipses, each
    max_bullet_line_frac: float | None = 0.9
    max_ellipsis_line_frac: float | None = 0.3
    min_alpha_word_frac: float | None = 0.8
    min_stop_words: int | None = 2
    stop_words: tuple[str, ...] = STOP_WORDS
    bullets: tuple[str, ...] = BULLETS
    words: Literal["pieces", "tokens", "spacy"] = "pieces"

    family: ClassVar[str] = "quality"
    version: ClassVar[int] = 2
    decides: ClassVar[tuple[str, ...]] = (
        "min_words",
        "max_words",
        "min_avg_word_len",
        "max_avg_word_len",
        "max_symbol_word_ratio",
        "max_bullet_line_frac",
        "max_ellipsis_line_frac",
        "min_alpha_word_frac",
        "min_stop_words",
    )

    def __post_init__(self) -> None:
        for name in ("words", "avg_word_len"):
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if low is not None and high is not None and low > high:
                raise ValueError(
                    f"'min_{name}' of gopher_quality is {low}, above 'max_{name}', {high}: "
                    "that would drop everything"
                )
        if len(self.stop_words) > 63:
            raise ValueError(
                f"'stop_words' of gopher_quality takes at most 63, got {len(self.stop_words)}"
            )
        if self.min_stop_words is not None and self.min_stop_words > len(set(self.stop_words)):
            raise ValueError(
                f"'min_stop_words' of gopher_quality is {self.min_stop_words}, above the number of "
                f"'stop_words', {len(set(self.stop_words))}: that would drop everything"
            )
        for bullet in self.bullets:
            if len(bullet) != 1 or bullet.isalnum() or bullet.isspace():
                raise ValueError(
                    "'bullets' of gopher_quality are single characters, "
                    f"neither letters nor digits nor white space: {bullet!r}"
                )

    def settings(self) -> Any:
        """Stop words, bullets and units."""
        return quality_settings(self.stop_words, self.bullets, self.words)

    def rules(self) -> tuple[Rule, ...]:
        """In the order of the paper."""
        symbols = self.max_symbol_word_ratio
        return (
            *self.limits(
                min_words="num_words",
                max_words="num_words",
                min_avg_word_len="avg_word_len",
                max_avg_word_len="avg_word_len",
            ),
            Rule("max_symbol_word_ratio", "hash_word_ratio", "max", symbols),
            Rule("max_symbol_word_ratio", "ellipsis_word_ratio", "max", symbols),
            *self.limits(
                max_bullet_line_frac="bullet_line_frac",
                max_ellipsis_line_frac="ellipsis_line_frac",
                min_alpha_word_frac="alpha_word_frac",
                min_stop_words="num_stop_words",
            ),
        )
