"""The rounds of `substring_dedup`: runs, kinds of runs, windows, marks.

| round | per | reads | writes |
|---|---|---|---|
| runs | group of slices | texts | runs by anchor |
| kinds | partition | runs | those that are alike, and those whose windows must be hashed |
| windows | group of slices | texts, runs | windows by hash |
| marks | partition | alike runs, windows | the bytes of repeats |

Marks become spans in `curation.dedup.substring.verdicts`. All that a file holds is in corpus order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.dedup.substring import windows
from curation.dedup.substring.first_copies import Holders, Marker, Rule, classify, split
from curation.dedup.substring.setup import (
    RUN_FIELDS,
    WINDOW_FIELDS,
    Group,
    Kind,
    Setup,
    map_records,
    read_records,
)
from curation.dedup.substring.spill import (
    SpillWriter,
    count_spilled,
    read_spill,
    spill,
    write_array,
)
from curation.dedup.substring.windows import COUNT_BITS, Records
from curation.files import atomic


@dataclass(frozen=True)
class GroupJob:
    """Works on the texts of a group."""

    setup: Setup
    group: Group
    partitions: int  # of what it spills


def find_group_runs(job: GroupJob) -> None:
    """Writes the runs of a group, and the places where its documents begin."""
    setup, number = job.setup, job.group.number
    path = setup.file("runs", number)
    if path.exists():
        return
    width, starts = windows.anchor_width(setup.min_bytes), [np.zeros(0, np.int64)]
    with spill(path, job.partitions, RUN_FIELDS, setup.memory // 4) as out:
        for _, base, data, offsets in job.group.texts():
            starts.append(base + offsets[:-1])
            row, at = 0, 0
            while row < len(offsets) - 1:
                _make_room(out)
                row, at, out.n = windows.find_runs(
                    data, offsets, base, setup.min_bytes, width, row, at, out.buffer, out.n
                )
        write_array(setup.file("starts", number, ".npy"), np.concatenate(starts))


def hash_group_windows(job: GroupJob) -> None:
    """Writes the windows of a group that are of mixed runs."""
    setup, number = job.setup, job.group.number
    path = setup.file("windows", number)
    if path.exists():
        return
    mixed = [
        map_records(setup.file("mixed", p), 1, np.uint64)[:, 0] for p in range(setup.partitions)
    ]
    with spill(path, job.partitions, WINDOW_FIELDS, setup.memory // 4) as out:
        for _, base, data, offsets in job.group.texts():
            bounds = np.array([base, base + int(offsets[-1])], np.uint64) << np.uint64(COUNT_BITS)
            ranges = [np.searchsorted(part, bounds) for part in mixed]
            parts = [part[a:b] for part, (a, b) in zip(mixed, ranges, strict=True)]
            runs = np.sort(np.concatenate(parts))
            run, at = 0, 0
            while run < len(runs):
                _make_room(out)
                run, at, out.n = windows.hash_windows(
                    data, base, setup.min_bytes, runs, run, at, out.buffer, out.n
                )


def _make_room(out: SpillWriter) -> None:
    if out.n == len(out.buffer):
        out.flush()


@dataclass(frozen=True)
class PartitionJob:
    """Works on a partition of runs."""

    setup: Setup
    partition: int


def sort_out_runs(job: PartitionJob) -> int:
    """Writes the runs that are alike, and those that are not; the windows of the latter."""
    setup, number = job.setup, job.partition
    alike, mixed = setup.file("alike", number), setup.file("mixed", number)
    if not mixed.exists():
        count = sum(count_spilled(setup.file("runs", g), number) for g in setup.groups)
        table = classify(_runs(setup, number), min(count, setup.most_rows))
        with ExitStack() as stack:
            files = []
            for path in (mixed, alike):  # the last that is opened is whole first
                temporary = stack.enter_context(atomic(path))
                files.append(stack.enter_context(temporary.open("wb")))
            for unlike, same in ((m, a) for a, m in split(table, _runs(setup, number))):
                files[0].write(unlike.data)
                files[1].write(same.data)
    counts = (
        piece[:, 0] & windows.COUNT_MASK for piece in read_records(mixed, 1, setup.memory // 8)
    )
    return sum(int(count.sum()) for count in counts)


def _runs(setup: Setup, partition: int) -> Iterator[Records]:
    for group in setup.groups:
        yield from read_spill(setup.file("runs", group), partition, RUN_FIELDS, setup.memory // 8)


@dataclass(frozen=True)
class MarkJob:
    """Marks the repeats of a partition."""

    setup: Setup
    kind: Kind
    partition: int
    name: str  # of what is marked
    others: bool  # only copies in earlier documents count
    barred: str | None  # whose documents hold no copies

    @property
    def path(self) -> Path:
        """What it writes."""
        return self.setup.file(f"marks-{self.name}-{self.kind}", self.partition)


def mark_repeats(job: MarkJob) -> Path:
    """Writes (start, stop, first) of the bytes of repeats, sorted by start."""
    if job.path.exists():
        return job.path
    setup = job.setup
    rule = Rule(setup.min_bytes, job.others, np.array(setup.source_starts, np.int64))
    marker = Marker(rule, min(setup.count(job.kind, job.partition), setup.most_rows))
    held, holders = -1, Holders(np.zeros(0, np.int64), np.zeros(0, np.bool_))
    with atomic(job.path) as temporary, temporary.open("wb") as file:
        for group, piece in setup.pieces(job.kind, job.partition):
            if group != held and (job.others or job.barred):
                held, holders = group, _holders(job, group)
            file.write(marker.mark(np.ascontiguousarray(piece), holders).data)
    return job.path


def _holders(job: MarkJob, group: int) -> Holders:
    starts = np.load(job.setup.file("starts", group, ".npy"))
    if job.barred is None:
        return Holders(starts, np.zeros(len(starts), np.bool_))
    return Holders(starts, job.setup.barred(job.barred, group))
