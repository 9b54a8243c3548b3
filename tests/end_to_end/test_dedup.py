"""Dedup stages in whole runs: an index between dumps, cuts in texts, any backend, explained."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.backends import Backend, InlineBackend, RayBackend
from curation.dataset import Dataset
from curation.errors import UserError
from pipelines.explain import explain, journey_text
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import run
from tests.corpora import prose, write_jsonl, write_yaml

FOOTER = "This page is kept by the volunteers of the valley archive, all rights reserved."
STAGES: list[Any] = [
    "url_dedup",
    "exact_dedup",
    {"line_dedup": {"min_count": 3}},
    "paragraph_dedup",
    {"minhash_dedup": {"keep": "longest"}},
    {"substring_dedup": {"min_bytes": 60}},
]


def dump(seed: int, documents: int = 120) -> list[dict[str, Any]]:
    """Pages with a footer; some are near-duplicates of pages of the same or another dump."""
    draw, rows = random.Random(seed), []
    for i in range(documents):
        words = prose(draw.randrange(80), sentences=20).split(" ")
        if i % 3 == 0:
            words[draw.randrange(len(words))] = f"edited{seed}{i}"
        text = f"{' '.join(words)}\n\n{FOOTER}"
        rows.append({"id": f"{seed}-{i}", "text": text, "url": f"https://a.test/{seed}/{i}"})
    return rows


def recipe(folder: Path, name: str, dumps: list[int], stages: list[Any]) -> Path:
    for seed in dumps:
        write_jsonl(folder / f"dump-{seed}.jsonl", dump(seed))
    sources = [
        {"name": f"dump{seed}", "format": "jsonl", "path": f"dump-{seed}.jsonl"} for seed in dumps
    ]
    return write_yaml(folder / f"{name}.yaml", {"name": name, "sources": sources, "curate": stages})


def finish(out: Path, file: Path, backend: Backend | None = None) -> dict[str, Any]:
    outcome = run([load_recipe(file)], out, backend or InlineBackend(), silent, "dataset")
    return next(iter(outcome.manifests.values()))


def rows(folder: Path, which: str) -> pl.DataFrame:
    return pl.read_parquet(folder / which / "*.parquet")


def test_index_dump_after_dump_equals_both_at_once(tmp_path: Path) -> None:
    stages = [{"minhash_dedup": {"index": "index"}}]
    finish(tmp_path / "out", recipe(tmp_path, "first", [1], stages))
    finish(tmp_path / "out", recipe(tmp_path, "second", [2], stages))
    finish(tmp_path / "out", recipe(tmp_path, "both", [1, 2], ["minhash_dedup"]))
    apart = pl.concat(rows(tmp_path / "out" / name, "dropped") for name in ("first", "second"))
    both = rows(tmp_path / "out/both", "dropped")
    columns = ["id", "survivor_id", "similarity"]
    assert apart.select(columns).sort("id").equals(both.select(columns).sort("id"))
    late = both.filter(pl.col("id").str.starts_with("2-"))
    assert late["survivor_id"].str.starts_with("1-").any()


def test_index_is_not_touched_by_a_second_run_and_comes_back_if_deleted(tmp_path: Path) -> None:
    stages = [{"minhash_dedup": {"index": "index"}}]
    file = recipe(tmp_path, "first", [1], stages)
    finish(tmp_path / "out", file)
    index = tmp_path / "index" / "index.json"
    before = index.read_bytes(), index.stat().st_mtime_ns
    finish(tmp_path / "out", file)
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before
    for path in (tmp_path / "index").rglob("*"):
        if path.is_file():
            path.unlink()
    finish(tmp_path / "out", file)
    assert index.read_bytes() == before[0]
    finish(tmp_path / "out", recipe(tmp_path, "second", [2], stages))
    assert rows(tmp_path / "out/second", "dropped")["survivor_id"].str.starts_with("1-").any()


def test_index_elsewhere_changes_no_fingerprint(tmp_path: Path) -> None:
    found = [
        finish(
            tmp_path / name,
            recipe(tmp_path, "same", [1], [{"minhash_dedup": {"index": f"{name}-index"}}]),
        )["fingerprint"]
        for name in ("a", "b")
    ]
    assert found[0] == found[1]


def test_index_of_other_settings_is_a_mistake_of_the_recipe(tmp_path: Path) -> None:
    finish(tmp_path / "a", recipe(tmp_path, "a", [1], [{"minhash_dedup": {"index": "index"}}]))
    other = {"minhash_dedup": {"index": "index", "preset": "strict"}}
    with pytest.raises(UserError, match="bands 22, not 26"):
        finish(tmp_path / "b", recipe(tmp_path, "b", [2], [other]))


def test_dedup_cuts_are_counted_and_nothing_is_lost(tmp_path: Path) -> None:
    manifest = finish(tmp_path / "out", recipe(tmp_path, "cut", [1], ["line_dedup"]))
    (stage,) = [row for row in manifest["funnel"] if row["stage"] == "line_dedup"]
    kept = rows(tmp_path / "out/cut", "dataset")
    holds = kept["text"].str.contains(FOOTER, literal=True)
    assert holds.to_list() == [True] + [False] * (len(kept) - 1)  # the first copy stays
    removed = sum(len(row["text"]) for row in dump(1)) - kept["text"].str.len_chars().sum()
    assert stage["removed_chars"] == removed > 119 * len(FOOTER)
    top = manifest["stages"][0]["report"]["top"][0]
    assert top["text"] == FOOTER
    assert top["documents"] == 120


def test_dedup_explained(tmp_path: Path) -> None:
    finish(tmp_path / "out", recipe(tmp_path, "near", [1], ["minhash_dedup"]))
    gone = (
        rows(tmp_path / "out/near", "dropped").filter(pl.col("similarity") < 1).row(0, named=True)
    )
    (journey,) = explain(tmp_path / "out", gone["id"])
    told = journey_text(journey)
    assert f"duplicate of {gone['survivor_id']} (kept), similarity {gone['similarity']:.3f}" in told
    assert "edited1" in told
    (other,) = explain(tmp_path / "out", gone["survivor_id"])
    assert gone["id"] in other.duplicates


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_dedup_stages_give_the_same_bytes_on_any_backend(tmp_path: Path) -> None:
    file = recipe(tmp_path, "all", list(range(24)), STAGES)
    found = []
    backends = (InlineBackend(), RayBackend(2), RayBackend(1, max_memory=16_000_000))
    for number, backend in enumerate(backends):
        manifest = finish(tmp_path / str(number), file, backend)
        found.append([s["sha256"] for s in [*manifest["shards"], *manifest["dropped"]["shards"]]])
    assert found[0] == found[1] == found[2]
    dropped = rows(tmp_path / "0/all", "dropped")
    assert dropped.group_by("drop_stage").len().height >= 2
    assert len(Dataset(tmp_path / "0/all/dataset").shards) == 1
