"""Parts of a corpus that a stage learns from: sources, references, or some of their documents.

In a recipe a part is a name (`wiki`), or `{from: forum, where: {meta.score: {min: 5}}}`. A
condition is over a field of the document, a field of its `meta` (`meta.score`), or, for sources, a
column that an earlier stage has measured (`gopher_quality.num_words`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.document import DOCUMENT_SCHEMA
from curation.errors import UserError, closest

META = "meta."
_TESTS = ("min", "max", "in")


@dataclass(frozen=True)
class Condition:
    """`min` and `max` hold at equality; a missing value, or one of another type, fails."""

    min: Any = None
    max: Any = None
    among: tuple[Any, ...] | None = None

    @property
    def bounds(self) -> tuple[Any, ...]:
        """The values it compares with."""
        return tuple(v for v in (self.min, self.max, *(self.among or ())) if v is not None)

    def holds(self, value: Any) -> bool:
        """Whether one value, of any type, meets it."""
        limits = [bound for bound in (self.min, self.max) if bound is not None]
        if not all(_comparable(value, bound) for bound in limits):
            return False
        among = self.among if self.among is not None else (value,)
        if not any(_comparable(value, item) and value == item for item in among):
            return False
        low = self.min is None or value >= self.min
        return bool(low and (self.max is None or value <= self.max))

    def hold(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Which values of a column meet it."""
        found = pc.is_valid(values)
        if self.min is not None:
            found = pc.and_(found, pc.greater_equal(values, pa.scalar(self.min)))
        if self.max is not None:
            found = pc.and_(found, pc.less_equal(values, pa.scalar(self.max)))
        if self.among is not None:
            values = values.cast(pa.float64()) if _is_numeric(values.type) else values
            found = pc.and_(found, pc.is_in(values, value_set=pa.array(self.among, values.type)))
        return pc.fill_null(found, False)


@dataclass(frozen=True)
class Part:
    """Documents of the source or reference `name` that meet every condition of `where`."""

    name: str
    where: Mapping[str, Condition]

    @classmethod
    def parse(cls, given: str | Mapping[str, Any]) -> Part:
        """A part as a recipe gives it.

        Raises:
            ValueError: it is neither a name nor a mapping of `from` and `where`.
        """
        if isinstance(given, str):
            return cls(given, {})
        where = given.get("where", {})
        good = isinstance(given.get("from"), str) and isinstance(where, Mapping)
        if not good or given.keys() - {"from", "where"}:
            raise ValueError(
                "a part is a name, or a mapping like {from: forum, where: {meta.score: {min: 5}}}. "
                f"Got {dict(given)} instead."
            )
        return cls(given["from"], {str(k): _condition(str(k), v) for k, v in where.items()})

    def __str__(self) -> str:
        if not self.where:
            return f"'{self.name}'"
        return f"'{self.name}' where {json.dumps(self.describe()['where'], ensure_ascii=False)}"

    def describe(self) -> dict[str, Any]:
        """As JSON, the same for equal parts."""
        where = {
            name: {"min": c.min, "max": c.max, "in": list(c.among) if c.among else None}
            for name, c in sorted(self.where.items())
        }
        return {"from": self.name, "where": where}

    def columns(self) -> tuple[str, ...]:
        """The columns of a table that its conditions read."""
        return tuple(dict.fromkeys("meta" if n.startswith(META) else n for n in self.where))

    def matches(self, table: pa.Table) -> pa.BooleanArray:
        """True for the rows that belong to it; whose documents the rows are is not looked at."""
        found = pa.array(np.ones(len(table), bool))
        metas = _metas(table) if "meta" in self.columns() else []
        for name, condition in self.where.items():
            if name.startswith(META):
                values = (meta.get(name.removeprefix(META)) for meta in metas)
                holds = pa.array([condition.holds(value) for value in values], pa.bool_())
            else:
                holds = condition.hold(table[name])
            found = pc.and_(found, holds)
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found

    def check(self, known: Mapping[str, pa.DataType]) -> None:
        """Its conditions must be over known columns, of their type.

        Args:
            known: annotation columns there are, besides the document's own fields.

        Raises:
            UserError: the condition that is not.
        """
        types = {f.name: f.type for f in DOCUMENT_SCHEMA} | dict(known)
        for name, condition in self.where.items():
            if name.startswith(META):
                continue
            if name not in types:
                what = f"there is no column '{name}' here.{closest(name, types)}"
                hint = f"Known: {', '.join(types)}, and {META}<key>"
                raise UserError(what, where=f"where.{name}", hint=hint)
            for bound in condition.bounds:
                if not _fits(bound, types[name]):
                    what = f"'{name}' is {types[name]}, which does not compare with {bound!r}"
                    raise UserError(what, where=f"where.{name}")


def _condition(name: str, given: Any) -> Condition:
    if not isinstance(given, Mapping) or not given or given.keys() - set(_TESTS):
        raise ValueError(f"'{name}' needs some of {', '.join(_TESTS)}. Got {given!r} instead.")
    among = given.get("in")
    if among is not None and (not isinstance(among, list | tuple) or not among):
        raise ValueError(f"'in' of '{name}' must be a list with values. Got {among!r} instead.")
    condition = Condition(given.get("min"), given.get("max"), tuple(among) if among else None)
    if not all(isinstance(bound, str | int | float) for bound in condition.bounds):
        raise ValueError(f"'{name}' compares with numbers or strings. Got {given!r} instead.")
    return condition


def _comparable(value: Any, bound: Any) -> bool:
    return type(value) is type(bound) or (_is_number(value) and _is_number(bound))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _fits(bound: Any, kind: pa.DataType) -> bool:
    if pa.types.is_string(kind):
        return isinstance(bound, str)
    return isinstance(bound, bool) if pa.types.is_boolean(kind) else _is_number(bound)


def _metas(table: pa.Table) -> list[dict[str, Any]]:
    found = pc.fill_null(table["meta"], "{}").to_pylist()
    metas = [json.loads(meta or "{}") for meta in found]
    return [meta if isinstance(meta, dict) else {} for meta in metas]
