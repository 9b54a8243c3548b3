"""Embedding and clustering: documents per second, and what the fast embedder gives up for them.

Agreement is that with MiniLM on the same documents: Spearman's correlation of the cosines of random
pairs, the share of each document's ten nearest that are the same, and the mutual information of two
k-means clusterings. `NMI with the source` is that of the clusters with the file a document is from.
"""

import hashlib
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curation.clustering.kmeans import ITERATIONS, train
from curation.clustering.vectors import unit_vectors
from curation.embedding.embedder import make_embedder
from curation.embedding.sentence_transformers import load, one_thread
from curation.embedding.stage import as_lists
from tests.benchmarks.data import json_lines, shared
from tests.benchmarks.tables import Table
from tests.benchmarks.timing import Case, compare, rates
from tests.classes import model_cache

DOCUMENTS = int(os.environ.get("BENCH_EMBED_DOCUMENTS", "1500"))
TIMED = min(40, DOCUMENTS)  # of them that MiniLM embeds in every round
PAIRS = 40_000
NEAREST = 10
CLUSTERS = 20
POINTS, SIZE, K = 20_000, 256, 200  # of the comparison of k-means
FAST, MINILM, ENCODE = "fast embedder", "MiniLM, one by one", "sentence-transformers `encode`"
HASHED = "hashed TF-IDF + SVD"


class Corpus(NamedTuple):
    """Documents in a random order, and the files they are from."""

    texts: list[str]
    sources: list[str]

    @property
    def num_bytes(self) -> int:
        """UTF-8."""
        return sum(len(text.encode()) for text in self.texts)


def run() -> list[Table]:
    """Speed, agreement, k-means."""
    corpus = _corpus()
    return [_speed(corpus), _agreement(corpus), _kmeans(corpus)]


def _corpus() -> Corpus:
    rows = []
    for file in sorted(shared("text").glob("*.jsonl.zst")):
        name = file.name.removesuffix(".jsonl.zst")
        if not name.startswith("lang"):
            rows += [(row["text"], name) for row in json_lines(file)]
    rows.sort(key=lambda row: hashlib.blake2b(row[0].encode()).digest())
    texts, sources = zip(*rows[:DOCUMENTS], strict=True)
    return Corpus(list(texts), list(sources))


def _speed(corpus: Corpus) -> Table:
    """All on one thread; MiniLM on fewer documents, since a rate is all that is wanted."""
    some, fast, real = corpus.texts[:TIMED], make_embedder(fast=True, cache=model_cache()), None
    real = make_embedder()
    model = load(real.model)  # type: ignore[attr-defined]
    column = pa.chunked_array([pa.array(corpus.texts, pa.string())])
    fast.embed(some[:2])  # compiled, loaded
    real.embed(some[:2])

    def encode() -> Any:
        with one_thread():
            return model.encode(some, batch_size=32, show_progress_bar=False)

    cases = [
        Case(FAST, lambda: fast.embed(column), len(corpus.texts)),
        Case(MINILM, lambda: real.embed(some), TIMED),
        Case(ENCODE, encode, TIMED),
    ]
    whole = corpus.num_bytes / 1e6
    notes = [
        f"{len(corpus.texts):,} documents of {whole / len(corpus.texts) * 1e3:.1f} KB; the fast "
        "embedder reads all of each, MiniLM the first 254 tokens."
    ]
    return compare("embed, one core", "documents/s", cases, notes)


def _agreement(corpus: Corpus) -> Table:
    real = make_embedder().embed(corpus.texts)
    found = {
        FAST: make_embedder(fast=True, cache=model_cache()).embed(corpus.texts),
        HASHED: _hashed(corpus.texts),
    }
    own = _clusters(real, seed=0)
    rows: list[tuple[Any, ...]] = [
        ("MiniLM, another seed", None, None, _nmi(own, _clusters(real, seed=1)), None),
        ("MiniLM", 1.0, 1.0, 1.0, _nmi(own, corpus.sources)),
    ]
    for name, vectors in found.items():
        clusters = _clusters(vectors, seed=0)
        rows.append(
            (
                name,
                _spearman(real, vectors),
                _overlap(real, vectors),
                _nmi(own, clusters),
                _nmi(clusters, corpus.sources),
            )
        )
    columns = ("", "Spearman", f"{NEAREST} nearest in common", "NMI", "NMI with the source")
    return Table(
        "embed: agreement with MiniLM", columns, rows, [f"{len(corpus.texts):,} documents"]
    )


def _hashed(texts: Sequence[str]) -> Any:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    counts = HashingVectorizer(n_features=2**16, alternate_sign=False, norm=None).transform(texts)
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    return _unit(TruncatedSVD(SIZE, n_iter=2, random_state=0).fit_transform(weighted))


def _unit(vectors: Any) -> Any:
    return unit_vectors(as_lists(np.asarray(vectors, np.float32)))[0]


def _spearman(a: Any, b: Any) -> float:
    from scipy.stats import spearmanr

    left, right = np.random.default_rng(0).integers(0, len(a), (2, PAIRS))
    other = left != right
    cosines = [(v[left[other]] * v[right[other]]).sum(axis=1) for v in (a, b)]
    return float(spearmanr(*cosines)[0])


def _overlap(a: Any, b: Any) -> float:
    nearest = [_nearest(vectors) for vectors in (a, b)]
    common = [len(set(x) & set(y)) for x, y in zip(*nearest, strict=True)]
    return float(np.mean(common) / NEAREST)


def _nearest(vectors: Any) -> Any:
    near = vectors @ vectors.T
    np.fill_diagonal(near, -2)
    return np.argsort(-near, axis=1)[:, :NEAREST]


def _clusters(vectors: Any, seed: int) -> Any:
    unit = _unit(vectors)
    return (unit @ train(unit, CLUSTERS, seed, restarts=3).T).argmax(axis=1)


def _nmi(a: Sequence[Any], b: Sequence[Any]) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(a, b))


def _kmeans(corpus: Corpus) -> Table:
    """One run of as many iterations, on one thread, from documents with a little noise."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    draw = np.random.default_rng(0)
    own = make_embedder(fast=True, cache=model_cache()).embed(corpus.texts)
    points = _unit(own[draw.integers(0, len(own), POINTS)] + draw.normal(0, 0.03, (POINTS, SIZE)))
    centroids: dict[str, Any] = {}

    def ours() -> None:
        centroids["ours"] = train(points, K, 0, restarts=1)

    def theirs() -> None:
        with threadpool_limits(1):
            fit = KMeans(K, n_init=1, max_iter=ITERATIONS, tol=0, random_state=0).fit(points)
        centroids["theirs"] = _unit(fit.cluster_centers_)

    cases = {"ours": Case("faiss, as `cluster` runs it", ours, 1.0)}
    cases["theirs"] = Case("scikit-learn KMeans", theirs, 1.0)
    measured = rates(list(cases.values()), rounds=1)
    rows = [
        (case.name, 1 / measured[case.name].typical, _mean_cosine(points, centroids[key]))
        for key, case in cases.items()
    ]
    title = f"k-means: {POINTS:,} vectors of {SIZE}, k = {K}, {ITERATIONS} iterations, one thread"
    return Table(title, ("", "s", "mean cosine to the centroid"), rows)


def _mean_cosine(points: Any, centroids: Any) -> float:
    return float((points @ centroids.T).max(axis=1).mean())
