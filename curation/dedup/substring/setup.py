"""How `substring_dedup` divides a corpus, and the files that its rounds hand on.

What a round wrote of a group of slices, or of a partition, carries its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation import text
from curation.dedup.substring.repeated_spans import Sources
from curation.dedup.substring.spill import count_spilled, read_spill
from curation.dedup.substring.windows import COUNT_BITS, Records
from curation.rounds import CorpusSlice
from curation.text import Bytes, Offsets

Kind = Literal["alike", "windows"]  # where marks come from
RUN_FIELDS, WINDOW_FIELDS, MARK_FIELDS = 4, 3, 3
TABLE_BYTES = 200  # per distinct run or window: up to 107 in a table, the rest for what is read


@dataclass(frozen=True)
class Group:
    """Slices that follow one another and are worked on by one task."""

    number: int
    base: int  # the place where the first begins
    slices: tuple[CorpusSlice, ...]

    def texts(self) -> Iterator[tuple[CorpusSlice, int, Bytes, Offsets]]:
        """Every slice: where it begins, its bytes, and where each text begins in them."""
        base = self.base
        for one in self.slices:
            data, offsets = text.buffers(one.read(["text"])["text"])
            first = int(offsets[0])
            yield one, base, data[first:] if first else data, offsets - first
            base += int(offsets[-1]) - first
        pa.default_memory_pool().release_unused()  # else the next task holds what reading took


@dataclass(frozen=True)
class Setup:
    """What all jobs know."""

    folder: Path
    min_bytes: int
    max_repeated_frac: float | None
    memory: int  # bytes that a task may hold
    bases: tuple[int, ...]  # the place where each group begins, and the end of the corpus
    partitions: int  # of runs
    source_starts: tuple[int, ...]
    source_numbers: tuple[int, ...]

    @property
    def groups(self) -> range:
        """Their numbers."""
        return range(len(self.bases) - 1)

    @property
    def sources(self) -> Sources:
        """Which source a place is of."""
        return Sources(
            np.array(self.source_starts, np.int64), np.array(self.source_numbers, np.int64)
        )

    def file(self, what: str, number: int, suffix: str = ".bin") -> Path:
        """What a round wrote of a group or partition."""
        return self.folder / f"{what}-{number:05d}{suffix}"

    @property
    def most_rows(self) -> int:
        """Distinct runs or windows that a partition has if all goes as planned."""
        return self.memory // TABLE_BYTES

    def shares(self, name: str, group: int) -> npt.NDArray[np.float64]:
        """Of every document of a group, the share that is repeated."""
        found: npt.NDArray[np.float64] = np.load(self.file(f"shares-{name}", group, ".npy"))
        return found

    def barred(self, name: str, group: int) -> npt.NDArray[np.bool_]:
        """Which documents of a group have more that is repeated than `max_repeated_frac`."""
        assert self.max_repeated_frac is not None
        return self.shares(name, group) > self.max_repeated_frac

    def count(self, kind: Kind, partition: int) -> int:
        """The records of `pieces`."""
        if kind == "alike":
            return self.file("alike", partition).stat().st_size // (8 * WINDOW_FIELDS)
        return sum(count_spilled(self.file("windows", g), partition) for g in self.groups)

    def pieces(self, kind: Kind, partition: int) -> Iterator[tuple[int, Records]]:
        """(group, (hash, hash, `pack`)) of the windows of a partition, in corpus order."""
        if kind == "windows":
            for group in self.groups:
                path = self.file("windows", group)
                for piece in read_spill(path, partition, WINDOW_FIELDS, self.memory // 8):
                    yield group, piece
            return
        for piece in read_records(self.file("alike", partition), WINDOW_FIELDS, self.memory // 8):
            places = (piece[:, 2] >> np.uint64(COUNT_BITS)).astype(np.int64)
            bounds = np.searchsorted(places, self.bases)
            for group in np.flatnonzero(np.diff(bounds)).tolist():
                yield group, piece[bounds[group] : bounds[group + 1]]


def group_slices(slices: Sequence[CorpusSlice], group_bytes: int) -> list[Group]:
    """Slices in groups of about so many bytes of text."""
    groups: list[Group] = []
    waiting: list[CorpusSlice] = []
    base = size = 0
    for one in slices:
        waiting.append(one)
        size += one.text_bytes
        if size >= group_bytes:
            groups.append(Group(len(groups), base, tuple(waiting)))
            base, waiting, size = base + size, [], 0
    if waiting:
        groups.append(Group(len(groups), base, tuple(waiting)))
    return groups


def read_records(path: Path, fields: int, num_bytes: int) -> Iterator[Records]:
    """The records of a file, `num_bytes` at a time."""
    most = max(1, num_bytes // (8 * fields))
    with path.open("rb") as file:
        while len(flat := np.fromfile(file, np.uint64, most * fields)):
            yield flat.reshape(-1, fields)


def map_records(path: Path, fields: int, dtype: npt.DTypeLike) -> np.ndarray:
    """The records of a file, read as they are used."""
    if path.stat().st_size == 0:
        return np.zeros((0, fields), dtype)
    return np.asarray(np.memmap(path, dtype, "r")).reshape(-1, fields)
