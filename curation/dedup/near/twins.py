"""Second round of `minhash_dedup`: documents of the same shingles, which all fare as the best does.

They would meet in every band, any number of them; so all but the best, their *leader*, are left
out of what follows. Two multisets of shingles are the same if 128 bits of their hashes are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from curation.dedup.near.blocks import Block, Numbers, by_block
from curation.jit import kernel
from curation.mapped import between, column, map_table, write_mapped
from curation.text import Bytes


@dataclass(frozen=True)
class TwinsJob:
    """Finds the twins whose hashes are in [first, last)."""

    blocks: tuple[Block, ...]
    number: int
    first: int
    last: int
    by_id: bool  # documents of equal order: the smallest id is best, else the first in the corpus
    folder: Path


def find_twins(job: TwinsJob) -> Path:
    """Writes `document` and its `leader`, ascending by document, of all twins but leaders."""
    path = job.folder / f"twins-{job.number:05d}.arrow"
    if path.exists():
        return path
    frame = _repeated(job)
    if job.by_id:
        ids = _ids(job.blocks, frame["document"])
        ranked = pa.table({**frame, "id": ids})
        by = ["high", "low", "known", "order", "id", "document"]
        ranked = ranked.sort_by([(name, "ascending") for name in by])
        frame = {name: column(ranked, name) for name in frame}
    else:
        by = ["document", "order", "known", "low", "high"]
        ascending = np.lexsort([frame[name] for name in by])
        frame = {name: values[ascending] for name, values in frame.items()}
    begins = np.flatnonzero(_changes(frame["high"]) | _changes(frame["low"]))
    size = np.diff([*begins, len(frame["high"])])
    leader, document = np.repeat(frame["document"][begins], size), frame["document"]
    twin = leader != document
    ascending = np.argsort(document[twin])
    columns = {"document": document[twin][ascending], "leader": leader[twin][ascending]}
    return write_mapped(path, columns)


def _repeated(job: TwinsJob) -> dict[str, np.ndarray]:
    """What stands in the range, of hashes that occur more than once."""
    parts: list[dict[str, np.ndarray]] = [_row_columns()]
    for block in job.blocks:
        table = map_table(block.file("sums"))
        where = between(column(table, "high"), job.first, job.last)
        part = {name: column(table, name)[where] for name in ("high", "low", "order")}
        part["document"] = block.first + column(table, "row")[where].astype(np.int64)
        part["known"] = np.full(len(part["high"]), 0 if block.known else 1)
        parts.append(part)
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    ascending = np.argsort(whole["high"])
    high = whole["high"][ascending]
    again = _changes(high)
    alone = again & np.append(again[1:], True)
    rows = np.sort(ascending[~alone])
    return {name: values[rows] for name, values in whole.items()}


def _row_columns() -> dict[str, np.ndarray]:
    names = {name: np.empty(0, np.uint64) for name in ("high", "low", "order")}
    return {**names, **{name: np.empty(0, np.int64) for name in ("document", "known")}}


def _changes(values: np.ndarray) -> np.ndarray:
    """True where a value differs from the one before; the first does."""
    changes = np.ones(len(values), bool)
    changes[1:] = values[1:] != values[:-1]
    return changes


def _ids(blocks: Sequence[Block], documents: Numbers) -> pa.ChunkedArray:
    ascending = np.argsort(documents)
    found = ids_of(blocks, documents[ascending])
    back = np.empty(len(documents), np.int64)
    back[ascending] = np.arange(len(documents))
    return found.take(pa.array(back))


def ids_of(blocks: Sequence[Block], documents: Numbers) -> pa.ChunkedArray:
    """The ids of ascending document numbers."""
    parts = [
        map_table(block.file("docs"))["id"].take(pa.array(documents[where] - block.first))
        for block, where in by_block(blocks, documents)
    ]
    return pa.chunked_array([c for part in parts for c in part.chunks], pa.large_string())


def mark(files: Sequence[Path], documents: int, path: Path) -> Path:
    """Writes one bit per document of the corpus: it is a twin of a leader."""
    if not path.exists():
        bits = np.zeros(documents // 8 + 1, np.uint8)
        for file in files:
            _set_bits(bits, column(map_table(file), "document"))
        write_mapped(path, {"bits": bits})
    return path


@kernel
def _set_bits(bits: Bytes, documents: Numbers) -> None:
    for document in documents:
        bits[document >> 3] |= np.uint8(1 << (document & 7))


@kernel
def unmarked(bits: Bytes, documents: Numbers) -> np.ndarray:
    """Which documents have no bit set."""
    out = np.empty(len(documents), np.bool_)
    for i in range(len(documents)):
        out[i] = (bits[documents[i] >> 3] >> np.uint8(documents[i] & 7)) & 1 == 0
    return out
