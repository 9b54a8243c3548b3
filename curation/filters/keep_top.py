"""The best documents of the corpus by any score, as many as hold a share of its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.errors import UserError
from curation.ranking import RankingStage
from curation.sort_keys import ascending
from curation.stage import stages
from curation.text import Hashes

KeepBy: TypeAlias = Literal["all", "source", "language"]


@stages.register("keep_top")
@dataclass(frozen=True, kw_only=True)
class KeepTop(RankingStage):
    """Keeps the documents of highest score that together hold `keep_frac` of all tokens.

    Exactly: by score and, where scores tie, by id, the longest run from the best document on whose
    tokens (words and symbols, as `curation.text` counts them) are at most that share of those that
    reach the stage; at least one document. `keep_by: source` does so within each source, `language`
    within each value of that field (documents without one among themselves). DCLM (Li et al. 2024,
    arXiv 2406.11794) keeps about the top 10 %.
    """

    column: str  # a numeric column of an earlier stage, such as `quality.score`
    best: Literal["highest", "lowest"] = "highest"
    keep_by: KeepBy = "all"
    tokens: str | None = None  # the column that holds the number of tokens; null counts them

    @property
    def reads(self) -> tuple[str, ...]:
        """The score, what tells the tokens and, if it matters, the source."""
        group = () if self.keep_by == "all" else (self.keep_by,)
        return (self.column, self.tokens or "text", *group)

    def check_columns(self, known: Mapping[str, pa.DataType]) -> None:
        """The score and the number of tokens must be numbers."""
        super().check_columns(known)
        for name in (self.column, self.tokens):
            kind = known[name] if name else pa.int64()
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                raise UserError(f"'{name}' is {kind}: keep_top needs a number")

    def evidence(self, table: pa.Table) -> pa.Table:
        """See `RankingStage`; a document without a score is the worst."""
        scores = table[self.column].combine_chunks()
        counts = table[self.tokens].combine_chunks() if self.tokens else None
        everything = pa.repeat(pa.scalar("all"), len(table))
        group = everything if self.keep_by == "all" else pc.fill_null(table[self.keep_by], "")
        return pa.table(
            {
                "row": pa.array(np.arange(len(table)), pa.int64()),
                "key": pa.array(self._key(scores), pa.uint64()),
                "group": group,
                "weight": text.count_tokens(table["text"]) if counts is None else counts,
                "value": scores.cast(pa.string()),
            }
        )

    def _key(self, scores: pa.Array) -> Hashes:
        worst = -np.inf if self.best == "highest" else np.inf
        values = pc.fill_null(scores.cast(pa.float64()), worst).to_numpy(zero_copy_only=False)
        values = np.where(np.isnan(values), worst, values)
        return ascending(-values if self.best == "highest" else values)
