"""What `substring_dedup` reports: how much is repeated, and the spans that cost most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curation.dedup.substring.setup import Group, Setup
from curation.dedup.substring.spill import read_spill
from curation.dedup.substring.verdicts import SPAN_FIELDS
from curation.dedup.substring.windows import Records
from curation.files import read_json, write_json
from curation.rounds import Rounds

COUNTED = (
    "spans",
    "documents_cut",
    "documents_dropped",
    "bytes_within_sources",
    "bytes_across_sources",
)
TOP = 20
SAMPLE_CHARS = 200
OTHERS = 5  # documents named per span, besides the first


def report(
    rounds: Rounds, groups: Sequence[Group], setup: Setup, counts: Sequence[dict[str, int]]
) -> dict[str, Any]:
    """As JSON.

    `span_bytes` counts spans by their length: `64` those of 64 to 127 bytes. `top` are the spans
    of equal bytes that cost most, each with the documents it was cut from and that of its first
    copy.
    """
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    jobs = [TopJob(setup, number) for number in range(setup.partitions)]
    found = [span for part in rounds.run("top", find_top, jobs, 0) for span in part]
    sizes = sorted(int(key[5:]) for key in total if key.startswith("from "))
    return {
        "min_bytes": setup.min_bytes,
        **{name: total[name] for name in COUNTED},
        "span_bytes": {str(size): total[f"from {size}"] for size in sizes},
        "top": _describe(setup, groups, _largest(found)),
    }


@dataclass(frozen=True)
class TopJob:
    """Finds the spans of a partition that cost most."""

    setup: Setup
    partition: int


def find_top(job: TopJob) -> list[dict[str, Any]]:
    """At most `TOP`, those that cost most first."""
    setup = job.setup
    path = setup.file("top", job.partition, ".json")
    if not path.exists():
        files = [setup.file("spans", group) for group in setup.groups]
        pieces = [read_spill(f, job.partition, SPAN_FIELDS, setup.memory // 8) for f in files]
        empty = np.zeros((0, SPAN_FIELDS), np.uint64)
        write_json(path, _count_copies(np.concatenate([empty, *(p for ps in pieces for p in ps)])))
    return list(read_json(path))


def _count_copies(spans: Records) -> list[dict[str, Any]]:
    """Spans of equal bytes as one."""
    if len(spans) == 0:
        return []
    spans = spans[np.lexsort((spans[:, 2], spans[:, 1], spans[:, 0]))]
    fresh = np.any(np.diff(spans[:, :2], axis=0) != 0, axis=1)
    begins = np.concatenate([[0], np.flatnonzero(fresh) + 1])
    copies = np.diff(np.append(begins, len(spans)))
    cost = copies * spans[begins, 3].astype(np.int64)
    order = np.lexsort((spans[begins, 2], -cost))[:TOP]
    return _largest(
        [
            {
                "bytes_cut": int(cost[i]),
                "copies_cut": int(copies[i]),
                "bytes": int(spans[begins[i], 3]),
                "first": int(spans[begins[i], 4]),
                "cut": spans[begins[i] : begins[i] + min(copies[i], OTHERS), 2].tolist(),
            }
            for i in order
        ]
    )


def _largest(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda span: (-span["bytes_cut"], span["cut"][0]))[:TOP]


def _describe(
    setup: Setup, groups: Sequence[Group], found: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Spans with ids and the beginning of their text instead of places."""
    places = {place for span in found for place in (span["first"], *span["cut"])}
    sampled = {span["cut"][0]: span["bytes"] for span in found}
    ids, texts = _look_up(setup, groups, sorted(places), sampled)
    return [
        {
            **{name: span[name] for name in ("bytes_cut", "copies_cut", "bytes")},
            "text": texts[span["cut"][0]],
            "first_id": ids[span["first"]],
            "cut_ids": [ids[place] for place in span["cut"]],
        }
        for span in found
    ]


def _look_up(
    setup: Setup, groups: Sequence[Group], places: Sequence[int], sampled: Mapping[int, int]
) -> tuple[dict[int, str], dict[int, str]]:
    """The ids of the documents at places, and the texts of `sampled`: a place and its bytes."""
    ids: dict[int, str] = {}
    texts: dict[int, str] = {}
    for group in groups:
        here = [p for p in places if setup.bases[group.number] <= p < setup.bases[group.number + 1]]
        if not here:
            continue
        starts = np.load(setup.file("starts", group.number, ".npy"))
        rows = np.searchsorted(starts, here, "right") - 1
        before = 0
        for one in group.slices:
            mine = np.flatnonzero((rows >= before) & (rows < before + one.rows)).tolist()
            table = one.read(["id", "text"]) if mine else pa.table({})
            for i in mine:
                place, row = here[i], int(rows[i]) - before
                ids[place] = table["id"][row].as_py()
                if place in sampled:
                    at = place - int(starts[rows[i]])
                    texts[place] = _sample(table["text"][row], at, sampled[place])
            before += one.rows
    return ids, texts


def _sample(text: pa.StringScalar, at: int, num_bytes: int) -> str:
    """The first characters of so many bytes."""
    data: bytes = text.as_buffer()[at : at + min(num_bytes, 4 * SAMPLE_CHARS)].to_pybytes()
    return data.decode("utf-8", "ignore")[:SAMPLE_CHARS]
