"""What clusters are about: keywords, examples, and places on a map, all from the sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.clustering.building import Levels
from curation.clustering.kmeans import assign
from curation.clustering.vectors import Floats, Vectors

KEYWORDS = 10
READ = 300  # documents of a cluster whose words are counted
MIN_DOCUMENTS = 3  # of a cluster that a keyword occurs in, if the cluster has as many
TYPICAL, BORDER = 5, 3  # examples
SHOWN_CHARS = 200  # of each
POINTS = 1_500  # documents on the map
_WORD = r"[^\W\d_]{3,}"

Ints = npt.NDArray[np.int64]


def clusters_of(vectors: Vectors, centroids: Vectors, levels: Levels) -> Ints:
    """The cluster of each vector by its fine cluster; -1 where that was pruned."""
    label = np.full(len(centroids), -1, np.int64)
    for number, group in enumerate(levels.members):
        label[list(group)] = number
    if not len(vectors):
        return np.empty(0, np.int64)
    return label[assign(vectors, centroids)[0]]


def keywords(texts: Sequence[str], labels: Ints, count: int) -> list[list[str]]:
    """The words that tell each cluster from the others, best first.

    c-TF-IDF (Grootendorst 2022, arXiv 2203.05794), with the root of a word's frequency in the
    cluster and the idf of BM25: no list of stop words is needed, in any language.
    """
    words, documents = zip(*(_count(texts, labels, i) for i in range(count)), strict=True)
    everywhere: Counter[str] = sum(words, Counter())
    mean = sum(everywhere.values()) / max(count, 1)
    found = []
    for own, often in zip(words, documents, strict=True):
        least = min(MIN_DOCUMENTS, max(often.values(), default=0))
        total = max(sum(own.values()), 1)
        scores = {
            word: np.sqrt(n / total) * _idf(everywhere[word], mean)
            for word, n in own.items()
            if often[word] >= least
        }
        best = sorted(scores, key=lambda word: (-round(scores[word], 9), word))
        found.append([word for word in best[:KEYWORDS] if scores[word] > 0])
    return found


def _count(texts: Sequence[str], labels: Ints, cluster: int) -> tuple[Counter[str], Counter[str]]:
    """Occurrences of each word in the cluster's first documents, and documents that have it."""
    import regex

    words: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    for row in np.flatnonzero(labels == cluster)[:READ].tolist():
        own = regex.findall(_WORD, texts[row].lower())
        words.update(own)
        documents.update(set(own))
    return words, documents


def _idf(often: int, mean: float) -> float:
    return float(np.log1p(max(mean - often + 0.5, 0.0) / (often + 0.5)))


def examples(
    sample: pa.Table, vectors: Vectors, labels: Ints, levels: Levels
) -> list[dict[str, list[dict[str, Any]]]]:
    """Of each cluster the documents nearest to its centroid, and those nearly in another one."""
    near = (vectors.astype(np.float64) @ levels.centroids.astype(np.float64).T).round(6)
    own = np.take_along_axis(near, np.maximum(labels, 0)[:, None], axis=1)[:, 0]
    np.put_along_axis(near, np.maximum(labels, 0)[:, None], -2.0, axis=1)
    other = near.argmax(axis=1)
    margin = own - near.max(axis=1)
    found = []
    for cluster in range(len(levels.members)):
        rows = np.flatnonzero(labels == cluster)
        typical = rows[np.argsort(-own[rows], kind="stable")][:TYPICAL]
        border = rows[np.argsort(margin[rows], kind="stable")][:BORDER]
        border = border if len(levels.members) > 1 else border[:0]
        found.append(
            {
                "typical": [_shown(sample, i, float(own[i])) for i in typical.tolist()],
                "border": [
                    {**_shown(sample, i, float(own[i])), "other": int(other[i])}
                    for i in border.tolist()
                ],
            }
        )
    return found


def _shown(sample: pa.Table, row: int, similarity: float) -> dict[str, Any]:
    values = {name: sample[name][row].as_py() for name in ("id", "source", "text")}
    return {**values, "text": values["text"][:SHOWN_CHARS], "similarity": round(similarity, 4)}


def lay_out(vectors: Vectors, labels: Ints, centroids: Vectors) -> dict[str, Any]:
    """Clusters and some documents on a plane: the two principal components of the sample."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        given = vectors.astype(np.float64)
        middle = given.mean(axis=0)
        values, axes = np.linalg.eigh((given - middle).T @ (given - middle))
        plane: Floats = axes[:, ::-1][:, :2]
        plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])
        shown = (given[:POINTS] - middle) @ plane
        places = (centroids - middle) @ plane
    explained = values[::-1][:2].sum() / values.sum() if values.sum() > 0 else 0.0
    return {
        "explained_frac": round(float(explained), 4),
        "clusters": places.round(4).tolist(),
        "documents": [
            [*point, label]
            for point, label in zip(shown.round(4).tolist(), labels[:POINTS].tolist(), strict=True)
        ],
    }


def named(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Examples with the names of the clusters that they border on."""
    border = [{**one, "other": names[one["other"]]} for one in found["border"]]
    return {**found, "border": border}
