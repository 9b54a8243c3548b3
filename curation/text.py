r"""What a token, a word, a line is: the only segmentation in tilth, over UTF-8 bytes.

* A *word* is a maximal run of letters, marks and digits. In scripts written without spaces (Han,
  kana, Thai, Lao, Khmer, Myanmar) every letter is a word of its own, with the marks that follow.
* A *symbol* is a run of one other character that is not white space: `...` is one, `?!` are two.
* A *token* is either. Lengths count code points.
* A *line* ends at `\n`; a *paragraph* at two or more of them.

Invalid UTF-8 cannot occur: Arrow strings are validated when they are read.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.jit import kernel

# Bits of the character table.
SPACE, WORD, ALPHA, ALONE, MARK = 1, 2, 4, 8, 16

# Blocks whose letters stand for words or syllables and are written without spaces.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
    (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
    (0x1B000, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip

FNV_OFFSET, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
MIX_A, MIX_B = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)  # MurmurHash3 final
SHIFT = np.uint64(33)

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.float64]


@functools.cache
def character_table() -> Bytes:
    """The bits of each of the 0x110000 code points."""
    table = np.zeros(0x110000, np.uint8)
    for code in range(0x110000):
        category = unicodedata.category(chr(code))
        if category[0] in "LMN":
            table[code] = WORD | (ALPHA if category[0] == "L" else 0)
            table[code] |= MARK if category[0] == "M" else 0
        elif chr(code).isspace():
            table[code] = SPACE
    for first, last in _UNSPACED:
        block = table[first : last + 1]
        block[(block & ALPHA) != 0] |= ALONE
    return table


def buffers(texts: pa.ChunkedArray | pa.Array) -> tuple[Bytes, Offsets]:
    """The UTF-8 bytes of all texts, and the offset where each begins (n + 1).

    The bytes of a single chunk are not copied. Null counts as empty.
    """
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    array = pc.fill_null(array.cast(pa.large_string()), "")
    _, offsets, data = array.buffers()
    index = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data or b"", np.uint8), index


@kernel
def decode(data: Bytes, at: int) -> tuple[int, int]:
    """The code point at byte `at` and its length in bytes."""
    lead = data[at]
    if lead < 0x80:
        return int(lead), 1
    if lead < 0xE0:
        return ((lead & 0x1F) << 6) | (data[at + 1] & 0x3F), 2
    if lead < 0xF0:
        return ((lead & 0x0F) << 12) | ((data[at + 1] & 0x3F) << 6) | (data[at + 2] & 0x3F), 3
    high = ((lead & 0x07) << 18) | ((data[at + 1] & 0x3F) << 12)
    return high | ((data[at + 2] & 0x3F) << 6) | (data[at + 3] & 0x3F), 4


@kernel
def next_token(data: Bytes, at: int, end: int, table: Bytes) -> tuple[int, int, int, int]:
    """The first token at or after byte `at`: (start, end, code points, bits of its characters).

    start == end where no token is left.
    """
    code, size, bits = 0, 0, 0
    while at < end:
        code, size = decode(data, at)
        bits = int(table[code])
        if not bits & SPACE:
            break
        at += size
    if at >= end:
        return end, end, 0, 0
    start, length, first, seen = at, 1, bits, bits
    at += size
    while at < end:
        following, size = decode(data, at)
        bits = int(table[following])
        if first & WORD:
            joins = bits & WORD and (bits & MARK or not (first | bits) & ALONE)
        else:
            joins = following == code
        if not joins:
            break
        at, length, seen = at + size, length + 1, seen | bits
    return start, at, length, seen


@kernel
def hash_bytes(data: Bytes, start: int, end: int) -> np.uint64:
    """64-bit FNV-1a of data[start:end], finished with MurmurHash3's mixer."""
    value = FNV_OFFSET
    for at in range(start, end):
        value = (value ^ np.uint64(data[at])) * FNV_PRIME
    return mix(value)


@kernel
def mix(value: np.uint64) -> np.uint64:
    """A bijection that spreads every bit of `value` over all bits."""
    value = (value ^ (value >> SHIFT)) * MIX_A
    value = (value ^ (value >> SHIFT)) * MIX_B
    return value ^ (value >> SHIFT)


@kernel
def hash_rows(data: Bytes, offsets: Offsets) -> Hashes:
    """`hash_bytes` of each text."""
    out = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(out)):
        out[row] = hash_bytes(data, offsets[row], offsets[row + 1])
    return out


@kernel
def _word_hashes(data: Bytes, offsets: Offsets, table: Bytes) -> tuple[Hashes, Offsets]:
    """The hash of every word, and where each document's words begin."""
    out = np.empty(len(data) // 2 + len(offsets), np.uint64)
    bounds = np.zeros(len(offsets), np.int64)
    n = 0
    for doc in range(len(offsets) - 1):
        at, end = offsets[doc], offsets[doc + 1]
        while at < end:
            start, at, _, bits = next_token(data, at, end, table)
            if bits & WORD:
                if n == len(out):  # unspaced scripts: up to a word per byte of ASCII neighbours
                    out = np.concatenate((out, np.empty(len(out), np.uint64)))
                out[n] = hash_bytes(data, start, at)
                n += 1
        bounds[doc + 1] = n
    return out[:n], bounds


@kernel
def _ngrams(words: Hashes, bounds: Offsets, n_gram: int) -> tuple[Hashes, Offsets]:
    out = np.empty(len(words), np.uint64)
    offsets = np.zeros(len(bounds), np.int64)
    n = 0
    for doc in range(len(bounds) - 1):
        first, last = bounds[doc], bounds[doc + 1]
        width = min(n_gram, last - first)
        for start in range(first, last - width + 1 if width else first):
            value = np.uint64(0)
            for at in range(start, start + width):
                value = mix(value * FNV_PRIME + words[at])
            out[n] = value
            n += 1
        offsets[doc + 1] = n
    return out[:n], offsets


def ngram_hashes(texts: pa.ChunkedArray | pa.Array, n_gram: int) -> tuple[Hashes, Offsets]:
    """Hashes of the word n-grams of each text, lower-cased, and where each text's begin (n + 1).

    A text of fewer words than `n_gram` has one n-gram, all its words; one without words has none.
    """
    data, offsets = buffers(pc.utf8_lower(texts))
    words, bounds = _word_hashes(data, offsets, character_table())
    return _ngrams(words, bounds, n_gram)
