"""Data order: which window of which source is the i-th of a run, as a pure function.

Nothing here has state, so resuming at step k needs only k. Windows of a phase come in blocks of
1,024. How many windows a block takes from each source is the mixture's weights by largest
remainder, with the rounding error carried to the next block: after any block each source is
within about one window of its exact share. Inside a block the order is shuffled; inside a source
windows come in a keyed permutation per epoch, so none repeats before all were seen. (levanter
has the Feistel permutation and the block mixture too; this is written from their description.)

A run may be confined to a subset of each source's windows, so that a small run repeats a source
as often as a large one would (Repetition mismatch, arXiv 2606.07597); the seed draws the subset.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024
ROUNDS = 6  # Luby and Rackoff: 4 rounds make a strong permutation from a random function

Ints = NDArray[np.int64]


class DataOrder:
    """The order of a run's windows for one seed.

    Args:
        windows: windows available per source (`n_windows`).
        phases: pairs of weights (share of each source, summing to 1; above 0 only for sources
            that have windows) and how many windows they hold for, one after another. A source goes
            on where the phase before left it: epochs run through all phases.
        seed: any int.
        window_frac: share of each source's windows that the run may see; see `seen_windows`.
    """

    def __init__(
        self,
        windows: Mapping[str, int],
        phases: Sequence[tuple[Mapping[str, float], int]],
        seed: int,
        window_frac: float = 1.0,
    ) -> None:
        used = {name for weights, _ in phases for name in weights if weights[name] > 0}
        self.sources = sorted(used)
        empty = [name for name in self.sources if windows[name] < 1]
        if empty:
            raise ValueError(f"sources without a single window cannot be drawn from: {empty}")
        self._seed = seed
        self._windows = np.array([windows[name] for name in self.sources], dtype=np.int64)
        seen = [seen_windows(windows[name], window_frac) for name in self.sources]
        self._seen = np.array(seen, dtype=np.int64)
        counts = []
        for weights, total in phases:
            shares = np.array([weights.get(name, 0.0) for name in self.sources])
            counts.append(_block_counts(shares / shares.sum(), total))
        self._counts = np.concatenate(counts)  # (blocks, sources)
        self._before = np.cumsum(self._counts, axis=0) - self._counts  # drawn before each block
        self._ends = np.cumsum(self._counts.sum(axis=1))  # of the blocks, in windows of the run
        self.total = int(self._ends[-1])
        self._made: dict[int, tuple[Ints, Ints]] = {}

    @property
    def drawn(self) -> dict[str, int]:
        """Windows that the whole run takes from each source."""
        return dict(zip(self.sources, self._counts.sum(axis=0).tolist(), strict=True))

    def window(self, i: int) -> tuple[str, int]:
        """Source and window index of the i-th window of the run, 0 <= i < total."""
        source, index = self.windows(i, i + 1)
        return self.sources[source[0]], int(index[0])

    def windows(self, start: int, stop: int) -> tuple[Ints, Ints]:
        """Windows `start` to `stop` (excluded) of the run.

        Returns:
            Positions in `self.sources` and window indices inside the source, each of shape
            (stop - start,).
        """
        if not 0 <= start < stop <= self.total:
            raise IndexError(f"windows {start} to {stop} are not within 0 to {self.total}")
        first, last = np.searchsorted(self._ends, [start, stop - 1], side="right").tolist()
        parts = [self._block(block) for block in range(first, last + 1)]
        begin = int(self._ends[first] - self._counts[first].sum())
        cut = slice(start - begin, stop - begin)
        return (
            np.concatenate([source for source, _ in parts])[cut],
            np.concatenate([index for _, index in parts])[cut],
        )

    def _block(self, block: int) -> tuple[Ints, Ints]:
        """Its sources and window indices; the last block is kept, for the steps that share it."""
        if block not in self._made:
            self._made = {block: self._make(block)}
        return self._made[block]

    def _make(self, block: int) -> tuple[Ints, Ints]:
        counts = self._counts[block]
        slots = np.argsort(mix(np.arange(counts.sum()), _key(self._seed, "block", block)))
        source = np.repeat(np.arange(len(counts)), counts)[slots]
        index = np.empty_like(source)
        for s in np.flatnonzero(counts):
            drawn = self._before[block, s] + np.arange(counts[s])
            index[source == s] = self._within(int(s), drawn)
        return source, index

    def _within(self, s: int, drawn: Ints) -> Ints:
        """Window indices of the `drawn`-th windows of source `s`."""
        size, whole = int(self._seen[s]), int(self._windows[s])
        epoch, place = np.divmod(drawn, size)
        index = np.empty_like(place)
        for e in np.unique(epoch):
            keys = [_key(self._seed, self.sources[s], int(e), r) for r in range(ROUNDS)]
            index[epoch == e] = permute(place[epoch == e], size, keys)
        if size == whole:
            return index
        # The first `size` places of one permutation of all windows: the subset.
        keys = [_key(self._seed, self.sources[s], "subset", r) for r in range(ROUNDS)]
        return permute(index, whole, keys)


def n_windows(tokens: int, context: int) -> int:
    """Windows of `context` predictions in a flat file: they share one token at each seam."""
    return max(0, (tokens - 1) // context)


def seen_windows(windows: int, window_frac: float) -> int:
    """Windows of a source that a run may see: the nearest whole number to its share, at least 1."""
    return max(1, round(windows * window_frac)) if windows else 0


def permute(values: Ints, size: int, keys: list[int]) -> Ints:
    """A permutation of range(size), applied to `values`.

    A Feistel network over the next power of 4, one round per key; values that land outside the
    range go through it again until they are inside (less than 4 times on average).
    """
    half = np.uint64(max(1, (max(size - 1, 1).bit_length() + 1) // 2))
    low = (np.uint64(1) << half) - np.uint64(1)
    out = values.astype(np.uint64)
    todo = np.arange(len(out))
    while len(todo):
        left, right = out[todo] >> half, out[todo] & low
        for key in keys:
            left, right = right, left ^ (mix(right, key) & low)
        out[todo] = (left << half) | right
        todo = todo[out[todo] >= size]
    return out.astype(np.int64)


def _block_counts(weights: NDArray[np.float64], total: int) -> Ints:
    """Windows per block and source, shape (blocks, sources); each row sums to its block's size."""
    blocks = -(-total // BLOCK)
    counts = np.zeros((blocks, len(weights)), dtype=np.int64)
    owed = np.zeros(len(weights))
    for block in range(blocks):
        size = min(BLOCK, total - block * BLOCK)
        owed += weights * size
        counts[block] = _largest_remainder(owed, size)
        owed -= counts[block]
    return counts


def _largest_remainder(owed: NDArray[np.float64], size: int) -> Ints:
    """Whole numbers >= 0 nearest to `owed` that sum to `size`; ties go to the earlier source."""
    counts: Ints = np.maximum(np.floor(owed + 1e-9), 0).astype(np.int64)
    missing = size - int(counts.sum())
    for _ in range(abs(missing)):
        if missing > 0:
            counts[np.argmax(owed - counts)] += 1
        else:  # a source that is ahead of its share was floored at 0: someone else gives one up
            counts[np.argmin(np.where(counts > 0, owed - counts, np.inf))] -= 1
    return counts


def _key(seed: int, *parts: object) -> int:
    text = "/".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def mix(values: NDArray[np.int64] | NDArray[np.uint64], key: int) -> NDArray[np.uint64]:
    """64 pseudo-random bits per value: the finaliser of splitmix64 (Steele et al. 2014)."""
    z = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
