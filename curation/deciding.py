"""Global stages: evidence of every slice, spilled to disk, resolved partition by partition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from curation.files import read_json
from curation.fingerprint import fingerprint
from curation.ids import UniqueIds
from curation.process import PlannedStage
from curation.stage import GlobalStage
from curation.steps import EvidenceJob, ResolveJob, resolve_partition, take_evidence
from curation.workshop import Pass, Workshop, all_slices, describe

PARTITION_ROWS = 4_000_000  # evidence rows that one resolving task holds in memory


@dataclass(frozen=True)
class Decisions:
    """What a global stage decided: files of `DECISION_SCHEMA`."""

    fingerprint: str
    label: str
    files: tuple[Path, ...]


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
        files = _decide(workshop, stage, planned.label, parents, folder)
        workshop.finish(folder, {"identity": identity, "files": [f.name for f in files]})
        for evidence in folder.glob("evidence-*.parquet"):
            evidence.unlink()
    names = read_json(manifest)["files"]
    return Decisions(name, planned.label, tuple(folder / file for file in names))


def unique_ids(workshop: Workshop, parents: Sequence[Pass]) -> Decisions:
    """Documents whose id an earlier document bears."""
    return decide(workshop, parents, PlannedStage("unique_ids", UniqueIds()))


def _decide(
    workshop: Workshop, stage: GlobalStage, label: str, parents: Sequence[Pass], folder: Path
) -> list[Path]:
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
        ResolveJob(stage, i, bounds[i], bounds[i + 1] - 1, tuple(evidence), folder)
        for i in range(count)
    ]
    return sorted(workshop.run(f"{label}: decide", resolve_partition, partitions, rows * 32))
