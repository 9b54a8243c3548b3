"""The first pass of every source: its files read, its documents numbered, their text extracted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from curation.files import read_json
from curation.fingerprint import fingerprint
from curation.process import PlannedStage
from curation.slices import SLICE_BYTES, SLICE_ROWS
from curation.sources.inputs import InputFile, Split
from curation.sources.source import Source
from curation.steps import PLACE, ReadJob, read_splits
from curation.workshop import Pass, Workshop, describe

GROUP_BYTES = 1_000_000  # of small files, as stored, that are read as one: part of identity


def read_source(
    workshop: Workshop, source: Source, root: Path, extractor: PlannedStage | None
) -> Pass:
    """The documents of a source, with their text if `extractor` is given.

    Raises:
        UserError: the source matches no file.
        TooManyErrors: too much of it cannot be read.
    """
    files = source.files(root)
    identity = _identity(source, files, extractor)
    name = fingerprint(identity)
    store = workshop.store(f"read-{name}", {}, PLACE)
    manifest = store.folder / "manifest.json"
    if not manifest.exists():
        groups = group_splits(split for file in files for split in source.splits(file))
        jobs = [ReadJob(source, g, i, extractor, store) for i, g in enumerate(groups)]
        num_bytes = sum(file.size for file in files)
        results = workshop.run(f"read {source.name}", read_splits, jobs, num_bytes)
        results.sort(key=lambda result: int(result["number"]))
        found = _summary(source, len(files), num_bytes, results)
        workshop.check_errors(f"source '{source.name}'", found["slices"], found["errors"])
        workshop.finish(store.folder, {"identity": identity, **found})
    found = read_json(manifest)
    labels = [extractor.label] if extractor else []
    about = {**found["source"], "errors": len(found["errors"])}
    return Pass(
        name, fingerprint(identity["files"]), store, found["slices"], labels, about, found["errors"]
    )


def group_splits(splits: Iterable[Split]) -> Iterator[tuple[Split, ...]]:
    """Consecutive whole files of at most GROUP_BYTES together, so that small ones share a slice.

    Depends on the files only. A part of a file stands alone, and so does one of unknown size.
    """
    group: list[Split] = []
    size = 0
    for split in splits:
        whole = split.start == 0 and split.end is None and split.file.size > 0
        own = split.file.size if whole else GROUP_BYTES
        if group and size + own > GROUP_BYTES:
            yield tuple(group)
            group, size = [], 0
        group.append(split)
        size += own
    if group:
        yield tuple(group)


def _identity(
    source: Source, files: list[InputFile], extractor: PlannedStage | None
) -> dict[str, Any]:
    return {
        "step": "read",
        "source": {**source.identity_params(), "format": source.format},
        "version": source.version,
        "files": [[file.path, source.identity(file)] for file in files],
        "extractor": describe(extractor) if extractor else None,
        "slice": [SLICE_BYTES, SLICE_ROWS, GROUP_BYTES],
    }


def _summary(
    source: Source, num_files: int, num_bytes: int, results: list[dict[str, Any]]
) -> dict[str, Any]:
    counts = {name: _sum(r[name] for r in results) for name in ("skipped", "repaired")}
    about = {"name": source.name, "format": source.format, "files": num_files, "bytes": num_bytes}
    return {
        "source": {**about, **counts},
        "errors": [{"source": source.name, **row} for r in results for row in r["errors"]],
        "slices": [record for r in results for record in r["slices"]],
    }


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one in counts:
        sums.update(one)
    return dict(sorted(sums.items()))
