"""n-grams of documents as numbers, and how often they occur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixtures.space import Floats

Ints = NDArray[np.int64]
Document = bytes | NDArray[np.integer]


def ids(document: Document) -> Ints:
    """Ids of the tokens of a document; its bytes, where it is bytes."""
    if isinstance(document, bytes):
        return np.frombuffer(document, np.uint8).astype(np.int64)
    return document.astype(np.int64)


def head(documents: Sequence[Document], tokens: int | None) -> list[Document]:
    """The first documents of at most `tokens` tokens, the last one cut."""
    if tokens is None:
        return list(documents)
    ends = np.cumsum([len(document) for document in documents])
    starts = ends - [len(document) for document in documents]
    return [d[: tokens - s] for d, s in zip(documents, starts.tolist(), strict=True) if s < tokens]


def grams(documents: Sequence[Document], order: int, vocab: int) -> Ints:
    """Each token with those before it as a number in base vocab + 1; `vocab` pads the start."""
    lengths = np.array([len(document) for document in documents])
    tokens = np.concatenate([ids(document) for document in documents])
    place = np.arange(len(tokens)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    codes = tokens.copy()
    for back in range(1, order):
        before = np.where(place >= back, np.roll(tokens, back), vocab)
        codes += before * (vocab + 1) ** back
    return codes


def count(seen: Ints, wanted: Ints) -> Floats:
    """How often each wanted number occurs."""
    known, counts = np.unique(seen, return_counts=True)
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[at] == wanted, counts[at], 0).astype(float)
