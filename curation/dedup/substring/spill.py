"""Records of 64-bit numbers on disk, dealt over partitions by their first field.

A writer collects as many records as memory allows, deals them over the partitions in the order in
which they came, and appends them to its file as a block. So a partition is read in order, in
pieces as small as one likes, from files that hold all partitions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from curation.dedup.substring.windows import Int, Records
from curation.files import atomic
from curation.jit import kernel, leaf
from curation.text import Offsets

HALF = np.uint64(32)
MIN_RECORDS = 1 << 10  # of a buffer, however little memory there is


def buffer_records(num_bytes: int, fields: int) -> int:
    """How many records so many bytes hold."""
    return max(MIN_RECORDS, num_bytes // (8 * fields))


@dataclass
class SpillWriter:
    """Appends blocks of records to a file; `buffer` is filled by kernels up to `n`."""

    file: BinaryIO
    partitions: int
    buffer: Records
    n: int = 0
    bounds: list[Offsets] = field(default_factory=list)  # of the partitions of each block
    written: int = 0

    def add(self, records: Records) -> None:
        """Takes some records, however many."""
        at = 0
        while at < len(records):
            count = min(len(records) - at, len(self.buffer) - self.n)
            self.buffer[self.n : self.n + count] = records[at : at + count]
            self.n, at = self.n + count, at + count
            if self.n == len(self.buffer):
                self.flush()

    def flush(self) -> None:
        """Writes what `buffer` holds as a block."""
        dealt, counts = _deal(self.buffer[: self.n], self.partitions)
        self.file.write(dealt.data)
        self.bounds.append(self.written + np.concatenate([[0], np.cumsum(counts)]))
        self.written, self.n = self.written + self.n, 0


@contextmanager
def spill(path: Path, partitions: int, fields: int, num_bytes: int) -> Iterator[SpillWriter]:
    """A writer to `path`, which holds `num_bytes` of memory; the file is there once it is whole."""
    buffer = np.empty((buffer_records(num_bytes // 2, fields), fields), np.uint64)
    with atomic(path) as temporary, temporary.open("wb") as file:
        writer = SpillWriter(file, partitions, buffer)
        yield writer
        writer.flush()
        file.flush()
        write_array(_bounds_file(path), np.array(writer.bounds, np.int64))


def read_spill(path: Path, partition: int, fields: int, num_bytes: int) -> Iterator[Records]:
    """The records of a partition in the order they were written, `num_bytes` at a time."""
    most = buffer_records(num_bytes, fields)
    with path.open("rb") as file:
        for bounds in np.load(_bounds_file(path), mmap_mode="r"):
            first, last = int(bounds[partition]), int(bounds[partition + 1])
            file.seek(first * fields * 8)
            while first < last:
                count = min(most, last - first)
                flat = np.fromfile(file, np.uint64, count * fields)
                yield flat.reshape(-1, fields)
                first += count


def count_spilled(path: Path, partition: int) -> int:
    """The number of records of a partition."""
    bounds = np.load(_bounds_file(path))
    return int((bounds[:, partition + 1] - bounds[:, partition]).sum())


def write_array(path: Path, array: np.ndarray) -> None:
    """Writes an array as .npy, atomically."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _bounds_file(path: Path) -> Path:
    return path.with_suffix(".npy")


def partitions_for(records: float, bytes_each: int, memory: int) -> int:
    """How many partitions keep so many records, of so many bytes each, within `memory`."""
    return max(1, math.ceil(records * bytes_each / memory))


@leaf
def partition_of(key: np.uint64, partitions: int) -> Int:
    """Of evenly spread keys, by their upper half: the lower one is left for tables."""
    return np.int64(((key >> HALF) * np.uint64(partitions)) >> HALF)


@kernel
def _deal(records: Records, partitions: int) -> tuple[Records, Offsets]:
    """The records by partition, in their order, and the number of each partition."""
    counts = np.zeros(partitions, np.int64)
    for i in range(len(records)):
        counts[partition_of(records[i, 0], partitions)] += 1
    at = np.cumsum(counts) - counts
    out = np.empty_like(records)
    for i in range(len(records)):
        place = partition_of(records[i, 0], partitions)
        for j in range(records.shape[1]):
            out[at[place], j] = records[i, j]
        at[place] += 1
    return out, counts
