"""Global stages that keep the best documents up to a share of the weight of all of them.

Partitions are ranges of `key`, best first, so that a corpus of any size is ranked within the
memory of one partition: they are *tallied*, then the group's last document that stays is found
(its *cut*) in the partition where the budget ends, then every document is held against the cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.document import conform
from curation.keyed import KeyedStage, Partition, decision_file, write_decisions
from curation.rounds import Rounds, Verdicts
from curation.stage import DECISION_SCHEMA


class Tally(NamedTuple):
    """Documents of one group, and their weight."""

    documents: int = 0
    weight: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.documents + other.documents, self.weight + other.weight)


class Cut(NamedTuple):
    """The last document of a group that stays."""

    key: int
    id: str
    value: str | None


Tallies = Mapping[str, Tally]
Cuts = Mapping[str, Cut]


@dataclass(frozen=True, kw_only=True)
class RankingStage(KeyedStage):
    """Keeps, of every group, the best documents that together hold `keep_frac` of its weight.

    Exactly: in the order of `key` and then `id`, the longest run from the first on whose weight is
    at most that share, and at least one document. Its evidence has `key` (uint64, smaller is
    better), `group` (string), `weight` (int64, >= 0) and `value` (string, shown as drop value).
    """

    keep_frac: float  # in (0, 1]

    def __post_init__(self) -> None:
        if not 0 < self.keep_frac <= 1:
            raise ValueError(
                f"'keep_frac' must be above 0 and at most 1. Got {self.keep_frac} instead."
            )

    def decide(self, rounds: Rounds) -> Verdicts:
        """See `GlobalStage`; the report has the score at which each group is cut."""
        partitions = self.partitions(rounds)
        size = sum(partition.num_bytes for partition in partitions)
        *above, total = running(rounds.run("tally", tally_partition, partitions, size))
        jobs = [CutJob(self, p, sums, total) for p, sums in zip(partitions, above, strict=True)]
        cuts: dict[str, Cut] = {}
        for found in rounds.run("cut", cut_partition, jobs, size):  # in the last that has one
            cuts |= found
        holding = [HoldJob(self, partition, rounds.folder, cuts) for partition in partitions]
        files = tuple(rounds.run("decide", hold_partition, holding, size))
        return Verdicts(files, report={"cuts": {group: cut.value for group, cut in cuts.items()}})

    def resolve(self, evidence: pa.Table) -> pa.Table:
        """The decisions where one partition holds all evidence."""
        total = tally(evidence)
        return self.hold_against(evidence, self.cuts(evidence, {}, total))

    def cuts(self, evidence: pa.Table, above: Tallies, total: Tallies) -> dict[str, Cut]:
        """Of each group, the last document of this partition that stays; absent if none does.

        Args:
            evidence: of the partition.
            above: of all better partitions together.
            total: of all partitions.
        """
        found = {}
        for group, rows in _by_group(evidence):
            before = above.get(group, Tally())
            budget = int(Decimal(repr(self.keep_frac)) * total[group].weight)
            reached = before.weight + np.cumsum(rows["weight"].to_numpy())
            count = int(np.searchsorted(reached, budget, side="right"))
            if count == 0 and before.documents == 0:
                count = 1
            if count:
                key, name, value = (rows[c][count - 1].as_py() for c in ("key", "id", "value"))
                found[group] = Cut(key, name, value)
        return found

    def hold_against(self, evidence: pa.Table, cuts: Cuts) -> pa.Table:
        """The documents that come after their group's cut."""
        parts = [_after(rows, cuts[group]) for group, rows in _by_group(evidence)]
        return pa.concat_tables([*parts, DECISION_SCHEMA.empty_table()])


@dataclass(frozen=True)
class CutJob:
    """Finds the cuts that lie in one partition."""

    stage: RankingStage
    partition: Partition
    above: Tallies
    total: Tallies


@dataclass(frozen=True)
class HoldJob:
    """Holds one partition against the cuts of the whole corpus."""

    stage: RankingStage
    partition: Partition
    folder: Path
    cuts: Cuts


def tally_partition(partition: Partition) -> dict[str, Tally]:
    """The tally of a partition."""
    evidence = partition.read()
    return {} if evidence is None else tally(evidence)


def cut_partition(job: CutJob) -> dict[str, Cut]:
    """The cuts of a partition."""
    evidence = job.partition.read()
    return {} if evidence is None else job.stage.cuts(evidence, job.above, job.total)


def hold_partition(job: HoldJob) -> Path:
    """Writes the decisions of a partition."""
    path = decision_file(job.folder, job.partition)
    if not path.exists():
        evidence = job.partition.read()
        gone = None if evidence is None else job.stage.hold_against(evidence, job.cuts)
        write_decisions(path, gone)
    return path


def tally(evidence: pa.Table) -> dict[str, Tally]:
    """Documents and weight of each group."""
    sums = evidence.group_by("group").aggregate([("weight", "count"), ("weight", "sum")])
    columns = (sums[name].to_pylist() for name in ("group", "weight_count", "weight_sum"))
    return {group: Tally(n, weight) for group, n, weight in zip(*columns, strict=True)}


def running(tallies: Sequence[Tallies]) -> list[dict[str, Tally]]:
    """The sums of the tallies before each of them, and of all of them last."""
    sums: list[dict[str, Tally]] = [{}]
    for one in tallies:
        last = sums[-1]
        sums.append({g: last.get(g, Tally()).plus(one.get(g, Tally())) for g in {**last, **one}})
    return sums


def _by_group(evidence: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Each group with its rows, best first."""
    ranked = evidence.sort_by([(name, "ascending") for name in ("group", "key", "id")])
    start = 0
    for group, count in _counts(ranked["group"]):
        yield group, ranked[start : start + count]
        start += count


def _counts(groups: pa.ChunkedArray) -> list[tuple[str, int]]:
    counts = pc.value_counts(groups)
    return list(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True))


def _after(rows: pa.Table, cut: Cut) -> pa.Table:
    worse = pc.greater(rows["key"], pa.scalar(cut.key, pa.uint64()))
    tied = pc.equal(rows["key"], pa.scalar(cut.key, pa.uint64()))
    gone = rows.filter(pc.or_(worse, pc.and_(tied, pc.greater(rows["id"], cut.id))))
    why = {"drop_reason": "keep_frac", "drop_threshold": cut.value}
    for name, text in why.items():
        gone = gone.append_column(name, pa.array([text] * len(gone), pa.string()))
    return conform(gone.rename_columns({"value": "drop_value"}), DECISION_SCHEMA)
