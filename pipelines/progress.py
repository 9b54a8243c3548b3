"""Progress on stderr: one live line on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from typing import TextIO

INTERVAL_S = 3.0  # between lines where there is no terminal
BAR = 24


class ProgressPrinter:
    """Shows the step at work; see `curation.passes.Progress`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self._label, self._begin, self._shown, self._found = "", 0.0, 0.0, 0

    def __call__(self, label: str, done: int, total: int) -> None:
        """Hears that `done` of `total` tasks of a step are finished."""
        now = time.monotonic()
        if label != self._label:
            self._label, self._begin, self._shown = label, now, now if not self.live else 0.0
            self._found = done  # of an earlier run: it tells nothing of the pace
        last = done == total
        if self.live:
            self._draw(label, done, total, now)
        elif total and (last or now - self._shown >= INTERVAL_S):
            self._shown = now
            seconds = now - self._begin
            left = self._left(done, total, seconds)
            print(f"{label}: {done}/{total} ({seconds:.1f} s{left})", file=self.stream, flush=True)

    def _draw(self, label: str, done: int, total: int, now: float) -> None:
        filled = BAR * done // max(total, 1)
        bar = "#" * filled + "." * (BAR - filled)
        end = "\n" if done == total else ""
        seconds = now - self._begin
        left = self._left(done, total, seconds)
        line = f"\r\x1b[K{label:<32.32} [{bar}] {done}/{total} {seconds:6.1f} s{left}{end}"
        print(line, end="", file=self.stream, flush=True)

    def _left(self, done: int, total: int, seconds: float) -> str:
        """The time left at the pace so far, once there is a pace."""
        if seconds < INTERVAL_S or not self._found < done < total:
            return ""
        left = seconds * (total - done) / (done - self._found)
        return f", {left:.0f} s left" if left < 120 else f", {left / 60:.0f} min left"


def silent(label: str, done: int, total: int) -> None:
    """Shows nothing."""
