"""Which document of a group of duplicates stays: one policy for all stages that drop duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.errors import UserError
from curation.sort_keys import ascending, instants
from curation.text import Hashes, Rows

Keep = Literal["first", "longest", "newest", "oldest", "highest", "lowest"]

_VALUE_BITS = np.uint64(56)  # of an order; the highest eight bits tell the source
_WORST = np.uint64((1 << 56) - 1)
_MAX_SOURCES = 255
_YEAR_ZERO = np.datetime64("0000-01-01T00:00:00.000", "ms")


@dataclass(frozen=True)
class Policy:
    """The survivor: of the best source, there the best by `keep`.

    * `first`: the first in corpus order: that of the recipe's sources, within them of the input.
    * `longest`: of the most characters.
    * `newest`, `oldest`: by `date`, ISO 8601, compared as instants in UTC. A date that names a
      year, month or day only counts as the worst instant that it may mean: `2021` is newer than
      nothing in 2021, and older than nothing.
    * `highest`, `lowest`: by the number in `column`; numbers that agree in 13 digits tie.

    A document without a date or number comes after all others of its source. Documents of a source
    that `source_priority` does not name come after those of all sources that it does.

    `order` puts source and value into one uint64, smaller is better. Where it ties, the document
    that stays is the first in corpus order (`slice`, then `row`) under `first`, otherwise the one
    of the smallest id, so that it does not depend on the order of sources: `ties`.
    """

    keep: Keep = "first"
    column: str | None = None
    source_priority: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        scored = self.keep in ("highest", "lowest")
        if scored and self.column is None:
            raise ValueError(f"'keep: {self.keep}' needs 'column': the number to compare")
        if not scored and self.column is not None:
            raise ValueError(f"'column' is for 'keep: highest' or 'lowest', not '{self.keep}'")
        if len(set(self.source_priority)) < len(self.source_priority):
            raise ValueError("'source_priority' names a source twice")
        if len(self.source_priority) > _MAX_SOURCES:
            raise ValueError(f"'source_priority' takes at most {_MAX_SOURCES} sources")

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that `order` needs."""
        columns = {"longest": "text", "newest": "date", "oldest": "date"}
        value = self.column or columns.get(self.keep)
        return tuple(c for c in (value, "source" if self.source_priority else None) if c)

    @property
    def ties(self) -> tuple[str, ...]:
        """The columns that, ascending, decide between documents of equal order."""
        return ("slice", "row") if self.keep == "first" else ("id", "slice", "row")

    def check_columns(self, known: Mapping[str, pa.DataType]) -> None:
        """The column to compare must hold numbers.

        Raises:
            UserError: it holds something else.
        """
        kind = known.get(self.column or "")
        if kind is not None and not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise UserError(
                f"'{self.column}' is {kind}: 'keep: {self.keep}' needs a number",
                hint="Name a column that an earlier stage has measured",
            )

    def order(self, table: pa.Table) -> Hashes:
        """(n,) the smaller the better; `table` has the columns of `reads`."""
        return (self._source_rank(table) << _VALUE_BITS) | self._value(table)

    def _source_rank(self, table: pa.Table) -> Hashes:
        if not self.source_priority:
            return np.zeros(len(table), np.uint64)
        listed = pa.array(self.source_priority, pa.string())
        place = pc.index_in(table["source"].cast(pa.string()), value_set=listed)
        filled: Hashes = pc.fill_null(place, len(listed)).to_numpy().astype(np.uint64)
        return filled

    def _value(self, table: pa.Table) -> Hashes:
        if self.keep == "first":
            return np.zeros(len(table), np.uint64)
        if self.keep == "longest":
            lengths = pc.fill_null(pc.utf8_length(table["text"]), 0).to_numpy()
            shorter: Hashes = _WORST - lengths.astype(np.uint64)
            return shorter
        if self.column is not None:
            return _numbers(table[self.column], best_first=self.keep == "highest")
        return _dates(table["date"], newest=self.keep == "newest")


def _numbers(column: pa.ChunkedArray, *, best_first: bool) -> Hashes:
    values: Rows = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    order = ascending(-values if best_first else values) >> (np.uint64(64) - _VALUE_BITS)
    return np.where(np.isnan(values), _WORST, order)  # null is NaN here


def _dates(column: pa.ChunkedArray, *, newest: bool) -> Hashes:
    moments = instants(column, last=not newest)
    since = (moments - _YEAR_ZERO).astype(np.int64) + 86_400_000  # a zone may lead out of the year
    order = (_WORST - np.uint64(1) - since.astype(np.uint64)) if newest else since.astype(np.uint64)
    return np.where(np.isnat(moments), _WORST, order)
