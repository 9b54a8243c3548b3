"""Which lines or paragraphs of documents may meet: by what they say, and by where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from curation import text
from curation.dedup.forms import Form, normal
from curation.dedup.units.units import UnitRules, Units, find_units
from curation.hash128 import hash128, hash_rows128
from curation.jit import kernel
from curation.text import ONE, Bytes, Hashes, Offsets
from curation.url_hosts import find_host
from curation.urls import canonical

Scope = Literal["corpus", "source", "site"]

_WWW = np.frombuffer(b"www.", np.uint8)


@dataclass(frozen=True)
class UnitFinder:
    """Finds the units that may be cut, and hashes them with what they are compared within.

    The site of a document is the host of its `url` in lower case, without `www.` in front.
    """

    rules: UnitRules
    form: Form
    scope: Scope

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns it needs."""
        return ("text", "url") if self.scope == "site" else ("text",)

    def find(self, table: pa.Table, source: str) -> Units:
        """The units of the documents of one source."""
        data, offsets = text.buffers(table["text"])
        salts = self._salts(table, source)
        return find_units(data, offsets, salts, self.rules, normal(self.form), text.characters())

    def _salts(self, table: pa.Table, source: str) -> Hashes:
        """(documents, 2) equal within a scope; zero twice for a document of no site."""
        if self.scope == "corpus":
            return np.ones((len(table), 2), np.uint64)
        if self.scope == "source":
            one = hash_rows128(*text.buffers(pa.array([f"source {source}"])))
            return np.repeat(one, len(table), axis=0)
        return _sites(*text.buffers(canonical(table["url"])))


@kernel
def _sites(data: Bytes, offsets: Offsets) -> Hashes:
    out = np.zeros((len(offsets) - 1, 2), np.uint64)
    for row in range(len(out)):
        start, stop = find_host(data, offsets[row], offsets[row + 1])
        if stop - start > len(_WWW):
            www = True
            for i in range(len(_WWW)):
                www = www and data[start + i] == _WWW[i]
            start += len(_WWW) if www else 0
        if start < stop:
            first, second = hash128(data, start, stop)
            out[row, 0], out[row, 1] = first, second if first else second | ONE
    return out
