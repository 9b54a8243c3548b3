"""How near documents are to examples: every example ranks all documents, and ranks are combined.

Steps 3 to 5 of BETR (arXiv 2507.12466): examples count one by one, since the mean of a benchmark
lies where none of its examples is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from curation.embedding.embedder import Vectors
from curation.text import Rows

Ranks = npt.NDArray[np.int64]
Value: TypeAlias = Literal["max", "mean"]

_BATCH = 64  # examples whose similarities to all documents are in memory


@dataclass(frozen=True)
class Ranked:
    """Of each document, what the examples' ranks of it come to.

    Attributes:
        best: its best rank over all examples; 1 is the nearest document.
        nearest: the first example that ranks it best.
        mean: the mean of log2(1 / rank) over all examples, at most 0.
    """

    best: Ranks
    nearest: Ranks
    mean: Rows

    def order(self, value: Value) -> Ranks:
        """The documents, best first: by `max` the best rank decides, by `mean` the mean.

        `max` leaves many at the same rank, the nearest documents of all examples before any other:
        of those the mean decides, then the order they are in.
        """
        place = np.arange(len(self.best))
        keys = (place, -self.mean, self.best) if value == "max" else (place, -self.mean)
        return np.lexsort(keys)

    def values(self, value: Value) -> Rows:
        """A number per document, in the order of `order`: 1 / best rank, or the mean."""
        return 1 / self.best if value == "max" else self.mean


def rank_documents(documents: Vectors, examples: Vectors) -> Ranked:
    """The ranks that the examples give documents, by cosine.

    Args:
        documents: (n, size), of unit length.
        examples: (m, size), of unit length; m >= 1.
    """
    from threadpoolctl import threadpool_limits

    best = np.full(len(documents), len(documents) + 1, np.int64)
    nearest = np.zeros(len(documents), np.int64)
    total = np.zeros(len(documents))
    with threadpool_limits(1):  # sums of products must not depend on how many cores there are
        for start in range(0, len(examples), _BATCH):
            for i, cosines in enumerate(examples[start : start + _BATCH] @ documents.T, start):
                ranks = competition_ranks(cosines)
                nearest[ranks < best] = i
                np.minimum(best, ranks, out=best)
                total -= np.log2(ranks)
    return Ranked(best, nearest, total / len(examples))


def competition_ranks(values: npt.NDArray[np.floating]) -> Ranks:
    """1 for the largest value; equal values share the first of their ranks, the next is left out.

    Args:
        values: (n,)
    """
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    place = np.arange(len(values))
    place[1:][ordered[1:] == ordered[:-1]] = 0
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.maximum.accumulate(place) + 1
    return ranks
