"""Last round of `semantic_dedup`: which documents of a cluster are alike, and which of them stays.

Documents are taken from best to worst. One goes if a better one that stays is at least as similar
to it as asked, and names the most similar of those: see `curation.dedup.near.clusters`. Every pair
within a cluster is compared, a block of documents with a stretch of better ones at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.clustering.vectors import ROUNDING, Floats, Numbers, Vectors, cosines, unit_vectors
from curation.dedup.cosine.report import Tally
from curation.dedup.cosine.spreading import Members, members
from curation.dedup.near.clusters import take
from curation.dedup.survivors import Policy
from curation.document import conform
from curation.files import write_json
from curation.keyed import write_decisions
from curation.stage import DECISION_SCHEMA

# Thresholds of the curve in the report: how many documents have a better one so similar.
CURVE = (0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995)
BLOCK, STRETCH = 512, 4096  # documents that are compared with so many better ones at a time
_CELL = 24  # bytes that a comparison of two documents takes, at most


@dataclass(frozen=True)
class SettleJob:
    """Settles the clusters [first, last).

    Attributes:
        spread: files of `spread_block`.
        sources: of each slice.
        memory: bytes that may be held.
    """

    number: int
    first: int
    last: int
    spread: tuple[Path, ...]
    sources: tuple[str, ...]
    policy: Policy
    min_similarity: float
    memory: int
    folder: Path


class Settled(NamedTuple):
    """Files of decisions, and of what `Tally.to_dict` gives."""

    decisions: Path
    counts: Path


class Found(NamedTuple):
    """Duplicates in a cluster by rank: each with its survivor, and their cosine."""

    document: Numbers
    survivor: Numbers
    similarity: Floats


def settle_clusters(job: SettleJob) -> Settled:
    """Writes the decisions on the documents of some clusters."""
    decisions = job.folder / f"decisions-{job.number:05d}.parquet"
    counts = job.folder / f"counts-{job.number:05d}.json"
    if not counts.exists():
        parts, tally = [DECISION_SCHEMA.empty_table()], Tally()
        for cluster in range(job.first, job.last):
            own = members(job.spread, cluster, job.policy)
            if len(own.about) > 1:
                found, reached = _settle(job, own, cluster)
                parts.append(_decisions(job, own, found))
                tally.curve.update(reached)
                tally.add(own.about, found.document, found.survivor, job.sources)
        write_decisions(decisions, pa.concat_tables(parts))
        write_json(counts, tally.to_dict())
    return Settled(decisions, counts)


def _settle(job: SettleJob, own: Members, cluster: int) -> tuple[Found, dict[int, int]]:
    """The duplicates, and how many documents reach each threshold of `CURVE`."""
    scratch = job.folder / f".vectors-{job.number:05d}-{cluster}.tmp"
    vectors = _by_rank(own, scratch, job.memory)
    removed = np.zeros(len(own.about) // 8 + 1, np.uint8)
    block = max(1, min(BLOCK, job.memory // (4 * STRETCH * _CELL)))
    parts, curve = [], np.zeros(len(CURVE), np.int64)
    for start in range(0, len(own.about), block):
        nearest = np.zeros(min(block, len(own.about) - start), np.int64)
        pairs = list(_pairs(vectors, start, len(nearest), job.min_similarity, removed, nearest))
        a, b, similarity = (np.concatenate(values) for values in zip(*pairs, strict=True))
        by_worse = np.lexsort((a, b))
        parts.append(take(a[by_worse], b[by_worse], similarity[by_worse], removed))
        curve += [int((nearest > i).sum()) for i in range(len(CURVE))]
    scratch.unlink(missing_ok=True)
    found = Found(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    return found, dict(enumerate(curve.tolist()))


def _by_rank(own: Members, scratch: Path, memory: int) -> npt.NDArray[np.float16]:
    """The vectors from best to worst, on disk if they take much of the memory."""
    shape = (len(own.about), own.files[0].schema.field("vector").type.list_size)
    large = 2 * shape[0] * shape[1] > memory // 4
    vectors = np.memmap(scratch, np.float16, "w+", shape=shape) if large else np.empty(shape, "f2")
    for rank, part in own.vectors(STRETCH):
        vectors[rank] = part.flatten().to_numpy(zero_copy_only=False).reshape(-1, shape[1])
    return vectors


def _pairs(
    vectors: npt.NDArray[np.float16],
    start: int,
    count: int,
    least: float,
    removed: npt.NDArray[np.uint8],
    nearest: Numbers,
) -> Iterator[tuple[Numbers, Numbers, Floats]]:
    """Better, worse and cosine of the similar pairs whose worse document is of one block.

    `nearest` becomes, for each of the block, how many thresholds of `CURVE` its nearest better
    document reaches.
    """
    own = _unit(vectors[start : start + count])
    for first in range(0, start + count, STRETCH):
        others = _unit(vectors[first : min(first + STRETCH, start + count)])
        near = own @ others.T
        better = np.arange(first, first + len(others))
        near[better[None, :] >= (start + np.arange(count))[:, None]] = -2.0
        np.maximum(nearest, _reached(own, others, near), out=nearest)
        stays = (removed[better >> 3] >> (better & 7).astype(np.uint8)) & 1 == 0
        rows, columns = np.nonzero((near >= least - ROUNDING) & stays)
        exact = cosines(own, others, rows, columns)
        alike = exact >= least
        yield first + columns[alike], start + rows[alike], exact[alike]


def _reached(own: Vectors, others: Vectors, near: npt.NDArray[np.float32]) -> Numbers:
    """Of each row how many thresholds its largest cosine reaches; exact where it is close."""
    most = near.max(axis=1).astype(np.float64)
    low = np.searchsorted(CURVE, most - ROUNDING, "right")
    unsure = np.flatnonzero(low != np.searchsorted(CURVE, most + ROUNDING, "right"))
    rows, columns = np.nonzero(near[unsure] >= most[unsure, None] - 2 * ROUNDING)
    if len(rows):
        exact = cosines(own[unsure], others, rows, columns)
        values = np.full(len(unsure), -2.0)
        np.maximum.at(values, rows, exact)
        low[unsure] = np.searchsorted(CURVE, values, "right")
    found: Numbers = low.astype(np.int64)
    return found


def _unit(vectors: npt.NDArray[np.float16]) -> Vectors:
    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1), pa.float16())
    return unit_vectors(pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))[0]


def _decisions(job: SettleJob, own: Members, found: Found) -> pa.Table:
    gone, survivor = own.about.take(found.document), own.about.take(found.survivor)
    columns: dict[str, Any] = {
        "slice": gone["slice"],
        "row": gone["row"],
        "drop_reason": pa.repeat("duplicate", len(gone)),
        "drop_value": pc.round(pa.array(found.similarity), 4).cast(pa.string()),
        "drop_threshold": pa.repeat(str(job.min_similarity), len(gone)),
        "survivor_id": survivor["id"],
        "similarity": found.similarity,
    }
    return conform(pa.table(columns), DECISION_SCHEMA)
