"""Region: the mixtures near those that were measured, where a prediction is no extrapolation.

Few mixtures of many domains are within the convex hull of any affordable number of runs, so that
the hull says nothing. What counts is the distance to the nearest run, against how far runs are
from each other, and whether a domain is used more than in any run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mixtures.space import Floats

_REACH = 0.95  # quantile of the runs' distances to their nearest other run
_SLACK = 0.01  # of a weight over the largest measured
_BATCH = 4096  # mixtures whose distances to all runs are held at once


class Region:
    """The neighbourhood of runs.

    Args:
        weights: different mixtures of two runs or more, (runs, domains).

    Attributes:
        reach: Hellinger distance to the nearest run that is still near.
        most: largest weight of each domain in any run, (domains,).
    """

    def __init__(self, weights: Floats) -> None:
        self._roots = np.sqrt(weights)
        self.most: Floats = weights.max(0)
        overlap = self._roots @ self._roots.T
        np.fill_diagonal(overlap, -1.0)
        self.reach = float(np.quantile(_hellinger(overlap.max(1)), _REACH))

    def distance(self, weights: Floats) -> Floats:
        """Hellinger distance of mixtures (mixtures, domains) to the nearest run, (mixtures,)."""
        parts = [weights[i : i + _BATCH] for i in range(0, len(weights), _BATCH)]
        return np.concatenate([_hellinger((np.sqrt(p) @ self._roots.T).max(1)) for p in parts])

    def inside(self, weights: Floats) -> NDArray[np.bool_]:
        """Which mixtures (mixtures, domains) are in the region, (mixtures,)."""
        within = (weights <= self.most + _SLACK).all(1)
        return np.asarray(within & (self.distance(weights) <= self.reach))

    def leaves(self, weights: Floats, names: Sequence[str]) -> list[str]:
        """In what respect a mixture (domains,) is outside; empty where it is inside."""
        return list(self._reasons(weights, names))

    def _reasons(self, weights: Floats, names: Sequence[str]) -> Iterator[str]:
        distance = float(self.distance(weights[None])[0])
        if distance > self.reach:
            yield (
                f"{distance:.3f} from the nearest run, while {_REACH:.0%} of the runs are within "
                f"{self.reach:.3f} of theirs (Hellinger)"
            )
        for name, weight, most in zip(names, weights.tolist(), self.most.tolist(), strict=True):
            if weight > most + _SLACK:
                yield f"{name} at {weight:.1%}, at most {most:.1%} in any run"


def _hellinger(overlap: Floats) -> Floats:
    """From the Bhattacharyya overlap of two mixtures, sum sqrt(p q)."""
    return np.asarray(np.sqrt(np.maximum(0.0, 1 - overlap)))
