"""Rows of a table of runs: those of finished runs, each named by a key, from one file or two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from curation.errors import UserError, closest
from mixtures.columns import STATE
from mixtures.sheet import Row, Sheet

_DONE = "done"
_ALIKE = ("preset", "tokens")  # facts that the runs of a table must share to be compared
_NAMED = 5  # keys in a message


def used_rows(sheet: Sheet, only: Mapping[str, str]) -> tuple[list[Row], list[str]]:
    """Rows of finished runs that the filters keep, and what became of the others."""
    rows, notes = list(sheet.rows), []
    for column, value in only.items():
        if column not in sheet.columns:
            what = f"has no column '{column}' to choose by.{closest(column, sheet.columns)}"
            raise UserError(what, where=f"{sheet.path}")
        kept = [row for row in rows if str(row[1].get(column)) == value]
        notes += [f"{len(rows) - len(kept)} rows left out: {column} is not {value}"]
        rows = kept
    if STATE in sheet.columns:
        states = Counter(str(row[1].get(STATE)) for row in rows)
        notes += [f"{n} rows left out: {STATE} is {s}" for s, n in states.items() if s != _DONE]
        rows = [row for row in rows if row[1].get(STATE) == _DONE]
    if not rows:
        what = f"none of the {len(sheet.rows)} rows is left"
        raise UserError(what, where=f"{sheet.path}", hint="; ".join(notes))
    _check_alike(sheet, rows)
    return rows, notes


def _check_alike(sheet: Sheet, rows: Sequence[Row]) -> None:
    for column in _ALIKE:
        values = Counter(str(row[1].get(column)) for row in rows)
        if column in sheet.columns and len(values) > 1:
            each = ", ".join(f"{value} ({count} rows)" for value, count in values.items())
            raise UserError(
                f"losses of runs of different {column} cannot be compared: {each}",
                where=f"{sheet.path}: column '{column}'",
                hint=f"Choose one: --where {column}={next(iter(values))}",
            )


def row_keys(sheet: Sheet, rows: Sequence[Row], key: tuple[str, ...]) -> list[str]:
    """A name per row, all different; the number of the row where there is no key."""
    seen: dict[str, Row] = {}
    for row in rows:
        for column in key:
            if row[1].get(column) is None:
                hint = "Every run needs a key; --key names another column."
                raise UserError("is empty", where=sheet.place(row, column), hint=hint)
        name = "/".join(str(row[1][c]) for c in key) if key else str(row[0])
        if name in seen:
            raise UserError(
                f"'{name}' is the key of row {seen[name][0]} too",
                where=sheet.place(row, ", ".join(key)),
                hint="Delete one of the rows, or name columns that tell them apart: --key A,B.",
            )
        seen[name] = row
    return list(seen)


def joined_rows(sheet: Sheet, other: Sheet, keys: list[str], key: tuple[str, ...]) -> list[Row]:
    """The rows of `other` in the order of `keys`; both must have the same runs."""
    found = dict(zip(row_keys(other, other.rows, key), other.rows, strict=True))
    known = set(row_keys(sheet, sheet.rows, key))  # with those that were left out
    for missing, where, there in (
        ([k for k in keys if k not in found], other, sheet),
        ([k for k in found if k not in known], sheet, other),
    ):
        if missing:
            more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
            raise UserError(
                f"{len(missing)} keys of {there.path} are missing: "
                f"{', '.join(missing[:_NAMED])}{more}",
                where=f"{where.path}: column '{', '.join(key)}'",
                hint="Both files need the same runs; delete the rows that one of them lacks.",
            )
    return [found[name] for name in keys]
