"""Recipes whose stages read files: lists beside the recipe, known by what they hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main

Write = Callable[..., Path]

LISTS = [{"url": {"block_domains": "lists/adult.txt", "allow_domains": ["site1-2.example"]}}]


@pytest.fixture
def lists(corpus: Path) -> Path:
    """`lists/adult.txt` beside the corpus blocks two of its sites."""
    folder = corpus / "lists"
    folder.mkdir()
    (folder / "adult.txt").write_text("# adult\nsite0-1.example\nsite1-2.example\n", "utf-8")
    return folder


def run(file: Path, out: Path) -> dict[str, Any]:
    assert main(["run", str(file), "--out", str(out), "--backend", "inline"]) == 0
    manifest = json.loads((out / file.stem / "dataset" / "manifest.json").read_text("utf-8"))
    return dict(manifest)


def reasons(manifest: dict[str, Any], stage: str) -> dict[str, int]:
    row = next(row for row in manifest["funnel"] if row["stage"] == stage)
    return dict(row["reasons"])


def test_recipe_list_is_read_beside_the_recipe_wherever_tilth_runs(
    recipe: Write, lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = recipe("r", curate=LISTS)
    manifest = run(file, tmp_path / "a")
    assert reasons(manifest, "url") == {"max_blocked_domains": 3}  # i % 7 == 1 of 20
    monkeypatch.chdir(lists.parent)
    assert run(Path("r.yaml"), tmp_path / "b")["fingerprint"] == manifest["fingerprint"]


def test_recipe_manifest_shows_the_list_as_given_and_its_hash(
    recipe: Write, lists: Path, tmp_path: Path
) -> None:
    stage = run(recipe("r", curate=LISTS), tmp_path / "out")["stages"][0]
    assert stage["params"]["block_domains"] == "lists/adult.txt"
    assert stage["params"]["allow_domains"] == ["site1-2.example"]
    assert list(stage["files"]) == ["lists/adult.txt"]
    assert len(stage["files"]["lists/adult.txt"]) == 32


def test_recipe_list_that_changed_changes_the_dataset_and_a_copy_does_not(
    recipe: Write, lists: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = run(recipe("r", curate=LISTS), out)
    (lists / "copy.txt").write_bytes((lists / "adult.txt").read_bytes())
    again = run(
        recipe("r", curate=[{"url": {**LISTS[0]["url"], "block_domains": "lists/copy.txt"}}]), out
    )
    assert again["fingerprint"] == first["fingerprint"]
    (lists / "adult.txt").write_text("site3-3.example\nsite3-4.example\n", "utf-8")
    other = run(recipe("r", curate=LISTS), out)
    assert other["fingerprint"] != first["fingerprint"]
    assert reasons(other, "url") == {"max_blocked_domains": 6}


@pytest.mark.parametrize(
    ("params", "parts"),
    [
        (
            {"block_domains": "lists/absent.txt"},
            ["url.block_domains", "absent.txt", "No such file"],
        ),
        ({"block_words": "lists"}, ["url.block_words", "Is a directory"]),
        ({"block_words": "lists/adult.txt"}, ["adult.txt, line 2", "is no word"]),
    ],
)
def test_recipe_list_that_cannot_be_read_is_an_error_of_check(
    params: dict[str, str],
    parts: list[str],
    recipe: Write,
    lists: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", str(recipe("r", curate=[{"url": params}]))]) == 2
    message = capsys.readouterr().err
    assert [part for part in parts if part not in message] == []
    assert "r.yaml: curate[0]" in message


def test_explain_asks_the_score_of_the_documents_language_only(
    recipe: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = {"de": 0.9, "default": 0.001}
    run(recipe("r", curate=[{"language": {"keep": None, "min_score": scores}}]), tmp_path / "out")
    capsys.readouterr()
    assert main(["explain", str(tmp_path / "out"), "d0-0", "--json"]) == 0
    verdicts = json.loads(capsys.readouterr().out)[0]["verdicts"]
    found = {v["threshold"]: v["verdict"] for v in verdicts if "min_score" in v["rule"]}
    assert found == {">= 0.9": "not asked", ">= 0.001": "keep"}
