"""Running a global stage: its rounds over all slices, and what it decided, kept and found again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.files import link_or_copy, read_json
from curation.fingerprint import fingerprint
from curation.ids import UniqueIds
from curation.process import PlannedStage
from curation.rounds import CorpusSlice, Origin, Rounds
from curation.stage import GlobalStage
from curation.workshop import Pass, Workshop, all_slices, describe

MANIFEST = "manifest.json"
_BY_SLICE = ("files", "edits", "annotations")


@dataclass(frozen=True)
class SliceFile:
    """A file of verdicts on slices `first` to `last`."""

    path: Path
    first: int
    last: int


@dataclass(frozen=True)
class Decisions:
    """What a global stage decided: files of its decisions, edits and annotations, and its report.

    Attributes:
        files: of `DECISION_SCHEMA`.
        edits: of `EDIT_SCHEMA`.
        annotations: of the stage's `annotation_schema`.
        columns: dataset columns that the annotations fill, in their order.
    """

    fingerprint: str
    label: str
    files: tuple[SliceFile, ...]
    edits: tuple[SliceFile, ...] = ()
    annotations: tuple[SliceFile, ...] = ()
    columns: Mapping[str, pa.DataType] = field(default_factory=dict)
    artifacts: tuple[Path, ...] = ()  # to be put beside the dataset
    report: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0  # that its rounds took

    def on(self, number: int) -> VerdictFiles:
        """The files that may hold verdicts on a slice: few, however many slices."""
        decisions, edits, annotations = (
            tuple(file.path for file in files if file.first <= number <= file.last)
            for files in (self.files, self.edits, self.annotations)
        )
        return VerdictFiles(decisions, edits, annotations)


@dataclass(frozen=True)
class VerdictFiles:
    """The files of a global stage's verdicts that concern one slice."""

    decisions: tuple[Path, ...] = ()
    edits: tuple[Path, ...] = ()
    annotations: tuple[Path, ...] = ()


def decide(workshop: Workshop, parents: Sequence[Pass], planned: PlannedStage) -> Decisions:
    """What a global stage drops of, or cuts from, all slices of `parents`."""
    stage = planned.stage
    assert isinstance(stage, GlobalStage)
    corpus = {"parents": [p.fingerprint for p in parents], "stage": describe(planned)}
    origin = Origin(fingerprint(corpus), fingerprint([p.inputs for p in parents]))
    state = stage.state(origin)
    identity = {"step": "decide", **corpus, "state": state}
    name = fingerprint(identity)
    folder = workshop.folder / f"decide-{name}"
    if not (folder / MANIFEST).exists():
        folder.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        rounds = replace(_rounds(workshop, planned.label, parents, folder), state=state)
        verdicts = stage.decide(rounds)
        about: dict[str, Any] = {"identity": identity, "report": dict(verdicts.report)}
        about |= {"seconds": time.monotonic() - begin}
        by_slice = (verdicts.decisions, verdicts.edits, verdicts.annotations)
        about |= {kind: _ranges(f) for kind, f in zip(_BY_SLICE, by_slice, strict=True)}
        about |= {"kept": [path.name for path in verdicts.kept]}
        about |= {"artifacts": [path.name for path in verdicts.artifacts]}
        workshop.finish(folder, about)
        named = {name for kind in _BY_SLICE for name, *_ in about[kind]}
        _clear(folder, {MANIFEST, *named, *about["kept"], *about["artifacts"]})
    stage.publish(folder, origin, state)
    found = read_json(folder / MANIFEST)
    # A stage that was decided before there were artifacts or annotations has none.
    files, edits, annotations = (
        tuple(SliceFile(folder / name, first, last) for name, first, last in found.get(kind, ()))
        for kind in _BY_SLICE
    )
    return Decisions(
        fingerprint=name,
        label=planned.label,
        files=files,
        edits=edits,
        annotations=annotations,
        columns=planned.columns(),
        artifacts=tuple(folder / name for name in found.get("artifacts", ())),
        report=found["report"],
        seconds=found["seconds"],
    )


def publish_artifacts(decided: Iterable[Decisions], out: Path) -> list[dict[str, Any]]:
    """Puts the artifacts of global stages into `out/artifacts/<label>`; their manifest entries."""
    shutil.rmtree(out / "artifacts", ignore_errors=True)  # of an earlier recipe of this name
    entries = []
    for one in decided:
        if one.artifacts:
            folder = f"artifacts/{one.label}"
            (out / folder).mkdir(parents=True)
            for path in one.artifacts:
                link_or_copy(path, out / folder / path.name)
            names = [path.name for path in one.artifacts]
            entries.append({"stage": one.label, "folder": folder, "files": names})
    return entries


def unique_ids(workshop: Workshop, parents: Sequence[Pass]) -> Decisions:
    """Documents whose id an earlier document bears."""
    return decide(workshop, parents, PlannedStage("unique_ids", UniqueIds()))


def _ranges(files: Sequence[Path]) -> list[tuple[str, int, int]]:
    """Name, first and last slice of the files that are not empty."""
    found = []
    for path in files:
        about = pq.read_metadata(path)
        place = about.schema.to_arrow_schema().names.index("slice")
        groups = [about.row_group(i).column(place).statistics for i in range(about.num_row_groups)]
        if about.num_rows:
            found.append((path.name, min(g.min for g in groups), max(g.max for g in groups)))
    return found


def _rounds(workshop: Workshop, label: str, parents: Sequence[Pass], folder: Path) -> Rounds:
    slices = tuple(
        CorpusSlice(
            number=number,
            source=record["source"],
            store=parent.store,
            key=record["key"],
            rows=record["kept"]["rows"],
            text_bytes=record["kept"]["text_bytes"],
        )
        for number, (parent, record) in enumerate(all_slices(parents))
    )
    return Rounds(
        slices=slices,
        folder=folder,
        workers=workshop.backend.workers,
        max_memory=workshop.max_memory,
        execute=lambda what, *rest: workshop.run(f"{label}: {what}", *rest),
    )


def _clear(folder: Path, kept: set[str]) -> None:
    """Removes what rounds passed on to one another."""
    for path in folder.iterdir():
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
