"""The Document: a row of one fixed Arrow schema, plus annotation columns added by stages.

Text moves as Arrow buffers; there is no Python object per document. A source yields rows of
`RECORD_SCHEMA`; a dataset holds rows of `DOCUMENT_SCHEMA` and the annotation columns of its
stages; `dropped/` holds the same columns plus `DROP_FIELDS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

DOCUMENT_SCHEMA = pa.schema(
    [
        ("id", pa.string()),  # unique in a dataset: the source's own, else hash(path, offset)
        ("text", pa.string()),
        ("source", pa.string()),  # the name of the recipe's source
        ("url", pa.string()),
        ("date", pa.string()),  # ISO 8601 as found
        ("language", pa.string()),  # ISO 639-1 where there is one, as found or as identified
        ("meta", pa.string()),  # every other field of the input, a JSON object
    ]
)

DROP_FIELDS = pa.schema(
    [
        ("drop_stage", pa.string()),
        ("drop_reason", pa.string()),  # the parameter that fired; `error`, `held_out`, `duplicate`
        ("drop_value", pa.string()),  # what was measured; an error's message
        ("drop_threshold", pa.string()),
        ("survivor_id", pa.string()),  # of a duplicate: the document that stayed
        ("similarity", pa.float64()),  # of a duplicate, to its survivor, in [0, 1]
    ]
)

RECORD_SCHEMA = pa.schema(
    [
        ("id", pa.string()),  # null: made from path and offset
        ("text", pa.string()),  # null while only `raw` is known
        ("raw", pa.binary()),  # undecoded HTML or plain text, until an extractor made text of it
        ("content_type", pa.string()),  # of `raw`, as declared: `text/html; charset=...`
        ("url", pa.string()),
        ("date", pa.string()),
        ("language", pa.string()),
        ("meta", pa.string()),
        ("path", pa.string()),  # file, relative to the root of its glob
        ("offset", pa.int64()),  # byte, line or row in the file: see the source
    ]
)


def make_id(path: str, offset: int) -> str:
    """32 hex digits that name a record by where it stands in its source."""
    return hashlib.blake2b(f"{path}\0{offset}".encode(), digest_size=16).hexdigest()


def dataset_schema(annotations: Mapping[str, pa.DataType]) -> pa.Schema:
    """The fixed schema of a dataset whose stages add `annotations` (name to type, in order)."""
    fields = [pa.field(name, kind) for name, kind in annotations.items()]
    return pa.schema([*DOCUMENT_SCHEMA, *fields])


def dropped_schema(annotations: Mapping[str, pa.DataType]) -> pa.Schema:
    """The schema of `dropped/`: a dataset's columns and why each document went."""
    return pa.schema([*dataset_schema(annotations), *DROP_FIELDS])


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """`table` with exactly the columns of `schema`, in its order; absent ones become null."""
    columns: list[Any] = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def text_bytes(text: pa.ChunkedArray | pa.Array) -> int:
    """UTF-8 bytes of all texts together."""
    import pyarrow.compute as pc

    return int(pc.sum(pc.binary_length(text)).as_py() or 0)
