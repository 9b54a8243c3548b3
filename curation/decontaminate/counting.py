"""What of a passage counts, and how much of that makes it found."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.decontaminate.index import MIN_WORDS, Index, Postings
from curation.decontaminate.passages import Flags, Numbers, Passages
from curation.jit import kernel

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Demands:
    """What makes a passage found; see `Decontaminate`."""

    min_overlap: float
    min_words: int
    min_words_inside: int
    min_chars: int
    min_chars_whole: int

    @property
    def numbers(self) -> Floats:
        """For kernels, in this order."""
        return np.array(dataclasses.astuple(self), np.float64)


class Live(NamedTuple):
    """What counts of each passage: the words of n-grams that are not too common."""

    grams: Flags  # of the index: which count
    asked: Numbers  # words of the question that do
    words: Numbers  # of all


def find_live(index: Index, grams: Flags) -> Live:
    """What of the passages counts if of the n-grams only `grams` do."""
    return Live(grams, *_live(index.postings, index.passages, grams, int(index.searcher.n_gram[0])))


def long_enough(passages: Passages, demands: Demands) -> Flags:
    """Which passages are a match if all of their words are found."""
    ends = np.concatenate([[0], np.cumsum(passages.letters, dtype=np.int64)])[passages.bounds]
    found: Flags = np.diff(ends) >= demands.min_chars_whole
    return found & (np.diff(passages.bounds) >= MIN_WORDS)


def checkable(index: Index, live: Live, demands: Demands) -> Flags:
    """Which passages could be found."""
    whole = live.words == np.diff(index.passages.bounds)
    found: Flags = whole | (live.words >= demands.min_words)
    return found & long_enough(index.passages, demands)


@kernel
def _live(
    postings: Postings, passages: Passages, grams: Flags, n_gram: int
) -> tuple[Numbers, Numbers]:
    asked, words = np.zeros(len(passages.item), np.int32), np.zeros(len(passages.item), np.int32)
    for passage in range(len(words)):
        first, size = passages.bounds[passage], passages.bounds[passage + 1]
        end, width = first, min(n_gram, size - first)
        for at in range(first, size):
            gram = postings.gram[at]
            if gram >= 0 and grams[gram]:
                end = at + width
            if at < end:
                words[passage] += 1
                asked[passage] += 1 if at - first < passages.asked[passage] else 0
    return asked, words
