"""Bits of 64 bytes, against a loop over them."""

import numpy as np
import pytest

from curation.jit import kernel
from curation.shingling.byte_masks import BLOCK, count_bits, lowest_bit, within
from curation.text import Bytes

EVERY = np.arange(256, dtype=np.uint8).repeat(2)[::-1].copy()


@kernel
def _within(data: Bytes, at: np.uint64, first: int, last: int, ignored: int) -> np.uint64:
    return within(data, at, first, last, ignored)


@kernel
def _lowest(bits: np.uint64) -> int:
    return lowest_bit(bits)


@kernel
def _count(bits: np.uint64) -> int:
    return count_bits(bits)


@pytest.mark.parametrize("at", [0, 1, 63, 200, len(EVERY) - BLOCK])
@pytest.mark.parametrize(
    ("first", "last", "ignored"),
    [(0x61, 0x7A, 0x20), (0x30, 0x39, 0), (0x2E, 0x2E, 0), (0x80, 0xFF, 0), (0, 0xFF, 0)],
)
def test_byte_masks_within_is_a_bit_for_each_byte(
    at: int, first: int, last: int, ignored: int
) -> None:
    found = int(_within(EVERY, np.uint64(at), first, last, ignored))
    block = EVERY[at : at + BLOCK].tolist()
    assert [found >> i & 1 for i in range(BLOCK)] == [
        int(first <= byte | ignored <= last) for byte in block
    ]


@pytest.mark.parametrize("bits", [1, 2, 1 << 63, 0b1011000, 2**64 - 1])
def test_byte_masks_lowest_and_count(bits: int) -> None:
    assert _lowest(np.uint64(bits)) == (bits & -bits).bit_length() - 1
    assert _count(np.uint64(bits)) == bits.bit_count()


def test_byte_masks_of_no_bits() -> None:
    assert (_lowest(np.uint64(0)), _count(np.uint64(0))) == (64, 0)
