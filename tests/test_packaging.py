"""`tilth` uses its own packages, wherever it is started and whatever lies there."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curation.backends import SMALL_JOB_BYTES

ROOT = Path(__file__).parents[1]
PACKAGES = ("curation", "mixtures", "train", "eval", "pipelines")
BROKEN = "raise SystemExit('this is not the package of tilth')\n"
TEXT = "The farmer turned the soil early and waited for the rain to come with patience. "


@pytest.mark.parametrize("package", PACKAGES)
def test_packaging_package_is_that_of_this_checkout(package: str) -> None:
    module = importlib.import_module(package)
    assert Path(module.__file__ or "").resolve() == (ROOT / package / "__init__.py").resolve()


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder as a user may have it: with packages of the same names that do not work."""
    folder = tmp_path / "my project"
    for package in PACKAGES:
        (folder / package).mkdir(parents=True)
        for name in ("__init__.py", "config.py", "cli.py", "document.py"):
            (folder / package / name).write_text(BROKEN)
    return folder


def recipe(folder: Path, documents: int, size: int = 1, files: int = 1) -> Path:
    """A recipe over JSON lines: texts of `size` sentences."""
    for number in range(files):
        lines = [
            json.dumps({"id": f"{number}-{i}", "text": f"{number} {i} " + TEXT * size})
            for i in range(documents)
        ]
        (folder / f"docs-{number}.jsonl").write_text("\n".join(lines) + "\n")
    path = folder / "recipe.yaml"
    path.write_text(
        "name: small\n"
        "sources: [{name: docs, format: jsonl, path: 'docs-*.jsonl'}]\n"
        "curate: [{language: {keep: [en]}}, {gopher_quality: {max_words: null}}, exact_dedup]\n"
    )
    return path


def tilth(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command, or the same module where tests run from a bare checkout."""
    command = Path(sys.executable).with_name("tilth")
    assert command.exists(), "install the checkout: pip install -e ."
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    return subprocess.run(
        [str(command), *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_packaging_help_works_from_a_folder_of_same_names(trap: Path) -> None:
    done = tilth(trap, "--help")
    assert done.returncode == 0, done.stderr
    assert "check" in done.stdout
    assert done.stderr == ""


def test_packaging_check_works_from_a_folder_of_same_names(trap: Path) -> None:
    done = tilth(trap, "check", str(recipe(trap, documents=3)), "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["recipe"] == "small"
    assert [source["files"] for source in plan["sources"]] == [1]


def test_packaging_page_extraction_works_from_a_folder_of_same_names(trap: Path) -> None:
    """The child process that parses pages starts in the user's folder too."""
    (trap / "pages").mkdir()
    page = f"<html><body><article><p>{TEXT * 5}</p></article></body></html>"
    (trap / "pages" / "a.html").write_text(page)
    (trap / "r.yaml").write_text(
        "name: pages\nsources: [{name: web, format: html, path: pages}]\ncurate: [html_text]\n"
    )
    arguments = ("--out", "out", "--until", "dataset", "--backend", "inline")
    done = tilth(trap, "run", "r.yaml", *arguments)
    assert done.returncode == 0, done.stderr
    assert rows(trap / "out" / "pages" / "dataset") == 1


def rows(dataset: Path) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in dataset.glob("*.parquet"))


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_packaging_ray_workers_work_from_a_folder_of_same_names(trap: Path) -> None:
    path = recipe(trap, documents=60, size=500, files=3)
    size = sum(file.stat().st_size for file in trap.glob("docs-*.jsonl"))
    assert size > 1.5 * SMALL_JOB_BYTES, "else Ray is not started"
    arguments = ("--out", "out", "--until", "dataset", "--backend", "ray", "--workers", "2")
    done = tilth(trap, "run", str(path), *arguments)
    assert done.returncode == 0, done.stderr
    assert rows(trap / "out" / "small" / "dataset") == 180
    inline = tilth(
        trap, "run", str(path), "--out", "inline", *arguments[2:4], "--backend", "inline"
    )
    assert inline.returncode == 0, inline.stderr
    shards = [
        {f.name: f.read_bytes() for f in (trap / out / "small" / "dataset").glob("*.parquet")}
        for out in ("out", "inline")
    ]
    assert shards[0] == shards[1]
