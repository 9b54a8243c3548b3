"""Blocks: runs of slices whose documents are signed together, numbered through the whole corpus.

Documents of an index come first, so that the lower of two numbers is what the corpus knew before.
A block's files, besides the texts that its parts hold:

    <stem>.docs.arrow    per document: id, order (of the survivor policy)
    <stem>.bands.arrow   per document and band: key, row; ascending by key
    <stem>.sums.arrow    per document with shingles: hash of the multiset of them (two numbers),
                         order, row; ascending by hash
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.rounds import CorpusSlice

Numbers = npt.NDArray[np.int64]
MAX_BLOCKS = 1024  # of a corpus: what later rounds must open at a time


class Part(Protocol):
    """Documents whose columns can be read."""

    @property
    def rows(self) -> int:
        """How many."""
        ...

    @property
    def source(self) -> str:
        """Where they come from."""
        ...

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Their columns, in order."""
        ...


@dataclass(frozen=True)
class Block:
    """Some consecutive parts.

    Attributes:
        first: the number of its first document.
        known: it comes from an index: its documents stay.
        stem: of its files.
    """

    number: int
    first: int
    known: bool
    parts: tuple[Part, ...]
    stem: Path

    @property
    def rows(self) -> int:
        """Documents."""
        return sum(part.rows for part in self.parts)

    @property
    def end(self) -> int:
        """The number after its last document's."""
        return self.first + self.rows

    def file(self, kind: str) -> Path:
        """One of its files."""
        return self.stem.with_name(f"{self.stem.name}.{kind}.arrow")

    def starts(self) -> Iterator[tuple[Part, int]]:
        """Its parts, and the number of the first document of each."""
        at = self.first
        for part in self.parts:
            yield part, at
            at += part.rows


def blocks_of(slices: Sequence[CorpusSlice], folder: Path, number: int, first: int) -> list[Block]:
    """The corpus in blocks, the first of which has this number and first document."""
    size = max(1, -(-len(slices) // MAX_BLOCKS))
    blocks = []
    for start in range(0, len(slices), size):
        parts = tuple(slices[start : start + size])
        blocks.append(Block(number, first, False, parts, folder / f"block-{number:06d}"))
        number, first = number + 1, blocks[-1].end
    return blocks


def by_block(blocks: Sequence[Block], documents: Numbers) -> Iterator[tuple[Block, slice]]:
    """The blocks that ascending document numbers lie in, and which of them do."""
    firsts = np.array([block.first for block in blocks] + [blocks[-1].end])
    ends = np.searchsorted(documents, firsts)
    for block, start, stop in zip(blocks, ends[:-1], ends[1:], strict=True):
        if start < stop:
            yield block, slice(int(start), int(stop))
