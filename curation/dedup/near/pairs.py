"""Third round of `minhash_dedup`: documents that share a band key are candidate pairs.

A *bucket* is the documents of one key. In a bucket of m documents all pairs are candidates, unless
m is above `max_bucket`: then each document is compared with the first max_bucket^2 / m of them, and
at least MIN_COMPARED, so that the pairs of a bucket grow with its size, not with its square.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from curation.dedup.near.blocks import Block, Numbers
from curation.dedup.near.twins import unmarked
from curation.jit import kernel
from curation.mapped import about, between, column, map_table, write_mapped
from curation.text import Hashes

MIN_COMPARED = 16
PAIR_BYTES = 64  # of memory that a pair takes while pairs are sorted
ENTRY_BYTES = 48  # of memory that a band key takes while keys are sorted


@dataclass(frozen=True)
class PairsJob:
    """Finds the candidates among the band keys in [first, last)."""

    blocks: tuple[Block, ...]
    number: int
    first: int
    last: int
    twins: Path  # bits of documents to leave out
    known: int  # documents below this number come from an index and are not compared
    max_bucket: int
    memory: int
    folder: Path


@dataclass(frozen=True)
class PairsFound:
    """What one job found; `skipped` pairs were not compared, in `capped` buckets."""

    files: tuple[str, ...]
    buckets: int  # of more than one document
    largest: int
    capped: int
    skipped: int


def find_pairs(job: PairsJob) -> PairsFound:
    """Writes files of pairs `a` < `b`, ascending by b, then a, each once per file."""
    end = job.folder / f"pairs-{job.number:05d}.arrow"
    if end.exists():
        return PairsFound(**json.loads(about(end)))
    documents, bounds = _buckets(*_entries(job))
    sizes = np.diff(bounds)
    counts = count_pairs(documents, bounds, job.known, job.max_bucket)
    files = []
    for part, (start, stop) in enumerate(_chunks(counts[:, 0], job.memory // PAIR_BYTES)):
        pairs = list_pairs(documents, bounds[start : stop + 1], job.known, job.max_bucket)
        a, b = distinct(*pairs)
        name = f"pairs-{job.number:05d}-{part:04d}.arrow"
        write_mapped(job.folder / name, {"a": a, "b": b})
        files.append(name)
    found = PairsFound(
        tuple(files),
        len(sizes),
        int(sizes.max(initial=0)),
        int((counts[:, 1] > 0).sum()),
        int(counts[:, 1].sum()),
    )
    write_mapped(end, {}, json.dumps(asdict(found)))
    return found


def _entries(job: PairsJob) -> tuple[Hashes, Numbers]:
    """Band keys and documents of the range, without twins."""
    keys, documents = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    bits = column(map_table(job.twins), "bits")
    for block in job.blocks:
        table = map_table(block.file("bands"))
        where = between(column(table, "key"), job.first, job.last)
        own = block.first + column(table, "row")[where].astype(np.int64)
        stays = unmarked(bits, own)
        keys.append(column(table, "key")[where][stays])
        documents.append(own[stays])
    return np.concatenate(keys), np.concatenate(documents)


def _buckets(keys: Hashes, documents: Numbers) -> tuple[Numbers, Numbers]:
    """The documents of each bucket of two or more, ascending, and where each begins (n + 1)."""
    ascending = np.argsort(keys)
    return group(keys[ascending], documents[ascending])


@kernel
def group(keys: Hashes, documents: Numbers) -> tuple[Numbers, Numbers]:
    """See `_buckets`; keys ascend. A document counts once per bucket."""
    out, bounds = np.empty(len(keys), np.int64), np.zeros(len(keys) // 2 + 2, np.int64)
    n, buckets, at = 0, 0, 0
    while at < len(keys):
        stop = at + 1
        while stop < len(keys) and keys[stop] == keys[at]:
            stop += 1
        if stop - at > 1:
            members = np.sort(documents[at:stop])
            begin = n
            for i in range(len(members)):
                if i == 0 or members[i] != members[i - 1]:
                    out[n] = members[i]
                    n += 1
            if n - begin > 1:
                buckets += 1
                bounds[buckets] = n
            else:
                n = begin
        at = stop
    return out[:n], bounds[: buckets + 1]


@kernel
def count_pairs(documents: Numbers, bounds: Numbers, known: int, max_bucket: int) -> Numbers:
    """(buckets, 2) how many pairs are compared and how many are not."""
    out = np.zeros((len(bounds) - 1, 2), np.int64)
    for bucket in range(len(out)):
        first, size = bounds[bucket], bounds[bucket + 1] - bounds[bucket]
        most = _compared(size, max_bucket)
        for i in range(size):
            if documents[first + i] >= known:
                out[bucket, 0] += min(i, most)
                out[bucket, 1] += max(i - most, 0)
    return out


@kernel
def list_pairs(
    documents: Numbers, bounds: Numbers, known: int, max_bucket: int
) -> tuple[Numbers, Numbers]:
    """The pairs that are compared."""
    total = count_pairs(documents, bounds, known, max_bucket)[:, 0].sum()
    a, b, n = np.empty(total, np.int64), np.empty(total, np.int64), 0
    for bucket in range(len(bounds) - 1):
        first, size = bounds[bucket], bounds[bucket + 1] - bounds[bucket]
        most = _compared(size, max_bucket)
        for i in range(size):
            if documents[first + i] >= known:
                for j in range(min(i, most)):
                    a[n], b[n] = documents[first + j], documents[first + i]
                    n += 1
    return a, b


@kernel
def _compared(size: int, max_bucket: int) -> int:
    """With how many of the first documents of its bucket each is compared."""
    if size <= max_bucket:
        return size
    return max(MIN_COMPARED, max_bucket * max_bucket // size)


def _chunks(counts: Numbers, most: int) -> Iterator[tuple[int, int]]:
    """Runs of buckets of at most so many pairs together, or of one bucket."""
    total, start = np.cumsum(counts), 0
    while start < len(counts):
        before = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + most, side="right")))
        yield start, stop
        start = stop


def distinct(a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
    """Each pair once, ascending by b, then a."""
    ascending = np.lexsort((a, b))
    a, b = a[ascending], b[ascending]
    stays = np.ones(len(a), bool)
    stays[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return a[stays], b[stays]
