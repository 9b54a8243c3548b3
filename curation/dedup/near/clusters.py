"""Fifth round of `minhash_dedup`: which document stays of those that are verified to be alike.

Documents are taken from best to worst. One goes if a better one that stays is similar to it, and
names the most similar of those as its survivor; else it stays. So every cluster is a survivor and
documents directly similar to it: a chain A~B~C cannot take C away for the sake of A. And no two
documents that stay are a verified pair: a second pass finds nothing.

In graph terms this is the lexicographically first maximal independent set of the similar pairs. It
is made in one pass over the pairs, ascending by the worse document, with a bit per document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.near.blocks import Block, Numbers, by_block
from curation.dedup.near.twins import ids_of
from curation.jit import kernel
from curation.mapped import between, column, map_table, write_mapped
from curation.text import Bytes

EDGE_BYTES = 96  # of memory that a similar pair takes while pairs are sorted
RANKED_BYTES = 250  # the same of a document that is ranked by its order and id

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClusterJob:
    """Settles all similar pairs.

    Attributes:
        edges: files of `a`, `b`, `similarity`, each ascending by b and then a, and all of them so.
        by_order: better is the smaller `order` and then what `by_id` says; else the earlier.
    """

    blocks: tuple[Block, ...]
    edges: tuple[Path, ...]
    by_order: bool
    by_id: bool
    memory: int
    folder: Path


def settle(job: ClusterJob) -> Path:
    """Writes `document`, `survivor`, `similarity` of all that go, ascending by document."""
    path = job.folder / "settled.arrow"
    if path.exists():
        return path
    edges, ranked = job.edges, None
    if job.by_order:
        ranked = _rank(job)
        edges = tuple(_orient(job, ranked, number, file) for number, file in enumerate(job.edges))
    gone = _take_in_order(job, edges, job.blocks[-1].end)
    if ranked is not None:
        gone = _numbered(gone, ranked)
    return write_mapped(path, gone)


def _take_in_order(
    job: ClusterJob, edges: Sequence[Path], documents: int
) -> dict[str, npt.NDArray[np.generic]]:
    removed = np.zeros(documents // 8 + 1, np.uint8)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for a, b, similarity in _ascending(edges, documents, job.memory):
        parts.append(take(a, b, similarity, removed))
    names = ("document", "survivor", "similarity")
    columns = zip(*parts, strict=True)
    return {name: np.concatenate(column) for name, column in zip(names, columns, strict=True)}


def _ascending(
    edges: Sequence[Path], documents: int, memory: int
) -> Iterator[tuple[Numbers, Numbers, Floats]]:
    """All pairs, ascending by b, as many at a time as memory holds."""
    tables = [map_table(file) for file in edges]
    total = sum(len(table) for table in tables)
    bounds = _splits(tables, documents, -(-total * EDGE_BYTES // memory))
    for first, last in pairwise(bounds):
        parts = []
        for table in tables:
            where = between(column(table, "b"), first, last)
            parts.append([column(table, name)[where] for name in ("a", "b", "similarity")])
        a, b, similarity = (np.concatenate(values) for values in zip(*parts, strict=True))
        ascending = np.argsort(b, kind="stable")
        yield a[ascending], b[ascending], similarity[ascending]


def _splits(tables: Sequence[pa.Table], documents: int, count: int) -> list[int]:
    """Bounds of `count` ranges of documents that hold about as many pairs each."""
    if count <= 1:
        return [0, documents] if tables else [0]
    sample = np.sort(np.concatenate([column(table, "b")[::64] for table in tables]))
    inner = np.unique(sample[np.arange(1, count) * len(sample) // count]).tolist()
    return [0, *(bound for bound in inner if 0 < bound < documents), documents]


@kernel
def take(
    a: Numbers, b: Numbers, similarity: Floats, removed: Bytes
) -> tuple[Numbers, Numbers, Floats]:
    """Those of `b` that go, their survivors and similarities; notes them in the bits of `removed`.

    Pairs ascend by b; a is better than b.
    """
    documents, survivors = np.empty(len(b), np.int64), np.empty(len(b), np.int64)
    similarities, n, at = np.empty(len(b), np.float64), 0, 0
    while at < len(b):
        worse, best, most = b[at], np.int64(-1), -1.0
        while at < len(b) and b[at] == worse:
            stays = (removed[a[at] >> 3] >> np.uint8(a[at] & 7)) & 1 == 0
            if stays and (similarity[at] > most or (similarity[at] == most and a[at] < best)):
                best, most = a[at], similarity[at]
            at += 1
        if best >= 0:
            removed[worse >> 3] |= np.uint8(1 << (worse & 7))
            documents[n], survivors[n], similarities[n] = worse, best, most
            n += 1
    return documents[:n], survivors[:n], similarities[:n]


def _rank(job: ClusterJob) -> Path:
    """Writes `document`, ascending, and its `rank` among those in a pair: 0 is the best.

    Documents of an index are better than others. Those of equal order are sorted together: a date
    that a million documents share takes the memory of a million ids.
    """
    path = job.folder / "ranks.arrow"
    if path.exists():
        return path
    documents = _in_pairs(job.edges)
    order = np.empty(len(documents), np.uint64)
    known = np.zeros(len(documents), bool)
    for block, where in by_block(job.blocks, documents):
        rows = documents[where] - block.first
        order[where] = column(map_table(block.file("docs")), "order")[rows]
        known[where] = block.known
    rank = np.empty(len(documents), np.int64)
    start = 0
    for rows in _by_order(order, known, job.memory // RANKED_BYTES):
        keys = [documents[rows], order[rows], ~known[rows]]
        if job.by_id:
            keys.insert(1, _places(ids_of(job.blocks, documents[rows])))
        rank[rows[np.lexsort(keys)]] = np.arange(start, start + len(rows))
        start += len(rows)
    return write_mapped(path, {"document": documents, "rank": rank})


def _in_pairs(edges: Sequence[Path]) -> Numbers:
    found = np.empty(0, np.int64)
    for file in edges:
        table = map_table(file)
        found = np.unique(np.concatenate([found, column(table, "a"), column(table, "b")]))
    return found


def _by_order(
    order: npt.NDArray[np.uint64], known: npt.NDArray[np.bool_], most: int
) -> Iterator[Numbers]:
    """The documents of the index, then ranges of order, about `most` at a time; each ascending."""
    if known.any():
        yield np.flatnonzero(known)
    new = np.flatnonzero(~known)
    sample = np.sort(order[new])[:: max(1, most)]
    bounds = [*np.unique(sample).tolist(), 2**64]
    for first, last in pairwise(bounds):
        own = order[new]
        inside = own >= np.uint64(first)
        inside &= True if last == 2**64 else own < np.uint64(last)
        yield new[inside]


def _places(ids: pa.ChunkedArray) -> Numbers:
    """Of each id, its place among them in ascending order."""
    ascending = pa.compute.sort_indices(ids).to_numpy()
    places = np.empty(len(ascending), np.int64)
    places[ascending] = np.arange(len(ascending))
    return places


def _orient(job: ClusterJob, ranked: Path, number: int, edges: Path) -> Path:
    """The pairs of a file by rank, the better as `a`, ascending by `b`."""
    path = job.folder / f"ranked-{number:06d}.arrow"
    if path.exists():
        return path
    table, ranks = map_table(edges), map_table(ranked)
    documents, rank = column(ranks, "document"), column(ranks, "rank")
    a, b = (rank[np.searchsorted(documents, column(table, name))] for name in ("a", "b"))
    better, worse = np.minimum(a, b), np.maximum(a, b)
    ascending = np.lexsort((better, worse))
    columns = {"a": better, "b": worse, "similarity": column(table, "similarity")}
    return write_mapped(path, {name: values[ascending] for name, values in columns.items()})


def _numbered(
    gone: dict[str, npt.NDArray[np.generic]], ranked: Path
) -> dict[str, npt.NDArray[np.generic]]:
    """What goes, by document number again."""
    table = map_table(ranked)
    by_rank = np.empty(len(table), np.int64)
    by_rank[column(table, "rank")] = column(table, "document")
    document, survivor = by_rank[gone["document"]], by_rank[gone["survivor"]]
    ascending = np.argsort(document)
    columns = {"document": document, "survivor": survivor, "similarity": gone["similarity"]}
    return {name: values[ascending] for name, values in columns.items()}
