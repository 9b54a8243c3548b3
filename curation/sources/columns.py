"""The columns of tabular input: which hold text, id, url, date and language, and what is left.

A name with dots reaches into nested objects (`body.text`) unless a column has just that name.
Ids may be strings or numbers. A url, date or language that is not a string stays in `meta`, like
every other field; `meta` is a compact JSON object with sorted keys, in which NaN and infinities
are null and what JSON has no type for is a string.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from curation.sources.rows import Row, clean
from curation.sources.source import ReadLog

_ABSENT = object()


class BadRecord(Exception):
    """A record that is no document: `kind` for errors.jsonl, and what is wrong."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Columns(NamedTuple):
    """The columns of a source by what they hold."""

    text: str
    id: str
    url: str
    date: str
    language: str

    def take(self, record: dict[str, Any], offset: int, log: ReadLog) -> Row:
        """The row of one record, whose fields are used up.

        Raises:
            BadRecord: it has no text.
            RecursionError: its fields are nested too deeply for JSON.
        """
        fields = ", ".join(list(record)[:20])
        text = pop(record, self.text)
        if text is _ABSENT:
            raise BadRecord("missing_text", f"there is no field '{self.text}', but: {fields}")
        check_text(text, self.text)
        return Row(
            offset=offset,
            text=clean(text, log),
            id=_take_id(record, self.id),
            url=_take_string(record, self.url),
            date=_take_string(record, self.date),
            language=_take_string(record, self.language),
            meta=to_json(record) if record else None,
        )


@dataclass(frozen=True, kw_only=True)
class ColumnNames:
    """The parameters of every source with columns."""

    text: str = "text"
    id: str = "id"
    url: str = "url"
    date: str = "date"
    language: str = "language"

    @property
    def columns(self) -> Columns:
        """The names together."""
        return Columns(self.text, self.id, self.url, self.date, self.language)


def check_text(text: Any, name: str) -> None:
    """Raises BadRecord unless `text` is a string with something in it."""
    if text is None:
        raise BadRecord("null_text", f"field '{name}' is null")
    if not isinstance(text, str):
        hint = f"; use a name like '{name}.body'" if isinstance(text, dict) else ""
        raise BadRecord("text_not_a_string", f"field '{name}' is {_type(text)}{hint}")
    if not text.strip("\0 \t\r\n") or text.replace("\0", "").isspace():
        raise BadRecord("empty_text", f"field '{name}' is empty or blank")


def pop(record: dict[str, Any], name: str) -> Any:
    """Takes the field out of the record. An object without value if there is none."""
    if name in record or "." not in name:
        return record.pop(name, _ABSENT)
    *parents, last = name.split(".")
    inner: Any = record
    for parent in parents:
        inner = inner.get(parent)
        if not isinstance(inner, dict):
            return _ABSENT
    return inner.pop(last, _ABSENT)


def to_json(record: dict[str, Any]) -> str:
    """A compact JSON object with sorted keys, always valid JSON."""
    try:
        return _ENCODER.encode(record)
    except ValueError:
        return _ENCODER.encode(_finite(record))


def _take_id(record: dict[str, Any], name: str) -> str | None:
    value = pop(record, name)
    if isinstance(value, bool | dict | list):
        record[name] = value
        return None
    return None if value is _ABSENT or value is None else str(value) or None


def _take_string(record: dict[str, Any], name: str) -> str | None:
    value = pop(record, name)
    if value is _ABSENT or value is None:
        return None
    if not isinstance(value, str):
        record[name] = value
        return None
    return value or None


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _type(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", bool: "a boolean", int: "a number"}
    return kinds.get(type(value), "a number" if isinstance(value, float) else "no string")


_ENCODER = json.JSONEncoder(
    ensure_ascii=False,
    sort_keys=True,
    separators=(",", ":"),
    allow_nan=False,
    default=_as_text,
)
