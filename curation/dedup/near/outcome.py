"""Last round of `minhash_dedup`: decisions for the runner, and clusters for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.near.blocks import Block, Numbers, by_block
from curation.dedup.near.twins import ids_of
from curation.document import conform
from curation.keyed import write_decisions
from curation.mapped import between, column, map_table, write_mapped
from curation.rounds import CorpusSlice
from curation.stage import DECISION_SCHEMA

LARGEST = 10  # clusters that the report shows
SHOWN_MEMBERS = 5  # of each
SAMPLE_CHARS = 200  # of the survivor's text


@dataclass(frozen=True)
class OutcomeJob:
    """Writes the decisions on a block.

    Attributes:
        settled: `document`, `survivor`, `similarity` of documents that go, twins apart.
        twins: files of `document` and `leader`.
    """

    block: Block
    blocks: tuple[Block, ...]
    settled: Path
    twins: tuple[Path, ...]
    min_jaccard: float
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What went of one block.

    Attributes:
        gone: file of `document` and `survivor`.
        decisions: of `DECISION_SCHEMA`.
        sources: (source of the document, source of its survivor, how many).
    """

    gone: Path
    decisions: Path
    sources: tuple[tuple[str, str, int], ...]


def write_outcome(job: OutcomeJob) -> Outcome:
    """Writes the decisions on the documents of a block."""
    decisions = job.folder / f"decisions-{job.block.number:06d}.parquet"
    gone = job.folder / f"gone-{job.block.number:06d}.arrow"
    if not gone.exists():
        found = _gone(job)
        write_decisions(decisions, _decisions(job, *found))
        write_mapped(gone, {"document": found[0], "survivor": found[1]})
    table = map_table(gone)
    pairs = Counter(
        zip(
            sources_of(job.blocks, column(table, "document")),
            sources_of(job.blocks, column(table, "survivor")),
            strict=True,
        )
    )
    return Outcome(gone, decisions, tuple((*key, n) for key, n in sorted(pairs.items())))


def _gone(job: OutcomeJob) -> tuple[Numbers, Numbers, npt.NDArray[np.float64]]:
    """Document, survivor and similarity of all that go, ascending by document."""
    settled = map_table(job.settled)
    names = ("document", "survivor", "similarity")
    all_documents, all_survivors, all_similarities = (column(settled, name) for name in names)
    own = between(all_documents, job.block.first, job.block.end)
    parts = [(all_documents[own], all_survivors[own], all_similarities[own])]
    for path in job.twins:
        table = map_table(path)
        own = between(column(table, "document"), job.block.first, job.block.end)
        document, leader = column(table, "document")[own], column(table, "leader")[own]
        place = np.minimum(np.searchsorted(all_documents, leader), max(len(all_documents) - 1, 0))
        went = all_documents[place] == leader if len(all_documents) else np.zeros(len(leader), bool)
        survivor, similarity = leader.copy(), np.ones(len(leader))
        survivor[went] = all_survivors[place[went]]  # a twin is as similar to it as its leader
        similarity[went] = all_similarities[place[went]]
        parts.append((document, survivor, similarity))
    document, survivor, similarity = (np.concatenate(v) for v in zip(*parts, strict=True))
    ascending = np.argsort(document)
    return document[ascending], survivor[ascending], similarity[ascending]


def _decisions(
    job: OutcomeJob, document: Numbers, survivor: Numbers, similarity: npt.NDArray[np.float64]
) -> pa.Table:
    distinct, back = np.unique(survivor, return_inverse=True)
    ids = ids_of(job.blocks, distinct).take(pa.array(back))
    numbers, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part, start in job.block.starts():
        assert isinstance(part, CorpusSlice)
        own = document[between(document, start, start + part.rows)] - start
        numbers.append(np.full(len(own), part.number))
        rows.append(own)
    columns = {
        "slice": np.concatenate(numbers),
        "row": np.concatenate(rows),
        "drop_reason": pa.repeat("duplicate", len(document)),
        "drop_value": pc.round(pa.array(similarity), 4).cast(pa.string()),
        "drop_threshold": pa.repeat(str(job.min_jaccard), len(document)),
        "survivor_id": ids,
        "similarity": similarity,
    }
    return conform(pa.table(columns), DECISION_SCHEMA)


def sources_of(blocks: Sequence[Block], documents: Numbers) -> list[str]:
    """The source of each document."""
    starts = [(start, part.source) for block in blocks for part, start in block.starts()]
    firsts = np.array([start for start, _ in starts])
    return [starts[i][1] for i in np.searchsorted(firsts, documents, "right") - 1]


def cluster_sizes(
    gone: Sequence[Path], documents: int, memory: int
) -> tuple[Counter[int], Numbers]:
    """How many clusters have how many documents, and the survivors of the largest."""
    sizes: Counter[int] = Counter()
    best = (np.empty(0, np.int64), np.empty(0, np.int64))
    step = max(1, memory // 16)
    for first, last in pairwise([*range(0, documents, step), documents]):
        counts = np.zeros(last - first, np.int64)
        for path in gone:
            own = column(map_table(path), "survivor")
            own = own[(own >= first) & (own < last)]
            counts += np.bincount(own - first, minlength=last - first)
        found = np.flatnonzero(counts)
        sizes.update((counts[found] + 1).tolist())
        best = _largest(
            np.concatenate([best[0], found + first]), np.concatenate([best[1], counts[found]])
        )
    return sizes, best[0]


def _largest(documents: Numbers, counts: Numbers) -> tuple[Numbers, Numbers]:
    order = np.lexsort((documents, -counts))[:LARGEST]
    return documents[order], counts[order]


def about_clusters(
    blocks: Sequence[Block], gone: Sequence[Path], survivors: Numbers
) -> list[dict[str, Any]]:
    """Clusters for the report: each survivor with the start of its text, and some members."""
    texts = _texts(blocks, np.sort(survivors))
    return [_about_cluster(blocks, gone, one, texts[one]) for one in survivors.tolist()]


def _about_cluster(
    blocks: Sequence[Block], gone: Sequence[Path], survivor: int, text: str
) -> dict[str, Any]:
    members = []
    for path in gone:
        table = map_table(path)
        members.append(column(table, "document")[column(table, "survivor") == survivor])
    every = np.sort(np.concatenate(members))
    return {
        "survivor": ids_of(blocks, np.array([survivor]))[0].as_py(),
        "documents": len(every) + 1,
        "sources": dict(Counter(sources_of(blocks, np.append(every, survivor))).most_common()),
        "text": text[:SAMPLE_CHARS],
        "members": ids_of(blocks, every[:SHOWN_MEMBERS]).to_pylist(),
    }


def _texts(blocks: Sequence[Block], documents: Numbers) -> dict[int, str]:
    """The texts of ascending documents; every slice is read once."""
    found: dict[int, str] = {}
    for block, where in by_block(blocks, documents):
        own = documents[where]
        for part, start in block.starts():
            here = own[between(own, start, start + part.rows)]
            if len(here):
                texts = part.read(["text"])["text"].take(pa.array(here - start))
                found.update(zip(here.tolist(), texts.to_pylist(), strict=True))
    return found
