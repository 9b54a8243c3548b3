"""What is set apart for the judge's panels, before anything else.

Whole groups go: a group is a site (the host of the URL), else a document of its own. And since a
page may be mirrored elsewhere, so does every document that is mostly made of panel text.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.text import ngram_hashes

N_GRAM = 8  # words: as GPT-3's and PaLM's overlap checks (8 to 13 words), at their strict end
MAX_OVERLAP_FRAC = 0.5  # of a document's n-grams: beyond, it counts as a copy of panel text


def is_held_out(group: str, frac: float) -> bool:
    """Whether `group` belongs to the panels when a share `frac` in [0, 1] of groups is set apart.

    Depends on nothing else, so that every recipe and worker agrees; a larger `frac` holds out a
    superset.
    """
    digest = hashlib.blake2b(f"hold_out\0{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") < frac * 2**64


def group_of(url: str | None, record: str) -> str:
    """The group of a document: its site, or `record` itself where there is no URL."""
    try:
        host = urlsplit(url or "").hostname
    except ValueError:  # a malformed URL, such as an unclosed IPv6 bracket
        host = None
    return (host or "").removeprefix("www.") or record


def ngram_index(texts: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """The sorted distinct hashes of all word n-grams of `texts`."""
    hashes, _ = ngram_hashes(texts, N_GRAM)
    return np.unique(hashes)


def overlaps(texts: pa.ChunkedArray, index: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Per text, the share of its word n-grams that stand in `index`; 0 for texts without words."""
    hashes, offsets = ngram_hashes(texts, N_GRAM)
    if not len(index) or not len(hashes):
        return np.zeros(len(texts))
    place = np.minimum(np.searchsorted(index, hashes), len(index) - 1)
    found = np.concatenate([[0], np.cumsum(index[place] == hashes)])
    count = np.diff(offsets)
    share: npt.NDArray[np.float64] = (found[offsets[1:]] - found[offsets[:-1]]) / np.maximum(
        count, 1
    )
    return share
