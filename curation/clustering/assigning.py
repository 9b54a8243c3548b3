"""Middle rounds of clustering: the nearest centroid of every document, and sums by cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.clustering.building import Sums
from curation.clustering.kmeans import assign
from curation.clustering.sampling import CENTROIDS
from curation.clustering.vectors import Floats, Numbers, unit_vectors
from curation.dedup.near.blocks import Block
from curation.mapped import about, write_mapped

NONE = -1  # the cluster of a document without a vector


@dataclass(frozen=True)
class AssignJob:
    """Assigns the documents of a block.

    Attributes:
        measured: columns of numbers whose means are wanted.
        folder: of the centroids.
    """

    block: Block
    vectors: str
    measured: tuple[str, ...]
    folder: Path


def assign_block(job: AssignJob) -> Path:
    """Writes `cluster` of each document of a block, and, along with it, the block's sums."""
    path = job.block.file("assigned")
    if path.exists():
        return path
    centroids = np.load(job.folder / CENTROIDS)
    found, sums = [np.empty(0, np.int32)], _zeros(len(centroids), job.measured)
    for part, _ in job.block.starts():
        table = part.read(["id", "text", job.vectors, *job.measured])
        vectors, there = unit_vectors(table[job.vectors])
        cluster = np.full(len(table), NONE, np.int32)
        if len(centroids):
            cluster[there] = assign(vectors[there], centroids)[0]
        found.append(cluster)
        _add(sums, table, part.source, cluster, job.measured)
    as_json = json.dumps(sums, default=lambda array: array.tolist())
    return write_mapped(path, {"cluster": np.concatenate(found)}, as_json)


def _zeros(k: int, measured: Sequence[str]) -> dict[str, Any]:
    return {
        "documents": np.zeros(k, np.int64),
        "num_bytes": np.zeros(k, np.int64),
        "sources": {},
        "totals": {name: np.zeros(k) for name in measured},
        "counts": {name: np.zeros(k, np.int64) for name in measured},
    }


def _add(
    sums: dict[str, Any], table: pa.Table, source: str, cluster: Any, measured: Sequence[str]
) -> None:
    k = len(sums["documents"])
    inside = cluster >= 0
    documents = np.bincount(cluster[inside], minlength=k)
    sizes = pc.fill_null(pc.binary_length(table["text"]), 0).to_numpy()[inside]
    sums["documents"] += documents
    sums["num_bytes"] += _total(cluster[inside], sizes, k).astype(np.int64)
    sums["sources"][source] = sums["sources"].get(source, 0) + documents
    for name in measured:
        values = table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)  # null is NaN
        own = inside & np.isfinite(values)
        sums["totals"][name] += _total(cluster[own], values[own], k)
        sums["counts"][name] += np.bincount(cluster[own], minlength=k)


def _total(cluster: Any, values: Any, k: int) -> Floats:
    return np.bincount(cluster, values, minlength=k).astype(np.float64)


def read_sums(files: Sequence[Path], k: int, measured: Sequence[str]) -> Sums:
    """The sums of all blocks together."""
    whole = _zeros(k, measured)
    for path in files:
        own: Mapping[str, Any] = json.loads(about(path))
        for name in ("documents", "num_bytes"):
            whole[name] += np.array(own[name], np.int64)
        for name in measured:
            whole["totals"][name] += np.array(own["totals"][name], np.float64)
            whole["counts"][name] += np.array(own["counts"][name], np.int64)
        for source, documents in own["sources"].items():
            before: Numbers = whole["sources"].get(source, np.zeros(k, np.int64))
            whole["sources"][source] = before + np.array(documents, np.int64)
    return Sums(**whole)
