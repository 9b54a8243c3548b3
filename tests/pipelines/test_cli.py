"""The command line: exit codes, messages that name the fix, JSON, and bad input end to end."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.cli import main
from tests.corpora import prose, write_jsonl, write_yaml

Write = Callable[..., Path]


def _run(file: Path, out: Path, *options: str) -> int:
    command = ["run", str(file), "--out", str(out), "--until", "dataset", "--backend", "inline"]
    return main([*command, *options])


def _errors(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "errors.jsonl").read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def test_check_prints_the_plan_and_touches_nothing(
    recipe: Write, judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert main(["check", str(recipe(judge="judge.yaml")), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["passes"] == [
        ["read"],
        ["held_out", "gopher_repetition", "gopher_quality"],
        ["exact_dedup"],
    ]
    assert plan["stages"][1]["gopher_quality"]["min_words"] == 50
    assert plan["judge"]["seeds"] == [0, 1, 2]
    assert {p for p in tmp_path.rglob("*")} - set(before) == {tmp_path / "curated.yaml"}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (
            {"curate": [{"gopher_quality": {"min_word": 80}}]},
            ["min_word'", "min_words", "curate[0]"],
        ),
        ({"curate": ["gofer_quality"]}, ["gofer_quality", "gopher_quality", "curate[0]"]),
        ({"curate": [{"gopher_quality": {"min_words": "many"}}]}, ["min_words", "int", "many"]),
        ({"curate": ["exact_dedup", "html_text"]}, ["html_text", "first"]),
        ({"curate": ["language", "language"]}, ["language", "as:"]),
        ({"curate": [{"language": {"keep": ["english"]}}]}, ["english", "en"]),
        ({"cuate": []}, ["cuate", "curate"]),
        ({"name": "work"}, ["name", "work"]),
        ({"name": "../up"}, ["name", "../up"]),
        ({"sources": []}, ["sources"]),
        ({"sources": [{"name": "a", "format": "jsn", "path": "x"}]}, ["jsn", "jsonl"]),
        ({"sources": [{"name": "a", "format": "jsonl"}]}, ["path", "sources[0]"]),
        ({"sources": [{"name": "a", "format": "warc", "path": "*.warc"}]}, ["html_text"]),
        ({"mixture": {"weights": "naturl"}}, ["naturl", "natural"]),
        ({"mixture": {"weights": {"dcs": 1.0}}}, ["dcs", "docs"]),
        ({"mixture": {"weights": {"docs": -1.0}}}, ["docs", ">= 0"]),
        ({"curate": [{"language": {"keep": []}}]}, ["keep", "null"]),
        ({"curate": [{"gopher_quality": {"max_words": 10}}]}, ["min_words", "max_words"]),
        ({"max_error_frac": 2.0}, ["max_error_frac"]),
        ({"judge": "nowhere.yaml"}, ["nowhere.yaml"]),
    ],
)
def test_recipe_mistake_is_named_with_its_fix_and_nothing_runs(
    recipe: Write,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    names: list[str],
) -> None:
    assert _run(recipe(**change), tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert all(name in message for name in names), message
    assert message.startswith("error: ")
    assert len(message.strip().split("\n")) <= 3
    assert not (tmp_path / "out").exists()


def test_source_without_files_names_pattern_and_folder(
    recipe: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(sources=[{"name": "a", "format": "jsonl", "path": "nothing/*.jsonl"}])
    assert _run(file, tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert "nothing/*.jsonl" in message
    assert str(tmp_path) in message


def test_bad_records_are_reported_and_the_good_ones_around_them_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [json.dumps({"id": f"g{i}", "text": prose(i)}) for i in range(4)]
    lines = [good[0], '{"id": "cut", "text": "no end', good[1], '{"id": "x"}', good[2]]
    raw = "\n".join(lines).encode() + b'\n{"id": "u", "text": "\xff\xfe"}\n' + good[3].encode()
    (tmp_path / "name with spaces & ü😀.jsonl").write_bytes(b"\xef\xbb\xbf" + raw)
    source = {"name": "a", "format": "jsonl", "path": "name with spaces & ü😀.jsonl"}
    file = write_yaml(tmp_path / "r.yaml", {"name": "r", "sources": [source]})
    assert _run(file, tmp_path / "out", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["recipes"]["r"]["fingerprint"]
    rows = _errors(tmp_path / "out/r")
    assert [r["kind"] for r in rows] == ["bad_json", "missing_text", "invalid_utf8"]
    assert {r["source"] for r in rows} == {"a"}
    assert all(r["path"] == "name with spaces & ü😀.jsonl" for r in rows)
    assert rows[0]["offset"] == 3 + len(good[0]) + 1
    kept = pl.read_parquet(tmp_path / "out/r/dataset/*.parquet")
    assert kept["id"].to_list() == ["g0", "g1", "g2", "g3"]


def test_too_many_bad_records_stop_the_run_and_a_larger_share_lets_it_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": prose(i)} for i in range(30)])
    path.write_text(path.read_text() + "not json\n" * 21)
    keys = {"name": "r", "sources": [{"name": "a", "format": "jsonl", "path": "a.jsonl"}]}
    assert _run(write_yaml(tmp_path / "r.yaml", keys), tmp_path / "out") == 1
    message = capsys.readouterr().err
    assert "21 of 51" in message
    assert "max_error_frac" in message
    assert not (tmp_path / "out/r/dataset").exists()
    assert (
        _run(write_yaml(tmp_path / "r.yaml", keys | {"max_error_frac": 0.5}), tmp_path / "out") == 0
    )
    assert len(_errors(tmp_path / "out/r")) == 21


def test_alarm_when_a_stage_drops_nearly_all_of_a_source(
    recipe: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(curate=[{"gopher_quality": {"min_words": 5000}}])
    assert _run(file, tmp_path / "out") == 0
    assert "alarm: gopher_quality dropped 100% of source 'docs'" in capsys.readouterr().out
    assert _run(file, tmp_path / "out", "--strict") == 1


def test_disk_full_keeps_finished_slices_and_continues(recipe: Write, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "pipelines.cli", "run", str(recipe()), "--out", str(out)]
    command += ["--until", "dataset", "--backend", "inline"]

    def limit() -> None:  # a file beyond this size cannot be written, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))

    # Kernels that are not compiled yet would be too large a file for the cache.
    subprocess.run([*command[:-5], str(tmp_path / "warm"), *command[-4:]], check=True)
    full = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit)
    assert full.returncode == 1, full.stderr
    assert "cannot be written" in full.stderr
    assert "Traceback" not in full.stderr
    assert not list(out.rglob("*.tmp"))
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_output_that_is_a_file_is_a_clear_error(
    recipe: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("in the way")
    assert _run(recipe(), tmp_path / "out") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_recipe_that_drops_everything_ends_with_an_empty_dataset(
    recipe: Write, judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(curate=[{"gopher_quality": {"min_words": 5000}}], judge="judge.yaml")
    assert _run(file, tmp_path / "out") == 0
    capsys.readouterr()
    command = ["run", str(file), "--out", str(tmp_path / "out"), "--backend", "inline"]
    assert main(command) == 2  # nothing to train on
    assert "tokens" in capsys.readouterr().err


def test_explain_unknown_id_and_unfinished_folder_are_errors(
    recipe: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(tmp_path / "nowhere"), "x"]) == 2
    assert "no finished dataset" in capsys.readouterr().err
    _run(recipe(), tmp_path / "out")
    assert main(["explain", str(tmp_path / "out"), "d1-6", "--json"]) == 0
    capsys.readouterr()
    assert main(["explain", str(tmp_path / "out"), "d1-600"]) == 2
    assert "d1-600" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["stages", "formats", "presets", "recipes"])
def test_list_shows_what_the_registry_holds(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what, "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert len(entries) >= 3
    assert all(entry["name"] and entry["about"] for entry in entries)


def test_compare_refuses_recipes_of_different_judges(
    recipe: Write, judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--backend", "inline"]
    one = recipe("one", curate=[], judge="judge.yaml")
    assert main(["run", str(one), "--out", str(tmp_path / "a"), *options]) == 0
    judge.write_text(judge.read_text().replace("12288", "8192"))
    two = recipe("two", curate=[], judge="judge.yaml")
    assert main(["run", str(two), "--out", str(tmp_path / "b"), *options]) == 0
    assert capsys.readouterr().err.count("minimum detectable difference: ") == 2
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "judge" in capsys.readouterr().err


def test_interrupt_is_one_line_and_130(
    recipe: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.run.run", interrupt)
    assert _run(recipe(), tmp_path / "out") == 130
    assert "continues" in capsys.readouterr().err
