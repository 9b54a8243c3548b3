"""Exact duplicates: documents whose text is the same, byte for byte or normalised."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.document import conform
from curation.keyed import KeyedStage
from curation.stage import DECISION_SCHEMA, stages

_SPACES = r"[\s\v\x1c-\x1f\x{85}\pZ]+"  # white space as in `curation.text`; RE2's \s is ASCII


@stages.register("exact_dedup")
@dataclass(frozen=True, kw_only=True)
class ExactDedup(KeyedStage):
    """Keeps the first of documents with equal text, in the order of the recipe's sources.

    `normalise: whitespace` takes runs of white space for one space and ignores them at the ends;
    `none` compares bytes. Texts are equal if 128 bits of BLAKE2b are.
    """

    normalise: Literal["whitespace", "none"] = "whitespace"

    def evidence(self, table: pa.Table) -> pa.Table:
        """One row per document; `key` and `rest` are the halves of its hash."""
        texts = table["text"]
        if self.normalise == "whitespace":
            texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, _SPACES, " "))
        data, offsets = text.buffers(texts)
        view = memoryview(data.data)
        digests = b"".join(
            hashlib.blake2b(view[a:b], digest_size=16).digest()
            for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        )
        halves = np.frombuffer(digests, np.uint64).reshape(-1, 2)
        return pa.table({"row": np.arange(len(table)), "key": halves[:, 0], "rest": halves[:, 1]})

    def resolve(self, evidence: pa.Table) -> pa.Table:
        """Every row but the first of each hash goes."""
        import polars as pl

        same = ["key", "rest"]
        frame = pl.from_arrow(evidence)
        assert isinstance(frame, pl.DataFrame)
        frame = frame.with_columns(
            first=pl.col("id").first().over(same), rank=pl.int_range(pl.len()).over(same)
        )
        gone = frame.filter(pl.col("rank") > 0).select(
            "slice",
            "row",
            drop_reason=pl.lit("duplicate"),
            survivor_id="first",
            similarity=pl.lit(1.0),
        )
        return conform(gone.to_arrow(), DECISION_SCHEMA)
