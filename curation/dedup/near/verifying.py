"""Fourth round of `minhash_dedup`: the exact Jaccard similarity of candidate pairs.

Texts of candidates are shingled again, a block at a time, and their sets kept in a file; pairs are
then verified as many at a time as memory holds sets for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.near.blocks import Block, Numbers, by_block
from curation.dedup.near.pairs import PAIR_BYTES, distinct
from curation.files import atomic
from curation.jit import kernel
from curation.mapped import about, between, column, map_table, write_mapped
from curation.rounds import ranges
from curation.shingling.shingles import Shingles, shared, shingle_sets
from curation.text import Hashes

BINS = 20  # of the similarity of candidates, in the report

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SetsJob:
    """Keeps the shingle sets of a block's candidates."""

    block: Block
    shingles: Shingles
    pairs: tuple[Path, ...]
    folder: Path


def write_sets(job: SetsJob) -> int:
    """Writes the sets, and where the set of each `document` has its `start` and `stop`.

    Returns:
        Their bytes.
    """
    index, block = _index_file(job.folder, job.block), job.block
    if not index.exists():
        candidates = _candidates(job)
        stops = [np.zeros(1, np.int64)]
        with atomic(index.with_suffix(".bin")) as temporary, temporary.open("wb") as file:
            for part, start in block.starts():
                own = candidates[between(candidates, start, start + part.rows)]
                if len(own):
                    texts = part.read(["text"])["text"].take(pa.array(own - start))
                    stops.append(_append(file, texts, job.shingles) + stops[-1][-1])
        ends = np.concatenate(stops)
        write_mapped(index, {"document": candidates, "start": ends[:-1], "stop": ends[1:]})
    return index.with_suffix(".bin").stat().st_size


def _append(file: BinaryIO, texts: pa.ChunkedArray, shingles: Shingles) -> Numbers:
    values, offsets = shingle_sets(texts, shingles)
    file.write(values.data)
    return offsets[1:]


def _candidates(job: SetsJob) -> Numbers:
    """The documents of the block that are in a pair, ascending."""
    found = [np.empty(0, np.int64)]
    for path in job.pairs:
        table = map_table(path)
        own = column(table, "a")
        found.append(np.unique(own[(own >= job.block.first) & (own < job.block.end)]))
        own = column(table, "b")
        found.append(np.unique(own[between(own, job.block.first, job.block.end)]))
    return np.unique(np.concatenate(found))


def _index_file(folder: Path, block: Block) -> Path:
    """Where the sets of a block stand: beside it are the sets, as .bin."""
    return folder / f"sets-{block.number:06d}.arrow"


@dataclass(frozen=True)
class VerifyJob:
    """Verifies the pairs whose later document is of `block`."""

    block: Block
    blocks: tuple[Block, ...]
    pairs: tuple[Path, ...]
    min_jaccard: float
    memory: int
    folder: Path


@dataclass(frozen=True)
class Verified:
    """A file of `a`, `b`, `similarity` of the pairs that are similar enough, ascending by b, a."""

    path: Path
    compared: int
    similar: int
    bins: tuple[int, ...]  # candidates by similarity, BINS of equal width over [0, 1]


def verify(job: VerifyJob) -> Verified:
    """Writes the similar pairs."""
    path = job.folder / f"edges-{job.block.number:06d}.arrow"
    if not path.exists():
        counts, parts = np.zeros(BINS, np.int64), [(_NONE, _NONE, np.empty(0))]
        for first, last in _ranges(job):
            a, b = _pairs(job, first, last)
            similarity = _similarities(job, a, b)
            bins = np.minimum(similarity * BINS, BINS - 1).astype(np.int64)
            counts += np.bincount(bins, minlength=BINS)
            similar = similarity >= job.min_jaccard
            parts.append((a[similar], b[similar], similarity[similar]))
        columns = zip(("a", "b", "similarity"), zip(*parts, strict=True), strict=True)
        edges = {name: np.concatenate(values) for name, values in columns}
        write_mapped(path, edges, json.dumps(counts.tolist()))
    bins = json.loads(about(path))
    return Verified(path, sum(bins), len(map_table(path)), tuple(bins))


_NONE: Numbers = np.empty(0, np.int64)


def _ranges(job: VerifyJob) -> list[tuple[int, int]]:
    """Ranges of documents of the block whose pairs fit into memory, if they are spread evenly."""
    first, end = job.block.first, job.block.end
    tables = map(map_table, job.pairs)
    wheres = [between(column(table, "b"), first, end) for table in tables]
    total = sum(where.stop - where.start for where in wheres)
    count = min(max(1, -(-total * PAIR_BYTES // job.memory)), max(1, job.block.rows))
    return [(first + x, first + y) for x, y in ranges(job.block.rows, count)]


def _pairs(job: VerifyJob, first: int, last: int) -> tuple[Numbers, Numbers]:
    """Each pair of a later document in [first, last) once, ascending by b, then a."""
    parts = [(_NONE, _NONE)]
    for path in job.pairs:
        table = map_table(path)
        where = between(column(table, "b"), first, last)
        parts.append((column(table, "a")[where], column(table, "b")[where]))
    a, b = (np.concatenate(values) for values in zip(*parts, strict=True))
    return distinct(a, b)


def _similarities(job: VerifyJob, a: Numbers, b: Numbers) -> Floats:
    found = [np.empty(0)]
    for part in _parts(job, a, b):
        sets = _load(job, a[part], b[part])
        found.append(jaccards(a[part], b[part], *sets))
    return np.concatenate(found)


def _parts(job: VerifyJob, a: Numbers, b: Numbers) -> Iterator[slice]:
    """Runs of pairs whose sets fit into memory, or of one pair."""
    sizes = np.cumsum(_set_bytes(job, a) + _set_bytes(job, b))
    start = 0
    while start < len(a):
        before = sizes[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(sizes, before + job.memory // 2, "right")))
        yield slice(start, stop)
        start = stop


def _set_bytes(job: VerifyJob, documents: Numbers) -> Numbers:
    distinct, back = np.unique(documents, return_inverse=True)
    starts, stops, _ = _places(job, distinct)
    sizes: Numbers = ((stops - starts) * 8)[back]
    return sizes


def _places(
    job: VerifyJob, documents: Numbers
) -> tuple[Numbers, Numbers, list[tuple[Path, slice]]]:
    """Start and stop of the sets of ascending documents, and which file each is in."""
    starts, stops, owners = np.empty_like(documents), np.empty_like(documents), []
    for block, where in by_block(job.blocks, documents):
        index = _index_file(job.folder, block)
        table = map_table(index)
        rows = np.searchsorted(column(table, "document"), documents[where])
        starts[where], stops[where] = column(table, "start")[rows], column(table, "stop")[rows]
        owners.append((index.with_suffix(".bin"), where))
    return starts, stops, owners


def _load(job: VerifyJob, a: Numbers, b: Numbers) -> tuple[Numbers, Hashes, Numbers]:
    """(documents of the pairs, their sets one after another, where each begins)."""
    documents = np.unique(np.concatenate([a, b]))
    starts, stops, owners = _places(job, documents)
    offsets = np.concatenate([[0], np.cumsum(stops - starts)])
    values = np.empty(offsets[-1], np.uint64)
    for path, where in owners:
        breaks = np.flatnonzero(starts[where][1:] != stops[where][:-1]) + 1 + where.start
        runs = pairwise([where.start, *breaks.tolist(), where.stop])
        with path.open("rb") as file:
            for first, last in runs:
                file.seek(int(starts[first]) * 8)
                file.readinto(values[offsets[first] : offsets[last]].data.cast("B"))
    return documents, values, offsets


@kernel
def jaccards(
    a: Numbers, b: Numbers, documents: Numbers, values: Hashes, offsets: Numbers
) -> Floats:
    """The similarity of each pair: shared shingles as a share of all."""
    out = np.empty(len(a), np.float64)
    for i in range(len(a)):
        x, y = np.searchsorted(documents, a[i]), np.searchsorted(documents, b[i])
        both = shared(values, offsets[x], offsets[x + 1], values, offsets[y], offsets[y + 1])
        either = offsets[x + 1] - offsets[x] + offsets[y + 1] - offsets[y] - both
        out[i] = both / either
    return out
