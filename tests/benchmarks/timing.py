"""Rates of several ways to do one thing, in turn: a busy machine disturbs all alike.

Rates are per second of processor time, of this process and its children: what one core does. Other
jobs on the machine lengthen the wall clock and leave processor time nearly as it is.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks.tables import Table

ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """One way to do it."""

    name: str
    run: Callable[[], Any]
    amount: float  # units of work that one call does: megabytes, pages
    repeat: int = 1  # calls per round, where one is too short to time


class Rates(NamedTuple):
    """Units per second, one value per round."""

    core: list[float]  # of processor time
    wall: list[float]

    @property
    def typical(self) -> float:
        """The median per second of processor time."""
        return median(self.core)


def rates(cases: Sequence[Case], rounds: int = ROUNDS) -> dict[str, Rates]:
    """Rates of each case; the cases alternate."""
    found = {case.name: Rates([], []) for case in cases}
    for _ in range(rounds):
        for case in cases:
            core, wall = _seconds(case)
            done = case.amount * case.repeat
            found[case.name].core.append(done / core)
            found[case.name].wall.append(done / wall)
    return found


def compare(title: str, unit: str, cases: Sequence[Case], notes: Sequence[str] = ()) -> Table:
    """A table of medians; ratios are to the last case, the median of those of each round."""
    found = rates(cases)
    peer = cases[-1].name
    rows = [
        (name, r.typical, median(r.wall), median(quotients(r, found[peer])), spread(r.core))
        for name, r in found.items()
    ]
    return Table(title, ("", f"{unit} per core", "wall", f"x {peer}", "spread"), rows, list(notes))


def quotients(ours: Rates, peer: Rates) -> list[float]:
    """Ratios of the rates of the same round, by processor time."""
    return [a / b for a, b in zip(ours.core, peer.core, strict=True)]


def spread(values: Sequence[float]) -> str:
    """Largest less smallest, as a share of the median."""
    return f"{(max(values) - min(values)) / median(values):.0%}"


def _seconds(case: Case) -> tuple[float, float]:
    """(processor time, wall clock) of the calls of one round."""
    core, wall = _processor_time(), time.perf_counter()
    for _ in range(case.repeat):
        case.run()
    return _processor_time() - core, time.perf_counter() - wall


def _processor_time() -> float:
    """Seconds of this process, of its living children (Linux), and of those that ended."""
    times = os.times()
    ended = times.children_user + times.children_system
    return time.process_time() + ended + sum(map(_child_time, _children()))


def _children() -> list[str]:
    lists = Path("/proc/self/task").glob("*/children")
    return [child for path in lists for child in path.read_text().split()]


def _child_time(process: str) -> float:
    """User and system time, fields 14 and 15 of its `stat`."""
    try:
        fields = Path("/proc", process, "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended meanwhile
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
