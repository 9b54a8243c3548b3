"""The README keeps its promises: commands, folders, and the example filter, which is run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from curation.process import ROW, PlannedStage, process
from curation.sources.source import formats
from curation.stage import stages
from pipelines.cli import _parser
from pipelines.recipe import load_recipe
from tests.corpora import prose, write_jsonl

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_readme_names_every_command_and_package() -> None:
    commands: Any = next(a for a in _parser()._actions if a.choices)
    for command in commands.choices:
        assert f"tilth {command}" in README, command
    for package in ("curation", "mixtures", "train", "eval", "pipelines", "tests"):
        assert f"`{package}/`" in README


def test_readme_filter_example_works_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [code] = [block for block in _blocks("python") if "stages.register" in block]
    package = tmp_path / "readme_filters"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "digits.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    stages.scan("readme_filters")
    try:
        digits = PlannedStage("digits", stages.get("digits")())
        table = pa.table({ROW: [0, 1, 2], "text": [prose(1), "12345 67890 words", ""]})
        kept, dropped, _ = process(table, [digits])
    finally:
        stages.forget("readme_filters")
    assert kept[ROW].to_pylist() == [0, 2]
    assert dropped["drop_reason"].to_pylist() == ["max_digit_frac"]
    assert dropped["drop_threshold"].to_pylist() == ["0.2"]
    assert "readme_filters" not in "".join(sys.path)


def test_readme_recipe_and_judge_load_as_written(tmp_path: Path) -> None:
    recipe, judge = (b for b in _blocks("yaml") if re.search(r"^(sources|panels):", b, re.M))
    (tmp_path / "curated.yaml").write_text(recipe)
    (tmp_path / "judge.yaml").write_text(judge)
    loaded = load_recipe(tmp_path / "curated.yaml")
    assert [p.label for p in loaded.stages][-1] == "minhash_dedup"
    from pipelines.judge import load_judge

    assert loaded.judge is not None
    assert load_judge(loaded.judge).train.tokens == 5_000_000


def test_readme_fragments_of_recipes_load_in_its_recipe(tmp_path: Path) -> None:
    blocks = [yaml.safe_load(block) for block in _blocks("yaml")]
    recipe = next(block for block in blocks if "sources" in block)
    shown = {"expect", "references", "curate"}
    fragments = [block for block in blocks if shown & block.keys() - {"name"}]
    for i, fragment in enumerate(fragments):
        (tmp_path / f"{i}.yaml").write_text(yaml.safe_dump({**recipe, **fragment}))
        assert load_recipe(tmp_path / f"{i}.yaml").stages
    assert len(fragments) >= 2


def test_readme_error_kinds_exist_in_the_code() -> None:
    table = README.split("## Bad input")[1].split("NUL characters")[0]
    kinds = {k for row in table.split("\n") if row.startswith("| ") for k in _kinds(row)}
    files = [*(ROOT / "curation").rglob("*.py")]
    code = "\n".join(path.read_text("utf-8") for path in files)
    assert len(kinds) > 15
    made = {f'"{kind}"' in code or f'"{kind.removesuffix("_record")}"' in code for kind in kinds}
    assert made == {True}


def _kinds(row: str) -> list[str]:
    return re.findall(r"`([a-z_0-9]+)`", row.split("|")[2])


@pytest.mark.parametrize("file", sorted((ROOT / "pipelines").rglob("*.yaml")), ids=str)
def test_shipped_recipe_and_judge_are_valid(file: Path) -> None:
    from pipelines.judge import load_judge

    if file.name == "judge.yaml":
        assert load_judge(file).panels
    else:
        assert load_recipe(file).stages
        assert file.read_text("utf-8").startswith("# ")


def test_every_stage_and_format_says_what_it_is() -> None:
    for registry in (stages, formats):
        for name in registry:
            doc = registry.get(name).__doc__ or ""
            assert doc.split("\n")[0].endswith("."), name


def test_output_loads_with_the_hub_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import load_dataset

    from curation.backends import InlineBackend
    from pipelines.progress import silent
    from pipelines.run import run
    from tests.corpora import write_yaml

    write_jsonl(tmp_path / "a.jsonl", [{"id": str(i), "text": prose(i)} for i in range(3)])
    keys = {"name": "r", "sources": [{"name": "a", "format": "jsonl", "path": "a.jsonl"}]}
    recipe = load_recipe(write_yaml(tmp_path / "r.yaml", keys))
    run([recipe], tmp_path / "out", InlineBackend(), silent, "dataset")
    files = str(tmp_path / "out/r/dataset/*.parquet")
    loaded = load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert loaded["train"]["id"] == ["0", "1", "2"]
