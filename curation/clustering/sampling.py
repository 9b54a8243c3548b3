"""First rounds of clustering: a sample of the corpus with its vectors, and centroids from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.clustering.kmeans import train
from curation.clustering.vectors import Vectors, unit_vectors
from curation.dedup.near.blocks import Block
from curation.drawing import draws, limit
from curation.files import atomic, write_parquet
from curation.rounds import CorpusSlice, Rounds

SAMPLE_CHARS = 2_000  # of a sampled text, for keywords and examples
CENTROIDS = "centroids.npy"


@dataclass(frozen=True)
class SampleJob:
    """Takes the documents of a block whose draw is below a limit.

    Attributes:
        chars: of each text, that are kept; 0 for none.
    """

    block: Block
    vectors: str
    seed: int
    below: int
    chars: int


def take_sample(job: SampleJob) -> Path:
    """Writes `slice`, `row`, `id`, `source`, `draw`, `text` and `vector` of the drawn documents."""
    path = job.block.stem.with_name(f"{job.block.stem.name}.sample.parquet")
    if not path.exists():
        parts = [_drawn(job, part) for part, _ in job.block.starts()]
        write_parquet(path, pa.concat_tables(parts))
    return path


def _drawn(job: SampleJob, part: object) -> pa.Table:
    assert isinstance(part, CorpusSlice)
    texts = ["text"] if job.chars else []
    table = part.read(["id", "source", job.vectors, *texts])
    draw = draws(table, job.seed)
    _, there = unit_vectors(table[job.vectors])
    rows = np.flatnonzero(there & (draw <= np.uint64(job.below - 1)))
    cut = (
        pc.utf8_slice_codeunits(pc.fill_null(table["text"].take(pa.array(rows)), ""), 0, job.chars)
        if job.chars
        else pa.nulls(len(rows), pa.string())
    )
    return pa.table(
        {
            "slice": np.full(len(rows), part.number),
            "row": rows,
            "id": table["id"].take(pa.array(rows)),
            "source": table["source"].take(pa.array(rows)),
            "draw": draw[rows],
            "text": cut,
            "vector": table[job.vectors].take(pa.array(rows)).combine_chunks(),
        }
    )


def draw_sample(
    rounds: Rounds, blocks: Sequence[Block], vectors: str, size: int, seed: int, chars: int = 0
) -> tuple[Path, ...]:
    """Files that hold, together, what `read_sample` cuts to the sample."""
    below = limit(size, max(rounds.rows, 1))
    jobs = [SampleJob(block, vectors, seed, below, chars) for block in blocks]
    num_bytes = rounds.text_bytes if chars else 0
    return tuple(rounds.run("sample", take_sample, jobs, num_bytes))


def read_sample(files: Sequence[Path], size: int) -> pa.Table:
    """At most `size` documents in the order of their draw: the same however they are sliced."""
    table = pa.concat_tables([pq.read_table(file) for file in files])
    order = [(name, "ascending") for name in ("draw", "source", "id")]
    return table.sort_by(order)[:size]


@dataclass(frozen=True)
class TrainJob:
    """Finds centroids."""

    sample: tuple[Path, ...]
    size: int
    k: int
    seed: int
    restarts: int
    folder: Path


def train_centroids(job: TrainJob) -> Path:
    """Writes (k, size) unit centroids; none if no document of the sample has a vector."""
    path = job.folder / CENTROIDS
    if path.exists():
        return path
    sample, _ = unit_vectors(read_sample(job.sample, job.size)["vector"])
    centroids = train(sample, job.k, job.seed, job.restarts) if len(sample) else sample
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.save(file, centroids)
    return path


def find_centroids(rounds: Rounds, job: TrainJob) -> Vectors:
    """The centroids of a sample, trained or found finished."""
    (path,) = rounds.run("k-means", train_centroids, [job], 0)
    centroids: Vectors = np.load(path)
    return centroids
