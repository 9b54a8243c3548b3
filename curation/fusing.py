"""One pass of consecutive local stages over every slice, after what was decided before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.deciding import Decisions, VerdictFiles
from curation.files import read_json
from curation.fingerprint import fingerprint
from curation.process import PlannedStage
from curation.slices import SliceStore
from curation.stage import Modifier
from curation.steps import LocalJob, Reuse, first_labels, run_slice
from curation.workshop import Pass, Workshop, all_slices, describe


@dataclass(frozen=True)
class HeldOut:
    """The documents that the judge's panels claim: a Parquet of `record` and `why`."""

    path: Path
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Fusion:
    """What one pass does, besides where it starts."""

    stages: tuple[PlannedStage, ...]
    annotations: Mapping[str, pa.DataType] = field(default_factory=dict)  # from passes before
    decided: Decisions | None = None  # by the global stage before
    renames: Decisions | None = None  # of documents whose id occurred before
    held_out: HeldOut | None = None
    keep_dropped_text: bool = True

    @property
    def columns(self) -> dict[str, pa.DataType]:
        """Annotation columns of the slices it writes."""
        columns = {**self.annotations, **(self.decided.columns if self.decided else {})}
        for planned in self.stages:
            columns.update(planned.columns())
        return columns

    def identity(self, parents: Sequence[Pass], *, measured: bool = False) -> dict[str, Any]:
        """What the pass computes; with `measured`, without the thresholds of its filters."""
        return {
            "step": "fuse",
            "parents": [p.fingerprint for p in parents],
            "decided": self.decided.fingerprint if self.decided else None,
            "held_out": self.held_out.fingerprint if self.held_out else None,
            "keep_dropped_text": self.keep_dropped_text,
            "stages": [describe(planned, measured=measured) for planned in self.stages],
        }


def fuse(workshop: Workshop, parents: Sequence[Pass], fusion: Fusion) -> Pass:
    """Runs a fusion over all slices of `parents`.

    Where an earlier pass took the same measurements under other thresholds, they are decided
    again instead of being taken again.
    """
    identity = fusion.identity(parents)
    name = fingerprint(identity)
    store = workshop.store(
        f"fuse-{name}", fusion.columns, {}, keep_dropped_text=fusion.keep_dropped_text
    )
    decided_by = fusion.decided.label if fusion.decided else None
    labels = first_labels(fusion.held_out is not None, decided_by)
    labels += [planned.label for planned in fusion.stages]
    manifest = store.folder / "manifest.json"
    if not manifest.exists():
        measured = fingerprint(fusion.identity(parents, measured=True))
        reuse = _reusable(workshop, measured, fusion, store)
        title = "+".join(labels) or "collect"
        num_bytes = sum(parent.text_bytes for parent in parents)
        jobs = _jobs(parents, fusion, store, reuse)
        slices = workshop.run(title, run_slice, jobs, num_bytes)
        slices.sort(key=lambda record: str(record["key"]))
        workshop.check_errors(title, slices, [])
        about = {"identity": identity, "measured": measured, "slices": slices}
        workshop.finish(store.folder, about)
    slices = read_json(manifest)["slices"]
    errors = [{"source": s["source"], **row} for s in slices for row in s["errors"]]
    inputs = fingerprint([parent.inputs for parent in parents])
    return Pass(name, inputs, store, slices, labels, errors=errors)


def _jobs(
    parents: Sequence[Pass], fusion: Fusion, store: SliceStore, reuse: Reuse | None
) -> list[LocalJob]:
    return [
        LocalJob(
            number=number,
            source=record["source"],
            parent=parent.store,
            parent_key=record["key"],
            stages=fusion.stages,
            store=store,
            label=fusion.decided.label if fusion.decided else None,
            verdicts=fusion.decided.on(number) if fusion.decided else VerdictFiles(),
            columns=fusion.decided.columns if fusion.decided else {},
            renames=fusion.renames.on(number).decisions if fusion.renames else (),
            held_out=fusion.held_out.path if fusion.held_out else None,
            reuse=reuse,
        )
        for number, (parent, record) in enumerate(all_slices(parents))
    ]


def _reusable(workshop: Workshop, measured: str, fusion: Fusion, store: SliceStore) -> Reuse | None:
    """A finished pass with the same measurements and other thresholds, if it can serve."""
    if not fusion.keep_dropped_text:
        return None
    stages = fusion.stages
    for manifest in sorted(workshop.folder.glob("fuse-*/manifest.json")):
        found = read_json(manifest)
        if found["measured"] != measured:
            continue
        then = [fingerprint(stage) for stage in found["identity"]["stages"]]
        now = [fingerprint(describe(stage)) for stage in stages]
        first = next(i for i, name in enumerate(now) if name != then[i])
        if _can_decide_again(stages, first):
            old = SliceStore(manifest.parent, store.annotations, store.extra, store.run_id)
            return Reuse(old, first)
    return None


def _can_decide_again(stages: Sequence[PlannedStage], first: int) -> bool:
    """Whether stored rows are still what the rules from stage `first` on must judge.

    A modifier from there on has edited their text; a later stage that fills a field of the
    document has changed a field that rows dropped before it should not show.
    """
    edited = any(isinstance(planned.stage, Modifier) for planned in stages[first:])
    return not edited and not any(planned.fills for planned in stages[first + 1 :])
