"""The units of work of a global stage: evidence of a slice, decisions of a partition of its keys.

As in `curation.steps`, every function is pure, and running a job again finds what is finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.files import write_parquet
from curation.ranking import Cut, Cuts, RankingStage, Tallies, Tally, tally
from curation.slices import SliceStore
from curation.stage import DECISION_SCHEMA, GlobalStage


@dataclass(frozen=True)
class EvidenceJob:
    """Takes a global stage's evidence of one slice."""

    stage: GlobalStage
    number: int
    parent: SliceStore
    parent_key: str
    folder: Path


def take_evidence(job: EvidenceJob) -> Path:
    """Writes a slice's evidence, sorted by key."""
    path = job.folder / f"evidence-{job.number:06d}.parquet"
    if path.exists():
        return path
    table = job.parent.read(job.parent_key, columns=["id", *job.stage.reads])
    evidence = job.stage.evidence(table)
    ids = table["id"].take(evidence["row"])
    number = pa.array(np.full(len(evidence), job.number, np.int64))
    evidence = evidence.append_column("id", ids).append_column("slice", number)
    write_parquet(path, evidence.sort_by([("key", "ascending"), ("row", "ascending")]))
    return path


@dataclass(frozen=True)
class Partition:
    """The evidence whose keys are in [first, last]."""

    stage: GlobalStage
    number: int
    first: int
    last: int
    evidence: tuple[Path, ...]

    def read(self) -> pa.Table | None:
        """Its rows in corpus order; None if there is no evidence at all."""
        if not self.evidence:
            return None
        bounds = [("key", ">=", np.uint64(self.first)), ("key", "<=", np.uint64(self.last))]
        parts = [pq.read_table(file, filters=bounds) for file in self.evidence]
        return pa.concat_tables(parts).sort_by([("slice", "ascending"), ("row", "ascending")])


@dataclass(frozen=True)
class ResolveJob:
    """Decides one partition; for a ranking, by the cuts of the whole corpus."""

    partition: Partition
    folder: Path
    cuts: Cuts | None = None


def resolve_partition(job: ResolveJob) -> Path:
    """Writes the decisions of one partition, sorted by slice."""
    path = job.folder / f"decisions-{job.partition.number:05d}.parquet"
    if path.exists():
        return path
    decisions = DECISION_SCHEMA.empty_table()
    evidence, stage = job.partition.read(), job.partition.stage
    if evidence is not None and isinstance(stage, RankingStage):
        decisions = stage.hold_against(evidence, job.cuts or {})
    elif evidence is not None:
        decisions = stage.resolve(evidence)
    write_parquet(path, decisions.sort_by([("slice", "ascending"), ("row", "ascending")]))
    return path


@dataclass(frozen=True)
class CutJob:
    """Finds the cuts that lie in one partition of a ranking."""

    partition: Partition
    above: Tallies
    total: Tallies


def tally_partition(partition: Partition) -> tuple[int, dict[str, Tally]]:
    """(number of the partition, its tally)."""
    evidence = partition.read()
    return partition.number, {} if evidence is None else tally(evidence)


def cut_partition(job: CutJob) -> tuple[int, dict[str, Cut]]:
    """(number of the partition, its cuts)."""
    evidence, stage = job.partition.read(), job.partition.stage
    assert isinstance(stage, RankingStage)
    found = {} if evidence is None else stage.cuts(evidence, job.above, job.total)
    return job.partition.number, found
