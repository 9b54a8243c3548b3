"""Global stages that keep one of the documents that are equal in some respect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.survivors import Keep, Policy
from curation.document import conform
from curation.keyed import KeyedStage
from curation.stage import DECISION_SCHEMA
from curation.text import Hashes

_SAME = ("key", "rest")


class Compared(NamedTuple):
    """What must be equal, of some of the rows of a table."""

    rows: pa.Array  # int64
    hashes: Hashes  # (rows, 2) the halves of a 128-bit hash
    shown: pa.Array  # string: the drop value


@dataclass(frozen=True, kw_only=True)
class DuplicateStage(KeyedStage):
    """Keeps one of the documents for which `compared` is equal, and names it in those that go.

    Attributes:
        keep: which one: see `curation.dedup.survivors.Policy`.
        column: the number for `keep: highest` and `lowest`.
        source_priority: best first; other sources come after them.
    """

    keep: Keep = "first"
    column: str | None = None
    source_priority: tuple[str, ...] = ()

    reason: ClassVar[str]
    similarity: ClassVar[float | None]

    def __post_init__(self) -> None:
        self.policy  # noqa: B018  # checks itself

    @property
    def policy(self) -> Policy:
        """Which one stays."""
        return Policy(self.keep, self.column, self.source_priority)

    def check_columns(self, known: Mapping[str, pa.DataType]) -> None:
        """What decides which one stays must be there, and comparable."""
        super().check_columns(known)
        self.policy.check_columns(known)

    def compared(self, table: pa.Table) -> Compared:
        """What must be equal; rows that are not named stay."""
        raise NotImplementedError

    def evidence(self, table: pa.Table) -> pa.Table:
        """One row per document; `key` and `rest` are the halves of its hash."""
        rows, hashes, shown = self.compared(table)
        order = pa.array(self.policy.order(table), pa.uint64()).take(rows)
        columns = {"row": rows, "key": hashes[:, 0], "rest": hashes[:, 1]}
        return pa.table({**columns, "order": order, "shown": shown})

    def resolve(self, evidence: pa.Table) -> pa.Table:
        """Every row but the best of each hash goes."""
        by = [*_SAME, "order", *self.policy.ties]
        ranked = evidence.sort_by([(name, "ascending") for name in by]).combine_chunks()
        key, rest = (ranked[name].to_numpy() for name in _SAME)
        again = (key[1:] == key[:-1]) & (rest[1:] == rest[:-1])
        first = np.concatenate([[True], ~again])[: len(ranked)]
        best = np.flatnonzero(first)[np.cumsum(first) - 1]
        gone = np.flatnonzero(~first)
        columns = {
            "slice": ranked["slice"].take(gone),
            "row": ranked["row"].take(gone),
            "drop_reason": pa.repeat(pa.scalar(self.reason), len(gone)),
            "drop_value": ranked["shown"].take(gone),
            "survivor_id": ranked["id"].take(best[gone]),
            "similarity": pa.repeat(pa.scalar(self.similarity, pa.float64()), len(gone)),
        }
        return conform(pa.table(columns), DECISION_SCHEMA)


def every_row(table: pa.Table, hashes: Hashes) -> Compared:
    """All rows, with nothing to be shown."""
    rows = pa.array(np.arange(len(table)), pa.int64())
    return Compared(rows, hashes, pa.nulls(len(table), pa.string()))


def rows_with(values: pa.Array, hashes: Hashes) -> Compared:
    """The rows whose value is not empty; the value is shown."""
    rows = np.flatnonzero(pc.greater(pc.binary_length(values), 0).to_numpy(zero_copy_only=False))
    return Compared(pa.array(rows, pa.int64()), hashes[rows], values.take(rows))
