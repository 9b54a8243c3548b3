"""The search on stderr while it runs: a live table on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TextIO

from pipelines.progress import INTERVAL_S, ProgressPrinter
from pipelines.search.guards import NATURAL, best_measured
from pipelines.search.record import RunEntry, SearchRecord
from pipelines.tables import table

DOMAINS = 4  # of a mixture that are named: the largest


class LiveSearch:
    """Shows how far a search is; also hears of the steps before it, see `ProgressPrinter`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self._steps = ProgressPrinter(self.stream)
        self._begin = self._shown = time.monotonic()
        self._record: SearchRecord | None = None
        self._lines = 0  # of the table on the screen

    def __call__(self, label: str, done: int, total: int) -> None:
        """Hears that `done` of `total` tasks of a step are finished."""
        if self._record is None or not label.startswith("train ("):
            self._steps(label, done, total)
        elif self.live:
            self._draw(self._record, f"{label}: {done:,}/{total:,}")

    def tell(self, record: SearchRecord) -> None:
        """Hears what is known so far."""
        if self._record is None:
            self._begin = time.monotonic()
        news = self._record is None or self._record.state != record.state
        self._record = record
        now = time.monotonic()
        if self.live:
            self._draw(record, "")
        elif news or now - self._shown >= INTERVAL_S:
            self._shown = now
            print(line(record, self._left(record)), file=self.stream, flush=True)
        if record.state == "done":
            self._lines = 0

    def _draw(self, record: SearchRecord, steps: str) -> None:
        text = f"{line(record, self._left(record))}\n{live_table(record)}\n{steps}"
        up = f"\x1b[{self._lines}A" if self._lines else ""
        self._lines = text.count("\n") + 1
        print(f"{up}\r\x1b[J{text}", file=self.stream, flush=True)

    def _left(self, record: SearchRecord) -> float | None:
        """Seconds to the end of the search, at the pace of the runs made since it began."""
        elapsed = time.monotonic() - self._begin
        # A run that took longer than we have been at it was found, and tells nothing of the pace.
        made = [r for r in record.runs if r.seconds is not None and r.seconds <= elapsed]
        if record.state == "done" or not made:
            return None
        return elapsed / len(made) * max(0, record.planned - len(record.runs))


def line(record: SearchRecord, left: float | None) -> str:
    """One line: what the search is at."""
    failed = sum(run.state == "failed" for run in record.runs)
    best, natural = best_so_far(record), natural_run(record)
    parts = [f"{record.state}, {_searched(record)} of {record.budget_runs} runs"]
    if record.state != "done":
        parts[0] += f" ({len(record.runs)} of {record.planned} with baselines and confirmation)"
    parts += [f"{failed} failed"] if failed else []
    parts += [f"natural {natural.objective:.4f}"] if natural and natural.objective else []
    parts += [f"best {best.objective:.4f}"] if best and best.objective else []
    if record.rounds and record.rounds[-1].predicted is not None:
        last = record.rounds[-1]
        parts.append(f"predicted {last.predicted:.4f} ± {last.predicted_sd or 0.0:.4f}")
    if left is not None:
        parts.append(f"{left:.0f} s left" if left < 120 else f"{left / 60:.0f} min left")
    return f"search {record.method['name']}: {', '.join(parts)}"


def live_table(record: SearchRecord) -> str:
    """Natural, best so far and predicted optimum with their mixtures."""
    rows = []
    natural, best = natural_run(record), best_so_far(record)
    base = natural.objective if natural else None
    sd = record.noise.sd if record.noise else None
    if natural and natural.objective is not None:
        rows.append(_row(NATURAL, natural.objective, sd, None, natural.weights))
    if best and best.objective is not None:
        rows.append(_row("best so far", best.objective, None, base, best.weights))
    if record.rounds and record.rounds[-1].predicted is not None:
        last = record.rounds[-1]
        assert last.predicted is not None
        label = "predicted optimum"
        rows.append(_row(label, last.predicted, last.predicted_sd, base, last.predicted_weights))
    return table(("", "weights", "objective", "sd", "less natural"), rows, left=2)


def _row(
    name: str, value: float, sd: float | None, base: float | None, weights: Mapping[str, float]
) -> tuple[str, ...]:
    spread = "" if sd is None else f"{sd:.4f}"
    gain = "" if base is None else f"{value - base:+.4f}"
    return name, mixture_text(weights), f"{value:.4f}", spread, gain


def mixture_text(weights: Mapping[str, float], most: int = DOMAINS) -> str:
    """The largest weights, as `web 62%, books 30%, ...`."""
    ranked = sorted(weights.items(), key=lambda pair: -pair[1])
    shown = ", ".join(f"{name} {weight:.0%}" for name, weight in ranked[:most])
    return shown + (", ..." if len(ranked) > most else "")


def best_so_far(record: SearchRecord) -> RunEntry | None:
    """The smallest objective of an allowed mixture at the first size."""
    return best_measured(record.runs, record.sizes[0].preset, record.proxy_seed)


def natural_run(record: SearchRecord) -> RunEntry | None:
    """The run of the natural mixture that the others are compared with, if it finished."""
    alike = (r for r in record.runs if r.name == NATURAL and r.seed == record.proxy_seed)
    size = record.sizes[0].preset
    done = (r for r in alike if r.role == "baseline" and r.size == size and r.state == "done")
    return next(done, None)


def _searched(record: SearchRecord) -> int:
    return sum(run.role == "search" for run in record.runs)
