"""Where and how passes are made, and what a finished pass is.

A pass is a work folder: the slices of one step and a manifest, written last. Passes are found by
fingerprint and shared by all recipes of an output folder: two recipes that begin alike read and
extract once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from curation.backends import Backend
from curation.errors import RunError, TooManyErrors
from curation.files import write_json
from curation.process import PlannedStage, StageStats
from curation.rounds import DEFAULT_MEMORY
from curation.slices import SliceStore
from curation.sources.files import content_hash
from curation.sources.inputs import InputFile
from curation.stage import Filter, with_paths

MIN_ERRORS = 20  # below this many failures no run is stopped


class Progress(Protocol):
    """Hears of finished tasks."""

    def __call__(self, label: str, done: int, total: int) -> None:
        """`done` of the `total` tasks of the step `label` are finished."""
        ...


@dataclass(frozen=True)
class Pass:
    """A finished step: its slices in corpus order and what it counted."""

    fingerprint: str
    inputs: str  # fingerprint of the files that it comes from
    store: SliceStore
    slices: list[dict[str, Any]]  # records of `SliceStore.write`
    labels: list[str]  # of the stages that the slices' statistics are about
    source: dict[str, Any] | None = None  # of a pass that reads one
    errors: list[dict[str, Any]] = field(default_factory=list)  # rows of errors.jsonl

    @property
    def text_bytes(self) -> int:
        """UTF-8 bytes of the kept texts."""
        return sum(s["kept"]["text_bytes"] for s in self.slices)


@dataclass(frozen=True)
class Workshop:
    """Makes passes. Nothing here changes what they hold."""

    folder: Path
    backend: Backend
    progress: Progress
    run_id: str
    max_error_frac: float = 0.01
    max_memory: int = DEFAULT_MEMORY  # bytes that the tasks of a global stage hold together

    def run(
        self, label: str, function: Callable[[Any], Any], jobs: Sequence[Any], num_bytes: int
    ) -> list[Any]:
        """Results of all jobs, in order of completion, with progress."""
        results = []
        self.progress(label, 0, len(jobs))
        for result in self.backend.run(function, jobs, num_bytes=num_bytes):
            results.append(result)
            self.progress(label, len(results), len(jobs))
        if len(results) != len(jobs):
            raise RunError(f"{label}: {len(jobs)} tasks were given, {len(results)} came back")
        return results

    def store(
        self,
        name: str,
        columns: Mapping[str, pa.DataType],
        extra: Mapping[str, pa.DataType],
        *,
        keep_dropped_text: bool = True,
    ) -> SliceStore:
        """The slices of the work folder `name`."""
        return SliceStore(
            self.folder / name, dict(columns), dict(extra), self.run_id, keep_dropped_text
        )

    def finish(self, folder: Path, manifest: dict[str, Any]) -> None:
        """Writes the manifest of a pass, and removes what killed workers left half-written."""
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)
        write_json(folder / "manifest.json", manifest)

    def check_errors(
        self, what: str, slices: Sequence[dict[str, Any]], errors: Sequence[dict[str, Any]]
    ) -> None:
        """Stops if more than `max_error_frac` of the records, and at least MIN_ERRORS, failed.

        Raises:
            TooManyErrors: with the kinds of error and the first one.
        """
        failed = sum(s["reasons"].get("error", 0) for r in slices for s in r["stats"])
        failed += len(errors)
        count = sum(r["kept"]["rows"] + r["dropped"]["rows"] for r in slices) + len(errors)
        if failed > max(MIN_ERRORS, self.max_error_frac * count):
            kinds = ", ".join(sorted({str(e["kind"]) for e in errors})) or "in a stage"
            first = f"\n  First: {_first_failure(slices, errors)}"
            raise TooManyErrors(
                f"{what}: {failed:,} of {count:,} records failed ({kinds}), more than "
                f"max_error_frac {self.max_error_frac:g} allows{first}\n"
                "  Mend the input, or raise max_error_frac in the recipe to go on without them"
            )


def _first_failure(slices: Sequence[dict[str, Any]], errors: Sequence[dict[str, Any]]) -> str:
    if errors:
        return f"{errors[0]['path']} at {errors[0]['offset']}: {errors[0]['message']}"
    failed = next(document for record in slices for document in record["failed"])
    return f"document {failed['id']} in {failed['drop_stage']}: {failed['drop_value']}"


def all_slices(parents: Sequence[Pass]) -> list[tuple[Pass, dict[str, Any]]]:
    """Every slice of `parents`, in corpus order: its place in the list is its number."""
    return [(parent, record) for parent in parents for record in parent.slices]


def describe(planned: PlannedStage, *, measured: bool = False) -> dict[str, Any]:
    """The identity of a stage; with `measured`, of its measurements only.

    A file counts by what it holds, wherever it lies.
    """
    stage = planned.stage
    only = measured and isinstance(stage, Filter)
    params = stage.measured_by() if only and isinstance(stage, Filter) else stage.parameters()
    params = {name: value for name, value in params.items() if name not in stage.places}
    for name in stage.files().keys() & params.keys():
        params[name] = with_paths(getattr(stage, name), file_hash)
    return {
        "label": planned.label,
        "name": stage.name,
        "version": stage.version,
        "params": params | dict(stage.made_from()),
    }


def file_hash(path: Path) -> str:
    """A hash of what a stage's file holds."""
    return content_hash(InputFile(url=str(path), path=path.name, size=0))


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
