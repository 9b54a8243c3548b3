"""The index of passages: a hash table of their n-grams, and where each n-gram stands.

N-grams are compared by 64 bits. A passage shorter than an n-gram is one n-gram as a whole. One
that stands in more than `max_items` items is what a suite has in common (an instruction, a
template) and is left out, and so is one that repeats too often within items. Per distinct n-gram
the index takes some 75 bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from curation.decontaminate.passages import Numbers, Passages
from curation.jit import kernel, leaf
from curation.mapped import column, map_table, write_mapped
from curation.text import MIX_B, NO, ONE, SEED, Hashes, Offsets

MIN_WORDS = 3  # of a passage that can be looked for
FILTER_BITS, PREFIX_BITS = 16, 64  # per n-gram, at least: 1 % and .1 % of others pass
MAX_PLACES = 4  # of an n-gram, per item of `max_items`: rows of zeros would stand everywhere
EMPTY = NO  # a slot without key; a key of that value is kept as the next

SIX, LAST = np.uint64(6), np.uint64(63)

Group = TypeVar("Group", bound=tuple[Any, ...])  # of arrays


class Searcher(NamedTuple):
    """What finds n-grams of the index in texts."""

    keys: Hashes  # of the slots of a table, a power of two of them
    grams: Numbers  # of the slots: number of the n-gram
    filter: Hashes  # of the keys of whole n-grams: see `bit_of`
    prefixes: Hashes  # the same of the first three words of shorter ones
    n_gram: Numbers  # (1,) words of an n-gram


class Postings(NamedTuple):
    """Where n-grams stand in passages."""

    bounds: Offsets  # where those of each n-gram begin (n + 1)
    passage: Numbers
    place: Numbers  # the first word's
    gram: Numbers  # per word of all passages: the n-gram that begins there, -1 if none is indexed


class Index(NamedTuple):
    """Searcher, postings and passages, as `map_index` finds them."""

    searcher: Searcher
    postings: Postings
    passages: Passages


def build_index(passages: Passages, n_gram: int, max_items: int) -> tuple[Index, int]:
    """The index of passages, and how many n-grams were left out."""
    keys, starts, passage = _grams(passages.words, passages.bounds, n_gram)
    found, inverse = np.unique(keys, return_inverse=True)
    rare = _items_of(inverse, passages.item[passage], len(found)) <= max_items
    rare &= np.bincount(inverse, minlength=len(found)) <= MAX_PLACES * max_items
    number = np.where(rare, np.cumsum(rare) - 1, -1).astype(np.int32)
    grams = np.full(len(passages.words), -1, np.int32)
    grams[starts] = number[inverse]
    keep = np.flatnonzero(rare[inverse])
    order = keep[np.argsort(number[inverse[keep]], kind="stable")]
    sizes = np.bincount(number[inverse[keep]], minlength=int(rare.sum()))
    place = (starts - passages.bounds[passage])[order].astype(np.int32)
    postings = Postings(
        np.concatenate([[0], np.cumsum(sizes)]), passage[order].astype(np.int32), place, grams
    )
    # The first three words of passages that are shorter than an n-gram.
    short = order[np.diff(passages.bounds)[passage[order]] < n_gram]
    firsts = _first_three(passages.words, starts[short])
    whole = np.unique(keys[np.diff(passages.bounds)[passage] >= n_gram])
    searcher = _searcher(found[rare], whole, firsts, n_gram)
    return Index(searcher, postings, passages), int(len(found) - rare.sum())


def _searcher(keys: Hashes, whole: Hashes, firsts: Hashes, n_gram: int) -> Searcher:
    size = 16
    while size < 2 * len(keys):
        size *= 2
    table, grams = np.full(size, EMPTY, np.uint64), np.full(size, -1, np.int32)
    _fill(table, grams, keys)
    filters = _bits(whole, FILTER_BITS), _bits(firsts, PREFIX_BITS)
    return Searcher(table, grams, *filters, np.array([n_gram], np.int32))


def _bits(keys: Hashes, bits_each: int) -> Hashes:
    """A Bloom filter of two bits per key, both in one number."""
    size = 2
    while 64 * size < bits_each * len(keys):
        size *= 2
    bits = np.zeros(size, np.uint64)
    numbers = (keys >> shift_of(bits)).astype(np.int64)
    np.bitwise_or.at(bits, numbers, ONE << (keys & LAST) | ONE << ((keys >> SIX) & LAST))
    return bits


def _items_of(gram: np.ndarray, item: np.ndarray, count: int) -> np.ndarray:
    """In how many items each n-gram stands."""
    pairs = np.unique(gram.astype(np.int64) * (int(item.max(initial=0)) + 1) + item)
    return np.bincount(pairs // (int(item.max(initial=0)) + 1), minlength=count)


@leaf
def shift_of(bits: Hashes) -> np.uint64:
    """How far a key is shifted to be the place of its number in a filter."""
    shift, size = np.uint64(64), len(bits)
    while size > 1:
        size //= 2
        shift -= ONE
    return shift


@leaf
def bit_of(bits: Hashes, key: np.uint64, shift: np.uint64) -> np.uint64:
    """1 if both bits of a key are set."""
    number = bits[key >> shift]
    return np.uint64((number >> (key & LAST)) & (number >> ((key >> SIX) & LAST)) & ONE)


@leaf
def key_of(value: np.uint64, words: int) -> np.uint64:
    """The key of an n-gram of so many words, from the value of its polynomial."""
    return value + SEED * np.uint64(words)


@leaf
def find_gram(searcher: Searcher, key: np.uint64) -> int:
    """The number of the n-gram of a key; -1 if it is not in the index."""
    key = key if key != EMPTY else ONE
    slot = _slot(searcher.keys, key)
    return int(searcher.grams[slot]) if searcher.keys[slot] == key else -1


@leaf
def _slot(table: Hashes, key: np.uint64) -> np.uint64:
    """Where a key is in the table, or would be."""
    mask = np.uint64(len(table) - 1)
    slot = (key >> np.uint64(20)) & mask
    while table[slot] != key and table[slot] != EMPTY:
        slot = (slot + ONE) & mask
    return slot


@kernel
def _fill(table: Hashes, grams: Numbers, keys: Hashes) -> None:
    for i in range(len(keys)):
        key = keys[i] if keys[i] != EMPTY else ONE
        slot = _slot(table, key)
        table[slot], grams[slot] = key, i


@kernel
def _grams(words: Hashes, bounds: Offsets, n_gram: int) -> tuple[Hashes, Offsets, Offsets]:
    """Key, place among all words, and passage of every n-gram of every passage."""
    keys = np.empty(len(words), np.uint64)
    starts, passages = np.empty(len(words), np.int64), np.empty(len(words), np.int64)
    n = 0
    for passage in range(len(bounds) - 1):
        size = bounds[passage + 1] - bounds[passage]
        width = min(n_gram, size)
        if width < MIN_WORDS:
            continue
        for start in range(bounds[passage], bounds[passage + 1] - width + 1):
            keys[n] = key_of(value_of(words, start, width), width)
            starts[n], passages[n] = start, passage
            n += 1
    return keys[:n].copy(), starts[:n].copy(), passages[:n].copy()


@leaf
def value_of(words: Hashes, start: int, width: int) -> np.uint64:
    """The polynomial of some words."""
    value = NO
    for i in range(start, start + width):
        value = value * MIX_B + words[i]
    return value


@kernel
def _first_three(words: Hashes, starts: Offsets) -> Hashes:
    out = np.empty(len(starts), np.uint64)
    for i in range(len(starts)):
        out[i] = value_of(words, starts[i], MIN_WORDS)
    return out


def save_index(index: Index, folder: Path) -> None:
    """Writes the index into files of `folder` that `map_index` maps, so that tasks share it."""
    for group in index:
        for name, array in group._asdict().items():
            write_mapped(folder / f"{type(group).__name__.lower()}-{name}.arrow", {"value": array})


def map_index(folder: Path) -> Index:
    """What `save_index` wrote."""
    return Index(_map(folder, Searcher), _map(folder, Postings), _map(folder, Passages))


def _map(folder: Path, kind: type[Group]) -> Group:
    names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    paths = [folder / f"{kind.__name__.lower()}-{name}.arrow" for name in names]
    return kind(*(column(map_table(path), "value") for path in paths))


def index_bytes(index: Index) -> int:
    """The memory that it takes."""
    return sum(array.nbytes for group in index for array in group)
