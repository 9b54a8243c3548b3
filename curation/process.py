"""The fused pass: consecutive local stages applied to one slice, table in, tables out.

Every row of the input ends in exactly one of `kept` and `dropped`, and keeps its `_row` number, so
that a later run can start from both and decide again without measuring again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.document import DOCUMENT_SCHEMA, DROP_FIELDS, text_bytes
from curation.errors import RunError, UserError
from curation.stage import Filter, GlobalStage, Modifier, Rule, Scorer, Stage

DOCUMENT_FIELDS = frozenset(DOCUMENT_SCHEMA.names)
ROW = "_row"  # int64: the document's place in its slice, before any drop
ERROR = "_error"  # a modifier may return it: why a document could not be edited, else null
REFUSED = "_refused"  # an adapted foreign block may return it: its reason to drop, else null
_FATAL = (UserError, RunError, MemoryError, OSError)  # no fault of one document


@dataclass(frozen=True)
class PlannedStage:
    """A stage and the name it goes by in one recipe (its own, or the recipe's `as`)."""

    label: str
    stage: Stage

    def column(self, name: str) -> str:
        """The dataset column of a measurement: a document's own field, or `label.name`."""
        return name if name in DOCUMENT_FIELDS else f"{self.label}.{name}"

    def columns(self) -> dict[str, pa.DataType]:
        """Columns this stage adds."""
        if not isinstance(self.stage, Scorer | GlobalStage):
            return {}
        named = {self.column(name): kind for name, kind in self.stage.columns().items()}
        return {k: v for k, v in named.items() if k not in DOCUMENT_FIELDS}

    @property
    def passing(self) -> tuple[str, ...]:
        """Those of `columns` that no dataset holds."""
        names = self.stage.passing if isinstance(self.stage, Scorer) else ()
        return tuple(self.column(name) for name in names)

    @property
    def fills(self) -> bool:
        """Whether it sets a field of the document, as `language` does."""
        stage = self.stage
        return isinstance(stage, Scorer) and not DOCUMENT_FIELDS.isdisjoint(stage.columns())

    def rules(self) -> tuple[Rule, ...]:
        """The stage's rules over dataset columns."""
        rules = self.stage.rules() if isinstance(self.stage, Filter) else ()
        return tuple(rule.over(self.column) for rule in rules)


@dataclass
class StageStats:
    """What one stage did to one slice, or, added up, to a dataset."""

    documents_in: int = 0
    documents_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    removed_chars: int = 0
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: StageStats) -> None:
        """Adds the counts of another slice."""
        for name in ("documents_in", "documents_out", "bytes_in", "bytes_out", "removed_chars"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.seconds += other.seconds
        self.reasons.update(other.reasons)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; reasons most frequent first."""
        return {**vars(self), "reasons": dict(self.reasons.most_common())}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> StageStats:
        """The inverse of `to_dict`."""
        return cls(**{**values, "reasons": Counter(values["reasons"])})


def process(
    table: pa.Table, stages: Sequence[PlannedStage], resume_at: int = 0
) -> tuple[pa.Table, pa.Table, list[StageStats]]:
    """(kept, dropped, statistics per stage) of `stages` from `resume_at` on, applied to a slice.

    Columns that a stage would add and that are already filled are taken as measured. A dropped
    row has those of the stages up to its drop only, and of those measured with them, whatever an
    earlier decision measured. The first of stages that are measured together answers for the time.
    """
    parts: list[pa.Table] = []
    stats: list[StageStats] = []
    for group, later in _passes(stages, resume_at):
        for planned in group:
            begin, count = time.perf_counter(), StageStats(len(table), 0, text_bytes(table["text"]))
            gone = []
            if planned is group[0]:
                table, failed = _measure(group, table)
                gone.append(failed)
            table, dropped, count.removed_chars = _apply(planned, table)
            gone = pa.concat_tables([*gone, dropped], promote_options="permissive")
            count.documents_out, count.bytes_out = len(table), text_bytes(table["text"])
            count.reasons.update(gone["drop_reason"].to_pylist())
            count.seconds = time.perf_counter() - begin
            parts.append(gone.select([n for n in gone.column_names if n not in later]))
            stats.append(count)
    end = pa.concat_tables(parts, promote_options="permissive") if parts else drop_rows(table[:0])
    return table, end, stats


def _passes(
    stages: Sequence[PlannedStage], resume_at: int
) -> Iterator[tuple[tuple[PlannedStage, ...], set[str]]]:
    """What is measured together from stage `resume_at` on, and the columns of what follows it.

    Groups are those of all stages: resuming must not make others.
    """
    end = 0
    for group in shared_passes(stages):
        rest, end = group[max(resume_at - end, 0) :], end + len(group)
        if rest:
            yield rest, {name for other in stages[end:] for name in other.columns()}


def shared_passes(stages: Sequence[PlannedStage]) -> list[tuple[PlannedStage, ...]]:
    """`stages` in groups that are measured together; text must not be edited within one."""
    groups: list[tuple[PlannedStage, ...]] = []
    for planned in stages:
        stage, last = planned.stage, groups[-1] if groups else ()
        before = [other.stage for other in last if isinstance(other.stage, Scorer)]
        edited = any(isinstance(other.stage, Modifier) for other in last)
        if before and not edited and isinstance(stage, Scorer) and stage.shares_pass_with(before):
            groups[-1] = (*last, planned)
        else:
            groups.append((planned,))
    return groups


def drop_rows(table: pa.Table, **fields: Any) -> pa.Table:
    """`table` with the drop columns appended: scalars or arrays by name, null where absent."""
    for spec in DROP_FIELDS:
        value = fields.get(spec.name)
        if not isinstance(value, pa.Array | pa.ChunkedArray):
            value = pa.repeat(pa.scalar(value, spec.type), len(table))
        table = table.append_column(spec, value.cast(spec.type))
    return table


def _apply(planned: PlannedStage, table: pa.Table) -> tuple[pa.Table, pa.Table, int]:
    """(kept, dropped, characters removed from kept texts)."""
    stage = planned.stage
    table, dropped = _decide(planned, table)
    parts, removed = [dropped], 0
    if isinstance(stage, Modifier):
        table, dropped, removed = _edit(planned, stage, table)
        parts.append(dropped)
    return table, pa.concat_tables(parts, promote_options="permissive"), removed


def _edit(
    planned: PlannedStage, stage: Modifier, table: pa.Table
) -> tuple[pa.Table, pa.Table, int]:
    kept, failed = _guard((planned,), table, stage.edit)
    kept, errors = _take_out(planned, kept, ERROR)
    kept, refused = _take_out(planned, kept, REFUSED)
    empty = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(kept["text"])), 0)
    empty = pc.fill_null(empty, True)
    blank = drop_rows(kept.filter(empty), drop_stage=planned.label, drop_reason="empty_text")
    kept = kept.filter(pc.invert(empty)) if len(blank) else kept
    removed = 0 if stage.extracts else removed_chars(table, kept)
    gone = pa.concat_tables([failed, errors, refused, blank], promote_options="permissive")
    return kept, gone.select([n for n in gone.column_names if n not in (ERROR, REFUSED)]), removed


def _take_out(planned: PlannedStage, table: pa.Table, mark: str) -> tuple[pa.Table, pa.Table]:
    """The rows whose `mark` column is null, and the others as dropped; the column goes."""
    if mark not in table.column_names:
        return table, drop_rows(table[:0])
    bad = pc.is_valid(table[mark])
    gone, kept = table.filter(bad), table.filter(pc.invert(bad)).drop_columns(mark)
    why = (
        {"drop_reason": "error", "drop_value": gone[mark]}
        if mark == ERROR
        else {"drop_reason": gone[mark]}
    )
    return kept, drop_rows(gone.drop_columns(mark), drop_stage=planned.label, **why)


def removed_chars(before: pa.Table, after: pa.Table) -> int:
    """Characters that the rows of `after` have lost since `before`; negative if they grew."""
    if len(after) < len(before):
        before = before.filter(pc.is_in(before[ROW], value_set=after[ROW].combine_chunks()))
    lengths = [pc.sum(pc.utf8_length(table["text"])).as_py() or 0 for table in (before, after)]
    return int(lengths[0] - lengths[1])


def _measure(group: Sequence[PlannedStage], table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The table with the columns of all stages of `group`, measuring only rows that lack some."""
    if not isinstance(group[0].stage, Scorer | Modifier):
        raise TypeError(f"{group[0].label} is not a local stage")
    if not isinstance(group[0].stage, Scorer):
        return table, drop_rows(table[:0])
    own = [name for planned in group for name in planned.columns()]
    if not own or not set(own) <= set(table.column_names):
        return _guard(group, table, lambda t: _add_columns(group, t))
    missing = _any_null(table, own)
    if not pc.any(missing).as_py():
        return table, drop_rows(table[:0])
    fresh, failed = _guard(
        group, table.filter(missing).drop_columns(own), lambda t: _add_columns(group, t)
    )
    known = table.filter(pc.invert(missing))
    table = pa.concat_tables([known, fresh.select(known.column_names)])
    return table.sort_by(ROW), failed


def _any_null(table: pa.Table, names: Sequence[str]) -> pa.ChunkedArray:
    missing = pc.is_null(table[names[0]])
    for name in names[1:]:
        missing = pc.or_(missing, pc.is_null(table[name]))
    return missing


def _add_columns(group: Sequence[PlannedStage], table: pa.Table) -> pa.Table:
    scorers = [planned.stage for planned in group if isinstance(planned.stage, Scorer)]
    found = scorers[0].measure_together(scorers, table)
    for planned, scorer, values in zip(group, scorers, found, strict=True):
        for name, kind in scorer.columns().items():
            spec = pa.field(planned.column(name), kind)
            if spec.name in table.column_names:
                place = table.column_names.index(spec.name)
                table = table.set_column(place, spec, values[name].cast(kind))
            else:
                table = table.append_column(spec, values[name].cast(kind))
    return table


def _decide(planned: PlannedStage, table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows that pass all rules, and the others under the first rule that they fail.

    Texts are copied once, whatever the number of rules, and not at all if all of them pass.
    """
    parts, stays = [drop_rows(table[:0])], np.ones(len(table), bool)
    for rule in planned.rules():
        fails = stays & np.asarray(rule.fails(table))
        if fails.any():
            parts.append(_dropped(planned, rule, table.filter(pa.array(fails))))
            stays &= ~fails
    kept = table if stays.all() else table.filter(pa.array(stays))
    return kept, pa.concat_tables(parts, promote_options="permissive")


def _dropped(planned: PlannedStage, rule: Rule, gone: pa.Table) -> pa.Table:
    threshold = rule.threshold
    listed = rule.bound in ("in", "not in") and threshold is not None
    shown = ",".join(map(str, threshold)) if listed else threshold
    return drop_rows(
        gone,
        drop_stage=planned.label,
        drop_reason=rule.param,
        drop_value=gone[rule.column].cast(pa.string()),
        drop_threshold=None if shown is None else str(shown),
    )


def _guard(
    group: Sequence[PlannedStage], table: pa.Table, function: Any
) -> tuple[pa.Table, pa.Table]:
    """`function(table)`, and the documents it fails on as rows that the first of `group` drops.

    A failing table is halved until the failing documents stand alone: one of them costs about
    2 log2(n) extra calls.
    """
    try:
        return function(table), drop_rows(table[:0])
    except _FATAL:
        raise
    except Exception as error:
        if len(table) <= 1:
            message = f"{type(error).__name__}: {error}"[:500]
            dropped = drop_rows(
                table, drop_stage=group[0].label, drop_reason="error", drop_value=message
            )
            return _shape(group, table[:0]), dropped
        half = len(table) // 2
        parts = [_guard(group, part, function) for part in (table[:half], table[half:])]
        kept = pa.concat_tables([k for k, _ in parts], promote_options="permissive")
        return kept, pa.concat_tables([d for _, d in parts], promote_options="permissive")


def _shape(group: Sequence[PlannedStage], empty: pa.Table) -> pa.Table:
    """An empty table with the columns that the stages would have added."""
    for name, kind in (column for planned in group for column in planned.columns().items()):
        if name not in empty.column_names:
            empty = empty.append_column(name, pa.array([], kind))
    return empty
