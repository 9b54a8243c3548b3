"""A judge's suites: named, made and read; scored once; in the scorecard, the list and the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.backends import InlineBackend
from curation.errors import UserError
from eval.readers.read import SuiteFile
from eval.scorecard import read_suite_items
from pipelines.catalogue import catalogue
from pipelines.judge import load_judge
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import Outcome, run
from pipelines.suites import check_suites, suite_identity, suite_name
from tests.corpora import write_jsonl

ROWS = [
    {"query": "the river", "choices": ["was cold", "were cold"], "gold": 0},
    {"query": "the stones", "choices": ["was cold", "were cold"], "gold": 1},
]


def with_suites(judge: Path, suites: list[Any], **changes: Any) -> Path:
    value = yaml.safe_load(judge.read_text()) | {"suites": suites} | changes
    judge.write_text(yaml.safe_dump(value, sort_keys=False))
    return judge


def score(out: Path, recipe: Path) -> Outcome:
    return run([load_recipe(recipe)], out, InlineBackend(), silent, "eval")


def test_suites_are_listed_with_their_source_and_chance() -> None:
    entries = {entry["name"]: entry["about"] for entry in catalogue("suites")}
    assert set(entries) == {"minimal_pairs", "copy_recall", "last_word", "cloze"}
    assert "minimal_pair suite, version 1" in entries["minimal_pairs"]
    assert "chance 0.5" in entries["minimal_pairs"]
    assert "the judge's panels" in entries["cloze"]


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("minimal_pairs", "minimal_pairs"),
        ("last_word", "last_word"),
        ("tests/ARC Easy.jsonl.zst", "arc_easy"),
        (SuiteFile(path="a/b.jsonl"), "b"),
        (SuiteFile(path="a/b.jsonl", name="mine"), "mine"),
    ],
)
def test_name_of_an_entry(entry: str | SuiteFile, name: str) -> None:
    assert suite_name(entry) == name


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"suites": ["minimal_pair"]}, "Did you mean 'minimal_pairs'"),
        ({"suites": ["cloze", "cloze"]}, "must have different names"),
        ({"suites": [{"path": "x.jsonl", "format": "blim"}]}, "Did you mean 'blimp'"),
        ({"suites": [{"file": "x.jsonl"}]}, "no parameter 'file'"),
        ({"suites": ["cloze"], "primary": "suites.last_word.accuracy"}, "suites.cloze.<metric>"),
        ({"primary": "suites.cloze.accuracy"}, "must be one of panels.mean_bpb"),
    ],
)
def test_wrong_suites_of_a_judge(judge: Path, changes: dict[str, Any], what: str) -> None:
    with pytest.raises(UserError) as caught:
        load_judge(with_suites(judge, changes.pop("suites", []), **changes))
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "primary"),
    [
        ("minimal_pairs", "suites.minimal_pairs.log_odds"),
        ("minimal_pairs", "suites.minimal_pairs.accuracy.npi_any"),
        ("cloze", "suites.cloze.choice_probability"),
        ("last_word", "suites.last_word.gold_bpb"),
        ("rivers.jsonl", "suites.rivers.accuracy_pmi"),
    ],
)
def test_primary_may_be_any_metric_of_a_suite(tmp_path: Path, entry: str, primary: str) -> None:
    write_jsonl(tmp_path / "rivers.jsonl", ROWS)
    check_suites([entry], primary, tmp_path / "judge.yaml")
    with pytest.raises(UserError, match=f"Did you mean '{primary}'"):
        check_suites([entry], primary + "s", tmp_path / "judge.yaml")


def test_check_reads_suite_files_beside_the_judge(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "bad.jsonl", [*ROWS, {"query": "the lake", "choices": ["is"]}])
    with pytest.raises(UserError, match=r"bad\.jsonl:3"):
        check_suites(["bad.jsonl"], "panels.mean_bpb", tmp_path / "judge.yaml")
    with pytest.raises(UserError, match="no such suite file"):
        check_suites(["none.jsonl"], "panels.mean_bpb", tmp_path / "judge.yaml")


def test_identity_follows_content_and_name(tmp_path: Path) -> None:
    file = tmp_path / "judge.yaml"
    write_jsonl(tmp_path / "rivers.jsonl", ROWS)
    before = suite_identity(["rivers.jsonl", "cloze"], file)
    assert before["cloze"] == ["made", 1]
    assert before == suite_identity([SuiteFile(path="rivers.jsonl"), "cloze"], file)
    write_jsonl(tmp_path / "rivers.jsonl", ROWS[:1])
    assert suite_identity(["rivers.jsonl", "cloze"], file)["rivers"] != before["rivers"]


def test_run_scores_suites_once_and_shows_them(
    recipe: Callable[..., Path], judge: Path, corpus: Path
) -> None:
    write_jsonl(corpus / "rivers.jsonl", ROWS)
    entries = ["copy_recall", "cloze", "rivers.jsonl"]
    with_suites(judge, entries, primary="suites.copy_recall.choice_probability")
    out = corpus / "out"
    (card,) = score(out, recipe(judge="judge.yaml")).scorecards
    assert card.primary == "suites.copy_recall.choice_probability"
    metric = card.metrics[card.primary]
    assert (metric.n, metric.higher_is_better, len(metric.per_seed)) == (300, True, 3)
    assert 0 < metric.mean < 1
    assert metric.stderr is not None
    assert {f"suites.{n}.gold_bpb" for n in ("copy_recall", "cloze", "rivers")} <= set(card.metrics)
    items = read_suite_items(out / "curated")
    assert items[1]["copy_recall"]["gold_bpb"].mean == pytest.approx(
        card.metrics["suites.copy_recall.gold_bpb"].per_seed[1]
    )
    _check_reuse(out, recipe)
    page = (out / "report.html").read_text("utf-8")
    assert "copy_recall, mean ± sd over seeds (standard error over items)" in page
    assert "copy_recall, accuracy by phenomenon" in page
    assert "associative recall" in page


def _check_reuse(out: Path, recipe: Callable[..., Path]) -> None:
    files = [*out.glob("judge/suites/*"), *out.glob("curated/runs/*/scores.npz")]
    assert len([path for path in files if path.suffix == ".npz"]) == 3 + 3
    times = {path: path.stat().st_mtime_ns for path in files}
    score(out, recipe(judge="judge.yaml"))
    assert {path: path.stat().st_mtime_ns for path in files} == times
