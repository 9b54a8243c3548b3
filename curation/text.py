r"""What a token, a word, a line is: the only segmentation in tilth, over UTF-8 bytes.

* A *word* is a run of letters, marks and digits. An apostrophe or a full stop between letters, a
  full stop or a comma between digits, and a low line between either belong to it (`don't`, `e.g`,
  `3.14`, `1,000`, `snake_case`, `x_1`), as in the default word boundaries of Unicode (UAX #29,
  rules WB6, WB7, WB11 to WB13); marks count as letters there. In scripts written without spaces
  (Han, kana, Thai, Lao, Khmer, Myanmar) every letter is a word of its own, with the marks that
  follow.
* A *symbol* is a run of one other character that is not white space: `...` is one, `?!` are two.
* A *token* is either. A *piece* is what stands between white space. Lengths count code points.
* *Lines* are what `\n` separates, *paragraphs* what two or more of them do.

Invalid UTF-8 cannot occur: Arrow strings are validated when they are read.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.jit import kernel, leaf

# Flags of a character.
SPACE, WORD, ALPHA, ALONE, MARK, APOSTROPHE, TERMINAL = (1 << i for i in range(7))
UPPER, DIGIT, SYMBOL = (1 << i for i in range(3))  # what else a character may be
PIECE = SPACE  # of a token, among the flags of its characters: it is the first of its piece

# Blocks whose letters stand for words or syllables and are written without spaces.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x16FE3, 0x16FE3), (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)  # fmt: skip
LETTERS, DIGITS, EITHER = 1, 2, 4  # what a character is, and what it joins, in `Tokens.joins`
_JOINING = {"'": LETTERS, ".": LETTERS | DIGITS, ",": DIGITS, "_": EITHER}

# What stands in `Tokens.runs` besides the codes of ASCII symbols: characters that may stand alone
# or differ from their neighbour take turns.
RUN_WORD, RUN_ALONE, OTHER_ALONE, RUN_SYMBOL, OTHER_SYMBOL = 1, 2, 3, 4, 5

NO, ONE, EIGHT = np.uint64(0), np.uint64(1), np.uint64(8)
HIGH = np.uint64(0x8080808080808080)  # set in bytes that are not ASCII
LOW = np.uint64(0x0101010101010101)
SEED = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio
MIX_A, MIX_B = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)  # MurmurHash3 final
SHIFT = np.uint64(33)

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int32]
Rows = npt.NDArray[np.float64]


class Characters(NamedTuple):
    """What the kernels know of characters."""

    flags: Bytes  # (0x110000,) of every code point
    kinds: Bytes  # (0x110000,) UPPER (Lu, Lt), DIGIT (Nd), SYMBOL (P, S)
    runs: Bytes  # (256,) of ASCII: what equals its neighbour in the same token, 0 for white space
    joins: Bytes  # (256,) of ASCII: its classes, and << 3 those that it joins


class Tokens(NamedTuple):
    """Room for the tokens of one text; what `find_tokens` counts is filled."""

    start: Offsets  # byte in the buffer
    stop: Offsets
    chars: Counts  # code points
    flags: Bytes  # of the first character, ALPHA of any, and PIECE
    hash: Hashes
    runs: Bytes  # per byte of the text, with one more at both ends
    joins: Bytes


@functools.cache
def characters() -> Characters:
    """The tables of characters."""
    flags = character_table()
    runs, joins = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
    for code in range(128):
        symbol = code if code > OTHER_SYMBOL else code | 0x80
        runs[code] = (0, RUN_WORD, symbol)[_kind(int(flags[code]))]
        joins[code] = _class(int(flags[code])) | _JOINING.get(chr(code), 0) << 3
    return Characters(flags, _kinds(), runs, joins)


@functools.cache
def character_table() -> Bytes:
    """The flags of each of the 0x110000 code points.

    TERMINAL is Unicode's property Sentence_Terminal.
    """
    import regex

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
    table[ord("’")] |= APOSTROPHE
    every = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    for char in regex.findall(r"\p{Sentence_Terminal}", every):
        table[ord(char)] |= TERMINAL
    return table


def _kinds() -> Bytes:
    values = {"Lu": UPPER, "Lt": UPPER, "Nd": DIGIT}
    categories = (unicodedata.category(chr(code)) for code in range(0x110000))
    return np.array([values.get(c, SYMBOL if c[0] in "PS" else 0) for c in categories], np.uint8)


def _kind(flags: int) -> int:
    """0 for white space, 1 for a word's character, 2 for a symbol."""
    return 0 if flags & SPACE else 1 if flags & WORD else 2


def _class(flags: int) -> int:
    """What a mark may join it to: letters, digits, either; 0 for others."""
    if not flags & WORD or flags & ALONE:
        return 0
    return EITHER | (LETTERS if flags & (ALPHA | MARK) else DIGITS)


_class_of = leaf(_class)


def buffers(texts: pa.ChunkedArray | pa.Array) -> tuple[Bytes, Offsets]:
    """The UTF-8 bytes of all texts, and the offset where each begins (n + 1).

    The bytes of a single chunk are not copied, unless they are fewer than the 8 that `load` takes.
    Null counts as empty.
    """
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    array = pc.fill_null(array.cast(pa.large_string()), "")
    _, offsets, data = array.buffers()
    index = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    bytes_ = np.frombuffer(data or b"", np.uint8)
    return (bytes_ if len(bytes_) >= 8 else np.pad(bytes_, (0, 8))), index


@leaf
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


@leaf
def load(data: Bytes, at: np.uint64) -> np.uint64:
    """Eight bytes from `at` on, as one load."""
    # Written out, since only so does LLVM take the eight for one load.
    return (
        np.uint64(data[at])
        | np.uint64(data[at + np.uint64(1)]) << np.uint64(8)
        | np.uint64(data[at + np.uint64(2)]) << np.uint64(16)
        | np.uint64(data[at + np.uint64(3)]) << np.uint64(24)
        | np.uint64(data[at + np.uint64(4)]) << np.uint64(32)
        | np.uint64(data[at + np.uint64(5)]) << np.uint64(40)
        | np.uint64(data[at + np.uint64(6)]) << np.uint64(48)
        | np.uint64(data[at + np.uint64(7)]) << np.uint64(56)
    )


@leaf
def mix(value: np.uint64) -> np.uint64:
    """A bijection that spreads every bit of `value` over all bits."""
    value = (value ^ (value >> SHIFT)) * MIX_A
    value = (value ^ (value >> SHIFT)) * MIX_B
    return value ^ (value >> SHIFT)


@leaf
def load_last(data: Bytes, at: np.uint64, stop: np.uint64) -> np.uint64:
    """data[at:stop], of 1 to 8 bytes, in the highest bytes of a word; len(data) >= 8."""
    whole = min(at, np.uint64(len(data)) - EIGHT)  # a load ends with the buffer at the latest
    rest = load(data, whole) >> ((at - whole) << np.uint64(3))
    return rest << ((EIGHT + at - stop) << np.uint64(3))


@leaf
def hash_range(data: Bytes, start: np.uint64, stop: np.uint64) -> np.uint64:
    """A 64-bit hash of data[start:stop], eight bytes at a time; start < stop, len(data) >= 8."""
    value, at = SEED * (stop - start), start
    while at + EIGHT < stop:
        value = (value ^ load(data, at)) * MIX_A
        value ^= value >> SHIFT
        at += EIGHT
    return mix(value ^ load_last(data, at, stop))


@leaf
def hash_bytes(data: Bytes, start: int, stop: int) -> np.uint64:
    """`hash_range`, for what occurs once in a while; also of nothing."""
    if start == stop:
        return NO
    return hash_range(data, np.uint64(start), np.uint64(stop))


@kernel
def hash_rows(data: Bytes, offsets: Offsets) -> Hashes:
    """The hash of each text."""
    out = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(out)):
        out[row] = hash_bytes(data, offsets[row], offsets[row + 1])
    return out


@kernel
def token_room(offsets: Offsets) -> Tokens:
    """Room for the tokens of any one text; memory is taken as it is filled."""
    most = 2
    for doc in range(len(offsets) - 1):
        most = max(most, offsets[doc + 1] - offsets[doc] + 2)
    return Tokens(
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int32),
        np.empty(most, np.uint8),
        np.empty(most, np.uint64),
        np.empty(most, np.uint8),
        np.empty(most, np.uint8),
    )


@leaf
def find_tokens(data: Bytes, start: int, end: int, chars: Characters, out: Tokens) -> int:
    """Writes the tokens of data[start:end] to `out` and returns their number.

    In loops over bytes without branches: what each is, which marks join words, where runs end.
    Loops are kept apart: joined, they are up to three times slower.
    """
    wide = _classify(data, start, end, chars, out)
    if wide:
        _classify_wide(data, start, end, chars.flags, out)
    _join(out, end - start)
    count = _bound(out, start, end)
    for i in range(count):
        first, last = out.start[i], out.stop[i]
        out.chars[i] = _count_chars_of_token(data, first, last) if wide else last - first
        out.hash[i] = hash_range(data, np.uint64(first), np.uint64(last))
    _flag(data, count, chars.flags, out)
    return count


@leaf
def _classify(data: Bytes, start: int, end: int, chars: Characters, out: Tokens) -> bool:
    """Fills `runs` and `joins` where a byte is ASCII; whether any is not."""
    every = np.uint8(0)
    for i in range(end - start):
        byte = data[start + i]
        every |= byte
        out.runs[i + 1], out.joins[i + 1] = chars.runs[byte], chars.joins[byte]
    out.runs[0] = out.runs[end - start + 1] = 0
    out.joins[0] = out.joins[end - start + 1] = 0
    return bool(every >= 0x80)


@leaf
def _classify_wide(data: Bytes, start: int, end: int, table: Bytes, out: Tokens) -> None:
    """Fills `runs` and `joins` for characters of two bytes and more."""
    at, code_before, end_before = start, 0, -1
    while at < end:
        if data[at] < 0x80:
            at += 1
            continue
        code, size = decode(data, at)
        flags, place = int(table[code]), at - start + 1
        before = out.runs[place - 1]
        same = code == code_before and at == end_before
        run = _run_of(flags, before, same)
        group = 0 if run in (RUN_ALONE, OTHER_ALONE) else _class_of(flags)
        if flags & APOSTROPHE and out.joins[place - 1] & LETTERS and at + size < end:
            following = decode(data, at + size)[0]
            run = RUN_WORD if _class_of(int(table[following])) & LETTERS else run
        for i in range(place, place + size):
            out.runs[i], out.joins[i] = run, group
        at, code_before, end_before = at + size, code, at + size


@leaf
def _run_of(flags: int, before: int, same: bool) -> int:
    """What stands in `runs` for a character after one of `before`; `same`: they are equal."""
    if flags & SPACE:
        return 0
    if flags & MARK and RUN_WORD <= before <= OTHER_ALONE:
        return before
    if flags & ALONE:
        return OTHER_ALONE if before == RUN_ALONE else RUN_ALONE
    if flags & WORD:
        return RUN_WORD
    if same:
        return before
    return OTHER_SYMBOL if before == RUN_SYMBOL else RUN_SYMBOL


@leaf
def _join(out: Tokens, size: int) -> None:
    """Makes word characters of marks between letters or digits that they join."""
    for i in range(1, size + 1):
        joined = (out.joins[i] >> 3) & out.joins[i - 1] & out.joins[i + 1]
        out.runs[i] = RUN_WORD if joined else out.runs[i]


@leaf
def _bound(out: Tokens, start: int, end: int) -> int:
    """Fills `start` and `stop`; the number of tokens."""
    edges = 0  # where a run begins, white space as well
    for i in range(end - start):
        out.start[edges] = i
        edges += 1 if out.runs[i + 1] != out.runs[i] else 0
    out.start[edges] = end - start
    count = 0
    for edge in range(edges):
        at = out.start[edge]
        out.stop[count] = start + out.start[edge + 1]
        out.start[count] = start + at
        count += 1 if out.runs[at + 1] else 0
    return count


@leaf
def count_chars(data: Bytes, start: int, stop: int) -> int:
    """The code points of data[start:stop]: bytes that do not continue one."""
    chars = 0
    for at in range(start, stop):
        chars += 1 if data[at] & 0xC0 != 0x80 else 0
    return chars


@leaf
def strip(data: Bytes, start: int, stop: int, table: Bytes) -> tuple[int, int]:
    """data[start:stop] without the white space at its ends."""
    while start < stop:
        code, size = decode(data, start)
        if not table[code] & SPACE:
            break
        start += size
    while start < stop:
        at = stop - 1
        while data[at] & 0xC0 == 0x80:
            at -= 1
        if not table[decode(data, at)[0]] & SPACE:
            break
        stop = at
    return start, stop


@leaf
def _count_chars_of_token(data: Bytes, start: int, stop: int) -> int:
    """The same, for the few bytes of a token."""
    at, last, rest = np.uint64(start), np.uint64(stop), NO
    while at + EIGHT < last:
        rest += _continuing(load(data, at))
        at += EIGHT
    return stop - start - int(rest + _continuing(load_last(data, at, last)))


@leaf
def _continuing(word: np.uint64) -> np.uint64:
    """How many of eight bytes are 10xxxxxx: they continue a code point."""
    return (((word & ~(word << ONE) & HIGH) >> np.uint64(7)) * LOW) >> np.uint64(56)


@leaf
def _flag(data: Bytes, count: int, table: Bytes, out: Tokens) -> None:
    """Fills `flags`."""
    before = np.int64(-1)
    for i in range(count):
        first = out.start[i]
        flags = int(table[data[first]])
        if data[first] >= 0x80:
            flags = int(table[decode(data, first)[0]])
        if flags & (WORD | ALPHA) == WORD:
            flags |= _find_letter(data, first, out.stop[i], table)
        out.flags[i] = flags | (PIECE if first != before else 0)
        before = out.stop[i]


@leaf
def _find_letter(data: Bytes, at: int, stop: int, table: Bytes) -> int:
    """ALPHA if a character of data[at:stop] is a letter."""
    flags = 0
    while at < stop:
        code, size = decode(data, at)
        flags |= int(table[code])
        at += size
    return flags & ALPHA


@kernel
def _word_hashes(data: Bytes, offsets: Offsets, chars: Characters) -> tuple[Hashes, Offsets]:
    """The hash of every word, and where each document's words begin."""
    out = np.empty(len(data) // 2 + len(offsets), np.uint64)
    bounds = np.zeros(len(offsets), np.int64)
    tokens = token_room(offsets)
    n = 0
    for doc in range(len(offsets) - 1):
        count = find_tokens(data, offsets[doc], offsets[doc + 1], chars, tokens)
        if n + count > len(out):  # unspaced scripts: up to a word per byte of ASCII neighbours
            out = np.concatenate((out, np.empty(len(out) + count, np.uint64)))
        for i in range(count):
            if tokens.flags[i] & WORD:
                out[n] = tokens.hash[i]
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
                value = mix(value * MIX_A + words[at])
            out[n] = value
            n += 1
        offsets[doc + 1] = n
    return out[:n], offsets


def ngram_hashes(texts: pa.ChunkedArray | pa.Array, n_gram: int) -> tuple[Hashes, Offsets]:
    """Hashes of the word n-grams of each text, lower-cased, and where each text's begin (n + 1).

    A text of fewer words than `n_gram` has one n-gram, all its words; one without words has none.
    """
    data, offsets = buffers(pc.utf8_lower(texts))
    words, bounds = _word_hashes(data, offsets, characters())
    return _ngrams(words, bounds, n_gram)


@kernel
def _count_tokens(data: Bytes, offsets: Offsets, chars: Characters) -> Offsets:
    out = np.empty(len(offsets) - 1, np.int64)
    tokens = token_room(offsets)
    for doc in range(len(out)):
        out[doc] = find_tokens(data, offsets[doc], offsets[doc + 1], chars, tokens)
    return out


def count_tokens(texts: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The number of tokens of each text: words and symbols."""
    return pa.array(_count_tokens(*buffers(texts), characters()), pa.int64())
