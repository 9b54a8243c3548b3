"""Documents and bytes that pass, enter or leave a segment, by source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.what_if.changes import Segment
from pipelines.what_if.rejudge import NO_TEXT, Ints, Mask, Moves


@dataclass(frozen=True)
class Flow:
    """Some documents."""

    documents: int = 0
    bytes: int | None = 0  # UTF-8 of the texts as stored; None if some of them were not kept
    unmeasured: int = 0  # of the documents: a later stage of the segment could still drop them

    def after(self, enter: Flow, leave: Flow) -> Flow:
        """What there is once some have entered and some have left."""
        sizes = (self.bytes, enter.bytes, leave.bytes)
        known = [size for size in sizes if size is not None]
        size = known[0] + known[1] - known[2] if len(known) == len(sizes) else None
        documents = self.documents + enter.documents - leave.documents
        return Flow(documents, size, enter.unmeasured)


def total(flows: Iterable[Flow]) -> Flow:
    """All of them together."""
    parts = list(flows)
    known = [part.bytes for part in parts if part.bytes is not None]
    size = sum(known) if len(known) == len(parts) else None
    return Flow(sum(p.documents for p in parts), size, sum(p.unmeasured for p in parts))


def entering(manifest: dict[str, Any], segment: Segment) -> dict[str, Flow]:
    """What came to the first stage of the segment, by source."""
    return _of_funnel(manifest, segment.every[segment.start].label, "in")


def passing(manifest: dict[str, Any], segment: Segment) -> dict[str, Flow]:
    """What passes the segment today, by source."""
    return _of_funnel(manifest, segment.every[segment.end].label, "out")


def _of_funnel(manifest: dict[str, Any], label: str, end: str) -> dict[str, Flow]:
    rows = {row["stage"]: row["by_source"] for row in manifest["funnel"]}
    parts = rows.get(label, {})  # where there was nothing to read, no stage has counted
    found = {s: Flow(n[f"documents_{end}"], n[f"bytes_{end}"]) for s, n in parts.items()}
    return {s["name"]: found.get(s["name"], Flow()) for s in manifest["sources"]}


class Tally:
    """What enters and what leaves under each of several variants."""

    def __init__(self, sources: Sequence[str], n_variants: int) -> None:
        self._sources = list(sources)
        names = [f"{way}{part}" for way in ("enter", "leave") for part in ("", ".bytes", ".mute")]
        shape = (n_variants, len(self._sources))
        self._counts = {name: np.zeros(shape, np.int64) for name in [*names, "enter.unmeasured"]}

    def add(self, moves: Moves) -> None:
        """Counts the moves of one shard."""
        found = pc.index_in(moves.table["source"], value_set=pa.array(self._sources, pa.string()))
        codes, mute = np.asarray(found, np.int64), moves.num_bytes == NO_TEXT
        size = np.where(mute, 0, moves.num_bytes)
        for variant, passes in enumerate(moves.passes):
            for way, moved in (("enter", passes & ~moves.now), ("leave", ~passes & moves.now)):
                self._count(way, variant, codes, moved)
                self._count(f"{way}.bytes", variant, codes, moved, size)
                self._count(f"{way}.mute", variant, codes, moved & mute)
            unmeasured = passes & ~moves.now & moves.unmeasured[variant]
            self._count("enter.unmeasured", variant, codes, unmeasured)

    def _count(
        self, name: str, variant: int, codes: Ints, which: Mask, weights: Ints | None = None
    ) -> None:
        chosen = None if weights is None else weights[which]
        counts = np.bincount(codes[which], chosen, len(self._sources))
        self._counts[name][variant] += counts.astype(np.int64)

    def enter(self, variant: int) -> dict[str, Flow]:
        """What passes the segment under the variant, and does not today, by source."""
        return self._flows("enter", variant)

    def leave(self, variant: int) -> dict[str, Flow]:
        """What passes the segment today, and would not under the variant, by source."""
        return self._flows("leave", variant)

    def _flows(self, way: str, variant: int) -> dict[str, Flow]:
        flows = {}
        for i, source in enumerate(self._sources):
            documents, size, mute = (
                int(self._counts[f"{way}{part}"][variant, i]) for part in ("", ".bytes", ".mute")
            )
            lacking = int(self._counts["enter.unmeasured"][variant, i]) if way == "enter" else 0
            flows[source] = Flow(documents, None if mute else size, lacking)
        return flows
