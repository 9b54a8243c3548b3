"""Normal forms: what texts, paragraphs and lines must share to count as the same.

Each form takes for equal whatever the one before it does, and more:

* `none`: byte for byte.
* `whitespace`: a run of white space is one space; at the ends it does not count.
* `case`: besides, in lower case, character by character (Unicode's simple mapping).
* `alphanumeric`: letters, marks and digits in lower case, nothing else.
* `digits`: besides, every decimal digit is 0, so that dates, counters and prices do not matter, as
  in CCNet (Wenzek et al. 2020, arXiv 1911.00359: lower case, digits to 0, punctuation removed).

Characters are neither composed nor decomposed. What a text is brought to is hashed, never kept.
"""

from __future__ import annotations

import functools
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation import text
from curation.hash128 import hash128
from curation.jit import kernel, leaf
from curation.text import (
    DIGIT,
    EIGHT,
    HIGH,
    LOW,
    NO,
    ONE,
    SPACE,
    WORD,
    Bytes,
    Hashes,
    Offsets,
    characters,
    decode,
    load,
)

Form = Literal["none", "whitespace", "case", "alphanumeric", "digits"]

_GONE = -1  # of a character that does not count
_GONE_BYTE = 0xFF  # the same, where no other value is above 0x7F
_BLANK = 0x20
_SPACES = LOW * np.uint64(_BLANK)
_FROM_A, _PAST_Z = LOW * np.uint64(0x80 - ord("A")), LOW * np.uint64(0x7F - ord("Z"))
_LAST_BYTE = np.uint64(56)
_LAST_UPPER = 0x1E921  # no code point beyond it has another lower case


class Normal(NamedTuple):
    """What the kernels know of a form."""

    as_is: bool  # nothing changes
    by_words: bool  # no character goes but white space: mostly, eight bytes stay eight bytes
    lower: bool
    ascii: Bytes  # (128,) what a character becomes; `_GONE_BYTE`: nothing
    codes: npt.NDArray[np.int32]  # (0x110000,) what a code point becomes; `_GONE`: nothing


@functools.cache
def normal(form: Form) -> Normal:
    """The tables of a form."""
    codes = np.arange(0x110000, dtype=np.int32)
    if form == "none":
        return Normal(True, False, False, codes[:128].astype(np.uint8), codes)
    known = characters()
    space = (known.flags & SPACE) != 0
    if form != "whitespace":
        lower = [ord(chr(code).lower()[0]) for code in range(_LAST_UPPER + 1)]
        codes[: len(lower)] = lower
    if form in ("alphanumeric", "digits"):
        codes[(known.flags & WORD) == 0] = _GONE
    else:
        codes[space] = _BLANK
    if form == "digits":
        codes[(known.kinds & DIGIT) != 0] = ord("0")
    by_words = form in ("whitespace", "case")
    return Normal(False, by_words, form != "whitespace", codes[:128].astype(np.uint8), codes)


@leaf
def normalise(data: Bytes, start: int, stop: int, form: Normal, out: Bytes) -> int:
    """Writes the form of data[start:stop] to `out` and returns its size in bytes.

    `out` has room for three bytes per two of the text, the most that a lower case letter takes.
    """
    at, end, size = np.uint64(start), np.uint64(stop), NO
    blank = ONE  # before it there is white space, or nothing
    while at < end:
        byte = data[at]
        if byte < 0x80:
            if form.by_words and at + EIGHT <= end:
                word = load(data, at)
                if _is_plain(word, blank):
                    _store(_lower(word) if form.lower else word, out, size)
                    at, size = at + EIGHT, size + EIGHT
                    blank = np.uint64(word >> _LAST_BYTE == _BLANK)
                    continue
            code = form.ascii[byte]
            out[size] = code
            stays, is_blank = np.uint64(code != _GONE_BYTE), np.uint64(code == _BLANK)
            size += stays & (ONE ^ (is_blank & blank))
            blank = is_blank | (blank & (ONE ^ stays))
            at += ONE
            continue
        wide, length = decode(data, int(at))
        at += np.uint64(length)
        after = int(form.codes[wide])
        if after != _GONE and not (after == _BLANK and blank):
            size = np.uint64(_encode(after, out, int(size)))
            blank = np.uint64(after == _BLANK)
    return int(size) - 1 if size > NO and blank else int(size)


@leaf
def _is_plain(word: np.uint64, blank: np.uint64) -> bool:
    """Whether eight bytes are ASCII with single spaces only; `blank`: 1 if one comes before them.

    Some that are plain may count as not.
    """
    others = word ^ _SPACES  # a space becomes a zero byte
    spaces = (others - LOW) & ~others & HIGH
    double = spaces & (spaces << EIGHT | blank << np.uint64(7))
    return bool((word | (word - _SPACES) | double) & HIGH == 0)


@leaf
def _lower(word: np.uint64) -> np.uint64:
    """Eight ASCII bytes in lower case."""
    return word | (((word + _FROM_A) ^ (word + _PAST_Z)) & HIGH) >> np.uint64(2)


@leaf
def _store(word: np.uint64, out: Bytes, at: np.uint64) -> None:
    for i in range(np.uint64(8)):
        out[at + i] = word >> (i << np.uint64(3))


@leaf
def _encode(code: int, out: Bytes, at: int) -> int:
    """Writes a code point at `at`; where the next one goes."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | code >> 6
        at += 1
    else:
        if code < 0x10000:
            out[at] = 0xE0 | code >> 12
            at += 1
        else:
            out[at], out[at + 1] = 0xF0 | code >> 18, 0x80 | (code >> 12 & 0x3F)
            at += 2
        out[at] = 0x80 | (code >> 6 & 0x3F)
        at += 1
    out[at] = 0x80 | (code & 0x3F)
    return at + 1


@leaf
def hash_form(
    data: Bytes, start: int, stop: int, form: Normal, room: Bytes
) -> tuple[np.uint64, np.uint64, int]:
    """The halves of the hash of data[start:stop] in a form, and its size in bytes."""
    if form.as_is:
        first, second = hash128(data, start, stop)
        return first, second, stop - start
    size = normalise(data, start, stop, form, room)
    first, second = hash128(room, 0, size)
    return first, second, size


@kernel
def form_room(offsets: Offsets) -> Bytes:
    """Room for the form of any one text; memory is taken as it is filled."""
    most = 0
    for row in range(len(offsets) - 1):
        most = max(most, offsets[row + 1] - offsets[row])
    return np.empty(most + most // 2 + 16, np.uint8)


@kernel
def _hash_forms(data: Bytes, offsets: Offsets, form: Normal) -> Hashes:
    out, room = np.empty((len(offsets) - 1, 2), np.uint64), form_room(offsets)
    for row in range(len(out)):
        first, second, _ = hash_form(data, offsets[row], offsets[row + 1], form, room)
        out[row, 0], out[row, 1] = first, second
    return out


def hash_forms(texts: pa.ChunkedArray | pa.Array, form: Form) -> Hashes:
    """(n, 2) the halves of the 128-bit hash of each text in a form; null counts as empty."""
    return _hash_forms(*text.buffers(texts), normal(form))
