"""Killed at any moment, run again: finished slices are reused, and the same bytes come out."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.dataset import Dataset
from curation.files import read_json
from tests.corpora import SHARED, prose, write_jsonl, write_yaml

pytestmark = pytest.mark.xdist_group("ray")  # one Ray at a time: they share ports and cores

KILLS = 10
FILES = 12  # of more than half of GROUP_BYTES each, so that every one is a slice
TASKS = (b"ray::read_splits", b"ray::run_slice", b"ray::take_evidence", b"ray::write_shard")


@pytest.fixture(scope="module")
def slow_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe whose passes take a second or two: many slices of a slow foreign block."""
    folder = tmp_path_factory.mktemp("slow")
    for file in range(FILES):
        texts = [prose(file * 100 + i, sentences=20) for i in range(420)]
        rows = [{"id": f"{file}-{i}", "text": text} for i, text in enumerate(texts)]
        write_jsonl(folder / "docs" / f"{file:02d}.jsonl", rows)
    stages = ["gopher_repetition", _slow_block(), "gopher_quality", "exact_dedup"]
    source = {"name": "docs", "format": "jsonl", "path": "docs/*.jsonl"}
    return write_yaml(folder / "r.yaml", {"name": "r", "sources": [source], "curate": stages})


def _slow_block() -> dict[str, object]:
    # Tried at every character of every text: a second or two for the whole corpus.
    params = {"regex_exp": "(?:[a-z]+ ){8}zzz"}
    return {"datatrove": {"block": "filters.RegexFilter", "params": params}}


def _command(recipe: Path, out: Path, *options: str) -> list[str]:
    run = [sys.executable, "-m", "pipelines.cli", "run", str(recipe), "--out", str(out)]
    return [*run, "--until", "dataset", *options]


def finish(recipe: Path, out: Path, *options: str) -> None:
    done = subprocess.run(_command(recipe, out, *options), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def hashes(out: Path) -> list[str]:
    [folder] = [p.parent for p in out.glob("*/dataset/manifest.json")]
    manifest = Dataset(folder).manifest
    return [s["sha256"] for s in [*manifest["shards"], *manifest["dropped"]["shards"]]]


def _slices(out: Path) -> int:
    return sum(1 for _ in out.glob("work/*/[0-9]*.json"))


def _runs(out: Path) -> Iterator[set[str]]:
    """Per finished pass, the runs that wrote its slices."""
    for manifest in out.glob("work/*/manifest.json"):
        slices = read_json(manifest).get("slices", [])
        if slices:
            yield {record["run"] for record in slices}


def start(recipe: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    with out.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            _command(recipe, out, *options),
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


def _wait_for_slices(process: subprocess.Popen[bytes], out: Path, more_than: int) -> bool:
    """True once `more_than` slices are finished; False if the run ended before."""
    while process.poll() is None:
        if _slices(out) > more_than:
            return True
        time.sleep(0.005)
    return False


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_killed_driver_continues_with_finished_slices(slow_recipe: Path, tmp_path: Path) -> None:
    finish(slow_recipe, tmp_path / "whole", "--backend", "inline")
    out, draw = tmp_path / "killed", random.Random(0)
    kills = 0
    for target in sorted(draw.sample(range(2 * FILES), 3)):
        process = start(slow_recipe, out, "--backend", "inline")
        if _wait_for_slices(process, out, target):
            kill_tree(process)
            kills += 1
    finish(slow_recipe, out, "--backend", "inline")
    assert kills >= 2
    assert max(len(runs) for runs in _runs(out)) >= 2  # a pass that two runs made together
    assert hashes(out) == hashes(tmp_path / "whole")
    assert not list(out.rglob("*.tmp"))


@pytest.mark.slow
def test_backends_and_workers_give_the_same_bytes(slow_recipe: Path, tmp_path: Path) -> None:
    found = []
    for options in (("inline",), ("ray", "--workers", "1"), ("ray", "--workers", "2")):
        out = tmp_path / "-".join(options)
        finish(slow_recipe, out, "--backend", *options)
        found.append(hashes(out))
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
def test_cluster_of_two_nodes_gives_the_same_bytes(slow_recipe: Path, tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    finish(slow_recipe, tmp_path / "inline", "--backend", "inline")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        finish(slow_recipe, tmp_path / "cluster", "--ray-address", cluster.address)
        # Without an address a run starts its own Ray, and does not join the cluster beside it.
        finish(slow_recipe, tmp_path / "beside", "--workers", "2")
    finally:
        cluster.shutdown()
    for out in ("cluster", "beside"):
        assert hashes(tmp_path / out) == hashes(tmp_path / "inline")


@pytest.mark.slow
@pytest.mark.shared
def test_killed_ten_times_on_real_crawls(tmp_path: Path) -> None:
    recipe = _web_recipe(tmp_path)
    finish(recipe, tmp_path / "whole", "--workers", "2")
    out, draw = tmp_path / "killed", random.Random(1)
    kills = 0
    for target in sorted(draw.sample(range(5, _slices(tmp_path / "whole") - 2), KILLS)):
        process = start(recipe, out, "--workers", "2")
        if _wait_for_slices(process, out, target):
            kill_tree(process)
            kills += 1
    finish(recipe, out, "--workers", "2")
    assert kills >= KILLS - 2
    assert max(len(runs) for runs in _runs(out)) >= 2
    assert hashes(out) == hashes(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.shared
def test_killed_ray_workers_do_not_stop_the_run(tmp_path: Path) -> None:
    recipe = _web_recipe(tmp_path)
    finish(recipe, tmp_path / "whole", "--workers", "2")
    out, draw = tmp_path / "killed", random.Random(2)
    process = start(recipe, out, "--workers", "2")
    kills = 0
    for target in sorted(draw.sample(range(2, _slices(tmp_path / "whole") - 2), KILLS)):
        hit = 0
        while not hit and _wait_for_slices(process, out, target):
            hit = _kill_one_worker(process.pid)
        kills += hit
    assert process.wait() == 0, out.with_suffix(".log").read_text()
    assert kills == KILLS
    assert hashes(out) == hashes(tmp_path / "whole")


def _kill_one_worker(session: int) -> int:
    """Kills a Ray worker of this session that is at work; 1 if there was one."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes()
            at_work = title.startswith(TASKS)  # not Ray's own agents, whose death ends the node
            if at_work and os.getsid(int(folder.name)) == session:
                os.kill(int(folder.name), signal.SIGKILL)
                return 1
        except (OSError, ProcessLookupError):
            continue  # it ended while we looked
    return 0


def _web_recipe(folder: Path) -> Path:
    source = {"name": "crawl", "format": "warc", "path": str(SHARED / "warc/*.warc.gz")}
    stages = ["html_text", "language", "gopher_repetition", "gopher_quality", "exact_dedup"]
    keys = {"name": "web", "sources": [source], "curate": stages}
    return write_yaml(folder / "web.yaml", json.loads(json.dumps(keys)))
