"""Rates of several ways to do one thing, in turn: a busy machine disturbs all alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.benchmarks.tables import Table

ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """One way to do it."""

    name: str
    run: Callable[[], Any]
    amount: float  # units of work that one call does: megabytes, pages
    repeat: int = 1  # calls per round, where one is too short to time


def rates(cases: Sequence[Case], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Units per second of each case in each round; the cases alternate."""
    found: dict[str, list[float]] = {case.name: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            found[case.name].append(_rate(case))
    return found


def compare(title: str, unit: str, cases: Sequence[Case], notes: Sequence[str] = ()) -> Table:
    """A table of median rates; ratios are to the last case, the median of those of each round."""
    found = rates(cases)
    peer = cases[-1].name
    rows = [(name, median(r), ratio(r, found[peer]), spread(r)) for name, r in found.items()]
    return Table(title, ("", unit, f"x {peer}", "spread"), rows, list(notes))


def ratio(ours: Sequence[float], peer: Sequence[float]) -> float:
    """The median ratio of rates measured in the same round."""
    return median(a / b for a, b in zip(ours, peer, strict=True))


def spread(values: Sequence[float]) -> str:
    """Largest less smallest, as a share of the median."""
    return f"{(max(values) - min(values)) / median(values):.0%}"


def _rate(case: Case) -> float:
    begin = time.perf_counter()
    for _ in range(case.repeat):
        case.run()
    return case.amount * case.repeat / (time.perf_counter() - begin)
