"""The report's section on duplicates."""

import json
from pathlib import Path
from typing import Any

from pipelines.report import write_report
from pipelines.report.format import count

REPORT: dict[str, Any] = {
    "documents": 1000,
    "duplicates": 250,
    "candidates_by_similarity": [0] * 14 + [30, 0, 0, 0, 0, 270],
    "buckets": {"buckets": 9, "largest": 5000, "capped": 2, "skipped": 12345},
    "duplicates_by_source": [
        {"source": "crawl", "survivor_source": "crawl", "documents": 50},
        {"source": "crawl", "survivor_source": "books", "documents": 200},
    ],
    "cluster_sizes": {"2": 40, "3": 5, "7": 2, "1500": 1},
    "largest_clusters": [
        {
            "survivor": "<b>0</b>",
            "documents": 1500,
            "sources": {"crawl": 1499, "books": 1},
            "text": "Terms <script>of use",
            "members": ["m1", "m2"],
        }
    ],
}


def section(folder: Path, report: dict[str, Any]) -> str:
    (folder / "web/dataset").mkdir(parents=True)
    stage = {"label": "minhash_dedup", "params": {}, "rules": [], "kind": "global"}
    manifest = {"stages": [{**stage, "report": report}]}
    (folder / "web/dataset/manifest.json").write_text(json.dumps(manifest))
    page = write_report(folder).read_text("utf-8")
    start = page.find('<section id="duplicates">')
    return page[start : page.find("</section>", start)] if start >= 0 else ""


def test_report_duplicates_shows_sources_sizes_and_the_largest(tmp_path: Path) -> None:
    found = section(tmp_path, REPORT)
    for shown in (
        "250 of 1k documents were duplicates (25 %)",
        "2 buckets were larger than max_bucket",
        f"{count(12345)} pairs",
        "0.70 to 0.75",
        "6 to 10",
        "1,001 and more",
        f"{count(1500)} documents: crawl {count(1499)}, books 1",
        "m1, m2",
    ):
        assert shown in found
    assert found.index(">200<") < found.index(">50<")


def test_report_duplicates_text_is_text(tmp_path: Path) -> None:
    found = section(tmp_path, REPORT)
    assert "<script>" not in found
    assert "<b>0</b>" not in found


def test_report_duplicates_without_such_a_stage_is_left_out(tmp_path: Path) -> None:
    assert section(tmp_path, {"cuts": {}}) == ""


def test_report_duplicates_of_an_empty_corpus(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"documents": 0, "duplicates": 0, "cluster_sizes": {}}
    empty |= {"duplicates_by_source": [], "candidates_by_similarity": []}
    assert "0 of 0 documents" in section(tmp_path, empty)
