"""Classifiers trained inside a run: from samples to drops, again, elsewhere, and when it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
import pytest

from curation.backends import Backend, InlineBackend, RayBackend
from curation.dataset import Dataset
from curation.errors import UserError
from curation.files import read_json
from curation.plan import segments
from curation.process import PlannedStage
from curation.scorers.fasttext_score import FastTextScore
from pipelines.check import check, plan_text
from pipelines.explain import explain
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import Outcome, run
from tests.classes import SMALL, advert, fasttext_model
from tests.corpora import prose, write_jsonl, write_yaml

Write = Callable[..., Path]
Rows = list[dict[str, Any]]


def crawl(start: int, count: int, source: str) -> Rows:
    """Documents of which every third is prose, the others adverts; `score` says which."""
    rows = []
    for i in range(start, start + count):
        good = i % 3 == 0
        text = prose(10_000 + i) if good else f"{advert(10_000 + i)} {prose(i, 1 + i % 4)}"
        rows.append({"id": f"{source}-{i}", "text": text, "score": 5 if good else i % 5})
    return rows


@pytest.fixture
def recipe(tmp_path: Path) -> Write:
    """Writes a recipe over two sources and two references, with a quality classifier."""
    for name, start in (("web", 0), ("mail", 1000)):
        for file in range(3):
            rows = crawl(start + file * 60, 60, name)
            rows[7]["text"] = "too short"
            write_jsonl(tmp_path / name / f"{file}.jsonl", rows)
    essays = [{"id": f"e{i}", "text": prose(i), "date": f"{2000 + i % 25}"} for i in range(60)]
    write_jsonl(tmp_path / "essays.jsonl", essays)
    write_jsonl(tmp_path / "shops.jsonl", [{"id": f"s{i}", "text": advert(i)} for i in range(60)])

    def write(*stages: Any, name: str = "curated", **changes: Any) -> Path:
        keys: dict[str, Any] = {
            "name": name,
            "sources": [
                {"name": n, "format": "jsonl", "path": f"{n}/*.jsonl"} for n in ("web", "mail")
            ],
            "references": [
                {"name": n, "format": "jsonl", "path": f"{n}.jsonl"} for n in ("essays", "shops")
            ],
            "curate": list(stages) or [LENGTH, quality(keep_frac=0.3)],
        }
        return write_yaml(tmp_path / f"{name}.yaml", keys | changes)

    return write


LENGTH = {"gopher_quality": {"min_words": 20, "min_stop_words": None}}


def quality(**changes: Any) -> dict[str, Any]:
    given = {"as": "quality", "positives": ["essays"], "negatives": ["web", "mail"], **SMALL}
    return {"fasttext_score": given | changes}


def _run(out: Path, file: Path, backend: Backend | None = None) -> Outcome:
    return run([load_recipe(file)], out, backend or InlineBackend(), silent, "dataset")


def _rows(folder: Path) -> Rows:
    files = sorted(str(path) for path in folder.glob("*.parquet"))
    return ds.dataset(files).to_table().to_pylist() if files else []


def _hashes(out: Path) -> list[str]:
    manifest = Dataset(out / "curated" / "dataset").manifest
    return [s["sha256"] for s in [*manifest["shards"], *manifest["dropped"]["shards"]]]


def _metrics(out: Path, label: str = "quality") -> dict[str, Any]:
    found: dict[str, Any] = read_json(out / "curated" / "classifiers" / label / "metrics.json")
    return found


def _steps(out: Path, kind: str) -> set[str]:
    return {path.parent.name for path in out.glob(f"work/{kind}-*/manifest.json")}


def test_classifier_keeps_what_is_like_the_positives(recipe: Write, tmp_path: Path) -> None:
    outcome = _run(tmp_path / "out", recipe())
    kept, dropped = (_rows(tmp_path / "out/curated" / n) for n in ("dataset", "dropped"))
    assert {json.loads(row["meta"])["score"] for row in kept} == {5}
    assert len(kept) + len(dropped) == 360
    assert {row["source"] for row in kept + dropped} == {"web", "mail"}
    stages = [row["stage"] for row in outcome.manifests["curated"]["funnel"]]
    assert stages == ["gopher_quality", "quality", "quality.keep_frac"]


def test_classifier_keep_frac_is_exact_over_the_whole_dataset(
    recipe: Write, tmp_path: Path
) -> None:
    _run(tmp_path / "out", recipe())
    kept, dropped = (_rows(tmp_path / "out/curated" / n) for n in ("dataset", "dropped"))
    reached = kept + [row for row in dropped if row["drop_stage"] == "quality.keep_frac"]
    ranked = sorted(reached, key=lambda row: (-row["quality.score"], row["id"]))
    used = np.cumsum([row["quality.num_tokens"] for row in ranked])
    count = int((used <= used[-1] * 3 // 10).sum())
    assert 0 < count < len(ranked)
    assert {row["id"] for row in kept} == {row["id"] for row in ranked[:count]}
    gone = [row for row in dropped if row["drop_stage"] == "quality.keep_frac"]
    assert {row["drop_reason"] for row in gone} == {"keep_frac"}
    assert {float(row["drop_threshold"]) for row in gone} == {ranked[count - 1]["quality.score"]}
    assert all(float(row["drop_value"]) == row["quality.score"] for row in gone)


def test_classifier_keep_frac_by_source_keeps_that_share_of_each(
    recipe: Write, tmp_path: Path
) -> None:
    outcome = _run(tmp_path / "out", recipe(quality(keep_frac=0.25, keep_by="source")))
    for name in ("web", "mail"):
        mine = [r for n in ("dataset", "dropped") for r in _rows(tmp_path / "out/curated" / n)]
        mine = [row for row in mine if row["source"] == name]
        kept = sum(r["quality.num_tokens"] for r in mine if not r.get("drop_stage"))
        total = sum(r["quality.num_tokens"] for r in mine)
        assert 0.23 < kept / total <= 0.25
    cuts = outcome.manifests["curated"]["stages"][-1]["report"]["cuts"]
    assert set(cuts) == {"web", "mail"}


@pytest.mark.parametrize("by", ["all", "source"])
def test_classifier_keep_frac_does_not_depend_on_the_memory_of_a_partition(
    recipe: Write, tmp_path: Path, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = recipe(quality(keep_frac=0.4, keep_by=by))
    _run(tmp_path / "out", file)
    monkeypatch.setattr("curation.keyed.EXPANSION", 1_000_000)
    _run(tmp_path / "parts", file)
    assert len(list(tmp_path.glob("parts/work/decide-*/decisions-*"))) >= 5
    assert _hashes(tmp_path / "parts") == _hashes(tmp_path / "out")


def test_classifier_is_an_artifact_with_metrics_and_lineage(recipe: Write, tmp_path: Path) -> None:
    part = {
        "from": "web",
        "where": {"meta.score": {"max": 3}, "gopher_quality.num_words": {"min": 30}},
    }
    dated = {"from": "essays", "where": {"date": {"min": "2010"}}}
    file = recipe(LENGTH, quality(positives=[dated], negatives=["shops", part]))
    outcome = _run(tmp_path / "out", file)
    metrics = _metrics(tmp_path / "out")
    assert metrics["auc"]["value"] > 0.9
    [positives, shops, web] = metrics["lineage"]["parts"]
    assert positives["documents"] == 30
    assert shops["documents"] == 60
    assert web["where"] == {
        "gopher_quality.num_words": {"min": 30, "max": None, "in": None},
        "meta.score": {"min": None, "max": 3, "in": None},
    }
    low = [r for r in _rows(tmp_path / "out/curated/dataset") if r["source"] == "web"]
    assert web["documents"] == sum(json.loads(row["meta"])["score"] <= 3 for row in low)
    assert metrics["documents"]["negatives"]["sampled"] == 60 + web["documents"]
    assert metrics["lineage"]["made"]["fasttext"]
    [entry] = outcome.manifests["curated"]["classifiers"]
    assert entry["folder"] == "classifiers/quality"
    assert entry["auc"] == metrics["auc"]
    assert not list(tmp_path.glob("out/work/fit-*/draw-*"))
    references = outcome.manifests["curated"]["references"]
    assert [one["name"] for one in references] == ["essays", "shops"]
    assert (tmp_path / "out/report.html").read_text("utf-8").count("<caption>Most telling") == 2


def test_classifier_samples_only_what_reaches_it(recipe: Write, tmp_path: Path) -> None:
    """The short texts are gone before, and so is a source's half after an earlier threshold."""
    _run(tmp_path / "out", recipe(LENGTH, quality()))
    parts = _metrics(tmp_path / "out")["lineage"]["parts"]
    assert {part["from"]: part["documents"] for part in parts} == {
        "essays": 60, "web": 177, "mail": 177
    }  # fmt: skip


def test_classifier_takes_at_most_so_many_documents_and_characters(
    recipe: Write, tmp_path: Path
) -> None:
    _run(tmp_path / "out", recipe(quality(max_documents=40, max_chars=100)))
    metrics = _metrics(tmp_path / "out")
    for role in ("positives", "negatives"):
        assert metrics["documents"][role]["sampled"] == 40
        assert metrics["sampled"][role]["bytes"] <= 40 * 100


def test_classifier_second_run_makes_nothing(recipe: Write, tmp_path: Path) -> None:
    file = recipe()
    first = _run(tmp_path / "out", file)
    files = [p for end in ("json", "bin", "parquet") for p in tmp_path.glob(f"out/**/*.{end}")]
    times = {p: p.stat().st_mtime_ns for p in files}
    assert any(p.name == "model.bin" for p in times)
    again = _run(tmp_path / "out", file)
    assert {p: p.stat().st_mtime_ns for p in times} == times
    assert again.manifests == first.manifests
    assert again.found == {"curated"}


@pytest.mark.parametrize("changes", [{"min_score": 0.3}, {"max_score": 0.9}, {"keep_frac": 0.5}])
def test_classifier_changed_threshold_decides_again_without_training(
    recipe: Write, tmp_path: Path, changes: dict[str, Any]
) -> None:
    _run(tmp_path / "out", recipe(quality()))
    fits = _steps(tmp_path / "out", "fit")
    times = {p: p.stat().st_mtime_ns for p in tmp_path.glob("out/work/fit-*/*")}
    _run(tmp_path / "out", recipe(quality(**changes)))
    assert _steps(tmp_path / "out", "fit") == fits
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("out/work/fit-*/*")} == times
    _run(tmp_path / "fresh", recipe(quality(**changes)))
    assert _hashes(tmp_path / "out") == _hashes(tmp_path / "fresh")


@pytest.mark.parametrize("changes", [{"epoch": 24}, {"positives": ["essays", "shops"]}])
def test_classifier_changed_training_trains_again(
    recipe: Write, tmp_path: Path, changes: dict[str, Any]
) -> None:
    _run(tmp_path / "out", recipe(quality()))
    _run(tmp_path / "out", recipe(quality(**changes)))
    assert len(_steps(tmp_path / "out", "fit")) == 2


def test_classifier_stage_before_it_changes_what_it_learns(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe(LENGTH, quality()))
    _run(tmp_path / "out", recipe(quality()))
    assert len(_steps(tmp_path / "out", "fit")) == 2


def test_classifier_of_references_alone_shares_the_pass_before_it(
    recipe: Write, tmp_path: Path
) -> None:
    file = recipe(LENGTH, quality(negatives=["shops"]), "exact_dedup")
    assert check(load_recipe(file)).passes == [
        ["read"], ["held_out", "gopher_quality", "quality"], ["exact_dedup"]
    ]  # fmt: skip
    _run(tmp_path / "out", file)
    changed = recipe({"gopher_quality": {"min_words": 30}}, quality(negatives=["shops"]))
    _run(tmp_path / "out", changed)
    assert len(_steps(tmp_path / "out", "fit")) == 1


def test_classifier_artifact_that_is_lost_is_put_back(recipe: Write, tmp_path: Path) -> None:
    file = recipe()
    _run(tmp_path / "out", file)
    model = tmp_path / "out/curated/classifiers/quality/model.bin"
    content = model.read_bytes()
    model.unlink()
    _run(tmp_path / "out", file)
    assert model.read_bytes() == content


def test_classifier_fit_that_was_killed_is_made_again(recipe: Write, tmp_path: Path) -> None:
    file = recipe()
    _run(tmp_path / "out", file)
    [fit] = tmp_path.glob("out/work/fit-*")
    model = (fit / "model.bin").read_bytes()
    (fit / "manifest.json").unlink()
    (fit / "model.bin").write_bytes(model[:1000])
    for name in ("draw-000-000000.parquet", "draw-009-000000.parquet"):
        (fit / name).write_bytes(b"half a file")
    _run(tmp_path / "out", file)
    assert (fit / "model.bin").read_bytes() == model
    assert sorted(p.name for p in fit.iterdir()) == ["manifest.json", "metrics.json", "model.bin"]


def test_classifier_trained_in_one_run_serves_another(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe(quality()))
    scores = {r["id"]: r["quality.score"] for r in _rows(tmp_path / "out/curated/dataset")}
    given = {"as": "quality", "model": "out/curated/classifiers/quality/model.bin"}
    _run(tmp_path / "again", recipe({"fasttext_score": given}))
    rows = _rows(tmp_path / "again/curated/dataset")
    assert {row["id"]: row["quality.score"] for row in rows} == scores
    assert _steps(tmp_path / "again", "fit") == set()


def test_classifier_run_in_another_folder_gives_the_same_bytes(
    recipe: Write, tmp_path: Path
) -> None:
    file = recipe()
    for out in ("a", "b"):
        _run(tmp_path / out / "c", file)
    assert _hashes(tmp_path / "a/c") == _hashes(tmp_path / "b/c")
    texts = [
        (tmp_path / o / "c/curated/classifiers/quality/metrics.json").read_text() for o in "ab"
    ]
    assert texts[0] == texts[1]
    assert str(tmp_path) not in texts[0]


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_classifier_on_ray_gives_the_same_bytes(recipe: Write, tmp_path: Path) -> None:
    for name, start in (("web", 0), ("mail", 100_000)):
        for file in range(3):
            rows = crawl(start + file * 1500, 1500, name)
            write_jsonl(tmp_path / name / f"{file}.jsonl", rows)
    both = [quality(keep_frac=0.3), linear(negatives=["web"], max_documents=200)]
    file = recipe(LENGTH, *both)
    _run(tmp_path / "inline", file)
    _run(tmp_path / "ray", file, RayBackend(2))
    assert _hashes(tmp_path / "ray") == _hashes(tmp_path / "inline")
    for path in (tmp_path / "inline/curated/classifiers").rglob("*.*"):
        other = tmp_path / "ray" / path.relative_to(tmp_path / "inline")
        assert other.read_bytes() == path.read_bytes()


def linear(**changes: Any) -> dict[str, Any]:
    given = {"as": "linear", "positives": ["essays"], "negatives": ["mail"], "n_features": 4096}
    return {"linear_score": given | changes}


def test_linear_classifier_has_the_same_interface(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe(linear(negatives=["shops"], keep_frac=0.2)))
    assert _metrics(tmp_path / "out", "linear")["auc"]["value"] > 0.9
    kept = _rows(tmp_path / "out/curated/dataset")
    assert {json.loads(row["meta"])["score"] for row in kept} == {5}
    assert (tmp_path / "out/curated/classifiers/linear/model.npz").exists()


def test_explain_shows_the_score_and_where_it_was_cut(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe())
    cut = Dataset(tmp_path / "out/curated/dataset").manifest["stages"][-1]["report"]["cuts"]["all"]
    kept = _rows(tmp_path / "out/curated/dataset")[0]
    gone = next(
        row
        for row in _rows(tmp_path / "out/curated/dropped")
        if row["drop_stage"] == "quality.keep_frac"
    )
    for row, verdict in ((kept, "keep"), (gone, "drop")):
        last = explain(tmp_path / "out", row["id"])[0].verdicts[-1]
        assert (last.stage, last.verdict) == ("quality.keep_frac", verdict)
        assert last.value == f"{row['quality.score']:.4g}"
        assert last.threshold == f">= {float(cut):.4g}"


def test_check_shows_what_a_stage_learns_from(recipe: Write) -> None:
    plan = check(load_recipe(recipe()))
    assert plan.passes == [
        ["read"], ["held_out", "gopher_quality"], ["quality"], ["quality.keep_frac"]
    ]  # fmt: skip
    assert "quality (learns from essays, mail, web)" in plan_text(plan, None)


def test_classifier_that_learned_nothing_raises_an_alarm(recipe: Write, tmp_path: Path) -> None:
    """Parts of one kind of text: there is nothing to learn."""
    write_jsonl(tmp_path / "shops.jsonl", [{"text": prose(900 + i)} for i in range(60)])
    outcome = _run(tmp_path / "out", recipe(quality(negatives=["shops"])))
    [alarm] = outcome.manifests["curated"]["alarms"]
    assert alarm["kind"] == "learned_nothing"
    assert alarm["stage"] == "quality"


# --- what goes wrong


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (quality(positives=["essay"]), "no source or reference 'essay'. Did you mean 'essays'?"),
        (quality(positives=[]), "needs either 'model', or"),
        (quality(negatives=["essays"]), "nothing tells them apart"),
        (quality(model="x.bin"), "needs either 'model', or"),
        (
            quality(negatives=[{"from": "web", "where": {"gopher_quality.n_words": {"min": 1}}}]),
            "there is no column 'gopher_quality.n_words'",
        ),
        (
            quality(
                positives=[{"from": "essays", "where": {"gopher_quality.num_words": {"min": 1}}}]
            ),
            "there is no column 'gopher_quality.num_words'",
        ),
        (quality(negatives=[{"from": "web", "where": {"date": {"min": 3}}}]), "does not compare"),
        ({"keep_top": {"column": "quality.score", "keep_frac": 0.1}}, "no column 'quality.score'"),
        ({"keep_top": {"column": "url", "keep_frac": 0.1}}, "needs a number"),
        ({"keep_top": {"column": "quality.score"}}, "needs 'keep_frac'"),
    ],
)
def test_check_names_what_a_trained_stage_lacks(
    recipe: Write, stage: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said.replace("?", r"\?")) as error:
        load_recipe(recipe(LENGTH, stage))
    assert "curated.yaml: curate" in str(error.value)


def test_plan_refuses_a_stage_whose_keep_frac_nobody_has_expanded() -> None:
    stage = FastTextScore(model=fasttext_model(), keep_frac=0.1)
    with pytest.raises(ValueError, match="is short for several stages"):
        segments([PlannedStage("quality", stage)], [])


def test_check_refuses_a_file_that_is_no_model(recipe: Write, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"junk" * 1000)
    with pytest.raises(UserError, match="is not a fastText model"):
        load_recipe(recipe({"fasttext_score": {"model": "model.bin"}}))
    with pytest.raises(UserError, match="cannot be read: No such file"):
        load_recipe(recipe({"fasttext_score": {"model": "none.bin"}}))
    (tmp_path / "model.bin").write_bytes(fasttext_model().read_bytes()[:-50])
    with pytest.raises(UserError, match="damaged or cut short"):
        load_recipe(recipe({"fasttext_score": {"model": "model.bin"}}))


def test_check_wants_an_extractor_for_a_reference_that_is_html(
    recipe: Write, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    for i in range(30):
        page = f"<html><body><article><p>{prose(i)}</p></article></body></html>"
        (tmp_path / "pages" / f"{i}.html").write_text(page)
    references = [{"name": "pages", "format": "html", "path": "pages"}]
    stage = quality(positives=["pages"], negatives=["mail"])
    with pytest.raises(UserError, match="source 'pages' holds HTML"):
        load_recipe(recipe(stage, references=references))
    _run(tmp_path / "out", recipe("html_text", stage, references=references))
    assert _metrics(tmp_path / "out")["documents"]["positives"]["distinct"] == 30


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], r"part 'essays' of positives holds no document\n  0 documents"),
        ([{"text": prose(i)} for i in range(19)], "positives hold 19 distinct documents"),
        ([{"text": prose(1)} for i in range(99)], "1 distinct documents: 99 were drawn"),
        ([{"text": advert(i)} for i in range(60)], "60 texts stand on both sides"),
    ],
)
def test_degenerate_references_stop_the_run_and_nothing_is_lost(
    recipe: Write, tmp_path: Path, rows: Rows, said: str
) -> None:
    essays = (tmp_path / "essays.jsonl").read_bytes()
    write_jsonl(tmp_path / "essays.jsonl", rows)
    file = recipe(LENGTH, quality(negatives=["shops"]))
    with pytest.raises(UserError, match=said) as error:
        _run(tmp_path / "out", file)
    assert "stage 'quality'" in str(error.value)
    reads = _steps(tmp_path / "out", "read")
    assert len(reads) == 4
    (tmp_path / "essays.jsonl").write_bytes(essays)
    _run(tmp_path / "out", file)
    assert reads < _steps(tmp_path / "out", "read")
    assert len(_rows(tmp_path / "out/curated/dataset")) == 354


def test_part_whose_conditions_nothing_meets_is_named(recipe: Write, tmp_path: Path) -> None:
    part = {"from": "web", "where": {"meta.score": {"min": 6}}}
    with pytest.raises(UserError, match="none meets the conditions") as error:
        _run(tmp_path / "out", recipe(quality(negatives=[part])))
    assert '"meta.score"' in str(error.value)
    assert "180 documents of 'web' reach this stage" in str(error.value)
