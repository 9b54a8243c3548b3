"""Folds of cross-validation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def folds(runs: int, count: int, seed: int = 0) -> Iterator[tuple[Indices, Indices]]:
    """Indices to fit and to test on: every run is tested once, at random by `seed`."""
    order = np.random.default_rng([seed, runs]).permutation(runs)
    for part in range(min(count, runs)):
        test = np.zeros(runs, bool)
        test[order[part :: min(count, runs)]] = True
        yield np.flatnonzero(~test), np.flatnonzero(test)
