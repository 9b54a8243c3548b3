"""Ranks of documents by examples: by hand, with ties, and what `max` and `mean` make of them."""

from __future__ import annotations

import numpy as np
import pytest

from curation.scorers.target_ranks import competition_ranks, rank_documents

MODES, OF_EACH, SIZE = 8, 30, 64


def unit(vectors: np.ndarray) -> np.ndarray:
    found = np.asarray(vectors, np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_ranks_by_hand() -> None:
    documents = unit(np.array([[1, 0], [0, 1], [1, 1], [-1, 0]]))
    ranked = rank_documents(documents, unit(np.array([[1.0, 0.1], [0.1, 1.0]])))
    # The first example ranks them 1, 3, 2, 4, the second 3, 1, 2, 4.
    assert ranked.best.tolist() == [1, 1, 2, 4]
    assert ranked.nearest.tolist() == [0, 1, 0, 0]
    assert ranked.mean.tolist() == pytest.approx([-np.log2(3) / 2, -np.log2(3) / 2, -1, -2])
    assert ranked.values("max").tolist() == [1, 1, 1 / 2, 1 / 4]
    assert ranked.values("mean").tolist() == ranked.mean.tolist()


def test_order_is_by_best_rank_then_mean_then_place() -> None:
    documents = unit(np.array([[1, 0], [0, 1], [1, 1], [-1, 0]]))
    ranked = rank_documents(documents, unit(np.array([[1.0, 0.1], [0.1, 1.0]])))
    assert ranked.order("max").tolist() == [0, 1, 2, 3]
    assert ranked.order("mean").tolist() == [0, 1, 2, 3]
    # A third example like the second: the first document is now the worse of two with rank 1.
    ranked = rank_documents(documents, unit(np.array([[1.0, 0.1], [0.1, 1.0], [0.1, 1.0]])))
    assert ranked.order("max").tolist() == [1, 0, 2, 3]


@pytest.mark.parametrize(
    ("values", "ranks"),
    [
        ([], []),
        ([5.0], [1]),
        ([0.1, 0.3, 0.2], [3, 1, 2]),
        ([0.5, 0.9, 0.5, 0.1], [2, 1, 2, 4]),
        ([0.0, 0.0, 0.0], [1, 1, 1]),
    ],
)
def test_equal_similarities_share_a_rank(values: list[float], ranks: list[int]) -> None:
    assert competition_ranks(np.array(values, np.float32)).tolist() == ranks


def planted() -> tuple[np.ndarray, np.ndarray]:
    """Documents around each of eight directions, then between all of them; examples of each."""
    draw = np.random.default_rng(0)
    modes = np.eye(MODES, SIZE)
    around = np.repeat(modes, OF_EACH, axis=0)
    between = np.repeat(modes.mean(axis=0, keepdims=True), OF_EACH, axis=0)
    documents = np.concatenate([around, between * MODES**0.5])
    noise = 0.02 * draw.normal(size=documents.shape)
    examples = np.repeat(modes, 5, axis=0) + 0.02 * draw.normal(size=(MODES * 5, SIZE))
    return unit(documents + noise), unit(examples)


def test_max_finds_every_mode_of_the_targets_and_mean_what_lies_between() -> None:
    """BETR's ablation, planted: a document near one kind of example is far from the others."""
    documents, examples = planted()
    ranked = rank_documents(documents, examples)
    top = {value: ranked.order(value)[:OF_EACH] for value in ("max", "mean")}
    assert set(top["max"] // OF_EACH) == set(range(MODES))
    assert set(top["mean"] // OF_EACH) == {MODES}


def test_ranks_do_not_depend_on_how_many_examples_go_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents, examples = planted()
    whole = rank_documents(documents, examples)
    monkeypatch.setattr("curation.scorers.target_ranks._BATCH", 7)
    parts = rank_documents(documents, examples)
    assert whole.best.tolist() == parts.best.tolist()
    assert whole.mean.tolist() == pytest.approx(parts.mean.tolist())


def test_best_rank_is_that_of_a_loop_over_all_pairs() -> None:
    draw = np.random.default_rng(1)
    documents, examples = (unit(draw.normal(size=(n, 16))) for n in (50, 9))
    ranked = rank_documents(documents, examples)
    for j, document in enumerate(documents):
        ranks = [1 + sum(e @ d > e @ document for d in documents) for e in examples]
        assert ranked.best[j] == min(ranks)
        assert ranked.mean[j] == pytest.approx(np.mean([np.log2(1 / r) for r in ranks]))
