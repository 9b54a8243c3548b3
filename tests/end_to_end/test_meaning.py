"""Vectors, clusters and duplicates in meaning in whole runs: on any backend, killed, explained."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.backends import Backend, InlineBackend, RayBackend
from curation.errors import UserError
from pipelines.explain import explain, journey_text
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import run
from tests.classes import model_cache
from tests.corpora import write_jsonl, write_yaml
from tests.end_to_end import test_kill
from tests.topics import TOPICS, topic, topic_rows

FAST = {"embed": {"fast": True, "cache": str(model_cache())}}
CLUSTER = {"cluster": {"k_init": 12, "k": 4, "balance": 1.1, "sample": 500}}


STAGES = [FAST, CLUSTER, {"semantic_dedup": {"min_similarity": 0.98}}]


def recipe(folder: Path, rows: list[dict[str, Any]], stages: list[Any], name: str = "r") -> Path:
    write_jsonl(folder / "docs.jsonl", rows)
    source = {"name": "docs", "format": "jsonl", "path": "docs.jsonl"}
    return write_yaml(
        folder / f"{name}.yaml", {"name": name, "sources": [source], "curate": stages}
    )


def finish(out: Path, file: Path, backend: Backend | None = None) -> dict[str, Any]:
    outcome = run([load_recipe(file)], out, backend or InlineBackend(), silent, "dataset")
    return next(iter(outcome.manifests.values()))


def rows(folder: Path, which: str = "dataset") -> pl.DataFrame:
    return pl.read_parquet(folder / which / "*.parquet").sort("id")


def hashes(manifest: dict[str, Any]) -> list[str]:
    return [s["sha256"] for s in [*manifest["shards"], *manifest["dropped"]["shards"]]]


def test_vectors_reach_later_stages_and_no_dataset(tmp_path: Path) -> None:
    manifest = finish(tmp_path / "out", recipe(tmp_path, topic_rows(12), [FAST, CLUSTER]))
    for which in ("dataset", "dropped"):
        for file in (tmp_path / "out/r" / which).glob("*.parquet"):
            assert "embed.vector" not in pl.read_parquet_schema(file)
    found = rows(tmp_path / "out/r")
    assert found["embed.covered_frac"].to_list() == [1.0] * 48
    assert "embed.vector" not in manifest["annotations"]
    assert manifest["annotations"]["cluster.cluster"] == "string"
    assert found["cluster.cluster"].null_count() == found["cluster.cluster_fine"].null_count() == 0


def test_vectors_are_in_the_dataset_if_they_are_to_be_kept(tmp_path: Path) -> None:
    stages = [{"embed": {**FAST["embed"], "keep": True}}, "exact_dedup"]
    manifest = finish(tmp_path / "out", recipe(tmp_path, topic_rows(2), stages))
    assert manifest["annotations"]["embed.vector"].startswith("fixed_size_list")
    lengths = [sum(v * v for v in vector) for vector in rows(tmp_path / "out/r")["embed.vector"]]
    assert lengths == pytest.approx([1] * 8, abs=1e-3)


def test_clusters_are_the_topics(tmp_path: Path) -> None:
    manifest = finish(tmp_path / "out", recipe(tmp_path, topic_rows(12), [FAST, CLUSTER]))
    found = rows(tmp_path / "out/r")
    pairs = found.select(pl.col("id").str.extract("([a-z]+)"), "cluster.cluster").unique()
    assert len(pairs) == pairs["cluster.cluster"].n_unique() == len(TOPICS)
    report = manifest["stages"][1]["report"]
    assert [one["documents"] for one in report["clusters"]] == [12] * 4
    words = {word for one in report["clusters"] for word in one["keywords"]}
    assert {"court", "galaxy", "goal"} & words
    assert sum(one["bytes"] for one in report["clusters"]) == found["text"].str.len_bytes().sum()


def test_explain_tells_the_cluster_of_a_document(tmp_path: Path) -> None:
    finish(tmp_path / "out", recipe(tmp_path, topic_rows(4), [FAST, CLUSTER]))
    (journey,) = explain(tmp_path / "out", "sky-0")
    assert "cluster c0" in journey_text(journey)


def test_clusters_with_low_means_go_with_their_documents(tmp_path: Path) -> None:
    given = [row for row in topic_rows(12) if row["topic"] != "court"]
    given += [{"id": f"court-{i}", "text": topic("court", i, sentences=2)} for i in range(12)]
    pruning = {"cluster": {**CLUSTER["cluster"], "min_mean": {"text_stats.num_tokens": 40}}}
    manifest = finish(tmp_path / "out", recipe(tmp_path, given, ["text_stats", FAST, pruning]))
    gone = rows(tmp_path / "out/r", "dropped")
    assert set(gone["drop_reason"]) == {"min_mean.text_stats.num_tokens"}
    assert set(gone["drop_threshold"]) == {"40"}
    assert all(id_.startswith("court-") for id_ in gone["id"])
    assert gone["cluster.cluster"].null_count() == len(gone) == 12
    assert gone["cluster.cluster_fine"].null_count() == 0
    report = manifest["stages"][2]["report"]
    assert sum(one["documents"] for one in report["pruned"]) == len(gone)


def test_documents_without_text_are_recorded_and_nothing_is_lost(tmp_path: Path) -> None:
    given = [*topic_rows(4), {"id": "mark", "text": "\u0301"}, {"id": "sign", "text": "\ufffd"}]
    finish(tmp_path / "out", recipe(tmp_path, given, [FAST, CLUSTER]))
    gone = rows(tmp_path / "out/r", "dropped")
    assert gone["id"].to_list() == ["mark", "sign"]
    assert gone["drop_reason"].to_list() == ["no_vector"] * 2
    assert len(rows(tmp_path / "out/r")) == 16


def test_semantic_dedup_keeps_one_of_the_reworded(tmp_path: Path) -> None:
    given = topic_rows(3, sentences=4)
    given += [{"id": f"{r['id']}-copy", "text": r["text"].upper()} for r in given]
    stages = [FAST, {"semantic_dedup": {"keep": "first", "min_similarity": 0.99}}]
    manifest = finish(tmp_path / "out", recipe(tmp_path, given, stages))
    gone = rows(tmp_path / "out/r", "dropped")
    copies = gone.filter(pl.col("id").str.ends_with("-copy"))
    assert len(copies) == 12
    assert (copies["similarity"] >= 0.99).all()
    assert not set(gone["survivor_id"]) & set(gone["id"])
    report = manifest["stages"][1]["report"]
    assert report["duplicates"] == len(gone)
    assert [one["documents"] for one in report["curve"]] == sorted(
        (one["documents"] for one in report["curve"]), reverse=True
    )


def test_vectors_are_reused_under_other_thresholds(tmp_path: Path) -> None:
    """Only what was dropped before it had a vector is embedded; the bytes are a fresh run's."""
    given = [*topic_rows(6), *({"id": f"short-{i}", "text": f"Rain {i}."} for i in range(6))]
    strict = [{"text_stats": {"min_chars": 20}}, FAST, CLUSTER]
    loose = [{"text_stats": {"min_chars": 5}}, FAST, CLUSTER]
    first = finish(tmp_path / "out", recipe(tmp_path, given, strict))
    assert first["dropped"]["rows"] == 6
    again = finish(tmp_path / "out", recipe(tmp_path, given, loose))
    fresh = finish(tmp_path / "fresh", recipe(tmp_path, given, loose))
    assert hashes(again) == hashes(fresh)
    assert again["dropped"]["rows"] == 0


def test_an_unknown_model_is_a_mistake_of_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for model, what in (("nobody/nothing", "neither a folder"), ("folder", "model.safetensors")):
        file = recipe(tmp_path, topic_rows(1), [{"embed": {"model": model}}, CLUSTER])
        with pytest.raises(UserError, match=what):
            finish(tmp_path / "out", file)


def test_clusters_need_vectors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no column 'embed\.vector'"):
        finish(tmp_path / "out", recipe(tmp_path, topic_rows(1), ["cluster"]))
    named = {"cluster": {"vectors": "text_stats.num_tokens"}}
    with pytest.raises(UserError, match="vectors of equal size are needed"):
        finish(tmp_path / "out", recipe(tmp_path, topic_rows(1), ["text_stats", named]))


def test_more_clusters_than_documents_are_recorded(tmp_path: Path) -> None:
    stage = {"cluster": {"k_init": 100, "k": 50, "sample": 100}}
    manifest = finish(tmp_path / "out", recipe(tmp_path, topic_rows(2), [FAST, stage]))
    report = manifest["stages"][1]["report"]
    assert report["k_init"] == {"asked": 100, "made": 8}
    assert report["k"] == {"asked": 50, "made": 8}
    assert len(rows(tmp_path / "out/r")) == 8


def test_all_identical_documents_are_one_cluster_and_one_document(tmp_path: Path) -> None:
    given = [{"id": f"{i:02d}", "text": "The rain fell on the garden."} for i in range(30)]
    stages = [FAST, CLUSTER, "semantic_dedup"]
    manifest = finish(tmp_path / "out", recipe(tmp_path, given, stages))
    assert manifest["stages"][1]["report"]["k"]["made"] == 1
    assert len(rows(tmp_path / "out/r")) == 1
    gone = rows(tmp_path / "out/r", "dropped")
    assert gone["similarity"].to_list() == pytest.approx([1] * 29)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_meaning_gives_the_same_bytes_on_any_backend(tmp_path: Path) -> None:
    file = recipe(tmp_path, topic_rows(3600), STAGES)
    found = []
    backends = (InlineBackend(), RayBackend(2), RayBackend(1, max_memory=1_000_000))
    for number, backend in enumerate(backends):
        found.append(finish(tmp_path / str(number), file, backend))
    assert hashes(found[0]) == hashes(found[1]) == hashes(found[2])
    reports = [[stage.get("report") for stage in one["stages"]] for one in found]
    assert reports[0] == reports[1] == reports[2]
    assert found[0]["dropped"]["rows"] > 100


def finished(out: Path) -> dict[str, tuple[int, int]]:
    """What passes and rounds have finished: name to inode and time."""
    found = {}
    for path in (*out.glob("work/fuse-*/[0-9]*.json"), *out.glob("work/decide-*/*")):
        if path.name.startswith("."):
            continue
        try:
            about = path.stat()
        except FileNotFoundError:  # a stage has ended and tidies up
            continue
        found[str(path.relative_to(out))] = (about.st_ino, about.st_mtime_ns)
    return found


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_killed_runs_reuse_what_was_finished(tmp_path: Path) -> None:
    file, draw = recipe(tmp_path, topic_rows(400), STAGES), random.Random(0)
    test_kill.finish(file, tmp_path / "whole", "--workers", "2")
    out, killed, reused = tmp_path / "killed", 0, 0
    for target in (1, 4, 9, 12):
        process = test_kill.start(file, out, "--workers", "2")
        before = finished(out)
        while process.poll() is None and len(finished(out)) < len(before) + target:
            time.sleep(0.005)
        if process.poll() is None:
            time.sleep(draw.random() / 10)
            test_kill.kill_tree(process)
            killed += 1
        now = finished(out)
        reused = max(reused, sum(now.get(name) == about for name, about in before.items()))
    test_kill.finish(file, out, "--workers", "2")
    assert killed >= 2
    assert reused >= 2
    assert test_kill.hashes(out) == test_kill.hashes(tmp_path / "whole")
    assert not list(out.rglob("*.tmp"))
