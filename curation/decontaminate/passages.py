"""Passages: what of an item is looked for in documents, as hashes of words.

A passage is a question with one of its answers behind it, or a block of a longer text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.decontaminate.affixes import strip_affixes
from curation.decontaminate.evidence import ANSWERS, FIELDS, QUESTIONS
from curation.jit import kernel
from curation.rounds import ranges
from curation.shingling.hashing import find_words, room_for
from curation.shingling.word_bounds import ALONE, Characters, characters
from curation.text import Bytes, Counts, Hashes, Offsets, buffers, count_chars, decode

UNSPACED = 3  # what a letter of a script without spaces counts: it says as much as several
BLOCK_WORDS = 100  # about a paragraph; a longer text is matched in blocks of 100 to 199

Numbers = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Passages(NamedTuple):
    """All passages, in the order of the evidence."""

    words: Hashes
    letters: Counts  # of each word: characters, in scripts without spaces UNSPACED for each
    bounds: Offsets  # where the words of each passage begin (n + 1)
    asked: Numbers  # how many words of each passage belong to its question
    item: Numbers
    field: Numbers  # of the question, its place in `FIELDS`


def make_passages(evidence: pa.Table) -> tuple[pa.Table, Passages]:
    """The items (suite, item) of rows of `EVIDENCE_SCHEMA`, in order, and their passages.

    An item without a question has no passage.
    """
    items, number = _items(evidence)
    words, letters, bounds = _find(*buffers(evidence["text"]), characters())
    field = _codes(evidence["field"], pa.array(FIELDS))
    suite = _codes(evidence["suite"], pc.unique(evidence["suite"]))
    first, stop = strip_affixes(words, bounds, suite * len(FIELDS) + field)
    asks, answers = (np.isin(np.array(FIELDS), names)[field] for names in (QUESTIONS, ANSWERS))
    first, stop = np.where(asks, first, bounds[:-1]), np.where(asks, stop, bounds[1:])
    parts: list[Places] = [np.zeros(0, np.int64)]
    rows: list[tuple[int, int, int, int]] = []
    for question, part, asked in _parts(number, asks, answers, first, np.maximum(first, stop)):
        parts.append(part)
        rows.append((len(part), asked, int(number[question]), int(field[question])))
    places = np.concatenate(parts)
    lengths, *columns = np.array(rows, np.int64).reshape(-1, 4).T
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return items, Passages(
        words[places], letters[places], ends, *(c.astype(np.int32) for c in columns)
    )


def _items(evidence: pa.Table) -> tuple[pa.Table, Places]:
    """The distinct items, and the number of each row's."""
    names = [evidence[name].combine_chunks() for name in ("suite", "item")]
    suite, item = (_codes(column, pc.unique(column)) for column in names)
    _, first, inverse = np.unique(
        suite * (item.max(initial=0) + 1) + item, return_index=True, return_inverse=True
    )
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    items = [column.take(pa.array(np.sort(first))) for column in names]
    return pa.table(dict(zip(("suite", "item"), items, strict=True))), rank[inverse]


def _codes(values: pa.ChunkedArray | pa.Array, known: pa.Array) -> Places:
    found = pc.index_in(values, known)
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return np.asarray(found).astype(np.int64)


def _parts(
    number: Places, asks: Flags, answers: Flags, first: Offsets, stop: Offsets
) -> Iterator[tuple[int, Places, int]]:
    """(row of the question, places of the words, how many of them ask) of each passage."""
    order = np.argsort(number, kind="stable")
    ends = np.flatnonzero(np.diff(number[order], append=-1)) + 1
    for rows in np.split(order, ends[:-1]):
        ends_of = [(first[r], min(stop[r], first[r] + BLOCK_WORDS)) for r in rows[answers[rows]]]
        replies = [np.arange(a, b) for a, b in ends_of]
        for row in rows[asks[rows]]:
            size = int(stop[row] - first[row])
            *blocks, last = ranges(size, max(1, size // BLOCK_WORDS))
            for a, b in blocks:
                yield row, np.arange(first[row] + a, first[row] + b), b - a
            end = np.arange(first[row] + last[0], stop[row])
            for reply in replies if size and replies else [end[:0]]:
                yield row, np.concatenate([end, reply]), len(end)


@kernel
def _find(data: Bytes, offsets: Offsets, chars: Characters) -> tuple[Hashes, Counts, Offsets]:
    """The words of each text: hashes, characters, and where those of each text begin (n + 1)."""
    room = room_for(offsets)
    hashes, letters = np.empty(1024, np.uint64), np.empty(1024, np.int32)
    bounds = np.zeros(len(offsets), np.int64)
    for row in range(len(offsets) - 1):
        count, first = find_words(data, offsets[row], offsets[row + 1], chars, room), bounds[row]
        if first + count > len(hashes):
            hashes = np.concatenate((hashes, np.empty(len(hashes) + count, np.uint64)))
            letters = np.concatenate((letters, np.empty(len(letters) + count, np.int32)))
        for i in range(count):
            hashes[first + i] = room.units[i]
            start, stop = room.bounds.starts[i], room.bounds.stops[i]
            weight = UNSPACED if chars.kinds[decode(data, start)[0]] & ALONE else 1
            letters[first + i] = weight * count_chars(data, start, stop)
        bounds[row + 1] = first + count
    return hashes[: bounds[-1]].copy(), letters[: bounds[-1]].copy(), bounds
