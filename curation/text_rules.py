"""Filters by the statistics of a text: each by one family of them, measured in one pass for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from curation.stage import Annotations, Filter, Rule, Scorer
from curation.statistics.document import FAMILIES, measure


@dataclass(frozen=True, kw_only=True)
class TextRules(Filter):
    """A filter whose columns are a family of statistics; see `curation.statistics`."""

    family: ClassVar[str]

    def settings(self) -> Any:
        """What the family's kernel is told; None for its defaults."""
        return None

    def columns(self) -> Annotations:
        """The family's."""
        return FAMILIES[self.family]

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """One pass over the bytes of every text."""
        return self.measure_together([self], table)[0]

    def shares_pass_with(self, others: Sequence[Scorer]) -> bool:
        """With filters of other families."""
        families = {other.family for other in others if isinstance(other, TextRules)}
        return len(families) == len(others) and self.family not in families

    def measure_together(
        self, scorers: Sequence[Scorer], table: pa.Table
    ) -> list[dict[str, pa.Array]]:
        """The columns of each of `scorers`, all `TextRules`, from one pass."""
        rules = [scorer for scorer in scorers if isinstance(scorer, TextRules)]
        found = measure(table["text"], {one.family: one.settings() for one in rules})
        return [found[one.family] for one in rules]

    def limits(self, **columns: str) -> tuple[Rule, ...]:
        """A rule per parameter, which names its bound: `min_words` of the column `num_words`."""
        values = self.parameters()
        return tuple(
            Rule(param, column, "min" if param.startswith("min_") else "max", values[param])
            for param, column in columns.items()
        )
