"""minhash_dedup on real near-duplicates, against the exact similarity of all pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy import sparse

from curation.dedup.minhash import MinhashDedup
from curation.dedup.near.signatures import sign
from curation.mapped import column, map_table
from curation.shingling.shingles import Shingles, shingle_sets
from tests.benchmarks.data import json_lines
from tests.corpora import SHARED
from tests.curation.dedup.test_minhash import corpus, decided, rounds_over

pytestmark = [pytest.mark.slow, pytest.mark.shared]

SEEDS = range(1, 17)
LEAST, WIDTH = 0.3, 0.05  # similarity of the pairs that are looked at, and of a bin
ENOUGH = 200  # pairs of a bin, for two points to mean something
Pairs = npt.NDArray[np.int64]


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    rows = json_lines(SHARED / "neardup" / "synthetic.jsonl.zst")
    found = [{"id": str(i), "text": row["text"], "source": "near"} for i, row in enumerate(rows)]
    assert len(found) >= 5000
    return found


@pytest.fixture(scope="module")
def truth(documents: list[dict[str, Any]]) -> tuple[Pairs, npt.NDArray[np.float64]]:
    """All pairs of documents of similarity LEAST and more, the lower number first."""
    values, offsets = shingle_sets(pa.array([d["text"] for d in documents]), Shingles())
    _, places = np.unique(values, return_inverse=True)
    ones = np.ones(len(values), np.int32)
    matrix = sparse.csr_matrix((ones, places, offsets))
    both = sparse.triu(matrix @ matrix.T, k=1).tocoo()
    sizes = np.diff(offsets)
    similarity = both.data / (sizes[both.row] + sizes[both.col] - both.data)
    near = similarity >= LEAST
    return np.stack([both.row[near], both.col[near]], axis=1), similarity[near]


def compared(stage: MinhashDedup, documents: list[dict[str, Any]], folder: Path) -> Any:
    """(pairs that were compared, as one number each; the leader of every document)."""
    slices = corpus(documents, folder / "slices", [len(documents)])
    rounds = rounds_over(slices, folder / "rounds")
    verdicts = stage.decide(rounds)
    leader, pairs = np.arange(len(documents)), []
    for path in rounds.folder.glob("twins-*.arrow"):
        table = map_table(path)
        leader[column(table, "document")] = column(table, "leader")
    for path in rounds.folder.glob("pairs-*-*.arrow"):
        table = map_table(path)
        pairs.append(column(table, "a") * len(documents) + column(table, "b"))
    return np.unique(np.concatenate(pairs)), leader, decided(verdicts, slices)


def share_a_band(stage: MinhashDedup, documents: list[dict[str, Any]], pairs: Pairs) -> Any:
    """Which pairs have an equal band key."""
    bands = sign(pa.array([d["text"] for d in documents]), stage.shingles, stage.banding).bands
    return (bands[pairs[:, 0]] == bands[pairs[:, 1]]).any(axis=1)


@pytest.mark.parametrize("preset", ["default", "fineweb", "strict"])
def test_minhash_recall_of_pairs_follows_the_s_curve(
    preset: Any, documents: list[dict[str, Any]], truth: Any
) -> None:
    pairs, similarity = truth
    stages = [MinhashDedup(preset=preset, seed=seed) for seed in SEEDS]
    recall = np.mean([share_a_band(stage, documents, pairs) for stage in stages], axis=0)
    expected = np.array([stages[0].banding.probability(s) for s in similarity])
    bins = np.floor((similarity + 1e-9) / WIDTH).astype(int)
    counted = [b for b in np.unique(bins) if (bins == b).sum() >= ENOUGH]
    assert len(counted) >= 10
    for one in counted:
        inside = bins == one
        assert recall[inside].mean() == pytest.approx(expected[inside].mean(), abs=0.02)


def test_minhash_compares_just_the_pairs_that_share_a_band(
    documents: list[dict[str, Any]], truth: Any, tmp_path: Path
) -> None:
    pairs, _ = truth
    keys, leader, _ = compared(MinhashDedup(), documents, tmp_path)
    pairs = pairs[(leader[pairs] == pairs).all(axis=1)]
    found = np.isin(pairs[:, 0] * len(documents) + pairs[:, 1], keys)
    assert (found == share_a_band(MinhashDedup(), documents, pairs)).all()


def test_minhash_removes_only_what_is_similar_and_always_keeps_one(
    documents: list[dict[str, Any]], truth: Any, tmp_path: Path
) -> None:
    stage = MinhashDedup()
    _, _, gone = compared(stage, documents, tmp_path)
    similar = {
        (str(a), str(b)): s for (a, b), s in zip(truth[0].tolist(), truth[1].tolist(), strict=True)
    }
    assert len(gone) > 2000
    for document, (survivor, similarity) in gone.items():
        assert survivor not in gone
        assert similarity >= stage.min_jaccard
        assert similarity == pytest.approx(similar[survivor, document])
    missed = [pair for pair, s in similar.items() if s >= 0.8 and not gone.keys() & set(pair)]
    assert len(missed) <= 0.002 * len(similar)
