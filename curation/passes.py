"""Finished passes over a corpus, found by fingerprint or made by a backend.

A pass is a work folder: the slices of one step and a manifest, written last. Passes are shared by
all recipes of an output folder: two recipes that begin alike read and extract once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from curation.backends import Backend
from curation.errors import TooManyErrors
from curation.files import read_json, write_json
from curation.fingerprint import fingerprint
from curation.ids import UniqueIds
from curation.process import PlannedStage, StageStats
from curation.slices import SLICE_BYTES, SLICE_ROWS, SliceStore
from curation.sources.source import Source
from curation.stage import Filter, GlobalStage, Modifier
from curation.steps import (
    PLACE,
    EvidenceJob,
    LocalJob,
    ReadJob,
    ResolveJob,
    Reuse,
    first_labels,
    read_split,
    resolve_partition,
    run_slice,
    take_evidence,
)

MIN_ERRORS = 20  # below this many failures no run is stopped
PARTITION_ROWS = 4_000_000  # evidence rows that one resolving task holds in memory


class Progress(Protocol):
    """Hears of finished tasks: `label`, how many are done, of how many."""

    def __call__(self, label: str, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Pass:
    """A finished step: its slices in corpus order and what it counted."""

    fingerprint: str
    store: SliceStore
    slices: list[dict[str, Any]]  # records of `SliceStore.write`, with the pass's own key
    labels: list[str]  # of the stages that the slices' statistics are about
    source: dict[str, Any] | None = None  # of a pass that reads one
    errors: list[dict[str, Any]] = field(default_factory=list)  # rows of errors.jsonl

    @property
    def documents(self) -> int:
        """Documents kept."""
        return sum(s["kept"]["rows"] for s in self.slices)

    @property
    def text_bytes(self) -> int:
        """UTF-8 bytes of the kept texts."""
        return sum(s["kept"]["text_bytes"] for s in self.slices)


@dataclass(frozen=True)
class Workshop:
    """Where and how passes are made. Nothing here changes what they hold."""

    folder: Path
    backend: Backend
    progress: Progress
    run_id: str
    max_error_frac: float = 0.01

    def read(self, source: Source, root: Path, extractor: PlannedStage | None) -> Pass:
        """The documents of a source, extracted if `extractor` is given."""
        files = source.files(root)
        identity = {
            "step": "read",
            "source": {**source.identity_params(), "format": source.format},
            "version": source.version,
            "files": [[f.path, source.identity(f)] for f in files],
            "extractor": extractor and describe(extractor),
            "slice": [SLICE_BYTES, SLICE_ROWS],
        }
        print_ = fingerprint(identity)
        store = self._store(f"read-{print_}", {}, PLACE, keep_text=True)
        splits = [split for file in files for split in source.splits(file)]
        jobs = [ReadJob(source, s, i, extractor, store) for i, s in enumerate(splits)]
        manifest = store.folder / "manifest.json"
        if not manifest.exists():
            num_bytes = sum(f.size for f in files)
            results = self.run(f"read {source.name}", read_split, jobs, num_bytes)
            results.sort(key=_first_key)
            summary = _summary(source, len(files), num_bytes, results)
            self._check_errors(f"source '{source.name}'", summary["slices"], summary["errors"])
            write_json(manifest, {"identity": identity, **summary})
        found = read_json(manifest)
        labels = [extractor.label] if extractor else []
        about = {**found["source"], "errors": len(found["errors"])}
        return Pass(print_, store, found["slices"], labels, about, found["errors"])

    def fuse(
        self, parents: Sequence[Pass], stages: Sequence[PlannedStage], *,
        annotations: Mapping[str, pa.DataType], decided: Decisions | None = None,
        renames: Decisions | None = None, held_out: Path | None = None,
        held_out_fingerprint: str | None = None, keep_dropped_text: bool = True,
    ) -> Pass:  # fmt: skip
        """One pass of local stages over all slices of `parents`, after global decisions if any."""
        base = {
            "step": "fuse",
            "parents": [p.fingerprint for p in parents],
            "decided": decided and decided.fingerprint,
            "held_out": held_out_fingerprint,
            "dropped_text": keep_dropped_text,
        }
        identity = {**base, "stages": [describe(s) for s in stages]}
        measured = fingerprint({**base, "stages": [describe(s, measured=True) for s in stages]})
        print_ = fingerprint(identity)
        columns = dict(annotations)
        for planned in stages:
            columns.update(planned.columns())
        store = self._store(f"fuse-{print_}", columns, {}, keep_text=keep_dropped_text)
        reuse = self._reusable(measured, stages, store) if keep_dropped_text else None
        jobs = [
            LocalJob(
                key=f"{number:06d}", number=number, source=record["source"], parent=parent.store,
                parent_key=record["key"], stages=tuple(stages), store=store,
                label=decided and decided.label, decisions=decided.files if decided else (),
                renames=renames.files if renames else (), held_out=held_out, reuse=reuse,
            )
            for number, (parent, record) in enumerate(_slices(parents))
        ]  # fmt: skip
        labels = [*(first_labels(jobs[0]) if jobs else []), *(s.label for s in stages)]
        manifest = store.folder / "manifest.json"
        if not manifest.exists():
            num_bytes = sum(p.text_bytes for p in parents)
            title = "+".join(labels) or "collect"
            slices = sorted(self.run(title, run_slice, jobs, num_bytes), key=_key)
            self._check_errors(title, slices, [])
            value = {"identity": identity, "measured": measured, "slices": slices}
            write_json(manifest, value)
        slices = read_json(manifest)["slices"]
        errors = [{"source": s["source"], **row} for s in slices for row in s["errors"]]
        return Pass(print_, store, slices, labels, errors=errors)

    def decide(self, parents: Sequence[Pass], planned: PlannedStage) -> Decisions:
        """What a global stage drops of all slices of `parents`."""
        stage = planned.stage
        assert isinstance(stage, GlobalStage)
        identity = {
            "step": "decide",
            "parents": [p.fingerprint for p in parents],
            "stage": describe(planned),
        }
        print_ = fingerprint(identity)
        folder = self.folder / f"decide-{print_}"
        manifest = folder / "manifest.json"
        if not manifest.exists():
            folder.mkdir(parents=True, exist_ok=True)
            files = self._decide(stage, planned.label, parents, folder)
            dropped = sum(pq.read_metadata(f).num_rows for f in files)
            names = [f.name for f in files]
            write_json(manifest, {"identity": identity, "files": names, "dropped": dropped})
            for evidence in folder.glob("evidence-*.parquet"):
                evidence.unlink()
        files = [folder / name for name in read_json(manifest)["files"]]
        return Decisions(print_, planned.label, tuple(files))

    def unique_ids(self, parents: Sequence[Pass]) -> Decisions:
        """Documents whose id an earlier document bears."""
        return self.decide(parents, PlannedStage("unique_ids", UniqueIds()))

    def _decide(
        self, stage: GlobalStage, label: str, parents: Sequence[Pass], folder: Path
    ) -> list[Path]:
        jobs = [
            EvidenceJob(stage, number, parent.store, record["key"], folder)
            for number, (parent, record) in enumerate(_slices(parents))
        ]
        num_bytes = sum(p.text_bytes for p in parents) if "text" in stage.reads else 0
        evidence = sorted(self.run(f"{label}: evidence", take_evidence, jobs, num_bytes))
        rows = sum(pq.read_metadata(file).num_rows for file in evidence)
        count = max(1, math.ceil(rows / PARTITION_ROWS))
        bounds = [i * 2**64 // count for i in range(count + 1)]
        partitions = [
            ResolveJob(stage, i, bounds[i], bounds[i + 1] - 1, tuple(evidence), folder)
            for i in range(count)
        ]
        return sorted(self.run(f"{label}: decide", resolve_partition, partitions, rows * 32))

    def _store(
        self, name: str, columns: Mapping[str, pa.DataType], extra: Mapping[str, pa.DataType],
        *, keep_text: bool,
    ) -> SliceStore:  # fmt: skip
        return SliceStore(self.folder / name, dict(columns), dict(extra), self.run_id, keep_text)

    def run(
        self, label: str, function: Callable[[Any], Any], jobs: Sequence[Any], num_bytes: int
    ) -> list[Any]:
        """Results of all jobs, in order of completion, with progress."""
        results = []
        self.progress(label, 0, len(jobs))
        for result in self.backend.run(function, jobs, num_bytes=num_bytes):
            results.append(result)
            self.progress(label, len(results), len(jobs))
        return results

    def _check_errors(
        self, what: str, slices: Iterable[dict[str, Any]], errors: Sequence[dict[str, Any]]
    ) -> None:
        """Stops if more than `max_error_frac` of the documents, and at least MIN_ERRORS, failed."""
        slices = list(slices)
        failed = sum(s["reasons"].get("error", 0) for r in slices for s in r["stats"])
        failed += len(errors)
        total = sum(r["kept"]["rows"] + r["dropped"]["rows"] for r in slices) + len(errors)
        if failed > max(MIN_ERRORS, self.max_error_frac * total):
            kinds = ", ".join(sorted({str(e["kind"]) for e in errors})) or "see the stage's errors"
            example = f"\n  First: {errors[0]['path']}: {errors[0]['message']}" if errors else ""
            raise TooManyErrors(
                f"{what}: {failed:,} of {total:,} records failed ({kinds}), more than "
                f"max_error_frac {self.max_error_frac:g} allows{example}\n"
                "  Mend the input, or raise max_error_frac in the recipe to go on without them"
            )

    def _reusable(
        self, measured: str, stages: Sequence[PlannedStage], store: SliceStore
    ) -> Reuse | None:
        """A finished pass with the same measurements and other thresholds, if it can serve."""
        for manifest in sorted(self.folder.glob("fuse-*/manifest.json")):
            found = read_json(manifest)
            if found["measured"] != measured or manifest.parent == store.folder:
                continue
            then = found["identity"]["stages"]
            first = next(i for i, s in enumerate(stages) if describe(s) != then[i])
            # A modifier after the change has edited texts that other rules must now judge.
            if not any(isinstance(s.stage, Modifier) for s in stages[first:]):
                old = SliceStore(manifest.parent, store.annotations, store.extra, store.run_id)
                return Reuse(old, first)
        return None


@dataclass(frozen=True)
class Decisions:
    """What a global stage decided: files of `DECISION_SCHEMA`."""

    fingerprint: str
    label: str
    files: tuple[Path, ...]


def describe(planned: PlannedStage, *, measured: bool = False) -> dict[str, Any]:
    """The identity of a stage; with `measured`, of its measurements only."""
    stage = planned.stage
    params = stage.measured_by() if measured and isinstance(stage, Filter) else stage.params()
    name, version = stage.name, stage.version
    return {"label": planned.label, "name": name, "version": version, "params": params}


def total(passes: Iterable[Pass]) -> Iterator[tuple[str, str, StageStats]]:
    """(stage label, source, statistics) of all passes, stages in order of execution."""
    for one in passes:
        for i, label in enumerate(one.labels):
            sums: dict[str, StageStats] = {}
            for record in one.slices:
                stats = StageStats.from_dict(record["stats"][i])
                sums.setdefault(record["source"], StageStats()).add(stats)
            for source, stats in sums.items():
                yield label, source, stats


def _slices(parents: Sequence[Pass]) -> list[tuple[Pass, dict[str, Any]]]:
    return [(parent, record) for parent in parents for record in parent.slices]


def _summary(
    source: Source, num_files: int, num_bytes: int, results: list[dict[str, Any]]
) -> dict[str, Any]:
    counts = {name: _sum(r[name] for r in results) for name in ("skipped", "repaired")}
    about = {"name": source.name, "format": source.format, "files": num_files, "bytes": num_bytes}
    errors = [{"source": source.name, **row} for r in results for row in r["errors"]]
    slices = [record for r in results for record in r["slices"]]
    return {
        "source": {**about, **counts},
        "errors": errors,
        "slices": slices,
    }


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one in counts:
        sums.update(one)
    return dict(sorted(sums.items()))


def _first_key(result: dict[str, Any]) -> int:
    return int(result["number"])


def _key(record: dict[str, Any]) -> str:
    return str(record["key"])
