"""Last round of clustering: what the runner adds to documents, and which of them go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.clustering.building import Levels
from curation.dedup.near.blocks import Block
from curation.document import conform
from curation.files import write_parquet
from curation.keyed import write_decisions
from curation.mapped import column, map_table
from curation.rounds import CorpusSlice
from curation.stage import DECISION_SCHEMA


class Reason(NamedTuple):
    """Why the documents of a pruned cluster go."""

    reason: str
    value: str
    threshold: str


@dataclass(frozen=True)
class Labels:
    """What clusters are called.

    Attributes:
        names: of each cluster.
        fine: of each cluster of k-means.
        of_fine: the cluster that each of k-means belongs to; -1 if it was pruned or is empty.
        pruned: fine clusters that go.
    """

    names: tuple[str, ...]
    fine: tuple[str, ...]
    of_fine: tuple[int, ...]
    pruned: Mapping[int, Reason]

    @classmethod
    def of(cls, built: Levels, count: int) -> Self:
        """Names for the clusters of `count` fine ones."""
        width, wide = len(str(max(len(built.members) - 1, 10))), len(str(max(count - 1, 100)))
        of_fine = np.full(count, -1, np.int64)
        for number, group in enumerate(built.members):
            of_fine[list(group)] = number
        reasons = {
            one.cluster: Reason(f"min_mean.{one.column}", f"{one.mean:.6g}", f"{one.least:g}")
            for one in built.pruned
        }
        return cls(
            names=tuple(f"c{i:0{width}d}" for i in range(len(built.members))),
            fine=tuple(f"f{i:0{wide}d}" for i in range(count)),
            of_fine=tuple(of_fine.tolist()),
            pruned=reasons,
        )


@dataclass(frozen=True)
class LabelJob:
    """Writes the verdicts on a block whose documents are assigned."""

    block: Block
    labels: Labels


def write_labels(job: LabelJob) -> tuple[Path, Path]:
    """Writes the decisions on a block, and its annotations."""
    stem = job.block.stem
    decisions = stem.with_name(f"{stem.name}.decisions.parquet")
    annotations = stem.with_name(f"{stem.name}.annotations.parquet")
    if not annotations.exists():
        fine = column(map_table(job.block.file("assigned")), "cluster")
        places = _places(job.block)
        write_decisions(decisions, _decisions(job.labels, fine, places))
        write_parquet(annotations, _annotations(job.labels, fine, places))
    return decisions, annotations


def _places(block: Block) -> pa.Table:
    """Slice and row of each document of a block."""
    numbers, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part, _ in block.starts():
        assert isinstance(part, CorpusSlice)
        numbers.append(np.full(part.rows, part.number))
        rows.append(np.arange(part.rows))
    return pa.table({"slice": np.concatenate(numbers), "row": np.concatenate(rows)})


def _decisions(labels: Labels, fine: npt.NDArray[np.int32], places: pa.Table) -> pa.Table:
    gone = np.flatnonzero((fine < 0) | np.isin(fine, list(labels.pruned)))
    why = [labels.pruned.get(i, Reason("no_vector", "", "")) for i in fine[gone].tolist()]
    own = places.take(pa.array(gone))
    columns = {
        "drop_reason": [one.reason for one in why],
        "drop_value": [one.value or None for one in why],
        "drop_threshold": [one.threshold or None for one in why],
    }
    for name, values in columns.items():
        own = own.append_column(name, pa.array(values, pa.string()))
    return conform(own, DECISION_SCHEMA)


def _annotations(labels: Labels, fine: npt.NDArray[np.int32], places: pa.Table) -> pa.Table:
    """Also of documents that go with their cluster; without a vector there are none."""
    there = np.flatnonzero(fine >= 0)
    own = fine[there]
    cluster = np.array(labels.of_fine, np.int64)[own] if len(own) else own
    names = pa.array([*labels.names, None], pa.string())  # -1 is the last
    place = np.where(cluster < 0, len(labels.names), cluster)
    table = places.take(pa.array(there))
    table = table.append_column("cluster", names.take(pa.array(place)))
    return table.append_column(
        "cluster_fine", pa.array(labels.fine, pa.string()).take(pa.array(own))
    )
