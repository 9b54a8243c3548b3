"""What a classifier learns from, and what is held out to measure it: never the same text twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation import text
from curation.errors import UserError
from curation.hold_out import MAX_OVERLAP_FRAC, N_GRAM, group_of
from curation.text import Hashes, Rows

HELD_OUT_FRAC = 0.1  # of each class
MAX_GROUP_FRAC = 0.05  # of a class: the documents of a larger site are held out one by one
MIN_DOCUMENTS = 20  # distinct texts per class
VECTOR = "vector"  # column of samples that have vectors
_KEPT = ("text", VECTOR)
_BATCH = 10_000  # texts whose n-grams are in memory

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Texts of both classes, in a random order, with their vectors if the samples had any."""

    texts: pa.ChunkedArray
    positive: Flags
    vectors: pa.ChunkedArray | None = None

    def take(self, rows: Places | Flags) -> Sample:
        """Some of them."""
        chosen = pa.array(np.flatnonzero(rows) if rows.dtype == bool else rows)
        vectors = None if self.vectors is None else self.vectors.take(chosen)
        return Sample(self.texts.take(chosen), self.positive[chosen.to_numpy()], vectors)


@dataclass(frozen=True)
class Split:
    """A sample to learn from, one to measure on, and how many documents went where."""

    train: Sample
    held_out: Sample
    counts: dict[str, Any]


def split_samples(samples: Mapping[str, pa.Table]) -> Split:
    """Holds out 10 % of each class, by site; a site with much of its class by document.

    Each text counts once; one of both classes is a positive. A held-out document most of whose
    word 8-grams stand in the training sample is a near-duplicate: it is not used at all.

    Args:
        samples: the tables `positives` and `negatives`, in a random order.

    Raises:
        UserError: too few distinct documents of a class, or too alike to measure anything.
    """
    tables = {role: _distinct(samples[role]) for role in ("positives", "negatives")}
    shared = np.isin(_hashes(tables["negatives"]), _hashes(tables["positives"]))
    tables["negatives"] = tables["negatives"].filter(pa.array(~shared))
    for role, table in tables.items():
        _check_enough(role, len(samples[role]), len(table), int(shared.sum()))
    held = {role: _held_out(table) for role, table in tables.items()}
    train, test = (_mix(tables, held, chosen) for chosen in (False, True))
    copies = _seen_frac(test.texts, train.texts) >= MAX_OVERLAP_FRAC
    kept = test.take(~copies)
    counts: dict[str, Any] = {"shared": int(shared.sum())}
    for role, positive in (("positives", True), ("negatives", False)):
        counts[role] = {
            "sampled": len(samples[role]),
            "distinct": len(tables[role]),
            "train": int((train.positive == positive).sum()),
            "held_out": int((kept.positive == positive).sum()),
            "near_duplicates": int((test.positive[copies] == positive).sum()),
        }
        _check_measurable(role, counts[role])
    return Split(train, kept, counts)


def _distinct(table: pa.Table) -> pa.Table:
    """The first document of each text."""
    _, first = np.unique(_hashes(table), return_index=True)
    return table.take(pa.array(np.sort(first)))


def _hashes(table: pa.Table) -> Hashes:
    return text.hash_rows(*text.buffers(table["text"]))


def _check_enough(role: str, sampled: int, distinct: int, shared: int) -> None:
    if distinct >= MIN_DOCUMENTS:
        return
    what = f"{role} hold {distinct:,} distinct documents that are not positives, too: {sampled:,}"
    if role == "positives":
        what = f"{role} hold {distinct:,} distinct documents: {sampled:,}"
    hint = "Name parts with more documents"
    if role == "negatives" and shared:
        hint = f"{shared:,} texts stand on both sides: give the parts conditions that part them"
    raise UserError(f"{what} were drawn, at least {MIN_DOCUMENTS} are needed", hint=hint)


def _check_measurable(role: str, counts: Mapping[str, int]) -> None:
    if counts["held_out"] and counts["train"]:
        return
    what = f"all {counts['near_duplicates']:,} {role} that were held out are near-duplicates of "
    what += "others: nothing would tell what the classifier has learned"
    raise UserError(what, hint="Deduplicate what the part is drawn from, or add other documents")


def hold_out(table: pa.Table) -> tuple[pa.Table, Flags]:
    """The distinct documents of a sample, and which are held out: see `split_samples`.

    Near-duplicates of what is not held out are neither: they are not among the documents.

    Raises:
        UserError: too few distinct documents, or too alike to measure anything.
    """
    distinct = _distinct(table)
    _check_enough("positives", len(table), len(distinct), 0)
    held = _held_out(distinct)
    test = distinct["text"].filter(pa.array(held))
    copies = np.zeros(len(distinct), bool)
    copies[held] = _seen_frac(test, distinct["text"].filter(pa.array(~held))) >= MAX_OVERLAP_FRAC
    if (held & ~copies).sum() < 2:
        what = f"all {int(held.sum()):,} documents that were held out are near-duplicates of others"
        raise UserError(what, hint="Deduplicate what the part is drawn from")
    return distinct.filter(pa.array(~copies)), held[~copies]


def _held_out(table: pa.Table) -> Flags:
    """True for the documents of the first groups that make up 10 %."""
    rows = [str(row) for row in range(len(table))]
    sites = [group_of(*pair) for pair in zip(table["url"].to_pylist(), rows, strict=True)]
    _, inverse, counts = np.unique(sites, return_inverse=True, return_counts=True)
    large = counts[inverse] > MAX_GROUP_FRAC * len(table)
    keys = np.where(large, -1 - np.arange(len(table)), inverse)
    _, first, inverse, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)  # of the groups: that of their first documents, which is random
    wanted = HELD_OUT_FRAC * len(table)
    taken = order[: int(np.searchsorted(np.cumsum(counts[order]), wanted)) + 1]
    return np.isin(inverse, taken)


def _mix(tables: Mapping[str, pa.Table], held: Mapping[str, Flags], chosen: bool) -> Sample:
    """Both classes' documents that are (`chosen`) or are not held out, evenly interleaved."""
    parts = [t.filter(pa.array(held[role] == chosen)) for role, t in tables.items()]
    place = np.concatenate([(np.arange(len(part)) + 0.5) / max(len(part), 1) for part in parts])
    both = pa.concat_tables(
        [part.select([n for n in _KEPT if n in part.schema.names]) for part in parts]
    )
    positive = np.arange(len(both)) < len(parts[0])
    vectors = both[VECTOR] if VECTOR in both.schema.names else None
    return Sample(both["text"], positive, vectors).take(np.argsort(place, kind="stable"))


def _seen_frac(texts: pa.ChunkedArray, train: pa.ChunkedArray) -> Rows:
    """Per text, the share of its word n-grams that stand in `train`; 0 without words."""
    hashes, offsets = text.ngram_hashes(texts, N_GRAM)
    if not len(hashes):
        return np.zeros(len(texts))
    index, inverse = np.unique(hashes, return_inverse=True)
    seen = np.zeros(len(index), bool)
    for start in range(0, len(train), _BATCH):
        found, _ = text.ngram_hashes(train[start : start + _BATCH], N_GRAM)
        place = np.minimum(np.searchsorted(index, found), len(index) - 1)
        seen[place[index[place] == found]] = True
    total = np.concatenate([[0], np.cumsum(seen[inverse])])
    frac: Rows = (total[offsets[1:]] - total[offsets[:-1]]) / np.maximum(np.diff(offsets), 1)
    return frac
