"""What the texts of a suite have in common at their ends: `Question:`, `Q:`, `Answer:`.

Documents hold an item without the words that a suite puts around all of its items.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curation.text import Hashes, Offsets

MIN_TEXTS = 10  # of a group: in fewer, equal words are no custom of the suite
MAX_WORDS = 4  # at either end; longer ones are n-grams of too many items

Places = npt.NDArray[np.int64]


def strip_affixes(words: Hashes, bounds: Offsets, groups: Places) -> tuple[Offsets, Offsets]:
    """Where the words of each text begin and end without those that most of its group share.

    Args:
        words: hashes, of all texts.
        bounds: where each text's begin (n + 1).
        groups: a number for the suite and field of each text.
    """
    first, stop = bounds[:-1].copy(), bounds[1:].copy()
    order = np.argsort(groups, kind="stable")
    ends = np.flatnonzero(np.diff(groups[order], append=-1)) + 1
    for rows in np.split(order, ends[:-1]):
        if len(rows) >= MIN_TEXTS:
            first[rows] += _shared(words, first[rows], stop[rows], 1)
            stop[rows] -= _shared(words, stop[rows] - 1, first[rows] - 1, -1)
    return first, stop


def _shared(words: Hashes, start: Places, end: Places, step: int) -> Places:
    """How many words each text shares, from `start` in steps up to `end`, with most of them."""
    count = np.zeros(len(start), np.int64)
    for place in range(MAX_WORDS):
        rows = np.flatnonzero((count == place) & (start + step * place != end))
        found = words[start[rows] + step * place]
        values, times = np.unique(found, return_counts=True)
        if not len(values) or 2 * times.max() <= len(start):
            break
        count[rows[found == values[np.argmax(times)]]] += 1
    return count
