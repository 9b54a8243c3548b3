"""Tallies of the corpus's lines or paragraphs on disk, in runs sorted by hash.

A *run* is the tally of successive slices of one source: an entry per distinct hash, however often
it occurs, so that a line of a million documents is one entry in each run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from curation.dedup.units.finder import UnitFinder
from curation.dedup.units.tallies import COUNTS, LOW_HALF, join, tally_units
from curation.files import read_json, write_json
from curation.mapped import write_mapped
from curation.rounds import CorpusSlice
from curation.text import Hashes

NAMES = ("first", "second", "counts", "place")  # columns of a run: the rows of a tally


@dataclass(frozen=True)
class Run:
    """The tally of successive slices of a source, in `path`."""

    path: Path
    source: str
    slices: tuple[CorpusSlice, ...]


@dataclass(frozen=True)
class TallyJob:
    """Tallies successive slices of a source, in runs of at most `max_entries`, or of one slice."""

    finder: UnitFinder
    slices: tuple[CorpusSlice, ...]
    max_entries: int
    folder: Path


class Tallied(NamedTuple):
    """What became of a job."""

    runs: list[Run]
    units: int  # lines or paragraphs that may be cut, with repetitions
    entries: int  # of the runs


def tally_slices(job: TallyJob) -> Tallied:
    """Writes the runs of some slices."""
    done = job.folder / f"tally-{job.slices[0].number:06d}.json"
    if not done.exists():
        units, entries, bounds = 0, 0, []
        for first, last, tally in _tallies(job):
            write_mapped(_path(job, first), dict(zip(NAMES, tally, strict=True)))
            units += int((tally[COUNTS] & LOW_HALF).sum())
            entries += tally.shape[1]
            bounds.append((first, last))
        write_json(done, {"units": units, "entries": entries, "bounds": bounds})
    found = read_json(done)
    source = job.slices[0].source
    runs = [Run(_path(job, a), source, job.slices[a:b]) for a, b in found["bounds"]]
    return Tallied(runs, found["units"], found["entries"])


def shares(slices: Sequence[CorpusSlice], num_bytes: int) -> list[tuple[int, int]]:
    """Ranges of successive slices of one source, of at least so many bytes of text if there are."""
    bounds: list[tuple[int, int]] = []
    first, size = 0, 0
    for i, one in enumerate(slices):
        if i > first and (size >= num_bytes or one.source != slices[first].source):
            bounds.append((first, i))
            first, size = i, 0
        size += one.text_bytes
    return [*bounds, (first, len(slices))] if slices else []


def _path(job: TallyJob, first: int) -> Path:
    return job.folder / f"run-{job.slices[first].number:06d}.arrow"


def _tallies(job: TallyJob) -> Iterator[tuple[int, int, Hashes]]:
    """(first slice, last + 1, tally) of each run."""
    waiting: list[Hashes] = []
    first = 0
    for i, part in enumerate(job.slices):
        units = job.finder.find(part.read(job.finder.reads), part.source)
        tally = tally_units(units, part.number)
        if waiting and sum(one.shape[1] for one in [*waiting, tally]) > job.max_entries:
            yield first, i, join(waiting)
            waiting, first = [], i
        waiting.append(tally)
    yield first, len(job.slices), join(waiting)
