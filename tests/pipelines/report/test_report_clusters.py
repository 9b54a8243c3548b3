"""The report's section on clusters, and the curve of semantic duplicates."""

import json
from pathlib import Path
from typing import Any

from pipelines.report import write_report

EXAMPLE = {"id": "d1", "source": "web", "text": "Terms <script>of use", "similarity": 0.9}
CLUSTER: dict[str, Any] = {
    "name": "c00",
    "documents": 900,
    "bytes": 2_000_000,
    "fine": ["f001", "f002"],
    "sources": {"web": 600, "<i>books</i>": 300},
    "means": {"quality.score": 0.25},
    "keywords": ["court", "<b>judge</b>"],
    "typical": [EXAMPLE],
    "border": [{**EXAMPLE, "id": "d2", "other": "c01"}],
}
REPORT: dict[str, Any] = {
    "documents": 1000,
    "without_vector": 7,
    "sampled": 500,
    "k_init": {"asked": 64, "made": 40},
    "k": {"asked": 2, "made": 2},
    "clusters": [CLUSTER, {**CLUSTER, "name": "c01", "documents": 83, "border": []}],
    "pruned": [
        {"name": "f009", "column": "quality.score", "mean": 0.1, "min_mean": 0.2, "documents": 10}
    ],
    "map": {
        "explained_frac": 0.31,
        "clusters": [[0.1, 0.2], [-0.3, 0.0]],
        "documents": [[0.1, 0.1, 0], [0.0, -0.2, 1], [0.3, 0.3, -1]],
    },
}
NOTHING = {**REPORT, "clusters": [], "pruned": [], "map": {}, "without_vector": 1000}


def section(folder: Path, report: dict[str, Any], key: str = "clusters") -> str:
    (folder / "web/dataset").mkdir(parents=True)
    stage = {"label": "cluster", "params": {}, "rules": [], "kind": "global", "report": report}
    (folder / "web/dataset/manifest.json").write_text(json.dumps({"stages": [stage]}))
    page = write_report(folder).read_text("utf-8")
    start = page.find(f'<section id="{key}">')
    return page[start : page.find("</section>", start)] if start >= 0 else ""


def test_report_clusters_shows_the_map_cards_and_what_was_pruned(tmp_path: Path) -> None:
    found = section(tmp_path, REPORT)
    for shown in (
        "1k documents in 2 clusters, merged from 40 of k-means",
        "64 were asked for",
        "7 documents have no vector",
        "31 % of the variance",
        "court",
        "web 66.7 %",
        "quality.score 0.25",
        "d2 of web, next to c01",
        "Pruned clusters of k-means",
        "f009",
    ):
        assert shown in found
    assert found.count("<circle") == 5
    assert found.count("<details") == 2
    assert found.count("At the border") == 1


def test_report_clusters_text_is_text(tmp_path: Path) -> None:
    found = section(tmp_path, REPORT)
    for markup in ("<script>", "<b>judge", "<i>books"):
        assert markup not in found


def test_report_clusters_of_nothing_has_no_map(tmp_path: Path) -> None:
    found = section(tmp_path, NOTHING)
    assert "in 0 clusters" in found
    assert "<svg" not in found


def test_report_clusters_without_such_a_stage_is_left_out(tmp_path: Path) -> None:
    assert section(tmp_path, {"cuts": {}}) == ""


def test_report_duplicates_shows_the_curve_of_similarities(tmp_path: Path) -> None:
    report = {
        "documents": 200,
        "duplicates": 10,
        "duplicates_by_source": [],
        "cluster_sizes": {"2": 10},
        "curve": [
            {"min_similarity": 0.9, "documents": 31},
            {"min_similarity": 0.95, "documents": 12},
        ],
    }
    found = section(tmp_path, report, "duplicates")
    assert "at least so similar" in found
    assert "15.5 %" in found
