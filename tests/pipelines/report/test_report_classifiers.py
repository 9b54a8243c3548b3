"""The report's section on classifiers: what was learned, how well, and from what."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.report import write_report

METRICS: dict[str, Any] = {
    "auc": {"value": 0.93, "ci_low": 0.91, "ci_high": 0.95},
    "average_precision": 0.88,
    "positive_frac": 0.4,
    "ece": 0.02,
    "brier": 0.1,
    "documents": {"positives": {"train": 90, "held_out": 10}},
    "thresholds": [{"min_score": 0.9, "precision": None, "recall": 0.5, "passing_frac": 0.25}],
    "calibration": [
        {"min": 0.0, "max": 0.1, "documents": 0, "mean_score": None, "positive_frac": None}
    ],
    "telling": {
        "positives": [
            {"ngram": "<script>", "margin": 4.5, "positives_frac": 0.5, "negatives_frac": 0.0}
        ],
        "negatives": [],
    },
    "lineage": {
        "stage": {"name": "fasttext_score"},
        "seed": 7,
        "parts": [
            {
                "role": "positives",
                "from": "wiki",
                "where": {"date": {"min": "2020", "max": None, "in": None}},
                "documents": 100,
            }
        ],
    },
}


def section(folder: Path, **changes: Any) -> str:
    """The section on a recipe `web` whose stage `quality` has these metrics."""
    home = folder / "web"
    (home / "dataset").mkdir(parents=True)
    (home / "classifiers/quality").mkdir(parents=True)
    top = {"column": "quality.score", "keep_frac": 0.1}
    manifest = {
        "classifiers": [{"stage": "quality", "folder": "classifiers/quality"}],
        "stages": [
            {
                "label": "top",
                "params": top,
                "report": {"cuts": {"all": "0.875"}},
                "rules": [],
                "kind": "global",
            }
        ],
    }
    (home / "dataset/manifest.json").write_text(json.dumps(manifest))
    (home / "classifiers/quality/metrics.json").write_text(json.dumps(METRICS | changes))
    page = write_report(folder).read_text("utf-8")
    start = page.find('<section id="classifiers">')
    return page[start : page.find("</section>", start)] if start >= 0 else ""


def test_report_classifier_shows_metrics_lineage_and_the_cut(tmp_path: Path) -> None:
    found = section(tmp_path)
    for shown in (
        "quality in web",
        "0.930 (95 % 0.910 to 0.950)",
        "wiki where date min 2020 (100): 90 learned, 10 held out",
        "fasttext_score, seed 7",
        "score that keeps 0.1 of the tokens, all",
        "0.8750",
        "Most telling for positives",
    ):
        assert shown in found
    assert "Most telling for negatives" not in found


def test_report_classifier_shows_what_ranked_its_sample(tmp_path: Path) -> None:
    target = {"name": "<arc>", "examples": 300, "without_vector": 0, "positives_frac": 0.25}
    ranking = {
        "value": "max",
        "documents": 9000,
        "without_vector": 3,
        "positives": 900,
        "spearman": 0.512,
        "targets": [target],
    }
    found = section(tmp_path, ranking=ranking)
    for shown in ("Ranking by benchmarks", "by max of the ranks", "0.512", "&lt;arc&gt;", "25 %"):
        assert shown in found


def test_report_classifier_shows_a_regression(tmp_path: Path) -> None:
    found = section(tmp_path, regression={"rmse": 0.75, "r2": None, "spearman": 0.625})
    for shown in ("root mean square error", "0.750", "Spearman", "0.625"):
        assert shown in found


def test_report_classifier_ngrams_are_text(tmp_path: Path) -> None:
    found = section(tmp_path)
    assert "<script>" not in found
    assert "&lt;script&gt;" in found


def test_report_classifier_takes_metrics_that_are_not_there(tmp_path: Path) -> None:
    empty = dict.fromkeys(METRICS)
    found = section(tmp_path, **{key: type(METRICS[key])() for key in empty})
    assert "quality in web" in found


def test_report_without_classifiers_has_no_section(
    make_example: Callable[..., Path],
) -> None:
    page = write_report(make_example({"raw": 0.0})).read_text("utf-8")
    assert 'id="classifiers"' not in page
