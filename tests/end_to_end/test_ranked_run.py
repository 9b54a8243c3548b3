"""Ranking by benchmarks inside a run: kept documents, reuse, kills, workers, and the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from curation.backends import Backend, InlineBackend, RayBackend
from curation.dataset import Dataset
from curation.embedding.embedder import Embedder
from curation.errors import UserError
from curation.files import read_json
from curation.scorers import embedding_options
from pipelines.check import check, plan_text
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import Outcome, run
from tests.classes import SMALL, advert, model_cache
from tests.corpora import prose, write_jsonl, write_yaml

Write = Callable[..., Path]
FILES, OF_EACH = 4, 40  # of each source


@pytest.fixture
def recipe(tmp_path: Path) -> Write:
    """Writes a recipe over two sources, a quarter of which is like the reference `essays`."""
    for start, name in ((0, "web"), (50_000, "mail")):
        write_pool(tmp_path / name, start, FILES, OF_EACH)
    essays = [{"id": f"e{i}", "text": prose(900_000 + i)} for i in range(30)]
    write_jsonl(tmp_path / "essays.jsonl", essays)
    write_jsonl(tmp_path / "items.jsonl", [{"text": prose(7)[:90]}])

    def write(name: str = "betr", **changes: Any) -> Path:
        keys = {
            "name": name,
            "sources": [
                {"name": n, "format": "jsonl", "path": f"{n}/*.jsonl"} for n in ("web", "mail")
            ],
            "references": [{"name": "essays", "format": "jsonl", "path": "essays.jsonl"}],
            "curate": [rank(**changes), {"decontaminate": {"against": ["items.jsonl"]}}],
        }
        return write_yaml(tmp_path / f"{name}.yaml", keys)

    return write


def write_pool(folder: Path, start: int, files: int, of_each: int) -> None:
    for file in range(files):
        first = start + file * of_each
        rows = [
            {"id": f"{i}", "text": prose(i) if i % 4 == 0 else advert(i), "good": i % 4 == 0}
            for i in range(first, first + of_each)
        ]
        write_jsonl(folder / f"{file}.jsonl", rows)


def rank(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "as": "rank",
        "documents": ["web", "mail"],
        "targets": ["essays"],
        "classifier_params": SMALL,
        "fast": True,
        "cache": str(model_cache()),
        "keep_frac": 0.2,
    }
    return {"benchmark_rank": given | changes}


def _run(out: Path, file: Path, backend: Backend | None = None) -> Outcome:
    return run([load_recipe(file)], out, backend or InlineBackend(), silent, "dataset")


def _hashes(out: Path) -> list[str]:
    manifest = Dataset(out / "betr/dataset").manifest
    return [s["sha256"] for s in [*manifest["shards"], *manifest["dropped"]["shards"]]]


def test_run_keeps_what_is_like_the_targets_and_tells_how_it_was_ranked(
    recipe: Write, tmp_path: Path
) -> None:
    file = recipe()
    plan = check(load_recipe(file))
    assert plan.passes[1:3] == [["held_out"], ["rank"]] or plan.passes[1] == ["rank"]
    assert "rank (learns from essays, mail, web)" in plan_text(plan, None)
    assert not plan.alarms
    outcome = _run(tmp_path / "out", file)
    rows = ds.dataset(sorted(map(str, tmp_path.glob("out/betr/dataset/*.parquet")))).to_table()
    assert {json.loads(meta)["good"] for meta in rows["meta"].to_pylist()} == {True}
    stages = [row["stage"] for row in outcome.manifests["betr"]["funnel"]]
    assert stages == ["rank", "rank.keep_frac", "decontaminate"]
    metrics = read_json(tmp_path / "out/betr/classifiers/rank/metrics.json")
    assert metrics["ranking"]["documents"] == 2 * FILES * OF_EACH
    assert metrics["sampled"]["targets[0]"]["documents"] == 30
    assert metrics["auc"]["value"] > 0.9
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert "Ranking by benchmarks" in page
    assert "correlation of score and rank" in page
    again = _run(tmp_path / "out", file)
    assert again.found == {"betr"}


def test_sample_and_examples_are_bounded(recipe: Write, tmp_path: Path) -> None:
    file = recipe(max_documents=120, max_examples=12, positive_frac=0.25)
    _run(tmp_path / "out", file)
    metrics = read_json(tmp_path / "out/betr/classifiers/rank/metrics.json")
    assert metrics["ranking"]["documents"] == 120
    assert metrics["ranking"]["targets"][0]["examples"] == 12


def test_fit_that_was_killed_embeds_only_what_is_missing(
    recipe: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, killed = recipe(), []
    _run(tmp_path / "whole", file)

    def dies(embedder: Embedder, texts: Any) -> Any:
        killed.append(len(texts))
        if len(killed) == 2:
            raise KeyboardInterrupt
        return embedder.embed(texts)

    with monkeypatch.context() as patched:
        patched.setattr(embedding_options, "embed_finite", dies)
        with pytest.raises(KeyboardInterrupt):
            _run(tmp_path / "out", file)
    done = {p: p.stat().st_mtime_ns for p in tmp_path.glob("out/work/fit-*/*-attached.parquet")}
    assert len(done) == 1
    seen: list[int] = []

    def counts(embedder: Embedder, texts: Any) -> Any:
        assert {p: p.stat().st_mtime_ns for p in done} == done
        seen.append(len(texts))
        return embedder.embed(texts)

    monkeypatch.setattr(embedding_options, "embed_finite", counts)
    _run(tmp_path / "out", file)
    assert sum(seen) + killed[0] == 2 * FILES * OF_EACH + 30
    assert _hashes(tmp_path / "out") == _hashes(tmp_path / "whole")
    model, other = (tmp_path / o / "betr/classifiers/rank" for o in ("out", "whole"))
    for name in ("classifier.model", "metrics.json"):
        assert (model / name).read_bytes() == (other / name).read_bytes()
    assert not list(tmp_path.glob("out/work/fit-*/draw-*"))


def test_another_threshold_ranks_nothing_again(recipe: Write, tmp_path: Path) -> None:
    _run(tmp_path / "out", recipe())
    _run(tmp_path / "out", recipe(keep_frac=0.1))
    assert len(list(tmp_path.glob("out/work/fit-*"))) == 1
    _run(tmp_path / "out", recipe(value="mean"))
    assert len(list(tmp_path.glob("out/work/fit-*"))) == 2


def test_where_the_distilled_vectors_are_kept_is_no_part_of_identity(
    recipe: Write, tmp_path: Path
) -> None:
    _run(tmp_path / "out", recipe())
    (cache,) = model_cache().glob("distilled-*.npy")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / cache.name).symlink_to(cache)
    _run(tmp_path / "out", recipe(cache="cache"))
    assert len(list(tmp_path.glob("out/work/fit-*"))) == 1


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_ranking_on_ray_gives_the_same_bytes(recipe: Write, tmp_path: Path) -> None:
    for start, name in ((0, "web"), (50_000, "mail")):
        write_pool(tmp_path / name, start, 3, 1500)
    file = recipe(max_documents=2000)
    _run(tmp_path / "inline", file)
    _run(tmp_path / "ray", file, RayBackend(2))
    assert _hashes(tmp_path / "ray") == _hashes(tmp_path / "inline")
    for name in ("classifier.model", "metrics.json"):
        one, other = (tmp_path / o / "betr/classifiers/rank" / name for o in ("ray", "inline"))
        assert one.read_bytes() == other.read_bytes()


# --- what goes wrong


def test_reference_without_documents_is_refused(recipe: Write, tmp_path: Path) -> None:
    file = recipe()
    (tmp_path / "essays.jsonl").write_text("")
    with pytest.raises(UserError, match=r"'essays' of targets\[0\] holds no document"):
        _run(tmp_path / "out", file)


def test_reference_of_one_document_is_refused(recipe: Write, tmp_path: Path) -> None:
    file = recipe()
    write_jsonl(tmp_path / "essays.jsonl", [{"text": prose(1)}])
    with pytest.raises(UserError, match="'essays' has 1 distinct examples"):
        _run(tmp_path / "out", file)


def test_reference_that_is_not_there_is_named(recipe: Write) -> None:
    with pytest.raises(UserError, match=r"'essay'\. Did you mean 'essays'\?"):
        load_recipe(recipe(targets=["essay"]))
