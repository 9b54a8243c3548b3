"""Ids that occur more than once, found over the whole corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from curation import text
from curation.document import conform
from curation.keyed import KeyedStage
from curation.stage import DECISION_SCHEMA


@dataclass(frozen=True, kw_only=True)
class UniqueIds(KeyedStage):
    """Not a stage of recipes: its decisions rename documents instead of dropping them."""

    name: ClassVar[str] = "unique_ids"

    @property
    def reads(self) -> tuple[str, ...]:
        """Nothing: ids come with every piece of evidence."""
        return ()

    def evidence(self, table: pa.Table) -> pa.Table:
        """One row per document, keyed by a hash of its id."""
        data, offsets = text.buffers(table["id"])
        return pa.table({"row": np.arange(len(table)), "key": text.hash_rows(data, offsets)})

    def resolve(self, evidence: pa.Table) -> pa.Table:
        """Every document but the first of each id."""
        import polars as pl

        frame = pl.from_arrow(evidence)
        assert isinstance(frame, pl.DataFrame)
        again = frame.filter(~pl.col("id").is_first_distinct()).select(
            "slice",
            "row",
            drop_reason=pl.lit("duplicate_id"),
            survivor_id="id",
            similarity=pl.lit(None, pl.Float64),
        )
        return conform(again.to_arrow(), DECISION_SCHEMA)
