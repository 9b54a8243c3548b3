"""Documents as sparse vectors of their words and pairs of words, each n-gram at its hash.

An n-gram counts 1 / sqrt(n-grams of the document), so that a document of distinct n-grams has
length 1. Case does not count.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.jit import kernel, leaf
from curation.text import (
    MIX_A,
    WORD,
    Bytes,
    Characters,
    Offsets,
    Rows,
    Tokens,
    find_tokens,
    mix,
    token_room,
)

_WORD = re.compile(r"\w+")

Weights = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]


def words(document: str) -> list[str]:
    """Its words, lower-cased."""
    return _WORD.findall(document.lower())


def sparse_rows(
    texts: pa.ChunkedArray, size: int, word_ngrams: int
) -> tuple[Places, Offsets, Weights]:
    """Columns, where each row begins, and values of a matrix of `size` columns.

    Args:
        texts: a row each.
        size: a power of two.
        word_ngrams: 1 for single words, 2 for pairs, too.
    """
    data, offsets = text.buffers(pc.utf8_lower(texts))
    return _features(data, offsets, text.characters(), size - 1, word_ngrams > 1)


def weighted_sums(texts: pa.ChunkedArray, weights: Weights, word_ngrams: int) -> Rows:
    """Each text's row times `weights`, whose number is a power of two; nothing is stored."""
    data, offsets = text.buffers(pc.utf8_lower(texts))
    return _sums(data, offsets, text.characters(), weights, word_ngrams > 1)


@kernel
def _features(
    data: Bytes, offsets: Offsets, chars: Characters, mask: int, pairs: bool
) -> tuple[Places, Offsets, Weights]:
    """Rows of a sparse matrix: columns, where each row begins, values."""
    bounds = np.zeros(len(offsets), np.int64)
    tokens = token_room(offsets)
    places = np.empty(len(data) * 2 + 2, np.int32)
    values = np.empty(len(places), np.float32)
    n = 0
    for doc in range(len(offsets) - 1):
        count = find_tokens(data, offsets[doc], offsets[doc + 1], chars, tokens)
        first, before, inside = n, np.uint64(0), False
        for i in range(count):
            if tokens.flags[i] & WORD:
                word = tokens.hash[i]
                places[n] = np.int64(word & np.uint64(mask))
                n += 1
                if pairs and inside:
                    places[n] = np.int64(mix(before * MIX_A + word) & np.uint64(mask))
                    n += 1
                before, inside = word, True
        values[first:n] = 1 / np.sqrt(max(n - first, 1))
        bounds[doc + 1] = n
    return places[:n], bounds, values[:n]


@kernel
def _sums(data: Bytes, offsets: Offsets, chars: Characters, weights: Weights, pairs: bool) -> Rows:
    """The weights of each document's n-grams, added and divided by the root of their number."""
    out = np.zeros(len(offsets) - 1, np.float64)
    tokens = token_room(offsets)
    for doc in range(len(out)):
        count = find_tokens(data, offsets[doc], offsets[doc + 1], chars, tokens)
        out[doc] = _sum(tokens, count, weights, pairs)
    return out


@leaf
def _sum(tokens: Tokens, count: int, weights: Weights, pairs: bool) -> float:
    mask = np.uint64(len(weights) - 1)
    total, n, before, inside = 0.0, 0, np.uint64(0), False
    for i in range(count):
        if tokens.flags[i] & WORD:
            word = tokens.hash[i]
            total += weights[word & mask]
            n += 1
            if pairs and inside:
                total += weights[mix(before * MIX_A + word) & mask]
                n += 1
            before, inside = word, True
    return float(total / np.sqrt(max(n, 1)))
