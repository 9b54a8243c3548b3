"""Spherical k-means by faiss: centroids from a sample, then the nearest one of every document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from curation.clustering.vectors import ROUNDING, Floats, Numbers, Vectors, best_of, cosines

ITERATIONS = 25  # faiss's default
CELLS = 4_000_000  # products that are held at a time


def train(sample: Vectors, k: int, seed: int, restarts: int) -> Vectors:
    """(at most k, size) unit centroids of the best of `restarts` runs, the same for any threads.

    There are fewer than `k` if the sample has fewer distinct vectors.

    Args:
        sample: (n, size) unit vectors, n > 0, in an order that is always the same.
        k: clusters.
        seed: of what faiss begins with.
        restarts: runs from other beginnings; the one of the least error is taken.
    """
    import faiss

    distinct = len(np.unique(sample, axis=0)) if len(sample) > 1 else 1
    if distinct <= k:
        return np.ascontiguousarray(np.unique(sample, axis=0), np.float32)
    with one_thread():
        found = faiss.Kmeans(
            sample.shape[1],
            k,
            niter=ITERATIONS,
            nredo=restarts,
            seed=seed,
            spherical=True,
            min_points_per_centroid=1,
            max_points_per_centroid=len(sample),
        )
        found.train(np.ascontiguousarray(sample, np.float32))
    assert found.centroids is not None
    return found.centroids


def assign(vectors: Vectors, centroids: Vectors) -> tuple[Numbers, Floats]:
    """(n,) the nearest centroid of each unit vector, and its cosine."""
    best, value = np.full(len(vectors), -1, np.int64), np.full(len(vectors), -2.0)
    step = max(1, CELLS // len(centroids))
    for start in range(0, len(vectors), step):
        part = vectors[start : start + step]
        near = part @ centroids.T
        rows, columns = np.nonzero(near >= near.max(axis=1, keepdims=True) - ROUNDING)
        exact = cosines(part, centroids, rows, columns)
        best_of(rows, columns, exact, best[start : start + step], value[start : start + step])
    return best, value


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of faiss: sums of several round by how many there are."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
