"""From k-means' many small clusters to a few: pruned by what is measured of them, then merged.

CLIMB (arXiv 2504.13161) prunes clusters by their mean scores and merges those whose centroids are
within a distance of one another. Merging by a distance alone chains: A is near B, B near C, and
in the end one cluster holds nearly all there is. So the default is to merge the nearest pair again
and again as long as the result holds no more than its share; of pairs equally near the smaller is
the nearer one (Ward's criterion), so that no crumbs are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from curation.clustering.vectors import Floats, Numbers, Vectors

DIGITS = 9  # of a mean that decide: sums of the same numbers in another order agree in these


@dataclass(frozen=True)
class Sums:
    """What there is of each fine cluster, added up over documents.

    Attributes:
        documents: (k,) of each.
        num_bytes: (k,) of their texts, UTF-8.
        sources: source to (k,) documents.
        totals: column to (k,) sum of its values.
        counts: column to (k,) documents that have a value.
    """

    documents: Numbers
    num_bytes: Numbers
    sources: Mapping[str, Numbers]
    totals: Mapping[str, Floats]
    counts: Mapping[str, Numbers]

    def mean(self, column: str, clusters: Sequence[int]) -> float | None:
        """The mean of a column over the documents of some clusters; None if none has a value."""
        own = list(clusters)
        count = int(self.counts[column][own].sum())
        return float(f"{self.totals[column][own].sum() / count:.{DIGITS}g}") if count else None


@dataclass(frozen=True)
class Pruned:
    """A fine cluster that goes: the first column whose mean is too low."""

    cluster: int
    column: str
    mean: float
    least: float


@dataclass(frozen=True)
class Levels:
    """The clusters of a corpus on two levels.

    Attributes:
        members: the fine clusters of each cluster, the one of most bytes first.
        centroids: (clusters, size) unit vectors.
        pruned: fine clusters that go.
    """

    members: tuple[tuple[int, ...], ...]
    centroids: Vectors
    pruned: tuple[Pruned, ...] = field(default=())


def prune(sums: Sums, min_mean: Mapping[str, float]) -> tuple[Pruned, ...]:
    """The fine clusters whose mean of some column is below its least value; equality stays."""
    found = []
    for cluster in np.flatnonzero(sums.documents).tolist():
        for column, least in min_mean.items():
            mean = sums.mean(column, [cluster])
            if mean is not None and mean < least:
                found.append(Pruned(cluster, column, mean, least))
                break
    return tuple(found)


def merge_balanced(centroids: Vectors, sizes: Numbers, k: int, balance: float) -> list[list[int]]:
    """`k` groups: the nearest two are merged if together they are at most `balance` / k of all.

    Nearness is Ward's: the squared distance times ab / (a + b), for groups of sizes a and b. If no
    two are small enough, the two are merged that are smallest together.

    Args:
        centroids: (n, size) unit vectors.
        sizes: (n,) of each.
        k: groups; n stay if there are fewer.
        balance: of a group's size to the mean size of k, at least 1.
    """
    groups: list[list[int]] = [[i] for i in range(len(centroids))]
    sums = centroids.astype(np.float64) * np.maximum(sizes, 1)[:, None]
    size = sizes.astype(np.float64)
    most = balance * size.sum() / k
    apart = distances(_unit(sums))
    alive = np.ones(len(groups), bool)
    for _ in range(len(groups) - k):
        together = size[:, None] + size[None, :]
        pairs = np.triu(alive[:, None] & alive[None, :], 1)
        fits = pairs & (together <= most)
        ward = apart**2 * (size[:, None] * size[None, :]) / np.maximum(together, 1)
        cost = np.where(fits, ward, np.inf) if fits.any() else np.where(pairs, together, np.inf)
        a, b = np.unravel_index(int(cost.argmin()), cost.shape)
        groups[a] += groups[b]
        sums[a] += sums[b]
        size[a] += size[b]
        alive[b] = False
        apart[a] = apart[:, a] = distances(_unit(sums), _unit(sums[a : a + 1]))[:, 0]
    return [group for group, there in zip(groups, alive, strict=True) if there]


def merge_within(centroids: Vectors, max_distance: float) -> list[list[int]]:
    """Groups of what is within a Euclidean distance, directly or through others: CLIMB's way."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    near = csr_array(distances(_unit(centroids.astype(np.float64))) <= max_distance)
    count, label = connected_components(near, directed=False)
    return [np.flatnonzero(label == i).tolist() for i in range(count)]


def levels(
    centroids: Vectors,
    sums: Sums,
    *,
    k: int,
    balance: float,
    max_distance: float | None,
    min_mean: Mapping[str, float],
) -> Levels:
    """Prunes and merges; clusters in descending order of their bytes."""
    pruned = prune(sums, min_mean)
    gone = {one.cluster for one in pruned}
    stay = np.array([i for i in np.flatnonzero(sums.documents).tolist() if i not in gone], np.int64)
    own, sizes = centroids[stay], sums.num_bytes[stay]
    if max_distance is not None:
        groups = merge_within(own, max_distance) if len(own) else []
    else:
        groups = merge_balanced(own, sizes, k, balance)
    members = [sorted(stay[g].tolist(), key=lambda i: (-sums.num_bytes[i], i)) for g in groups]
    members.sort(key=lambda group: (-sums.num_bytes[group].sum(), group[0]))
    weight = np.maximum(sums.num_bytes, 1)[:, None] * centroids.astype(np.float64)
    joined = [weight[group].sum(axis=0) for group in members]
    found = _unit(np.array(joined).reshape(-1, centroids.shape[1])).astype(np.float32)
    return Levels(tuple(map(tuple, members)), found, pruned)


def distances(a: Floats, b: Floats | None = None) -> Floats:
    """Euclidean, between unit vectors."""
    other = a if b is None else b
    found: Floats = np.sqrt(np.maximum(0.0, 2 - 2 * (a @ other.T)))
    return found


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Floats = vectors / np.where(lengths > 0, lengths, 1)
    return found
