"""Corpora of documents with given vectors, for global stages that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curation.document import DOCUMENT_SCHEMA
from curation.embedding.stage import as_lists
from curation.process import ROW, drop_rows
from curation.rounds import DEFAULT_MEMORY, CorpusSlice, Rounds, Verdicts
from curation.slices import SliceStore

VECTOR = "embed.vector"
Matrix = npt.NDArray[Any]


def slices_of(
    folder: Path, vectors: Matrix, sizes: list[int], **columns: list[Any]
) -> tuple[CorpusSlice, ...]:
    """Documents `d0`, `d1`, ... in slices of such sizes; NaN stands for nothing, too."""
    assert sum(sizes) == len(vectors)
    count = len(vectors)
    given: dict[str, Any] = {
        "id": [f"d{i}" for i in range(count)],
        "text": [f"text {i}" for i in range(count)],
        "source": ["web"] * count,
        **columns,
    }
    empty = [None] * count
    arrays = [pa.array(given.pop(f.name, empty), f.type) for f in DOCUMENT_SCHEMA]
    table = pa.Table.from_arrays(arrays, schema=DOCUMENT_SCHEMA)
    extra = {name: pa.array(values, pa.float64()) for name, values in given.items()}
    extra[VECTOR] = as_lists(np.asarray(vectors, np.float32))
    for name, values in extra.items():
        table = table.append_column(name, values)
    store = SliceStore(folder, {name: v.type for name, v in extra.items()}, {}, "run")
    found, start = [], 0
    for number, size in enumerate(sizes):
        part = table[start : start + size].append_column(ROW, pa.array(np.arange(size)))
        key, source = f"{number:06d}", part["source"][0].as_py() if size else "web"
        record = store.write(key, source, part, drop_rows(part[:0]), [], [])["kept"]
        found.append(CorpusSlice(number, source, store, key, size, record["text_bytes"]))
        start += size
    return tuple(found)


def rounds_over(
    slices: tuple[CorpusSlice, ...], folder: Path, max_memory: int = DEFAULT_MEMORY
) -> Rounds:
    """Rounds whose jobs run in reverse order, in this process."""
    folder.mkdir(parents=True)

    def execute(label: str, function: Any, jobs: Any, num_bytes: int) -> list[Any]:
        return [function(job) for job in reversed(jobs)]

    return Rounds(slices, folder, 2, max_memory, execute)


def by_id(slices: tuple[CorpusSlice, ...], files: tuple[Path, ...]) -> dict[str, dict[str, Any]]:
    """The rows of verdicts, by the document's id."""
    ids = {one.number: one.read(["id"])["id"].to_pylist() for one in slices}
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    found = {ids[row.pop("slice")][row.pop("row")]: row for row in rows}
    assert len(found) == len(rows)
    return found


def gone(slices: tuple[CorpusSlice, ...], verdicts: Verdicts) -> dict[str, dict[str, Any]]:
    """The decisions, by the document's id."""
    return by_id(slices, verdicts.decisions)
