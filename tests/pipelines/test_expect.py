"""`expect` and `max_drop_frac`: alarms in the terminal, in the report and in the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.files import read_json
from pipelines.cli import main

Write = Callable[..., Path]


def _run(file: Path, out: Path, *options: str) -> int:
    command = ["run", str(file), "--out", str(out), "--until", "dataset", "--backend", "inline"]
    return main([*command, *options])


def _manifest(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(out / "curated" / "dataset" / "manifest.json")
    return found


def test_expect_outside_its_band_is_told_everywhere_and_strict_fails(
    recipe: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(expect={"gopher_quality": {"min": 0.5, "sources": {"docs": [0, 0.25]}}})
    assert _run(file, tmp_path / "out") == 0
    printed = capsys.readouterr().out
    told = "gopher_quality kept 96.4% of source 'docs', outside [0, 0.25]: 108 of 112 documents"
    assert f"alarm: {told}" in printed
    [line] = [line for line in printed.split("\n") if line.startswith("gopher_quality")]
    assert line.startswith("gopher_quality !")
    [alarm] = _manifest(tmp_path / "out")["alarms"]
    assert (alarm["kind"], alarm["stage"], alarm["source"]) == (
        "outside_band",
        "gopher_quality",
        "docs",
    )
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert "<td>outside band: docs</td>" in page
    assert "outside [0, 0.25]" in page
    assert _run(file, tmp_path / "out", "--strict") == 1


def test_expect_alone_changes_alarms_and_no_byte_of_the_dataset(
    recipe: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert _run(recipe(), out, "--strict") == 0
    before, shard = _manifest(out), out / "curated/dataset/00000.parquet"
    written = shard.stat().st_mtime_ns
    assert before["alarms"] == []
    tight = recipe(expect={"gopher_repetition": [0.99, 1]}, max_drop_frac=0.01)
    capsys.readouterr()
    assert _run(tight, out, "--strict", "--json") == 1
    [told] = json.loads(capsys.readouterr().out)["recipes"].values()
    after = _manifest(out)
    assert [(alarm["kind"], alarm["stage"]) for alarm in after["alarms"]] == [
        ("outside_band", "gopher_repetition"),
        ("dropped_nearly_all", "gopher_quality"),
        ("dropped_nearly_all", "exact_dedup"),
    ]
    assert told["alarms"] == after["alarms"]
    assert shard.stat().st_mtime_ns == written
    assert {k: v for k, v in after.items() if k != "alarms"} == {
        k: v for k, v in before.items() if k != "alarms"
    }
    assert _run(recipe(), out, "--strict") == 0
    assert _manifest(out) == before


def test_expect_that_holds_leaves_the_manifest_untouched(recipe: Write, tmp_path: Path) -> None:
    file = recipe(expect={"gopher_repetition": [0.9, 1], "exact_dedup": [0.5, 1]})
    assert _run(file, tmp_path / "out", "--strict") == 0
    path = tmp_path / "out/curated/dataset/manifest.json"
    written = path.stat().st_mtime_ns
    assert _run(file, tmp_path / "out", "--strict") == 0
    assert path.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"expect": {"gofer_quality": [0, 1]}}, ["gofer_quality", "'gopher_quality'", "expect"]),
        ({"expect": {"gopher_quality": [1, 0]}}, ["expect.gopher_quality", "min <= max"]),
        (
            {"expect": {"gopher_quality": {"sources": {"dcs": [0, 1]}}}},
            ["gopher_quality.sources.dcs", "'docs'"],
        ),
        ({"expect": [0, 1]}, ["expect"]),
        ({"max_drop_frac": 1.1}, ["max_drop_frac", "[0, 1]"]),
    ],
)
def test_expect_mistakes_are_named_and_nothing_runs(
    recipe: Write,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    names: list[str],
) -> None:
    assert _run(recipe(**change), tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert all(name in message for name in names), message
    assert not (tmp_path / "out").exists()


def test_check_tells_of_a_threshold_that_can_never_fire(
    recipe: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(curate=[{"gopher_quality": {"min_words": 0}}, "exact_dedup"])
    assert main(["check", str(file)]) == 0
    told = "gopher_quality.min_words 0 can never fire"
    assert f"alarm: {told}" in capsys.readouterr().out
    assert main(["check", str(file), "--json"]) == 0
    [alarm] = json.loads(capsys.readouterr().out)["alarms"]
    assert alarm["kind"] == "never_fires"
    assert alarm["message"].startswith(told)
    assert main(["check", str(recipe(curate=["gopher_quality"])), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["alarms"] == []
