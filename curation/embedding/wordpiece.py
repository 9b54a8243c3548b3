"""The tokens of a WordPiece vocabulary (BERT), found in Arrow buffers by a compiled kernel.

As the model's own tokenizer has it: words are what white space, punctuation and Chinese characters
part; each is cut into the longest pieces of the vocabulary from left to right; a word that cannot
be, or has more than 100 characters, is unknown and left out.
"""

from __future__ import annotations

import functools
import json
import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.embedding.models import Model
from curation.errors import UserError
from curation.jit import kernel, leaf
from curation.text import Bytes, Hashes, Offsets, buffers, decode

PART, ALONE, BREAK, NOTHING = range(4)  # of a word; a word by itself; between words; not there
MAX_CHARS = 100  # of a word that is looked up
_MAX_BYTES = 4 * MAX_CHARS
_PRIME = np.uint64(0x100000001B3)
_ONE = np.uint64(1)
_CHINESE = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
_ASCII_MARKS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

Ids = npt.NDArray[np.int32]


class Table(NamedTuple):
    """Pieces by the hash of their bytes, open addressing; an `ids` of -1 is a free place."""

    keys: Hashes
    ids: Ids


class Vocabulary(NamedTuple):
    """What the kernels know of a vocabulary."""

    classes: Bytes  # (0x110000,) of every code point
    starts: Table  # pieces that begin a word
    inner: Table  # pieces that go on with one
    size: int
    lowercase: bool


@functools.lru_cache(maxsize=2)
def load_vocabulary(model: Model) -> Vocabulary:
    """The vocabulary of a model.

    Raises:
        UserError: its tokenizer is no WordPiece.
    """
    path = model.folder / "tokenizer.json"
    about = json.loads(path.read_text("utf-8")) if path.exists() else {}
    kind = about.get("model", {}).get("type")
    if kind != "WordPiece":
        raise UserError(
            f"nothing fast can be distilled from a tokenizer of type {kind}: WordPiece is needed",
            where=str(path),
            hint="Take `fast: false`, or another model for it",
        )
    pieces: dict[str, int] = about["model"]["vocab"]
    prefix = about["model"]["continuing_subword_prefix"]
    special = {token["id"] for token in about.get("added_tokens", [])}
    plain = {piece: i for piece, i in pieces.items() if i not in special}
    starts = {piece: i for piece, i in plain.items() if not piece.startswith(prefix)}
    inner = {p.removeprefix(prefix): i for p, i in plain.items() if p.startswith(prefix)}
    lowercase = bool((about.get("normalizer") or {}).get("lowercase", False))
    size = max(pieces.values()) + 1
    return Vocabulary(_classes(lowercase), _table(starts), _table(inner), size, lowercase)


def normalized(texts: pa.ChunkedArray, vocabulary: Vocabulary) -> pa.ChunkedArray:
    """In small letters and decomposed, for a vocabulary of small letters without accents."""
    if not vocabulary.lowercase:
        return texts
    lower = pc.utf8_lower(texts)
    plain = pc.all(pc.string_is_ascii(lower)).as_py()
    return lower if plain in (True, None) else pc.utf8_normalize(lower, "NFD")


def token_ids(texts: pa.ChunkedArray, vocabulary: Vocabulary) -> tuple[Ids, Offsets]:
    """The tokens of all texts, and where those of each begin (n + 1)."""
    data, offsets = buffers(normalized(texts, vocabulary))
    return _token_ids(data, offsets, vocabulary)


@functools.cache
def _classes(lowercase: bool) -> Bytes:
    """What each code point is to BERT's splitting into words."""
    table = np.full(0x110000, PART, np.uint8)
    for code in range(0x110000):
        char = chr(code)
        category = unicodedata.category(char)
        if char in "\t\n\r" or category == "Zs":
            table[code] = BREAK
        elif category[0] == "C" or code in (0, 0xFFFD):
            table[code] = PART if category in ("Cn", "Co") else NOTHING
        elif category[0] == "P" or char in _ASCII_MARKS:
            table[code] = ALONE
        elif category == "Mn" and lowercase:
            table[code] = NOTHING
    for first, last in _CHINESE:
        table[first : last + 1] = ALONE
    table[[0x2028, 0x2029]] = BREAK  # of categories Zl and Zp
    return table


def _table(pieces: dict[str, int]) -> Table:
    size = 1 << (4 * max(1, len(pieces)) - 1).bit_length()
    keys, ids = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    column = pa.chunked_array([pa.array(list(pieces), pa.string())], pa.string())
    data, offsets = buffers(column)
    _fill(Table(keys, ids), data, offsets, np.array(list(pieces.values()), np.int32))
    return Table(keys, ids)


@kernel
def _fill(table: Table, data: Bytes, offsets: Offsets, ids: Ids) -> None:
    mask = np.uint64(len(table.keys) - 1)
    for row in range(len(ids)):
        value = np.uint64(0)
        for at in range(offsets[row], offsets[row + 1]):
            value = value * _PRIME + np.uint64(data[at]) + _ONE
        place = _spread(value) & mask
        while table.ids[place] >= 0:
            place = (place + _ONE) & mask
        table.keys[place], table.ids[place] = value, ids[row]


@leaf
def _spread(value: np.uint64) -> np.uint64:
    return (value ^ (value >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(20)


@leaf
def _find(table: Table, value: np.uint64) -> int:
    """The piece of that hash, or -1."""
    mask = np.uint64(len(table.keys) - 1)
    place = _spread(value) & mask
    while table.ids[place] >= 0:
        if table.keys[place] == value:
            return int(table.ids[place])
        place = (place + _ONE) & mask
    return -1


@kernel
def _token_ids(data: Bytes, offsets: Offsets, vocabulary: Vocabulary) -> tuple[Ids, Offsets]:
    """See `token_ids`; a token takes a byte at least."""
    ids = np.empty(offsets[-1] - offsets[0] + 1, np.int32)
    bounds = np.zeros(len(offsets), np.int64)
    room = Word(np.empty(_MAX_BYTES + 1, np.uint64), powers())
    for row in range(len(offsets) - 1):
        size = find_tokens(
            data, offsets[row], offsets[row + 1], vocabulary, room, ids[bounds[row] :]
        )
        bounds[row + 1] = bounds[row] + size
    return ids[: bounds[-1]], bounds


class Word(NamedTuple):
    """Room for one word: the hashes of its beginnings, and the powers of the hash."""

    hashes: Hashes
    powers: Hashes


@kernel
def powers() -> Hashes:
    """Of the multiplier of the hash, as many as a word has bytes."""
    out = np.empty(_MAX_BYTES + 1, np.uint64)
    out[0] = _ONE
    for i in range(_MAX_BYTES):
        out[i + 1] = out[i] * _PRIME
    return out


@leaf
def find_tokens(
    data: Bytes, start: int, stop: int, vocabulary: Vocabulary, word: Word, ids: Ids
) -> int:
    """Writes the tokens of one text into `ids`; returns how many."""
    count, size, chars, at = 0, 0, 0, start
    word.hashes[0] = np.uint64(0)
    while at <= stop:
        kind, width = BREAK, 1
        if at < stop:
            code, width = decode(data, at)
            kind = vocabulary.classes[code]
        if kind in (ALONE, BREAK):
            count += _pieces(vocabulary, word, size, chars, ids, count)
            size, chars = 0, 0
        if kind in (ALONE, PART):
            chars += 1
            for i in range(at, at + width):
                if size < _MAX_BYTES:
                    value = word.hashes[size] * _PRIME + np.uint64(data[i]) + _ONE
                    word.hashes[size + 1] = value
                    size += 1
        if kind == ALONE:
            count += _pieces(vocabulary, word, size, chars, ids, count)
            size, chars = 0, 0
        at += width
    return count


@leaf
def _pieces(vocabulary: Vocabulary, word: Word, size: int, chars: int, ids: Ids, count: int) -> int:
    """Writes the pieces of a word from `ids[count]` on; returns how many, 0 if it is unknown."""
    if size == 0 or chars > MAX_CHARS:
        return 0
    begin, found = 0, 0
    while begin < size:
        end, piece = size, -1
        while end > begin:
            value = word.hashes[end] - word.hashes[begin] * word.powers[end - begin]
            table = vocabulary.inner if begin > 0 else vocabulary.starts
            piece = _find(table, value)
            if piece >= 0:
                break
            end -= 1
        if piece < 0:
            return 0
        ids[count + found] = piece
        found += 1
        begin = end
    return found
