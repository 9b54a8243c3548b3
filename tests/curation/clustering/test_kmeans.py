"""k-means and assignment: planted clusters, exact nearest centroids, the same for any batches."""

from __future__ import annotations

import faiss
import numpy as np
import pyarrow as pa
import pytest

from curation.clustering import kmeans
from curation.clustering.kmeans import assign, train
from curation.clustering.vectors import Vectors, check_vectors, unit_vectors
from curation.embedding.stage import as_lists
from curation.errors import UserError


def cloud(count: int, size: int, seed: int = 0) -> Vectors:
    found = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def planted(groups: int, each: int, size: int = 32) -> tuple[Vectors, Vectors]:
    """Vectors close around some centres."""
    centres = cloud(groups, size, 1)
    around = np.repeat(centres, each, axis=0) + 0.05 * cloud(groups * each, size, 2)
    return centres, around / np.linalg.norm(around, axis=1, keepdims=True)


def test_kmeans_finds_planted_clusters() -> None:
    centres, vectors = planted(6, 50)
    found = train(vectors, 6, seed=0, restarts=3)
    assert (found @ centres.T).max(axis=0).min() > 0.99
    label, cosine = assign(vectors, found)
    assert [len(set(label[i * 50 : i * 50 + 50])) for i in range(6)] == [1] * 6
    assert cosine.min() > 0.99


def test_kmeans_is_the_same_for_any_threads_and_leaves_them_alone() -> None:
    vectors = cloud(3000, 64)
    before, found = faiss.omp_get_max_threads(), []
    for threads in (1, 2):
        faiss.omp_set_num_threads(threads)
        found.append(train(vectors, 40, seed=3, restarts=2).tobytes())
        assert faiss.omp_get_max_threads() == threads
    faiss.omp_set_num_threads(before)
    assert found[0] == found[1]


def test_kmeans_of_more_clusters_than_vectors_has_one_of_each() -> None:
    vectors = np.repeat(cloud(3, 8), 5, axis=0)
    for k in (3, 4, 100):
        found = train(vectors, k, seed=0, restarts=1)
        assert len(found) == 3
        assert assign(vectors, found)[1] == pytest.approx(np.ones(15))
    assert len(train(vectors[:1], 1, seed=0, restarts=1)) == 1


def test_assignment_equals_brute_force_and_does_not_depend_on_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors, centroids = cloud(500, 24), cloud(37, 24, 5)
    label, cosine = assign(vectors, centroids)
    near = vectors.astype(np.float64) @ centroids.astype(np.float64).T
    assert (label == near.argmax(axis=1)).all()
    assert cosine == pytest.approx(near.max(axis=1))
    monkeypatch.setattr(kmeans, "CELLS", 37 * 7)
    other = assign(vectors, centroids)
    assert other[0].tobytes() == label.tobytes()
    assert other[1].tobytes() == cosine.tobytes()


def test_assignment_takes_the_first_of_equal_centroids() -> None:
    centroids = np.repeat(cloud(2, 8), 3, axis=0)
    assert set(assign(cloud(50, 8, 9), centroids)[0].tolist()) <= {0, 3}


def test_vectors_that_are_none_are_told_apart() -> None:
    given = np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 0], [0, -2]], np.float32)
    vectors, there = unit_vectors(as_lists(given))
    assert there.tolist() == [True, False, False, False, True]
    assert vectors.tolist() == pytest.approx(np.array([[0.6, 0.8], *[[0, 0]] * 3, [0, -1]]))
    nulls = pa.array([[1.0, 0.0], None, [0.0, 2.0]], pa.list_(pa.float16(), 2))
    assert unit_vectors(nulls)[1].tolist() == [True, False, True]
    chunked = pa.chunked_array([nulls[:1], nulls[1:]])
    assert unit_vectors(chunked)[0].tolist() == [[1, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("known", "what"),
    [
        ({}, "there is no column 'v' here"),
        ({"v": pa.float32()}, "'v' is float"),
        ({"v": pa.list_(pa.float32())}, "vectors of equal size are needed"),
        ({"v": pa.list_(pa.int32(), 4)}, "vectors of equal size are needed"),
    ],
)
def test_columns_that_hold_no_vectors_are_refused(known: dict[str, pa.DataType], what: str) -> None:
    with pytest.raises(UserError, match=what):
        check_vectors("v", known)
