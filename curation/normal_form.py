"""Unicode's normal form C, made only where a text may not have it already.

Normalising costs ten times what finding out costs, and nearly all text of the web is in the form.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.jit import kernel
from curation.text import Bytes, Offsets

Flags = npt.NDArray[np.bool_]
BLOCK = 64  # bytes that are looked at together for one that is not ASCII


def nfc(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts in normal form C; null stays null."""
    data, offsets = text.buffers(texts)
    doubtful = pa.array(_in_doubt(data, offsets, _unsafe()))
    if not pc.any(doubtful).as_py():
        return texts
    whole = texts.combine_chunks()
    made = pc.utf8_normalize(whole.filter(doubtful), form="NFC")
    return pa.chunked_array([pc.replace_with_mask(whole, doubtful, made)])


@functools.cache
def _unsafe() -> Flags:
    """Per code point: a text that has it may not be in normal form C (UAX #15, quick check)."""
    import regex

    every = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    found = regex.findall(r"\P{NFC_Quick_Check=Yes}|\P{Canonical_Combining_Class=0}", every)
    table = np.zeros(0x110000, np.bool_)
    table[[ord(char) for char in found]] = True
    return table


@kernel
def _in_doubt(data: Bytes, offsets: Offsets, unsafe: Flags) -> Flags:
    """(documents,) whether a text has a character of `unsafe`."""
    out = np.zeros(len(offsets) - 1, np.bool_)
    for doc in range(len(out)):
        at, end = offsets[doc], offsets[doc + 1]
        while at < end and not out[doc]:
            stop = min(at + BLOCK, end)
            seen = np.uint8(0)
            for i in range(at, stop):
                seen |= data[i]
            if seen < 0x80:
                at = stop
            while at < stop and not out[doc]:
                code, size = text.decode(data, at)
                out[doc] = unsafe[code]
                at += size
    return out
