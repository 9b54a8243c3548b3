"""semantic_dedup against brute force: one survivor, directly similar, for any slices and memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.dedup.cosine.settling import BLOCK, CURVE
from curation.dedup.semantic import SemanticDedup
from curation.rounds import DEFAULT_MEMORY
from tests.curation.vector_corpus import Matrix, gone, rounds_over, slices_of

SIZE = 24


def corpus(groups: int, seed: int = 0) -> Matrix:
    """Groups of one to nine documents around a direction, some of them alike."""
    draw = np.random.default_rng(seed)
    parts = []
    for _ in range(groups):
        middle, count = draw.normal(size=SIZE), int(draw.integers(1, 10))
        parts.append(middle + draw.normal(size=(count, SIZE)) * draw.choice([0.05, 0.15, 0.4]))
    found = np.concatenate(parts)
    found = found[draw.permutation(len(found))]
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


def cosines(vectors: Matrix) -> Matrix:
    exact = vectors.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    return exact @ exact.T


def expected(vectors: Matrix, order: list[int], least: float) -> dict[str, tuple[str, float]]:
    """Best to worst, one goes if one that stays is so similar; of those it names the nearest."""
    near, stays, found = cosines(vectors), [], {}
    for one in order:
        alike = [(-near[one, other], order.index(other), other) for other in stays]
        alike = [pair for pair in alike if -pair[0] >= least]
        if alike:
            similarity, _, survivor = min(alike)
            found[f"d{one}"] = (f"d{survivor}", -similarity)
        else:
            stays.append(one)
    return found


def dedup(
    folder: Path,
    stage: SemanticDedup,
    vectors: Matrix,
    sizes: list[int] | None = None,
    max_memory: int = DEFAULT_MEMORY,
    **columns: list[Any],
) -> tuple[dict[str, tuple[str, float]], dict[str, Any]]:
    """Survivor and similarity of each document that goes, and the report."""
    slices = slices_of(folder / "slices", vectors, sizes or [len(vectors)], **columns)
    verdicts = stage.decide(rounds_over(slices, folder / "rounds", max_memory))
    found = gone(slices, verdicts)
    assert {row["drop_reason"] for row in found.values()} <= {"duplicate"}
    told = {i: (row["survivor_id"], row["similarity"]) for i, row in found.items()}
    return told, dict(verdicts.report)


def same(found: dict[str, tuple[str, float]], other: dict[str, tuple[str, float]]) -> bool:
    return {i: v[0] for i, v in found.items()} == {i: v[0] for i, v in other.items()} and all(
        found[i][1] == pytest.approx(other[i][1]) for i in other
    )


@pytest.mark.parametrize("least", [0.7, 0.95])
def test_semantic_dedup_equals_brute_force(least: float, tmp_path: Path) -> None:
    vectors = corpus(260)
    assert len(vectors) > 2 * BLOCK  # blocks meet
    found, report = dedup(tmp_path, SemanticDedup(k=1, keep="first", min_similarity=least), vectors)
    assert same(found, expected(vectors, list(range(len(vectors))), least))
    assert 100 < len(found) == report["duplicates"]


def test_semantic_dedup_curve_is_exact(tmp_path: Path) -> None:
    vectors = corpus(100)
    _, report = dedup(tmp_path, SemanticDedup(k=1, keep="first"), vectors)
    nearest = np.tril(cosines(vectors), -1)[1:].max(axis=1)
    counts = [int((nearest >= least).sum()) for least in CURVE]
    assert [one["documents"] for one in report["curve"]] == counts
    assert [one["min_similarity"] for one in report["curve"]] == list(CURVE)


def test_semantic_dedup_keeps_the_least_central_by_default(tmp_path: Path) -> None:
    vectors = corpus(40)
    found, _ = dedup(tmp_path, SemanticDedup(k=1, min_similarity=0.9), vectors)
    exact = vectors.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    centre = exact.sum(axis=0) / np.linalg.norm(exact.sum(axis=0))
    order = np.argsort(exact @ centre, kind="stable").tolist()
    assert same(found, expected(vectors, order, 0.9))


def test_semantic_dedup_keeps_what_a_policy_says(tmp_path: Path) -> None:
    vectors = np.repeat(corpus(3)[:3], 4, axis=0)
    score = [float(i % 4) for i in range(12)]
    stage = SemanticDedup(keep="highest", column="score")
    assert stage.reads == ("text", "embed.vector", "score")
    found, _ = dedup(tmp_path, stage, vectors, score=score)
    assert {survivor for survivor, _ in found.values()} == {"d3", "d7", "d11"}
    assert len(found) == 9


def test_semantic_dedup_prefers_sources_before_all_else(tmp_path: Path) -> None:
    vectors = np.repeat(corpus(1)[:1], 4, axis=0)
    sources = ["web", "web", "books", "books"]
    stage = SemanticDedup(keep="first", source_priority=("books",))
    found, report = dedup(tmp_path, stage, vectors, [2, 2], source=sources)
    assert {survivor for survivor, _ in found.values()} == {"d2"}
    assert report["duplicates_by_source"] == [
        {"source": "books", "survivor_source": "books", "documents": 1},
        {"source": "web", "survivor_source": "books", "documents": 2},
    ]
    (largest,) = report["largest_clusters"]
    assert (largest["survivor"], largest["documents"]) == ("d2", 4)
    assert largest["text"] == "text 2"
    assert report["cluster_sizes"] == {"4": 1}


def test_semantic_dedup_takes_no_chain(tmp_path: Path) -> None:
    """A ~ B ~ C, and A is not like C: B goes, C stays."""
    angles = np.array([0.0, 0.3, 0.6])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found, report = dedup(tmp_path, SemanticDedup(k=1, keep="first", min_similarity=0.95), vectors)
    assert list(found) == ["d1"]
    assert report["curve"][CURVE.index(0.95)]["documents"] == 2  # the paper's rule takes both


@pytest.mark.parametrize("sizes", [[1] * 120, [50, 0, 3, 67]], ids=["each", "uneven"])
def test_semantic_dedup_does_not_depend_on_slices_and_memory(
    sizes: list[int], tmp_path: Path
) -> None:
    vectors, stage = corpus(60)[:120], SemanticDedup(k=5, min_similarity=0.9)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = dedup(tmp_path / "a", stage, vectors)
    assert whole == dedup(tmp_path / "b", stage, vectors, sizes, max_memory=4_000)
    assert len(whole[0]) > 10
    assert not list((tmp_path / "b").rglob("*.tmp"))


def test_semantic_dedup_of_identical_documents_leaves_one(tmp_path: Path) -> None:
    vectors = np.repeat(corpus(1)[:1], 3 * BLOCK, axis=0)
    found, report = dedup(tmp_path, SemanticDedup(keep="first"), vectors, [BLOCK] * 3)
    assert len(found) == 3 * BLOCK - 1
    assert {survivor for survivor, _ in found.values()} == {"d0"}
    assert report["clusters"] == 1


def test_semantic_dedup_leaves_documents_without_a_vector(tmp_path: Path) -> None:
    vectors = np.concatenate([np.zeros((3, SIZE)), np.full((2, SIZE), np.nan), corpus(1)[:1]])
    found, report = dedup(tmp_path, SemanticDedup(), vectors)
    assert found == {}
    assert report["without_vector"] == 5
    nothing, report = dedup(tmp_path / "none", SemanticDedup(), vectors[:5])
    assert nothing == {}
    assert report["without_vector"] == 5


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"min_similarity": 0.0}, "'min_similarity' must be in"),
        ({"min_similarity": 1.01}, "'min_similarity' must be in"),
        ({"k": 0}, "'k' must be at least 1"),
        ({"column": "score"}, "'column' is for 'keep: highest' or 'lowest'"),
        ({"keep": "highest"}, "needs 'column'"),
        ({"seed": -1}, "'seed' must be >= 0"),
    ],
)
def test_semantic_dedup_refuses_parameters_that_cannot_work(
    given: dict[str, Any], what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        SemanticDedup(**given)
