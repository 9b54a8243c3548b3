"""What a global stage works with: the corpus in slices, and rounds of tasks over it.

A round is a function and its jobs. A job is plain data that pickles; it writes its result under a
name of its own (`curation.files.atomic`) and finds it there when it runs again: whatever was
finished before a kill is not done twice. Nothing a round computes may depend on the number of
workers, on how the corpus is partitioned between rounds, or on the order in which tasks end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.files import read_json, write_json
from curation.slices import SliceStore

DEFAULT_MEMORY = 2_000_000_000  # bytes, of all tasks together


@dataclass(frozen=True)
class CorpusSlice:
    """One slice of the documents that reach a global stage."""

    number: int  # in corpus order, as decisions and edits name it
    source: str
    store: SliceStore
    key: str
    rows: int
    text_bytes: int

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Its rows, in order."""
        return self.store.read(self.key, columns=list(columns))


@dataclass(frozen=True)
class Origin:
    """Where the corpus of a global stage comes from, the same in every run.

    Attributes:
        identity: of the corpus and the stage.
        inputs: of the input files alone, whatever was made of them.
    """

    identity: str
    inputs: str


@dataclass(frozen=True)
class Verdicts:
    """What a global stage found, as Parquet files in its folder.

    Attributes:
        decisions: of `curation.stage.DECISION_SCHEMA`: the documents that go.
        edits: of `curation.stage.EDIT_SCHEMA`: the spans cut from documents that stay.
        annotations: of the stage's `annotation_schema`: the columns of documents.
        kept: other files or folders that must stay.
        artifacts: files that stay, and are put beside the dataset, into `artifacts/<label>`.
        report: what is to be known of it, as JSON; part of the dataset's manifest.
    """

    decisions: tuple[Path, ...] = ()
    edits: tuple[Path, ...] = ()
    annotations: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    artifacts: tuple[Path, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rounds:
    """The corpus as a global stage meets it, and the means to work on it.

    Attributes:
        slices: in corpus order.
        folder: of the stage alone. Only what `Verdicts` names is kept when the stage has ended.
        workers: how many tasks run at a time.
        max_memory: bytes that all tasks together may hold besides what libraries take.
        state: what the stage's `state` returned.
    """

    slices: tuple[CorpusSlice, ...]
    folder: Path
    workers: int
    max_memory: int
    execute: Callable[[str, Callable[[Any], Any], Sequence[Any], int], list[Any]]
    state: Any = None

    @property
    def rows(self) -> int:
        """Documents of the corpus."""
        return sum(one.rows for one in self.slices)

    @property
    def text_bytes(self) -> int:
        """UTF-8 bytes of all texts."""
        return sum(one.text_bytes for one in self.slices)

    @property
    def task_memory(self) -> int:
        """Bytes that one task may hold."""
        return self.max_memory // self.workers

    def run(
        self,
        label: str,
        function: Callable[[Any], Any],
        jobs: Sequence[Any],
        num_bytes: int | None = None,
    ) -> list[Any]:
        """The results of `function`, in the order of `jobs`.

        Args:
            label: shown with the progress.
            function: module-level, so that it pickles.
            jobs: picklable.
            num_bytes: input of all jobs together, the corpus's text if not given: small rounds
                run in this process.
        """
        size = self.text_bytes if num_bytes is None else num_bytes
        ordered = self.execute(label, _Numbered(function), list(enumerate(jobs)), size)
        return [result for _, result in sorted(ordered, key=lambda pair: int(pair[0]))]

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """`make()`, as JSON; what an earlier, killed attempt made, if there was one.

        For whatever depends on workers or memory, such as the number of partitions: files of an
        earlier attempt must still fit.
        """
        path = self.folder / f"{name}.json"
        if not path.exists():
            write_json(path, make())
        return read_json(path)


@dataclass(frozen=True)
class _Numbered:
    """A function of numbered items."""

    function: Callable[[Any], Any]

    def __call__(self, item: tuple[int, Any]) -> tuple[int, Any]:
        number, job = item
        return number, self.function(job)

    @property
    def __name__(self) -> str:
        return self.function.__name__


def ranges(total: int, count: int) -> Iterator[tuple[int, int]]:
    """`count` ranges [first, last + 1) that cover [0, total) evenly."""
    bounds = [i * total // count for i in range(count + 1)]
    return pairwise(bounds)
