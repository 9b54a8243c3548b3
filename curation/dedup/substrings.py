"""Exact repeated substrings, cut out of all texts but the first that holds them.

ExactSubstr (Lee et al. 2022, "Deduplicating Training Data Makes Language Models Better", arXiv
2107.06499, section 4.1) cuts what repeats 50 tokens, which its code takes for 100 bytes, found by
a suffix array of the corpus in memory. This finds the same windows by hashing in rounds on disk
(`curation.dedup.substring.windows`, `curation.dedup.substring.rounds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.dedup.substring import windows
from curation.dedup.substring.report import report
from curation.dedup.substring.rounds import (
    GroupJob,
    MarkJob,
    PartitionJob,
    find_group_runs,
    hash_group_windows,
    mark_repeats,
    sort_out_runs,
)
from curation.dedup.substring.setup import TABLE_BYTES, Group, Kind, Setup, group_slices
from curation.dedup.substring.spill import partitions_for
from curation.dedup.substring.verdicts import (
    SpansJob,
    cut_spans_of,
    cuts_file,
    drops_file,
    weigh,
)
from curation.rounds import Rounds, Verdicts
from curation.stage import GlobalStage, stages

GROUPS_PER_WORKER = 4
MIN_BYTES = 8
MIN_MEMORY = 1 << 20  # bytes of a task, which holds a slice anyhow: fewer make too many files


@stages.register("substring_dedup")
@dataclass(frozen=True, kw_only=True)
class SubstringDedup(GlobalStage):
    """Cuts repeats of `min_bytes` bytes and more out of documents, and keeps their first copy.

    A window of `min_bytes` bytes of a text is a repeat if the same bytes stand earlier in the
    corpus, within one text and without overlapping it. The bytes of all repeats are cut, less
    those of a character that is only partly one. So every byte that goes has an equal one before
    it that stays. Bytes are the same if 128 bits of their hashes are.

    With `max_repeated_frac`, a document goes if more than this share of its bytes repeats earlier
    documents that are sure to stay: those of which no more than this share repeats any earlier
    document. What goes holds no first copies.

    Cutting joins what stood before and after: a second pass finds what is only repeated across a
    joint, and nothing else.
    """

    min_bytes: int = 100  # Lee et al. 2022, 50 tokens
    max_repeated_frac: float | None = None

    def __post_init__(self) -> None:
        if not MIN_BYTES <= self.min_bytes <= windows.MAX_BYTES:
            raise ValueError(
                f"'min_bytes' of substring_dedup must be from {MIN_BYTES} to {windows.MAX_BYTES}. "
                f"Got {self.min_bytes} instead."
            )
        most = self.max_repeated_frac
        if most is not None and not 0 <= most <= 1:
            raise ValueError(
                f"'max_repeated_frac' of substring_dedup must be in [0, 1]. Got {most} instead."
            )

    def decide(self, rounds: Rounds) -> Verdicts:
        """See `GlobalStage`."""
        groups, setup = self._set_up(rounds)
        passes = _Passes(rounds, groups, setup, _index_windows(rounds, groups, setup))
        barred = None
        if self.max_repeated_frac is not None:
            passes.weigh("suspects", None)
            passes.weigh("drops", "suspects")
            barred = "drops"
        marks = passes.mark("cuts", barred, others=False)
        jobs = [SpansJob(setup, group, marks, "cuts") for group in groups]
        counts = rounds.run("spans", cut_spans_of, jobs)
        return Verdicts(
            decisions=tuple(drops_file(setup, group) for group in groups) if barred else (),
            edits=tuple(cuts_file(setup, group) for group in groups),
            report=report(rounds, groups, setup, counts),
        )

    def _set_up(self, rounds: Rounds) -> tuple[list[Group], Setup]:
        """How the corpus is divided."""
        memory = max(MIN_MEMORY, rounds.task_memory)
        runs = rounds.text_bytes * windows.runs_per_byte(self.min_bytes)
        each = rounds.text_bytes // (GROUPS_PER_WORKER * rounds.workers)
        plan = rounds.remember(
            "plan",
            lambda: {
                "partitions": partitions_for(runs, TABLE_BYTES, memory),
                "group_bytes": max(1, min(each, memory // 5)),
            },
        )
        groups = group_slices(rounds.slices, plan["group_bytes"])
        starts, numbers = _sources(groups)
        bases = (*(group.base for group in groups), rounds.text_bytes)
        return groups, Setup(
            rounds.folder,
            self.min_bytes,
            self.max_repeated_frac,
            memory,
            bases,
            plan["partitions"],
            starts,
            numbers,
        )


def _index_windows(rounds: Rounds, groups: Sequence[Group], setup: Setup) -> int:
    """Spills all windows that may be repeats; the number of partitions of those that are hashed."""
    jobs = [GroupJob(setup, group, setup.partitions) for group in groups]
    rounds.run("runs", find_group_runs, jobs)
    size = int(rounds.text_bytes * windows.runs_per_byte(setup.min_bytes) * 32)
    kinds = [PartitionJob(setup, number) for number in range(setup.partitions)]
    mixed = sum(rounds.run("kinds", sort_out_runs, kinds, size))
    count = partitions_for(mixed, TABLE_BYTES, setup.memory)
    count = rounds.remember("window_partitions", lambda: count)
    rounds.run("windows", hash_group_windows, [GroupJob(setup, group, count) for group in groups])
    return int(count)


@dataclass(frozen=True)
class _Passes:
    """Marks repeats, once or with some documents set aside."""

    rounds: Rounds
    groups: Sequence[Group]
    setup: Setup
    window_partitions: int

    def mark(self, name: str, barred: str | None, *, others: bool) -> tuple[Path, ...]:
        """The files of marks; documents that `barred` names hold no copies."""
        parts: dict[Kind, int] = {
            "alike": self.setup.partitions,
            "windows": self.window_partitions,
        }
        jobs = [
            MarkJob(self.setup, kind, number, name, others, barred)
            for kind, count in parts.items()
            for number in range(count)
        ]
        return tuple(self.rounds.run(f"marks of {name}", mark_repeats, jobs))

    def weigh(self, name: str, barred: str | None) -> None:
        """Writes the share of every document that repeats earlier ones."""
        marks = self.mark(name, barred, others=True)
        jobs = [SpansJob(self.setup, group, marks, name) for group in self.groups]
        self.rounds.run(f"shares of {name}", weigh, jobs)


def _sources(groups: Sequence[Group]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where slices of another source begin, and the number of that source."""
    numbers: dict[str, int] = {}
    found: list[tuple[int, int]] = []
    for group in groups:
        at = group.base
        for one in group.slices:
            number = numbers.setdefault(one.source, len(numbers))
            if not found or found[-1][1] != number:
                found.append((at, number))
            at += one.text_bytes
    return tuple(at for at, _ in found), tuple(number for _, number in found)
