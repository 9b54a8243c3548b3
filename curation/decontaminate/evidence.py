"""Evidence: the texts of test items that must not be in training data.

A Parquet or JSONL file of one row per text: suite, item, field, text. Of a file with `text` alone
every row is an item, and the file a suite; so is every line of a plain text file.

A `question`, `context`, `sentence` or `text` tells an item by itself; an `answer` or `continuation`
only next to one: answers like "the heart" are everywhere. A wrong `choice` tells nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.errors import UserError
from curation.sources.compression import Chunks
from curation.sources.lines import lines

EVIDENCE_SCHEMA = pa.schema([(name, pa.string()) for name in ("suite", "item", "field", "text")])
QUESTIONS = ("question", "context", "sentence", "text")
ANSWERS = ("answer", "continuation")
FIELDS = (*QUESTIONS, *ANSWERS, "choice")
MAX_LINE_BYTES = 64 << 20
_PARQUET, _JSON, _TEXT = (".parquet", ".pq"), (".jsonl", ".ndjson", ".json"), (".txt",)
_COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
_HINT = "Evidence has the columns suite, item, field and text, or text alone"


def evidence_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files that `paths` name; of a folder, those below it that may be evidence, in order."""
    found: dict[Path, None] = {}
    for path in paths:
        below = sorted(p for p in path.rglob("*") if _kind(p) and p.is_file())
        found.update(dict.fromkeys(below if path.is_dir() else [path]))
    return tuple(found)


def read_evidence(files: Sequence[Path]) -> pa.Table:
    """The rows of all files, of `EVIDENCE_SCHEMA`.

    Raises:
        UserError: there are none, or a file cannot be read, or a row of it is not evidence.
    """
    tables = [_read(file) for file in files]
    table = pa.concat_tables([*tables, EVIDENCE_SCHEMA.empty_table()]).combine_chunks()
    if not len(table):
        named = ", ".join(map(str, files)) or "no file"
        raise UserError(f"there is no evidence in {named}", hint=_HINT)
    return table


def _kind(path: Path) -> str:
    """The extension that tells how a file is read; empty if none does."""
    name = path.with_suffix("") if path.suffix.lower() in _COMPRESSED else path
    suffix = name.suffix.lower()
    return suffix if suffix in (*_PARQUET, *_JSON, *_TEXT) else ""


def _read(file: Path) -> pa.Table:
    kind = _kind(file)
    if not kind:
        hint = f"Evidence is {', '.join((*_PARQUET, *_JSON, *_TEXT))}, compressed or not"
        raise UserError(f"{file}: what is in it cannot be told from its name", hint=hint)
    try:
        if kind in _PARQUET:
            return _evidence(_read_parquet(file), file, "row")
        if kind in _TEXT:
            rows = [{"text": line} for _, line in _lines(file) if line.strip()]
            return _evidence(pa.Table.from_pylist(rows, pa.schema([("text", pa.string())])), file)
        return _evidence(_read_json(file), file)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}") from None


def _read_parquet(file: Path) -> pa.Table:
    try:
        names = pq.read_schema(file).names
        return pq.read_table(file, columns=[n for n in EVIDENCE_SCHEMA.names if n in names])
    except pa.ArrowException as error:
        raise UserError(f"{file} cannot be read as Parquet: {error}") from None


def _read_json(file: Path) -> pa.Table:
    rows = []
    for number, line in _lines(file):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(f"{file}, line {number}: is not JSON: {error}", hint=_HINT) from None
        if not isinstance(row, dict):
            raise UserError(f"{file}, line {number}: is not a JSON object", hint=_HINT)
        rows.append({name: row[name] for name in EVIDENCE_SCHEMA.names if name in row})
        _check_row(file, number, rows[0], rows[-1])
    names = rows[0] if rows else EVIDENCE_SCHEMA.names
    return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names]))


def _check_row(file: Path, number: int, first: dict[str, Any], row: dict[str, Any]) -> None:
    """Every row has the columns of the first, with strings."""
    for name in first:
        if not isinstance(row.get(name), str):
            what = f"{file}, line {number}: '{name}' must be a string, got {row.get(name)!r}"
            raise UserError(what, hint=_HINT)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """The number and text of each line."""
    with file.open("rb") as handle:
        stream = Chunks(handle)
        held: list[tuple[int, bytes | None]] = []  # a line, until what follows it has been read
        for number, (_, line) in enumerate(lines(stream, 0, MAX_LINE_BYTES), 1):
            yield from (_decode(file, *one) for one in held)
            held = [(number, line)]
        if stream.damage is not None:
            raise UserError(f"{file} is damaged: {stream.damage.message}")
        yield from (_decode(file, *one) for one in held)


def _decode(file: Path, number: int, line: bytes | None) -> tuple[int, str]:
    if line is None:
        raise UserError(f"{file}, line {number}: is longer than {MAX_LINE_BYTES:,} bytes")
    try:
        return number, line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}, line {number}: is not UTF-8: {error.reason}") from None


def _evidence(table: pa.Table, file: Path, unit: str = "line") -> pa.Table:
    """Rows with suite, item and field, whatever the file has of them."""
    names = table.column_names
    if "text" not in names or len({"suite", "item", "field"} & set(names)) not in (0, 3):
        missing = ", ".join(n for n in EVIDENCE_SCHEMA.names if n not in names)
        raise UserError(f"{file}: there is no column {missing}", hint=_HINT)
    if len(names) == 1:
        own = {"suite": file.name.split(".")[0], "field": "text"}
        for name, value in own.items():
            table = table.append_column(name, pa.repeat(pa.scalar(value), len(table)))
        items = pa.array(map(str, range(1, len(table) + 1)), pa.string())
        table = table.append_column("item", items)
    return _checked(table.select(EVIDENCE_SCHEMA.names), file, unit)


def _checked(table: pa.Table, file: Path, unit: str) -> pa.Table:
    for field in EVIDENCE_SCHEMA:
        kind = table[field.name].type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise UserError(f"{file}: '{field.name}' must be of strings, is {kind}", hint=_HINT)
        empty = pc.index(pc.is_null(table[field.name]), True).as_py()
        if empty >= 0:
            raise UserError(f"{file}, {unit} {empty + 1}: '{field.name}' is null", hint=_HINT)
    table = table.cast(EVIDENCE_SCHEMA)
    other = pc.index(pc.is_in(table["field"], pa.array(FIELDS)), False).as_py()
    if other >= 0:
        what = f"{file}, {unit} {other + 1}: '{table['field'][other]}' is no field of an item"
        raise UserError(what, hint=f"Fields: {', '.join(FIELDS)}")
    return table
