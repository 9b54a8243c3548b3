"""Placeholders in place of findings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.jit import kernel, leaf
from curation.pii.scan import KINDS, Findings, Kind, find
from curation.text import Bytes, Offsets


def redact(texts: pa.Array, placeholders: Mapping[Kind, str], *, private_ips: bool) -> pa.Array:
    """Texts with findings replaced, of the kinds that have a placeholder.

    What was replaced is redacted again until nothing is found, so that redacting the result
    changes nothing. `texts` itself comes back if there is nothing to replace. No placeholder may
    hold or make a finding: see `curation.modifiers.pii`.
    """
    data, offsets = text.buffers(texts)
    found = _chosen(find(data, offsets, private_ips=private_ips), placeholders)
    if not len(found.rows):
        return texts
    rows = np.unique(found.rows)
    edited = redact(
        _replace(data, offsets, rows, found, placeholders), placeholders, private_ips=private_ips
    )
    mask = np.zeros(len(texts), bool)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), edited.cast(texts.type))


def _chosen(found: Findings, placeholders: Mapping[Kind, str]) -> Findings:
    chosen = np.array([kind in placeholders for kind in KINDS])[found.kinds]
    return Findings(*(column[chosen] for column in found))


def _replace(
    data: Bytes, offsets: Offsets, rows: Offsets, found: Findings, placeholders: Mapping[Kind, str]
) -> pa.Array:
    """The texts of `rows`, all of which have findings, with placeholders."""
    marks = [placeholders.get(kind, "").encode() for kind in KINDS]
    bounds = np.cumsum([0, *map(len, marks)])
    joined = np.frombuffer(b"".join(marks), np.uint8)
    grown = np.diff(bounds)[found.kinds] - (found.stops - found.starts)
    sizes = offsets[rows + 1] - offsets[rows]
    size = int(sizes.sum() + grown.sum())
    out, stops = _splice(data, offsets, rows, found, joined, bounds, size)
    return pa.LargeStringArray.from_buffers(len(rows), pa.py_buffer(stops), pa.py_buffer(out))


@kernel
def _splice(
    data: Bytes,
    offsets: Offsets,
    rows: Offsets,
    found: Findings,
    marks: Bytes,
    bounds: Offsets,
    size: int,
) -> tuple[Bytes, Offsets]:
    """The bytes of all edited texts, and where each begins (rows + 1)."""
    out = np.empty(size, np.uint8)
    starts = np.zeros(len(rows) + 1, np.int64)
    to, i = 0, 0
    for n, row in enumerate(rows):
        at = offsets[row]
        while i < len(found.rows) and found.rows[i] == row:
            to = _copy(data, at, found.starts[i], out, to)
            to = _copy(marks, bounds[found.kinds[i]], bounds[found.kinds[i] + 1], out, to)
            at, i = found.stops[i], i + 1
        to = _copy(data, at, offsets[row + 1], out, to)
        starts[n + 1] = to
    return out, starts


@leaf
def _copy(source: Bytes, start: int, stop: int, out: Bytes, to: int) -> int:
    """Copies source[start:stop] to out[to:]; the place behind it."""
    for i in range(stop - start):
        out[to + i] = source[start + i]
    return to + stop - start
