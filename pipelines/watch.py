"""Progress of trials while they run, read from the metrics they write."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from curation.workshop import Progress
from pipelines.trial import Trial

INTERVAL_S = 1.0


@contextmanager
def watch(trials: Sequence[Trial], progress: Progress) -> Iterator[None]:
    """Reports the steps of all trials together until the block ends."""
    total = sum(trial.spec.train.steps for trial in trials)
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(INTERVAL_S):
            progress("train (steps)", min(_steps(trials), total - 1), total)

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


def _steps(trials: Sequence[Trial]) -> int:
    return sum(_lines(trial.folder / "metrics.jsonl") for trial in trials)


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:  # not started yet
        return 0
