"""A few of the documents that move, chosen by their ids alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.report.sampling import fetch_row
from pipelines.what_if.changes import Segment, Variant
from pipelines.what_if.rejudge import Moves, first_failing

EXAMPLES = 5  # in each direction
TEXT_CHARS = 160


@dataclass(frozen=True)
class Example:
    """A document that moves, and the rule that drops it: today if it enters, else the new one."""

    id: str
    source: str
    enters: bool
    stage: str
    param: str
    value: str  # what was measured
    threshold: str
    text: str  # its beginning


@dataclass(frozen=True)
class _Place:
    rank: int
    id: str
    file: Path
    row: int
    table: pa.Table  # the document's columns that rules read


class Sample:
    """The moving documents whose ids have the lowest hashes, some in each direction."""

    def __init__(self) -> None:
        self._chosen: dict[bool, list[_Place]] = {True: [], False: []}

    def add(self, moves: Moves) -> None:
        """Looks at the moves of one shard."""
        ids = moves.table["id"].to_pylist()
        ranks = np.array([zlib.crc32(name.encode()) for name in ids], np.int64)
        for enters, chosen in self._chosen.items():
            places = np.flatnonzero(moves.now != enters)
            first = places[np.argsort(ranks[places], kind="stable")[:EXAMPLES]].tolist()
            chosen += [
                _Place(ranks[i], ids[i], moves.file, int(moves.rows[i]), moves.table[i : i + 1])
                for i in first
            ]
            chosen.sort(key=lambda place: (place.rank, place.id))
            del chosen[EXAMPLES:]

    def examples(self, segment: Segment, variant: Variant) -> Iterator[Example]:
        """First those that enter."""
        for enters, chosen in self._chosen.items():
            for place in chosen:
                row = fetch_row(place.file, place.row)
                why = _dropped_today(row) if enters else _dropped_then(place, segment, variant)
                text = " ".join((row["text"] or "").split())[:TEXT_CHARS]
                yield Example(row["id"], row["source"], enters, *why, text)


def _dropped_today(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["drop_stage"], row["drop_reason"], row["drop_value"], row["drop_threshold"]


def _dropped_then(place: _Place, segment: Segment, variant: Variant) -> tuple[str, str, str, str]:
    label, rule = first_failing(place.table, segment, variant)
    value = place.table[rule.column][0].as_py()
    limit = rule.threshold
    shown = ",".join(map(str, limit)) if rule.bound in ("in", "not in") else str(limit)
    return label, rule.param, str(value), shown
