"""The stage contract: measuring, deciding and editing are kept apart.

A stage is a frozen dataclass whose fields are its parameters; constructing it does no work.

* `Modifier.edit` makes new text.
* `Scorer.measure` adds annotation columns and drops nothing.
* `Filter` is a scorer with `rules`: each names a parameter, the column it reads and the threshold.
  The runner decides, so that every drop has a reason, `explain` can show all rules of a document
  and another threshold can be tried without measuring again.
* `GlobalStage` needs all slices: `evidence` is taken per slice, `resolve` decides per partition.

A local stage gets a `pa.Table` and returns one of the same rows in the same order; its result for
a document never depends on the other documents of the table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from curation.registry import Registry

Annotations = Mapping[str, pa.DataType]
Bound = Literal["min", "max", "in"]


@dataclass(frozen=True)
class Rule:
    """One decision: keep a document if `column` is >= (`min`), <= (`max`) or among (`in`).

    A threshold of None switches the rule off. Equality keeps. A null value is not judged.
    """

    param: str  # the parameter that fires; becomes `drop_reason`
    column: str
    bound: Bound
    threshold: Any
    when: str | None = None  # a boolean column: judge only documents where it is true

    def fails(self, table: pa.Table) -> pa.BooleanArray:
        """True where the document must go."""
        values = table[self.column].combine_chunks()
        if self.threshold is None:
            return pa.array([False] * len(table), pa.bool_())
        if self.bound == "in":
            bad = pc.invert(pc.is_in(values, value_set=pa.array(self.threshold, values.type)))
            bad = pc.and_(bad, pc.is_valid(values))
        else:
            test = pc.less if self.bound == "min" else pc.greater
            bad = test(values, pa.scalar(self.threshold, values.type))
        if self.when is not None:
            bad = pc.and_(bad, table[self.when].combine_chunks())
        return pc.fill_null(bad, False)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Base of all stages. `name` is set by registration; a change of behaviour bumps `version`."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    requires: ClassVar[tuple[str, ...]] = ()  # modules of optional packages, named by `check`

    def check(self) -> None:
        """Checks what construction does not: names in a model, blocks of another package.

        Raises:
            UserError: a parameter cannot work.
        """

    def parameters(self) -> dict[str, Any]:
        """The parameters as a dict, in field order."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


@dataclass(frozen=True, kw_only=True)
class Modifier(Stage):
    """Edits text. The runner counts the characters it removes and drops texts left empty."""

    @property
    def extracts(self) -> bool:
        """Whether it makes text from `raw`; such a stage must stand first."""
        return False

    def edit(self, table: pa.Table) -> pa.Table:
        """The table with a new `text` column; same rows, same order."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Scorer(Stage):
    """Adds annotation columns."""

    def columns(self) -> Annotations:
        """Name and type of each column that `measure` returns."""
        raise NotImplementedError

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """The columns of `columns`, one value per row, never null for a measured document."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Filter(Scorer):
    """A scorer that also drops. `rules` are tried in order; the first that fails is the reason."""

    decides: ClassVar[tuple[str, ...]] = ()  # parameters that only `rules` reads

    def rules(self) -> tuple[Rule, ...]:
        """The decisions, in order."""
        raise NotImplementedError

    def measured_by(self) -> dict[str, Any]:
        """The parameters that change what is measured, not what is decided."""
        return {k: v for k, v in self.parameters().items() if k not in self.decides}


DECISION_SCHEMA = pa.schema(
    [
        ("slice", pa.int64()),
        ("row", pa.int64()),
        ("drop_reason", pa.string()),
        ("survivor_id", pa.string()),
        ("similarity", pa.float64()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class GlobalStage(Stage):
    """Drops documents by what the whole corpus holds.

    `evidence` of each slice is spilled to disk and partitioned by its `key`; `resolve` sees all
    rows of one partition at once, in corpus order, and says which documents go. The result must
    not depend on how keys are partitioned.
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)  # the document columns that `evidence` needs

    def evidence(self, table: pa.Table) -> pa.Table:
        """One or more rows per document, with whatever `resolve` needs.

        Besides, `row` (int64): the document's row in the table; and `key` (uint64): equal for
        documents that must meet.
        """
        raise NotImplementedError

    def resolve(self, evidence: pa.Table) -> pa.Table:
        """The documents that go, from evidence rows that also have `slice` (int64) and `id`.

        Returns a table of `DECISION_SCHEMA`, at most one row per document.
        """
        raise NotImplementedError


stages: Registry[Stage] = Registry(
    "stage",
    "curation.filters",
    "curation.scorers",
    "curation.modifiers",
    "curation.dedup",
)
