"""Middle round of `semantic_dedup`: the documents of a block, by the cluster they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.clustering.kmeans import assign
from curation.clustering.sampling import CENTROIDS
from curation.clustering.vectors import unit_vectors
from curation.dedup.near.blocks import Block
from curation.dedup.survivors import Policy
from curation.mapped import between, column, map_table, write_mapped
from curation.rounds import CorpusSlice

CENTRALITY = "centrality"  # cosine to the centroid: what a policy may compare


@dataclass(frozen=True)
class SpreadJob:
    """Spreads the documents of a block over clusters.

    Attributes:
        folder: of the centroids.
    """

    block: Block
    vectors: str
    policy: Policy
    folder: Path


def spread_block(job: SpreadJob) -> Path:
    """Writes a block's documents that have a vector, ascending by cluster.

    `cluster`, `slice`, `row`, `id`, `order` (of the survivor policy), `vector` (as it was given).
    """
    path = job.block.file("spread")
    if path.exists():
        return path
    centroids = np.load(job.folder / CENTROIDS)
    parts = [_spread(job, part, centroids) for part, _ in job.block.starts()]
    table = pa.concat_tables(parts).sort_by([(n, "ascending") for n in ("cluster", "slice", "row")])
    return write_mapped(path, {name: table[name] for name in table.column_names})


def _spread(job: SpreadJob, part: object, centroids: npt.NDArray[np.float32]) -> pa.Table:
    assert isinstance(part, CorpusSlice)
    wanted = dict.fromkeys(["id", job.vectors, *job.policy.reads])
    table = part.read([name for name in wanted if name != CENTRALITY])
    vectors, there = unit_vectors(table[job.vectors])
    rows = np.flatnonzero(there)
    table = table.take(pa.array(rows))
    cluster, cosine = assign(vectors[rows], centroids)
    ordered = table.append_column(CENTRALITY, pa.array(cosine))
    return pa.table(
        {
            "cluster": cluster,
            "slice": np.full(len(rows), part.number),
            "row": rows,
            "id": table["id"],
            "order": job.policy.order(ordered),
            "vector": table[job.vectors],
        }
    )


@dataclass(frozen=True)
class Members:
    """The documents of one cluster, from best to worst, and their vectors where they lie.

    Attributes:
        about: `slice`, `row`, `id` in the order of the survivor policy.
        rank: of the documents as `vectors` yields them.
    """

    about: pa.Table
    rank: npt.NDArray[np.int64]
    files: tuple[pa.Table, ...]

    def vectors(self, step: int) -> Iterator[tuple[npt.NDArray[np.int64], pa.Array]]:
        """Ranks and vectors, at most `step` at a time."""
        at = 0
        for table in self.files:
            for start in range(0, len(table), step):
                part = table["vector"].slice(start, step).combine_chunks()
                yield self.rank[at : at + len(part)], part
                at += len(part)


def members(files: Sequence[Path], cluster: int, policy: Policy) -> Members:
    """The documents of a cluster, of all blocks."""
    tables = []
    for path in files:
        table = map_table(path)
        own = between(column(table, "cluster"), cluster, cluster + 1)
        tables.append(table.slice(own.start, own.stop - own.start))
    about = pa.concat_tables([t.select(["slice", "row", "id", "order"]) for t in tables])
    about = about.append_column("place", pa.array(np.arange(len(about))))
    about = about.sort_by([(name, "ascending") for name in ("order", *policy.ties)])
    rank = np.empty(len(about), np.int64)
    rank[about["place"].to_numpy()] = np.arange(len(about))
    return Members(about.select(["slice", "row", "id"]), rank, tuple(tables))
