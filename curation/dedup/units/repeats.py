"""Which lines or paragraphs of all runs repeat: decided per range of hashes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.dedup.units.runs import NAMES
from curation.dedup.units.tallies import (
    COUNTS,
    FIRST,
    HALF,
    LOW_HALF,
    PLACE,
    SECOND,
    by_hash,
    repeats,
)
from curation.mapped import about, between, column, map_table, write_mapped
from curation.text import Hashes, Offsets

TOP = 50  # repeated lines that are shown


@dataclass(frozen=True)
class RepeatsJob:
    """Finds what repeats among the hashes whose first half is in [first, last)."""

    runs: tuple[Path, ...]  # in corpus order
    sources: tuple[str, ...]  # of each run
    number: int
    first: int
    last: int
    min_count: int
    folder: Path


def find_repeats(job: RepeatsJob) -> Path:
    """Writes which entries of the runs repeat; `entries_of` and `shown` read the file."""
    path = job.folder / f"repeats-{job.number:05d}.arrow"
    if path.exists():
        return path
    begins, parts = zip(*(_part(run, job.first, job.last) for run in job.runs), strict=True)
    table = np.concatenate(parts, axis=1)
    sizes = np.array([part.shape[1] for part in parts])
    run = np.repeat(np.arange(len(parts)), sizes)
    marks, found = repeats(table, by_hash(table), job.min_count)
    marked = np.flatnonzero(marks)
    place = marked + (np.array(begins) - (np.cumsum(sizes) - sizes))[run[marked]]
    told = {
        "bounds": np.searchsorted(run[marked], np.arange(len(parts) + 1)).tolist(),
        "repeated": found.shape[1],
        "top": _top(found, table, run, job.sources),
    }
    entries = place << 1 | (marks[marked] == 2)
    return write_mapped(path, {"entry": entries}, json.dumps(told))


def entries_of(run: int, files: tuple[Path, ...]) -> tuple[Offsets, Offsets]:
    """The entries of a run that repeat, ascending, and whether each is the first of the corpus."""
    parts = [np.zeros(0, np.int64)]
    for file in files:
        first, last = json.loads(about(file))["bounds"][run : run + 2]
        parts.append(column(map_table(file), "entry")[first:last])
    entries = np.concatenate(parts)
    return entries >> 1, entries & 1


def shown(files: list[Path]) -> tuple[int, list[dict[str, Any]]]:
    """How many hashes repeat, and those in the most documents: see `_top`."""
    told = [json.loads(about(file)) for file in files]
    top = [one for part in told for one in part["top"]]
    top.sort(key=lambda one: (-one["documents"], -one["occurrences"], one["hash"]))
    return sum(part["repeated"] for part in told), top[:TOP]


def _part(run: Path, first: int, last: int) -> tuple[int, Hashes]:
    """The entries of a run in a range of hashes, and where the first of them stands."""
    table = map_table(run)
    where = between(column(table, NAMES[FIRST]), first, last)
    return where.start, np.stack([column(table, name)[where] for name in NAMES])


def _top(
    found: Hashes, table: Hashes, run: Offsets, sources: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The hashes of the most documents: how many, in each source, and where the first one stands.

    Ties by occurrences, then by hash.
    """
    documents, times = found[COUNTS] >> HALF, found[COUNTS] & LOW_HALF
    order = np.lexsort((found[SECOND], found[FIRST], ~times, ~documents))[:TOP]
    return [
        {
            "hash": [int(found[FIRST, i]), int(found[SECOND, i])],
            "documents": int(documents[i]),
            "occurrences": int(times[i]),
            "sources": _by_source(found[:, i], table, run, sources),
            "slice": int(found[PLACE, i] >> HALF),
            "row": int(found[PLACE, i] & LOW_HALF),
        }
        for i in order
    ]


def _by_source(
    one: Hashes, table: Hashes, run: Offsets, sources: tuple[str, ...]
) -> dict[str, int]:
    """In how many documents of each source a hash occurs."""
    counts: dict[str, int] = {}
    for at in np.flatnonzero((table[FIRST] == one[FIRST]) & (table[SECOND] == one[SECOND])):
        source = sources[run[at]]
        counts[source] = counts.get(source, 0) + int(table[COUNTS, at] >> HALF)
    return counts
