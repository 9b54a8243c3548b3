"""Classes of bytes, and hashes of words, that the detectors share."""

from __future__ import annotations

import string

import numpy as np

from curation.jit import leaf
from curation.text import Bytes, Hashes, Offsets

FNV_OFFSET, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)

# Bits of BYTES.
DIGIT, UPPER, LOWER, HEX, LOCAL, TOKEN = 1, 2, 4, 8, 16, 32
LETTER, ALNUM = UPPER | LOWER, DIGIT | UPPER | LOWER

DOT, DASH, SLASH, COLON, SPACE = 0x2E, 0x2D, 0x2F, 0x3A, 0x20
OPEN, CLOSE, PLUS, AT, UNDERSCORE, NEWLINE = 0x28, 0x29, 0x2B, 0x40, 0x5F, 0x0A


def byte_table(classes: dict[int, str]) -> Bytes:
    """(256,) bits: those of every class whose string holds the character."""
    table = np.zeros(256, np.uint8)
    for bit, characters in classes.items():
        table[[ord(c) for c in characters]] |= bit
    return table


BYTES = byte_table(
    {
        DIGIT: string.digits,
        UPPER: string.ascii_uppercase,
        LOWER: string.ascii_lowercase,
        HEX: string.hexdigits,
        LOCAL: "._%+-",  # what an e-mail's local part has between letters and digits
        TOKEN: string.ascii_letters + string.digits + "_-",  # base64url
    }
)


@leaf
def is_latin(data: Bytes, at: int, end: int) -> bool:
    """Whether the two bytes at `at` are a Latin letter beyond ASCII: U+00C0 to U+024F."""
    return at + 1 < end and 0xC3 <= data[at] <= 0xC9 and data[at + 1] & 0xC0 == 0x80


@leaf
def hash_lower(data: Bytes, start: int, end: int) -> np.uint64:
    """64-bit FNV-1a of data[start:end], ASCII letters lower-cased."""
    value = FNV_OFFSET
    for at in range(start, end):
        byte = data[at]
        if BYTES[byte] & UPPER:
            byte |= 0x20
        value = (value ^ np.uint64(byte)) * FNV_PRIME
    return value


@leaf
def stands(data: Bytes, at: int, end: int, wanted: Bytes) -> bool:
    """Whether the bytes of `wanted` stand at `at`."""
    if at + len(wanted) > end:
        return False
    for i in range(len(wanted)):  # noqa: SIM110  all() over a generator does not compile
        if data[at + i] != wanted[i]:
            return False
    return True


@leaf
def holds(values: Offsets, wanted: int) -> bool:
    """Whether a short array holds a value."""
    for value in values:  # noqa: SIM110  any() over a generator does not compile
        if value == wanted:
            return True
    return False


@leaf
def contains(ordered: Hashes, wanted: np.uint64) -> bool:
    """Whether a sorted array holds a value."""
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low < len(ordered) and ordered[low] == wanted


def word_hashes(words: str) -> Hashes:
    """`hash_lower` of words with white space between, sorted; compiles nothing."""
    return np.array(sorted({_hash(word) for word in words.split()}), np.uint64)


def _hash(word: str) -> int:
    value = int(FNV_OFFSET)
    for byte in word.lower().encode():
        value = ((value ^ byte) * int(FNV_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return value
