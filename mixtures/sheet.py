"""Sheets: small tables of text and numbers from files, each cell with a place to name in errors."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import UserError

Cells = dict[str, Any]
Row = tuple[int, Cells]
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class Sheet:
    """Rows as a file has them.

    Attributes:
        path: of the file.
        columns: in the order of the file.
        rows: number of the row in the file (its line, where it has lines) and cells by column;
            a cell is text, a number, or None where it is empty.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def place(self, row: Row, column: str) -> str:
        """Names a cell in messages."""
        return f"{self.path}: row {row[0]}, column '{column}'"

    def number(self, row: Row, column: str, hint: str) -> float:
        """A cell as a finite number; `hint` says what to do where it is empty or NaN.

        Raises:
            UserError: it is not one.
        """
        cell, where = row[1].get(column), self.place(row, column)
        if cell is None:
            raise UserError("is empty", where=where, hint=hint)
        value = _number(cell)
        if value is None:
            what = f"must be a number. Got '{str(cell)[:60]}'."
            raise UserError(what, where=where, hint=_text_hint(cell))
        if not math.isfinite(value):
            raise UserError(f"is {value}", where=where, hint=hint)
        return value


def read_sheet(path: Path) -> Sheet:
    """Reads .csv, .tsv, .jsonl or .parquet; nested objects become columns `outer.inner`.

    Raises:
        UserError: the file is missing, is none of these, is damaged, or has no rows.
    """
    readers: dict[str, Callable[[Path], Sheet]] = {
        ".csv": _read_delimited,
        ".tsv": _read_delimited,
        ".jsonl": _read_jsonl,
        ".parquet": _read_parquet,
    }
    if path.suffix.lower() not in readers:
        known = ", ".join(readers)
        raise UserError("is no table that can be read", where=f"{path}", hint=f"Known: {known}")
    try:
        sheet = readers[path.suffix.lower()](path)
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise UserError(what, where=f"{path}") from None
    except UnicodeDecodeError:
        hint = "Save it as UTF-8."
        raise UserError("is not UTF-8 text", where=f"{path}", hint=hint) from None
    if not sheet.rows:
        raise UserError("has no rows", where=f"{path}")
    return sheet


def _read_delimited(path: Path) -> Sheet:
    """A header and rows; lines without any text are passed over."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=_DELIMITERS[path.suffix.lower()], strict=True)
        try:
            columns = tuple(name.strip() for name in next(reader, []))
            _check_header(path, columns)
            found = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
        except csv.Error as error:
            where = f"{path}: row {reader.line_num}"
            raise UserError(f"is damaged: {error}", where=where) from None
    return Sheet(path, columns, tuple(_delimited_rows(path, columns, found)))


def _delimited_rows(
    path: Path, columns: tuple[str, ...], found: list[tuple[int, list[str]]]
) -> Iterator[Row]:
    for line, cells in found:
        if len(cells) != len(columns):
            raise UserError(
                f"has {len(cells)} cells, the header {len(columns)}",
                where=f"{path}: row {line}",
                hint="Quote cells that hold the separator, and fill the row up.",
            )
        yield line, {c: x.strip() or None for c, x in zip(columns, cells, strict=True)}


def _check_header(path: Path, columns: tuple[str, ...]) -> None:
    if not columns:
        raise UserError("is empty", where=f"{path}", hint="The first line names the columns.")
    for name, count in Counter(columns).items():
        if count > 1 or not name:
            what = f"{count} columns are named '{name}'" if name else "a column has no name"
            raise UserError(what, where=f"{path}: row 1", hint="Give every column a name.")


def _read_jsonl(path: Path) -> Sheet:
    rows: list[Row] = []
    for line, text in enumerate(path.read_text("utf-8-sig").split("\n"), 1):
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except ValueError as error:
            raise UserError(f"is no JSON: {error}", where=f"{path}: row {line}") from None
        if not isinstance(value, dict):
            raise UserError("must be a JSON object", where=f"{path}: row {line}")
        rows.append((line, dict(_flat(value))))
    return Sheet(path, _columns(rows), tuple(rows))


def _read_parquet(path: Path) -> Sheet:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise UserError(f"is damaged: {str(error)[:200]}", where=f"{path}") from None
    rows = [(number, dict(_flat(row))) for number, row in enumerate(table.to_pylist(), 1)]
    return Sheet(path, _columns(rows), tuple(rows))


def _columns(rows: list[Row]) -> tuple[str, ...]:
    """All names, in the order in which they come up."""
    return tuple(dict.fromkeys(name for _, cells in rows for name in cells))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, cell in value.items():
        if isinstance(cell, dict):
            yield from _flat(cell, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", cell


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    try:
        return float(cell) if "_" not in str(cell) else None
    except (ValueError, OverflowError):
        return None


def _text_hint(cell: Any) -> str:
    text = str(cell)
    if text.endswith("%") and _number(text[:-1]) is not None:
        return "Write shares as numbers in [0, 1]."
    if _number(text.replace(",", ".", 1)) is not None:
        return "Write numbers with a decimal point."
    return "--weights-columns and --losses-columns say which columns hold numbers."
