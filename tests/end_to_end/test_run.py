"""The whole road on a tiny corpus: run, run again, change a threshold, explain, compare."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from curation.backends import InlineBackend
from curation.dataset import Dataset
from curation.errors import RunError
from curation.files import exclusive, read_json
from pipelines.explain import explain
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import Outcome, run

Write = Callable[..., Path]


def _run(out: Path, *files: Path, until: Any = "dataset") -> Outcome:
    return run([load_recipe(file) for file in files], out, InlineBackend(), silent, until)


def _rows(folder: Path) -> list[dict[str, Any]]:
    files = sorted(str(path) for path in folder.glob("*.parquet"))
    return ds.dataset(files).to_table().to_pylist() if files else []


def _hashes(out: Path, name: str = "curated") -> list[str]:
    manifest = Dataset(out / name / "dataset").manifest
    return [s["sha256"] for s in [*manifest["shards"], *manifest["dropped"]["shards"]]]


def test_run_every_document_ends_once_with_its_reason(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe())
    kept = _rows(tmp_path / "out/curated/dataset")
    dropped = _rows(tmp_path / "out/curated/dropped")
    ids = [row["id"] for row in (*kept, *dropped)]
    assert sorted(ids) == sorted(f"d{f}-{i}" for f in range(6) for i in range(20))
    reasons = {row["id"]: (row["drop_stage"], row["drop_reason"]) for row in dropped}
    assert reasons["d2-3"] == ("gopher_quality", "min_words")
    assert reasons["d2-4"][0] == "gopher_repetition"
    assert reasons["d2-5"] == ("exact_dedup", "duplicate")
    assert {row["survivor_id"] for row in dropped if row["id"] == "d2-5"} == {"d1-6"}
    assert len(dropped) == 17  # 6 short, 6 repetitive, 5 copies


def test_run_twice_makes_nothing(recipe: Write, judge: Path, tmp_path: Path) -> None:
    first = _run(tmp_path / "out", recipe(judge="judge.yaml"), until="eval")
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.parquet")}
    again = _run(tmp_path / "out", recipe(judge="judge.yaml"), until="eval")
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.parquet")} == times
    assert again.scorecards == first.scorecards
    assert again.manifests == first.manifests


def test_run_with_a_changed_last_threshold_reruns_what_follows(
    recipe: Write, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    _run(out, recipe())
    before = {p.parent.name for p in out.glob("work/*/manifest.json")}
    stages = ["gopher_repetition", {"gopher_quality": {"min_words": 168}}, "exact_dedup"]
    changed = _run(out, recipe(curate=stages))
    new = sorted({p.parent.name for p in out.glob("work/*/manifest.json")} - before)
    # The pass of the changed filter, the decision of the dedup after it, and what it drops.
    assert [name.split("-")[0] for name in new] == ["decide", "fuse", "fuse"]
    fresh = _run(tmp_path / "fresh", recipe(curate=stages))
    assert _hashes(out) == _hashes(tmp_path / "fresh")
    assert changed.manifests["curated"]["funnel"][1]["reasons"]["min_words"] > 6
    assert [r["reasons"] for r in fresh.manifests["curated"]["funnel"]] == [
        r["reasons"] for r in changed.manifests["curated"]["funnel"]
    ]


@pytest.mark.parametrize(
    "stages",
    [
        [{"gopher_repetition": {"max_dup_line_frac": 0.99}}, "gopher_quality", "exact_dedup"],
        ["gopher_repetition", {"gopher_quality": {"min_words": None}}, "exact_dedup"],
        [{"gopher_repetition": {"max_dup_5_gram_char_frac": 0.0}}, "gopher_quality", "exact_dedup"],
    ],
)
def test_run_decided_again_equals_a_fresh_run(
    recipe: Write, tmp_path: Path, stages: list[Any]
) -> None:
    _run(tmp_path / "out", recipe())
    _run(tmp_path / "out", recipe(curate=stages))
    _run(tmp_path / "fresh", recipe(curate=stages))
    assert _hashes(tmp_path / "out") == _hashes(tmp_path / "fresh")


def test_run_with_added_source_reads_only_that(recipe: Write, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _run(out, recipe())
    reads = {p.name for p in out.glob("work/read-*")}
    sources = [
        {"name": "docs", "format": "jsonl", "path": "docs/*.jsonl"},
        {"name": "more", "format": "jsonl", "path": "docs/00.jsonl"},
    ]
    outcome = _run(out, recipe(sources=sources))
    assert len({p.name for p in out.glob("work/read-*")} - reads) == 1
    rows = _rows(out / "curated/dataset") + _rows(out / "curated/dropped")
    assert len({row["id"] for row in rows}) == len(rows) == 140  # the same ids twice, told apart
    lines = (out / "curated/errors.jsonl").read_text().splitlines()
    errors = [json.loads(line) for line in lines]
    assert [e["kind"] for e in errors] == ["duplicate_id"] * 20
    assert outcome.manifests["curated"]["sources"][1]["documents"] == 20


def test_run_in_another_folder_gives_the_same_bytes(recipe: Write, tmp_path: Path) -> None:
    file = recipe()
    _run(tmp_path / "a", file)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "docs").rename(moved / "docs")
    file.rename(moved / "curated.yaml")
    _run(tmp_path / "b", moved / "curated.yaml")
    assert _hashes(tmp_path / "a") == _hashes(tmp_path / "b")


def test_run_held_out_groups_are_in_no_dataset(recipe: Write, judge: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = _run(out, recipe(judge="judge.yaml"))
    panel = pq.read_table(out / "judge/panels/docs.parquet").to_pylist()
    assert panel
    dropped = _rows(out / "curated/dropped")
    held = [row for row in dropped if row["drop_reason"] == "held_out"]
    groups = {row["group"] for row in panel}
    assert {row["url"].split("/")[2] for row in held if row["drop_value"] == "group"} == groups
    kept = _rows(out / "curated/dataset")
    assert not groups & {row["url"].split("/")[2] for row in kept}
    texts = {row["text"] for row in panel}
    assert not texts & {row["text"] for row in kept}  # copies of panel documents went too
    assert outcome.manifests["curated"]["funnel"][0]["stage"] == "held_out"


def test_run_without_dropped_text_keeps_none_anywhere(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe(dropped_text="none"))
    dropped = _rows(tmp_path / "out/curated/dropped")
    assert len(dropped) == 17
    assert {row["text"] for row in dropped} == {None}
    for path in (tmp_path / "out/work").rglob("*.dropped.parquet"):
        assert pq.read_table(path)["text"].null_count == pq.read_metadata(path).num_rows


def test_run_two_recipes_end_in_a_comparison(recipe: Write, judge: Path, tmp_path: Path) -> None:
    files = [recipe("raw", curate=[], judge="judge.yaml"), recipe(judge="judge.yaml")]
    outcome = _run(tmp_path / "out", *files, until="eval")
    comparison = outcome.comparison
    assert comparison is not None
    assert comparison.baseline == "raw"
    assert [r.name for r in comparison.recipes] == ["raw", "curated"]
    pair = next(p for p in comparison.pairs if p.a == "curated")
    assert pair.ci_low is not None
    assert pair.ci_high is not None
    assert pair.ci_low < pair.difference < pair.ci_high
    assert read_json(tmp_path / "out/comparison.json")["seeds"] == [0, 1, 2]
    assert (tmp_path / "out/report.html").stat().st_size > 10_000
    for name in ("raw", "curated"):
        records = [read_json(p) for p in (tmp_path / f"out/{name}/runs").glob("*/run.json")]
        assert sorted(r["seed"] for r in records) == [0, 1, 2]
        assert {r["tokens"] for r in records} == {12_288}


def test_explain_a_kept_a_filtered_and_a_duplicate_document(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe())
    kept = explain(tmp_path / "out", "d1-6")[0]
    assert kept.outcome == "kept"
    assert kept.duplicates == ["d2-5"]
    assert {v.verdict for v in kept.verdicts} == {"keep", "applied"}
    short = explain(tmp_path / "out", "d2-3")[0]
    fired = [v for v in short.verdicts if v.verdict == "drop"]
    assert [(v.stage, v.threshold) for v in fired] == [("gopher_quality", ">= 50")]
    assert 20 < int(fired[0].value or 0) < 50
    assert short.verdicts[-1].verdict == "not reached"
    copy = explain(tmp_path / "out/curated", "d2-5")[0]
    assert "d1-6" in copy.outcome
    assert copy.verdicts[-1].verdict == "drop"


def test_references_never_enter_the_corpus(recipe: Write, tmp_path: Path) -> None:
    references = [{"name": "wiki", "format": "jsonl", "path": "docs/00.jsonl"}]
    sources = [{"name": "docs", "format": "jsonl", "path": "docs/01.jsonl"}]
    _run(tmp_path / "out", recipe(sources=sources, references=references))
    rows = _rows(tmp_path / "out/curated/dataset") + _rows(tmp_path / "out/curated/dropped")
    assert {row["source"] for row in rows} == {"docs"}
    assert len(rows) == 20


def test_run_empty_corpus_ends_with_an_empty_dataset(recipe: Write, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    sources = [{"name": "none", "format": "jsonl", "path": "empty.jsonl"}]
    outcome = _run(tmp_path / "out", recipe(sources=sources))
    assert outcome.manifests["curated"]["shards"] == []
    assert outcome.manifests["curated"]["sources"][0]["documents"] == 0


@pytest.mark.parametrize("which", ["dataset", "dropped"])
def test_run_makes_a_lost_or_cut_shard_again(recipe: Write, tmp_path: Path, which: str) -> None:
    out = tmp_path / "out"
    _run(out, recipe())
    before = _hashes(out)
    shard = out / "curated" / which / "00000.parquet"
    content = shard.read_bytes()
    shard.unlink()
    _run(out, recipe())
    assert shard.read_bytes() == content
    shard.write_bytes(content[:100])
    _run(out, recipe())
    assert shard.read_bytes() == content
    assert _hashes(out) == before


def test_run_refuses_a_folder_where_another_run_works(recipe: Write, tmp_path: Path) -> None:
    file = recipe()
    with exclusive(tmp_path / "out"), pytest.raises(RunError, match="another run"):
        _run(tmp_path / "out", file)
    _run(tmp_path / "out", file)


def test_run_damaged_work_is_named_with_the_way_out(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe())
    victim = next((tmp_path / "out/work").glob("read-*/*.kept.parquet"))
    victim.write_bytes(b"junk")
    for manifest in (tmp_path / "out/work").glob("fuse-*/manifest.json"):
        shutil.rmtree(manifest.parent)
    with pytest.raises(RunError, match="Delete the folder"):
        _run(tmp_path / "out", recipe())
    shutil.rmtree(victim.parent)
    _run(tmp_path / "out", recipe())


def test_run_with_more_seeds_keeps_the_runs_there_are(
    recipe: Write, judge: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    _run(out, recipe(judge="judge.yaml"), until="eval")
    first = (out / "curated/runs/seed-0/run.json").stat().st_mtime_ns
    judge.write_text(judge.read_text().replace("- 2\n", "- 2\n  - 3\n"))
    card = _run(out, recipe(judge="judge.yaml"), until="eval").scorecards[0]
    assert card.seeds == [0, 1, 2, 3]
    assert (out / "curated/runs/seed-0/run.json").stat().st_mtime_ns == first
