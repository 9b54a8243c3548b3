"""The stage `cluster` on given vectors: labels, reasons, and a report that nothing changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.clustering.describing import keywords
from curation.clustering.stage import Cluster
from curation.rounds import DEFAULT_MEMORY
from tests.curation.clustering.test_kmeans import planted
from tests.curation.vector_corpus import by_id, gone, rounds_over, slices_of

GROUPS, EACH = 6, 30
SCORES = [float(i // EACH) for i in range(GROUPS * EACH)]  # of a group its number


def found(
    folder: Path, stage: Cluster, sizes: list[int], max_memory: int = DEFAULT_MEMORY
) -> tuple[Any, Any, Any]:
    """Labels and reasons by id, and the report."""
    _, vectors = planted(GROUPS, EACH)
    vectors = np.concatenate([vectors, np.zeros((1, 32)), np.full((1, 32), np.nan)])
    scores = [*SCORES, 0.0, 0.0]
    slices = slices_of(folder / "slices", vectors, sizes, score=scores)
    verdicts = stage.decide(rounds_over(slices, folder / "rounds", max_memory))
    return by_id(slices, verdicts.annotations), gone(slices, verdicts), verdicts.report


STAGE = Cluster(k_init=12, k=3, sample=150, min_mean={"score": 0.5})
WHOLE = [GROUPS * EACH + 2]


def test_cluster_labels_what_stays_and_says_why_others_go(tmp_path: Path) -> None:
    labels, reasons, report = found(tmp_path, STAGE, WHOLE)
    pruned = [f"d{i}" for i in range(EACH)]
    assert set(reasons) == {*pruned, "d180", "d181"}
    assert {reasons[i]["drop_reason"] for i in pruned} == {"min_mean.score"}
    assert {(reasons[i]["drop_value"], reasons[i]["drop_threshold"]) for i in pruned} == {
        ("0", "0.5")
    }
    assert {reasons[i]["drop_reason"] for i in ("d180", "d181")} == {"no_vector"}
    assert len(labels) == GROUPS * EACH
    assert all(labels[i]["cluster"] is None for i in pruned)
    kept = {id_: row for id_, row in labels.items() if id_ not in pruned}
    assert {row["cluster"] for row in kept.values()} == {"c00", "c01", "c02"}
    groups = [{kept[f"d{g * EACH + i}"]["cluster"] for i in range(EACH)} for g in range(1, GROUPS)]
    assert [len(group) for group in groups] == [1] * (GROUPS - 1)
    assert report["without_vector"] == 2
    assert sum(one["documents"] for one in report["clusters"]) == (GROUPS - 1) * EACH
    assert sum(one["documents"] for one in report["pruned"]) == EACH


def test_cluster_report_tells_sizes_means_examples_and_places(tmp_path: Path) -> None:
    labels, _, report = found(tmp_path, STAGE, WHOLE)
    for one in report["clusters"]:
        own = [i for i, row in labels.items() if row["cluster"] == one["name"]]
        assert one["documents"] == len(own)
        assert one["sources"] == {"web": len(own)}
        assert one["bytes"] == sum(len(f"text {i[1:]}") for i in own)
        assert one["means"]["score"] == pytest.approx(np.mean([SCORES[int(i[1:])] for i in own]))
        assert {labels[i]["cluster_fine"] for i in own} == set(one["fine"])
        assert {example["id"] for example in one["typical"]} <= set(own)
        assert len(one["typical"]) == 5
        assert all(example["other"] != one["name"] for example in one["border"])
    assert len(report["map"]["clusters"]) == 3
    assert len(report["map"]["documents"]) == report["sampled"] == 150
    assert 0 < report["map"]["explained_frac"] <= 1


@pytest.mark.parametrize("sizes", [[1] * WHOLE[0], [7, 0, 100, 75]], ids=["each", "uneven"])
def test_cluster_does_not_depend_on_slices_and_memory(sizes: list[int], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert found(tmp_path / "a", STAGE, WHOLE) == found(tmp_path / "b", STAGE, sizes, 10_000)


def test_cluster_by_distance_merges_what_is_near_through_others(tmp_path: Path) -> None:
    _, _, report = found(tmp_path, Cluster(k_init=6, max_distance=2.0, k=2), WHOLE)
    assert report["k"]["made"] == 1


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"k": 0}, "'k' must be at least 1"),
        ({"k_init": 5, "k": 6}, "'k' \\(6\\) must be at most 'k_init' \\(5\\)"),
        ({"sample": 10}, "'sample' \\(10\\) must be at least 'k_init'"),
        ({"balance": 0.9}, "'balance' must be at least 1"),
        ({"max_distance": 2.1}, "'max_distance' must be in"),
        ({"seed": -1}, "'seed' must be >= 0"),
    ],
)
def test_cluster_refuses_parameters_that_cannot_work(given: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Cluster(**given)


def test_keywords_are_what_tells_clusters_apart() -> None:
    texts = ["the court and the judge"] * 5 + ["the goal and the team"] * 5 + ["the"] * 2
    labels = np.array([0] * 5 + [1] * 5 + [-1] * 2)
    first, second = keywords(texts, labels, 2)
    assert set(first[:2]) == {"court", "judge"}
    assert set(second[:2]) == {"goal", "team"}
    assert keywords(["x"], np.array([0]), 1) == [[]]
