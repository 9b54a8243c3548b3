"""First and second round: the index of the evidence, and its n-grams in a share of the corpus.

evidence/          the index, mapped by every task, and `items.parquet`
hits-000000.arrow  n-grams found in a share of the slices
seen-000000.arrow  in how many of its documents each is
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.decontaminate.evidence import read_evidence
from curation.decontaminate.index import (
    Index,
    build_index,
    index_bytes,
    map_index,
    save_index,
)
from curation.decontaminate.passages import make_passages
from curation.decontaminate.scan import Hits, find_hits
from curation.files import read_json, write_json, write_parquet
from curation.mapped import column, map_table, write_mapped
from curation.rounds import CorpusSlice

EVIDENCE = "evidence"


@dataclass(frozen=True)
class IndexJob:
    """Makes the index of evidence."""

    files: tuple[Path, ...]
    n_gram: int
    max_items: int
    folder: Path


@dataclass(frozen=True)
class SearchJob:
    """Looks for the n-grams of the index in successive slices."""

    slices: tuple[CorpusSlice, ...]
    folder: Path

    def path(self, kind: str) -> Path:
        """One of its files."""
        return self.folder / f"{kind}-{self.slices[0].number:06d}.arrow"


def write_index(job: IndexJob) -> dict[str, Any]:
    """Writes index and items; returns their sizes."""
    folder = job.folder / EVIDENCE
    done = folder / "done.json"
    if not done.exists():
        evidence = read_evidence(job.files)
        items, passages = make_passages(evidence)
        index, templates = build_index(passages, job.n_gram, job.max_items)
        save_index(index, folder)
        write_parquet(folder / "items.parquet", items)
        sizes = {
            "texts": len(evidence),
            "items": len(items),
            "n_grams": len(index.postings.bounds) - 1,
            "template_n_grams": templates,
            "index_bytes": index_bytes(index),
            "index_bytes_per_item": round(index_bytes(index) / len(items)),
        }
        write_json(done, sizes)
    found: dict[str, Any] = read_json(done)
    return found


def search(job: SearchJob) -> tuple[Path, Path]:
    """Writes hits, and in how many documents each n-gram is."""
    hits, seen = job.path("hits"), job.path("seen")
    if not seen.exists():
        searcher = map_index(job.folder / EVIDENCE).searcher
        found = [find_hits(part.read(["text"])["text"], searcher) for part in job.slices]
        numbers = [
            np.full(len(one.row), part.number) for part, one in zip(job.slices, found, strict=True)
        ]
        columns = {
            name: np.concatenate([one[i] for one in found]) for i, name in enumerate(Hits._fields)
        }
        columns["slice"] = np.concatenate(numbers)
        write_mapped(hits, columns)
        grams, documents = _documents(columns["slice"], columns["row"], columns["gram"])
        write_mapped(seen, {"gram": grams, "documents": documents})
    return hits, seen


def _documents(
    slices: np.ndarray, rows: np.ndarray, grams: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The n-grams that occur, and in how many documents each does."""
    new = np.diff(slices, prepend=-1).astype(bool) | np.diff(rows, prepend=-1).astype(bool)
    most = int(grams.max(initial=0)) + 1
    pairs = np.unique(np.cumsum(new) * most + grams)
    return np.unique(pairs % most, return_counts=True)


def read_hits(path: Path, part: CorpusSlice) -> Hits:
    """The hits in one slice."""
    table = map_table(path)
    numbers = column(table, "slice")
    own = slice(*np.searchsorted(numbers, [part.number, part.number + 1]))
    return Hits(*(column(table, name)[own] for name in Hits._fields))


def read_items(folder: Path) -> pa.Table:
    """The items (suite, item) of the evidence."""
    return pq.read_table(folder / EVIDENCE / "items.parquet")


def count_documents(files: Sequence[Path], index: Index) -> np.ndarray:
    """In how many documents of the corpus each n-gram of the index is."""
    total = np.zeros(len(index.postings.bounds) - 1, np.int64)
    for file in files:
        table = map_table(file)
        total[column(table, "gram")] += column(table, "documents")
    return total
