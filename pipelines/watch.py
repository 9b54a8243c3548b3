"""Progress of trials while they run, read from the metrics they write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from curation.workshop import Progress
from pipelines.trial import Trial
from train.loop import METRICS

INTERVAL_S = 1.0


@contextmanager
def watch(
    trials: Sequence[Trial], progress: Progress, tell: Callable[[list[int]], None]
) -> Iterator[None]:
    """Reports the steps of all trials together until the block ends, and to `tell` those of each.

    `tell` hears them at least once, and once more after the block, however it ends.
    """
    total = sum(trial.spec.train.steps for trial in trials)
    counter, stop = _Counter(trials), threading.Event()

    def look() -> None:
        while not stop.is_set():
            steps = counter.steps()
            tell(steps)
            progress("train (steps)", min(sum(steps), total - 1), total)
            stop.wait(INTERVAL_S)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
        stop.set()
        watcher.join()
        progress("train (steps)", total, total)
    finally:
        stop.set()
        watcher.join()
        tell(counter.steps())


class _Counter:
    """Counts the lines of each trial's metrics; reads what was appended since, not all again."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self._paths = [trial.folder / METRICS for trial in trials]
        self._read = [(0, 0)] * len(trials)  # bytes, lines

    def steps(self) -> list[int]:
        """Optimiser steps that each trial has behind it."""
        self._read = [_count(p, *read) for p, read in zip(self._paths, self._read, strict=True)]
        return [lines for _, lines in self._read]


def _count(path: Path, start: int, lines: int) -> tuple[int, int]:
    """Bytes and lines of a file of which `start` bytes held `lines`."""
    try:
        size = path.stat().st_size
        if size < start:  # cut to its last checkpoint
            start = lines = 0
        if size == start:
            return start, lines
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
        return start + len(data), lines + data.count(b"\n")
    except FileNotFoundError:  # not started yet
        return 0, 0
