"""Global stages in which documents of equal key must meet: evidence of slices, then decisions.

Evidence is spilled to disk sorted by key and read back in ranges of keys, as many as memory allows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.files import write_parquet
from curation.rounds import CorpusSlice, Rounds, Verdicts
from curation.stage import DECISION_SCHEMA, GlobalStage

SAMPLED = 16  # one key in so many tells where ranges of keys begin
EXPANSION = 6  # bytes that deciding takes per byte of evidence: joins, sorts, copies


@dataclass(frozen=True, kw_only=True)
class KeyedStage(GlobalStage):
    """`evidence` is taken per slice, `resolve` sees all rows of a range of keys.

    The result must not depend on how keys are divided into ranges.
    """

    def evidence(self, table: pa.Table) -> pa.Table:
        """One or more rows per document, with whatever `resolve` needs.

        Besides, `row` (int64): the document's row in the table; and `key` (uint64): equal for
        documents that must meet.
        """
        raise NotImplementedError

    def resolve(self, evidence: pa.Table) -> pa.Table:
        """The documents that go, from evidence rows that also have `slice` (int64) and `id`.

        Args:
            evidence: in corpus order.

        Returns:
            A table of `DECISION_SCHEMA`, at most one row per document; what does not apply is
            null.
        """
        raise NotImplementedError

    def decide(self, rounds: Rounds) -> Verdicts:
        """See `GlobalStage`."""
        jobs = [ResolveJob(self, part, rounds.folder) for part in self.partitions(rounds)]
        size = sum(job.partition.num_bytes for job in jobs)
        return Verdicts(decisions=tuple(rounds.run("decide", resolve_partition, jobs, size)))

    def partitions(self, rounds: Rounds) -> list[Partition]:
        """The evidence of the whole corpus, in ranges of keys."""
        jobs = [EvidenceJob(self, one, rounds.folder) for one in rounds.slices]
        size = rounds.text_bytes if "text" in self.reads else 0
        files = tuple(rounds.run("evidence", take_evidence, jobs, size))
        held = sum(_memory(file) for file in files)
        count = math.ceil(held * EXPANSION / rounds.task_memory)
        bounds = rounds.remember("partitions", lambda: _bounds(files, count))
        return [
            Partition(i, first, end - 1, files, held // len(bounds))
            for i, (first, end) in enumerate(pairwise(bounds))
        ]


@dataclass(frozen=True)
class EvidenceJob:
    """Takes the evidence of one slice."""

    stage: KeyedStage
    part: CorpusSlice
    folder: Path


def take_evidence(job: EvidenceJob) -> Path:
    """Writes a slice's evidence, sorted by key."""
    path = job.folder / f"evidence-{job.part.number:06d}.parquet"
    if path.exists():
        return path
    table = job.part.read(["id", *job.stage.reads])
    evidence = job.stage.evidence(table)
    ids = table["id"].take(evidence["row"])
    number = pa.array(np.full(len(evidence), job.part.number, np.int64))
    evidence = evidence.append_column("id", ids).append_column("slice", number)
    write_parquet(path, evidence.sort_by([("key", "ascending"), ("row", "ascending")]))
    return path


@dataclass(frozen=True)
class Partition:
    """The evidence whose keys are in [first, last]."""

    number: int
    first: int
    last: int
    evidence: tuple[Path, ...]
    num_bytes: int

    def read(self) -> pa.Table | None:
        """Its rows in corpus order; None if there is no evidence at all."""
        if not self.evidence:
            return None
        bounds = [("key", ">=", np.uint64(self.first)), ("key", "<=", np.uint64(self.last))]
        parts = [pq.read_table(file, filters=bounds) for file in self.evidence]
        return pa.concat_tables(parts).sort_by([("slice", "ascending"), ("row", "ascending")])


@dataclass(frozen=True)
class ResolveJob:
    """Decides one partition."""

    stage: KeyedStage
    partition: Partition
    folder: Path


def resolve_partition(job: ResolveJob) -> Path:
    """Writes the decisions of one partition."""
    path = decision_file(job.folder, job.partition)
    if not path.exists():
        evidence = job.partition.read()
        write_decisions(path, None if evidence is None else job.stage.resolve(evidence))
    return path


def decision_file(folder: Path, partition: Partition) -> Path:
    """Where the decisions of a partition stand."""
    return folder / f"decisions-{partition.number:05d}.parquet"


def write_decisions(path: Path, decisions: pa.Table | None) -> None:
    """Writes decisions sorted by slice and row, so that each slice finds its own fast."""
    table = DECISION_SCHEMA.empty_table() if decisions is None else decisions
    write_parquet(path, table.sort_by([("slice", "ascending"), ("row", "ascending")]))


def _bounds(files: Sequence[Path], count: int) -> list[int]:
    """Of about `count` ranges that hold about as many keys each: scores crowd, hashes do not."""
    if count <= 1:
        return [0, 2**64]
    keys = [pq.read_table(file, columns=["key"])["key"].to_numpy()[::SAMPLED] for file in files]
    sample = np.sort(np.concatenate(keys))
    inner = np.unique(sample[np.arange(1, count) * len(sample) // count]).tolist()
    return [0, *(bound for bound in inner if bound), 2**64]


def _memory(file: Path) -> int:
    about = pq.read_metadata(file)
    return sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
