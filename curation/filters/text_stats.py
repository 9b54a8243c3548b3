"""Length and character statistics, with limits where they are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from curation.stage import Rule, stages
from curation.text_rules import TextRules

_COLUMNS = {
    "min_chars": "num_chars",
    "max_chars": "num_chars",
    "max_token_len": "max_token_len",
    "max_digit_frac": "digit_frac",
    "max_upper_frac": "upper_frac",
    "max_symbol_frac": "symbol_frac",
    "max_space_frac": "space_frac",
    "max_non_alpha_frac": "non_alpha_frac",
}


@stages.register("text_stats")
@dataclass(frozen=True, kw_only=True)
class TextStats(TextRules):
    """Measures length and kinds of characters; drops nothing unless a limit is set.

    Shares are of code points, in [0, 1]. The limits have no published values, hence no defaults;
    datamap-rs (https://github.com/allenai/datamap-rs) keeps 150 characters and more.
    """

    min_chars: int | None = None
    max_chars: int | None = None
    max_token_len: int | None = None
    max_digit_frac: float | None = None
    max_upper_frac: float | None = None
    max_symbol_frac: float | None = None
    max_space_frac: float | None = None
    max_non_alpha_frac: float | None = None

    family: ClassVar[str] = "characters"
    decides: ClassVar[tuple[str, ...]] = tuple(_COLUMNS)

    def __post_init__(self) -> None:
        low, high = self.min_chars, self.max_chars
        if low is not None and high is not None and low > high:
            raise ValueError(
                f"'min_chars' of text_stats is {low}, above 'max_chars', {high}: "
                "that would drop everything"
            )

    def rules(self) -> tuple[Rule, ...]:
        """Limits that are None are off."""
        return self.limits(**_COLUMNS)
