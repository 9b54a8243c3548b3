"""Tables on disk that are mapped instead of read: only what is looked at takes memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.files import atomic, damaged

Array = npt.NDArray[Any]


def write_mapped(path: Path, columns: Mapping[str, Any], about: str = "") -> Path:
    """Writes arrays of equal length as an uncompressed Arrow file, atomically; `about` goes along.

    Returns:
        `path`.
    """
    table = pa.table(dict(columns)).combine_chunks()
    table = table.replace_schema_metadata({"about": about})
    with atomic(path) as temporary, pa.ipc.new_file(str(temporary), table.schema) as writer:
        writer.write_table(table)
    return path


def map_table(path: Path) -> pa.Table:
    """The table in such a file.

    Raises:
        RunError: the file is cut short or damaged.
    """
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except pa.ArrowInvalid as error:
        raise damaged(path, error) from None


def about(path: Path) -> str:
    """What was written along."""
    metadata = map_table(path).schema.metadata or {}
    return bytes(metadata.get(b"about", b"")).decode()


def column(table: pa.Table, name: str) -> Array:
    """A column of numbers without nulls, not copied."""
    chunks = table[name].chunks
    if len(chunks) == 1:
        found: Array = chunks[0].to_numpy()
        return found
    whole: Array = table[name].to_numpy()
    return whole


def between(values: Array, first: int, last: int) -> slice:
    """Where the values in [first, last) of an ascending array stand; `last` may exceed its type."""
    kind = values.dtype.type
    stop = len(values) if last > np.iinfo(kind).max else np.searchsorted(values, kind(last))
    return slice(int(np.searchsorted(values, kind(first))), int(stop))
