"""Repeated substrings: speed by size of the corpus, memory and scratch, against a suffix array.

The peer does the same, to the byte, with all texts in memory: divsufsort's suffix array, Kasai's
array of common prefixes (both of pydivsufsort, where it is installed) and numpy. ExactSubstr (Lee
et al. 2022) keeps such an array on disk.
"""

import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from curation.dedup.substrings import SubstringDedup
from curation.document import DOCUMENT_SCHEMA
from curation.process import ROW, drop_rows
from curation.rounds import CorpusSlice, Rounds
from curation.slices import SliceStore, cut
from tests.benchmarks.data import texts
from tests.benchmarks.tables import Table

SIZES = (15.0, 60.0)  # megabytes
PASTED = 0.3  # of the corpus is copied from elsewhere in it
MEMORY = 200_000_000  # bytes, of the one task
STAGE = SubstringDedup()
SEPARATOR = np.uint8(0xFF)  # never in UTF-8


@dataclass
class Run:
    """What deciding on a corpus took; megabytes and seconds of processor time."""

    size: float
    cut: float
    seconds: dict[str, float]  # by round
    memory: float  # above what imports take
    scratch: float = 0.0  # files at the end

    @property
    def total(self) -> float:
        """Seconds of all."""
        return sum(self.seconds.values())


def run() -> list[Table]:
    """The rounds at several sizes, and the suffix array."""
    ours = [_alone(_measure, size) for size in SIZES]
    peers = [_alone(_suffix_array, size) if find_spec("pydivsufsort") else None for size in SIZES]
    growth = log(ours[-1].total / ours[0].total) / log(ours[-1].size / ours[0].size)
    rows: list[tuple[Any, ...]] = [
        ("MB/s per core", *(one.size / one.total for one in ours)),
        *((f"- {n}", *(one.size / one.seconds[n] for one in ours)) for n in ours[0].seconds),
        ("MB of memory above imports", *(one.memory for one in ours)),
        ("bytes on disk per byte of text", *(one.scratch / one.size for one in ours)),
        ("share that is cut", *(one.cut / one.size for one in ours)),
        ("suffix array: MB/s per core", *(one and one.size / one.total for one in peers)),
        ("suffix array: MB of memory", *(one and one.memory for one in peers)),
        ("suffix array: share that is cut", *(one and one.cut / one.size for one in peers)),
    ]
    notes = [
        f"One task, {MEMORY / 1e6:.0f} MB of memory. {PASTED:.0%} of the corpus are passages of "
        "100 to 2,000 bytes, pasted behind other texts. Processor time grows as the size to the "
        f"power of {growth:.2f}.",
        *([] if peers[0] else ["pydivsufsort is not installed here."]),
    ]
    columns = ("", *(f"{one.size:.0f} MB" for one in ours))
    return [Table("substring_dedup on real text", columns, rows, notes)]


def _alone(function: Callable[[float], Run], megabytes: float) -> Run:
    """In a process of its own, so that its largest memory is that of the function."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, megabytes).result()


def _corpus(megabytes: float) -> Iterator[str]:
    """Real texts, each with passages of others behind it."""
    draw = random.Random(0)
    found = [text.encode() for text in texts(megabytes * (1 - PASTED))[0]]
    for text in found:
        parts, missing = [text], len(text) * PASTED / (1 - PASTED)
        while missing > 0:
            other = draw.choice(found)
            size = min(len(other), draw.randint(100, 2000))
            at = draw.randint(0, len(other) - size)
            parts.append(other[at : at + size])
            missing -= size
        yield b"\n".join(parts).decode("utf-8", "ignore")


def _measure(megabytes: float) -> Run:
    """The stage's rounds in this process."""
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder, "warm")
        _decide(warm, _write_slices(warm, ["text " * 100 + str(i) for i in range(20)]))  # compiled
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            slices = pool.submit(_write, Path(folder), megabytes).result()
        return _decide(Path(folder), slices)


def _write(folder: Path, megabytes: float) -> tuple[CorpusSlice, ...]:
    return _write_slices(folder, list(_corpus(megabytes)))


def _write_slices(folder: Path, found: Sequence[str]) -> tuple[CorpusSlice, ...]:
    values = {"id": [str(i) for i in range(len(found))], "text": found}
    empty = [None] * len(found)
    arrays = [pa.array(values.get(f.name, empty), f.type) for f in DOCUMENT_SCHEMA]
    table = pa.Table.from_arrays(arrays, schema=DOCUMENT_SCHEMA)
    table = table.append_column("raw", pa.nulls(len(found), pa.binary()))
    store, slices = SliceStore(folder / "slices", {}, {}, "benchmark"), []
    for number, part in enumerate(cut([table])):
        part = part.drop(["raw"]).append_column(ROW, pa.array(np.arange(len(part))))
        key = f"{number:06d}"
        kept = store.write(key, "web", part, drop_rows(part[:0]), [], [])["kept"]
        slices.append(CorpusSlice(number, "web", store, key, kept["rows"], kept["text_bytes"]))
    return tuple(slices)


def _decide(folder: Path, slices: tuple[CorpusSlice, ...]) -> Run:
    seconds: dict[str, float] = {}

    def execute(label: str, function: Any, jobs: Sequence[Any], num_bytes: int) -> list[Any]:
        start = time.process_time()
        results = [function(job) for job in jobs]
        seconds[label] = time.process_time() - start
        return results

    rounds = Rounds(slices, folder / "rounds", 1, MEMORY, execute)
    rounds.folder.mkdir(parents=True)
    before, start = _peak(), time.process_time()
    report = STAGE.decide(rounds).report
    seconds["report"] = time.process_time() - start - sum(seconds.values())
    cut_bytes = report["bytes_within_sources"] + report["bytes_across_sources"]
    scratch = sum(file.stat().st_size for file in rounds.folder.iterdir())
    memory = _peak() - before
    return Run(rounds.text_bytes / 1e6, cut_bytes / 1e6, seconds, memory, scratch / 1e6)


def _suffix_array(megabytes: float) -> Run:
    """Sorts all suffixes; windows of equal bytes are neighbours."""
    pydivsufsort = import_module("pydivsufsort")

    size = STAGE.min_bytes
    joined = (text.encode() + SEPARATOR.tobytes() for text in _corpus(megabytes))
    data = np.frombuffer(bytearray().join(joined), np.uint8)
    before, start = _peak(), time.process_time()
    order = pydivsufsort.divsufsort(data)
    alike = np.flatnonzero(np.asarray(pydivsufsort.kasai(data, order))[:-1] < size) + 1
    begins = np.concatenate([[0], alike])
    first = np.repeat(np.minimum.reduceat(order, begins), np.diff(begins, append=len(order)))
    ends = np.flatnonzero(data == SEPARATOR)
    whole = order + size <= ends[np.searchsorted(ends, order)]
    places = order[whole & (order - first >= size)]
    change = np.zeros(len(data) + 1, np.int64)
    np.add.at(change, places, 1)
    np.add.at(change, places + size, -1)
    covered = int((np.cumsum(change) > 0).sum())
    seconds = {"all": time.process_time() - start}
    return Run((len(data) - len(ends)) / 1e6, covered / 1e6, seconds, _peak() - before)


def _peak() -> float:
    """The most memory that this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
