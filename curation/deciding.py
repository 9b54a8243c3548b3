"""Global stages: evidence of every slice, spilled to disk, resolved partition by partition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from curation.evidence import (
    CutJob,
    EvidenceJob,
    Partition,
    ResolveJob,
    cut_partition,
    resolve_partition,
    take_evidence,
    tally_partition,
)
from curation.files import read_json
from curation.fingerprint import fingerprint
from curation.ids import UniqueIds
from curation.process import PlannedStage
from curation.ranking import Cut, RankingStage, running
from curation.stage import GlobalStage
from curation.workshop import Pass, Workshop, all_slices, describe

PARTITION_ROWS = 4_000_000  # evidence rows that one resolving task holds in memory


@dataclass(frozen=True)
class Decisions:
    """What a global stage decided: files of `DECISION_SCHEMA`."""

    fingerprint: str
    label: str
    files: tuple[Path, ...]
    cuts: Mapping[str, str | None] = field(default_factory=dict)  # of a ranking: group to score


def decide(workshop: Workshop, parents: Sequence[Pass], planned: PlannedStage) -> Decisions:
    """What a global stage drops of all slices of `parents`."""
    stage = planned.stage
    assert isinstance(stage, GlobalStage)
    identity = {
        "step": "decide",
        "parents": [p.fingerprint for p in parents],
        "stage": describe(planned),
    }
    name = fingerprint(identity)
    folder = workshop.folder / f"decide-{name}"
    manifest = folder / "manifest.json"
    if not manifest.exists():
        folder.mkdir(parents=True, exist_ok=True)
        files, cuts = _decide(workshop, stage, planned.label, parents, folder)
        about = {"identity": identity, "files": [f.name for f in files], "cuts": cuts}
        workshop.finish(folder, about)
        for evidence in folder.glob("evidence-*.parquet"):
            evidence.unlink()
    found = read_json(manifest)
    files = [folder / file for file in found["files"]]
    return Decisions(name, planned.label, tuple(files), found.get("cuts", {}))


def unique_ids(workshop: Workshop, parents: Sequence[Pass]) -> Decisions:
    """Documents whose id an earlier document bears."""
    return decide(workshop, parents, PlannedStage("unique_ids", UniqueIds()))


def _decide(
    workshop: Workshop, stage: GlobalStage, label: str, parents: Sequence[Pass], folder: Path
) -> tuple[list[Path], dict[str, str | None]]:
    """The files of decisions and, of a ranking, the scores at which its groups are cut."""
    jobs = [
        EvidenceJob(stage, number, parent.store, record["key"], folder)
        for number, (parent, record) in enumerate(all_slices(parents))
    ]
    num_bytes = sum(p.text_bytes for p in parents) if "text" in stage.reads else 0
    evidence = sorted(workshop.run(f"{label}: evidence", take_evidence, jobs, num_bytes))
    rows = sum(pq.read_metadata(file).num_rows for file in evidence)
    count = max(1, math.ceil(rows / PARTITION_ROWS))
    bounds = [i * 2**64 // count for i in range(count + 1)]
    partitions = [
        Partition(stage, i, bounds[i], bounds[i + 1] - 1, tuple(evidence)) for i in range(count)
    ]
    cuts = None
    if isinstance(stage, RankingStage):
        cuts = _cuts(workshop, label, partitions, rows * 32)
    resolving = [ResolveJob(partition, folder, cuts) for partition in partitions]
    files = sorted(workshop.run(f"{label}: decide", resolve_partition, resolving, rows * 32))
    return files, {group: cut.value for group, cut in (cuts or {}).items()}


def _cuts(
    workshop: Workshop, label: str, partitions: Sequence[Partition], num_bytes: int
) -> dict[str, Cut]:
    """Where each group of a ranking is cut: in the last partition of which something stays."""
    tallies = workshop.run(f"{label}: tally", tally_partition, partitions, num_bytes)
    *above, total = running([found for _, found in sorted(tallies)])
    jobs = [CutJob(p, before, total) for p, before in zip(partitions, above, strict=True)]
    found = sorted(workshop.run(f"{label}: cut", cut_partition, jobs, num_bytes))
    return {group: cut for _, cuts in found for group, cut in cuts.items()}
