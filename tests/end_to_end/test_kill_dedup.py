"""Dedup killed at any moment: what its rounds finished is reused, the same bytes come out."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.corpora import SHARED, write_yaml
from tests.end_to_end.test_kill import finish, hashes, kill_tree, start

pytestmark = pytest.mark.xdist_group("ray")  # one Ray at a time: they share ports and cores

IN_HAND = 4  # files that two workers may have been about to finish


def _recipe(folder: Path, stage: str | dict[str, Any]) -> Path:
    sources = [
        {"name": "text", "format": "jsonl", "path": str(SHARED / "text/[bg]*.jsonl.zst")},
        {"name": "near", "format": "jsonl", "path": str(SHARED / "neardup/*.jsonl.zst")},
    ]
    return write_yaml(folder / "r.yaml", {"name": "r", "sources": sources, "curate": [stage]})


def _files(out: Path) -> dict[str, tuple[int, int]]:
    """What the rounds of the stage have finished: name to inode and time."""
    found = {}
    for path in out.glob("work/decide-*/*"):
        if not path.name.startswith("."):
            try:
                about = path.stat()
            except FileNotFoundError:  # the stage has ended and tidies up
                continue
            found[path.name] = (about.st_ino, about.st_mtime_ns)
    return found


def _wait(process: subprocess.Popen[bytes], out: Path, more_than: int) -> bool:
    """True once the rounds have left so many files; False if the run ended before."""
    while process.poll() is None:
        if len(_files(out)) > more_than:
            return True
        time.sleep(0.005)
    return False


def _most_files(recipe: Path, out: Path) -> int:
    process, most = start(recipe, out, "--workers", "2"), 0
    while process.poll() is None:
        most = max(most, len(_files(out)))
        time.sleep(0.005)
    assert process.returncode == 0, out.with_suffix(".log").read_text()
    return most


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("stage", "kills"), [("minhash_dedup", 10), ("line_dedup", 3), ("substring_dedup", 3)]
)
def test_killed_dedup_reuses_what_was_finished(stage: str, kills: int, tmp_path: Path) -> None:
    recipe = _recipe(tmp_path, stage)
    most = _most_files(recipe, tmp_path / "whole")
    out, draw, killed, reused = tmp_path / "killed", random.Random(stage), 0, 0
    before: dict[str, tuple[int, int]] = {}
    for target in sorted(draw.sample(range(2, most - 1), kills)):
        process = start(recipe, out, "--workers", "2")
        if _wait(process, out, target):
            kill_tree(process)
            killed += 1
        now = _files(out)
        same = [name for name in before if now.get(name) == before[name]]
        assert len([name for name in before if name in now]) - len(same) <= IN_HAND
        reused, before = max(reused, len(same)), now
    finish(recipe, out, "--workers", "2")
    assert killed >= kills // 2
    assert reused > most // 4
    assert hashes(out) == hashes(tmp_path / "whole")
    assert not list(out.rglob("*.tmp"))
