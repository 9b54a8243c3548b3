"""Arrow tables of any schema to tables of `RECORD_SCHEMA`, column by column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curation.document import RECORD_SCHEMA
from curation.sources.columns import BadRecord, Columns, to_json
from curation.sources.inputs import InputFile
from curation.sources.source import ReadLog

Report = Callable[[int, str, str], None]  # row in the table, kind, message


def check_columns(schema: pa.Schema, columns: Columns) -> None:
    """Raises BadRecord (`wrong_columns`) unless the text column is there and holds text."""
    kind = _type_at(schema, columns.text)
    names = ", ".join(schema.names)[:300]
    if kind is None:
        what = f"there is no column '{columns.text}', but: {names}"
        raise BadRecord("wrong_columns", f"{what}; name the right one with `text:`")
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not _is_text(kind) and not pa.types.is_null(kind):
        what = f"column '{columns.text}' holds {kind}, not text"
        raise BadRecord("wrong_columns", f"{what}; the columns are: {names}")


def records(
    table: pa.Table, columns: Columns, file: InputFile, first: int, log: ReadLog
) -> pa.Table:
    """The rows of `table` that have text; `first` is the offset of its first row in the file."""

    def report(row: int, kind: str, message: str) -> None:
        log.error(file, first + row, kind, message)

    offsets = pa.array(range(first, first + len(table)), pa.int64())
    text = _decoded(_column(table, columns.text), report)
    keep = _has_text(text, report, columns.text)
    if not pc.all(keep).as_py():
        table, text, offsets = table.filter(keep), text.filter(keep), offsets.filter(keep)
    filled: dict[str, Any] = {
        "text": _without_nul(text, log),
        "offset": offsets,
        "path": pa.repeat(file.path, len(table)),
    }
    taken = [columns.text]
    for name in ("id", "url", "date", "language"):
        values = _string(table, getattr(columns, name))
        if values is not None:
            filled[name] = values
            taken.append(getattr(columns, name))
    filled["meta"] = _meta(table, taken)
    arrays = [filled.get(f.name, pa.nulls(len(table), f.type)) for f in RECORD_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=RECORD_SCHEMA)


def _type_at(schema: pa.Schema, name: str) -> pa.DataType | None:
    if name in schema.names:
        return schema.field(name).type
    first, *rest = name.split(".")
    kind = schema.field(first).type if first in schema.names else None
    for part in rest:
        if kind is None or not pa.types.is_struct(kind) or kind.get_field_index(part) < 0:
            return None
        kind = kind.field(part).type
    return kind


def _column(table: pa.Table, name: str) -> pa.Array:
    if name in table.column_names:
        column = table[name]
    else:
        first, *rest = name.split(".")
        column = pc.struct_field(table[first], rest)
    array = column.combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _is_text(kind: pa.DataType) -> bool:
    names = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    return str(kind) in names or pa.types.is_fixed_size_binary(kind)


def _decoded(array: pa.Array, report: Report) -> pa.Array:
    """`array` as strings. One that is not UTF-8 becomes null; `report` gets nulls and those."""
    nulls = array.is_null()
    # Strings pass through binary, since a file may hold invalid UTF-8 in a column of strings.
    raw = array.cast(pa.large_binary()) if not pa.types.is_null(array.type) else array
    for row in _rows_where(nulls):
        report(row, "null_text", "the text is null")
    try:
        return raw.cast(pa.large_string()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_decode(value, i, report) for i, value in enumerate(raw.to_pylist())])


def _decode(value: bytes | None, row: int, report: Report) -> str | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        report(row, "invalid_utf8", f"byte {error.start} of the text is not UTF-8")
        return None


def _has_text(text: pa.Array, report: Report, name: str) -> pa.Array:
    bare = pc.utf8_trim(text, characters="\0")
    blank = pc.or_(pc.equal(bare, ""), pc.utf8_is_space(bare))
    for row in _rows_where(pc.fill_null(blank, False)):
        report(row, "empty_text", f"column '{name}' is empty or blank")
    return pc.fill_null(pc.invert(blank), False)


def _rows_where(mask: pa.Array) -> list[int]:
    rows: list[int] = pc.indices_nonzero(mask).to_pylist()
    return rows


def _without_nul(text: pa.Array, log: ReadLog) -> pa.Array:
    data = text.buffers()[2]
    if data is None or b"\0" not in data.to_pybytes():  # ten times faster than text by text
        return text
    count = pc.sum(pc.match_substring(text, "\0")).as_py() or 0
    if not count:
        return text
    log.repair("nul_removed", count)
    return pc.replace_substring(text, "\0", "")


def _string(table: pa.Table, name: str) -> pa.Array | None:
    """The column as strings, an empty one as null; None if there is none or it is nested."""
    kind = _type_at(table.schema, name)
    if kind is None or pa.types.is_nested(kind):
        return None
    try:
        values = _column(table, name).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None  # it stays in `meta`
    if pa.types.is_timestamp(kind):
        values = pc.replace_substring(values, " ", "T")  # ISO 8601, as ids and dates are strings
    return pc.if_else(pc.equal(values, ""), None, values)


def _meta(table: pa.Table, taken: list[str]) -> pa.Array:
    rest = table.drop_columns([name for name in set(taken) if name in table.column_names])
    if not rest.num_columns:
        return pa.nulls(len(table), pa.string())
    rows = rest.to_pylist()
    for name in taken:
        if name not in table.column_names:
            for row in rows:
                _remove(row, name.split("."))
    return pa.array([to_json(row) for row in rows], pa.string())


def _remove(row: dict[str, Any], path: list[str]) -> None:
    inner: Any = row
    for part in path[:-1]:
        inner = inner.get(part) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(path[-1], None)
