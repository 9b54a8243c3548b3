"""A swarm of trials: finished ones reused, lost workers replaced, failures kept apart."""

import csv
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.backends import InlineBackend
from curation.errors import RunError, UserError
from pipelines.progress import silent
from pipelines.swarm import TABLE, Swarm, run_swarm
from pipelines.trial import Trial
from tests.corpora import prose
from train.checkpoint import MODEL
from train.config import ModelConfig, TrainConfig
from train.loop import METRICS
from train.numerics import Numerics
from train.shards import tokenize_dataset
from train.spec import ProxySpec
from train.tokenizer import train_tokenizer

ROOT = Path(__file__).resolve().parents[2]
MakeTrial = Callable[..., Trial]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Token shards of two sources, a tokenizer, a panel."""
    folder = tmp_path_factory.mktemp("swarm")
    texts = [prose(i) for i in range(60)]
    tokenizer = train_tokenizer(texts, vocab=300)
    tokenizer.save(folder / "tokenizer.json")
    table = pa.table({"text": texts, "source": ["web", "books"] * 30})
    pq.write_table(table, folder / "data.parquet")
    pq.write_table(pa.table({"text": [prose(99)]}), folder / "panel.parquet")
    tokenize_dataset([folder / "data.parquet"], tokenizer, folder / "tokens")
    return folder


@pytest.fixture
def make_trial(home: Path, tmp_path: Path) -> MakeTrial:
    """Trial `i`: its mixture and seed follow from the number."""

    def make(i: int, out: str = "out", **train: Any) -> Trial:
        config = TrainConfig(tokens=20 * 256, batch_tokens=256, checkpoint_every=5)
        spec = ProxySpec(
            recipe=f"mixture{i}",
            shards=home / "tokens",
            weights={"web": 1.0 + i, "books": 1.0},
            max_epochs=None,
            preset="tiny",
            model=ModelConfig(vocab=300, width=32, n_layer=2, n_head=2, head_dim=16, context=32),
            train=replace(config, **train),
            numerics=Numerics(),
            seed=i,
            judge="judge",
            dataset_fingerprint="dataset",
        )
        panels = {"held": home / "panel.parquet"}
        return Trial(spec, tmp_path / out / f"run-{i}", home / "tokenizer.json", panels, {})

    return make


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / TABLE).open(newline="") as file:
        return list(csv.DictReader(file))


def test_swarm_trains_and_scores_all_and_then_does_nothing(
    make_trial: MakeTrial, tmp_path: Path
) -> None:
    trials = [make_trial(i) for i in range(3)]
    heard: list[tuple[int, int]] = []
    swarm = run_swarm(
        trials, tmp_path, InlineBackend(), lambda label, done, total: heard.append((done, total))
    )
    results = swarm.results()
    assert [result.recipe for result in results] == ["mixture0", "mixture1", "mixture2"]
    assert heard[-1] == (60, 60)
    table = rows(tmp_path)
    assert [(row["run"], row["state"], row["step"]) for row in table] == [
        (f"run-{i}", "done", "20") for i in range(3)
    ]
    for row, result in zip(table, results, strict=True):
        assert float(row["panels.held.bpb"]) == result.scores["held"].bpb
        assert float(row["train.final_loss"]) == result.record["final_loss"]
        assert float(row["weights.web"]) == 1 + int(row["seed"])
    stamps = [(trial.folder / MODEL).stat().st_mtime_ns for trial in trials]
    again = run_swarm(trials, tmp_path, InlineBackend(), silent).results()
    assert [r.record for r in again] == [r.record for r in results]
    assert [(trial.folder / MODEL).stat().st_mtime_ns for trial in trials] == stamps


def test_trial_that_diverges_leaves_the_others_alone(make_trial: MakeTrial, tmp_path: Path) -> None:
    bad = make_trial(0, optimizer="adamw", lr=1e38, warmup_frac=0.0)
    swarm = run_swarm([bad, make_trial(1)], tmp_path, InlineBackend(), silent)
    assert [row["state"] for row in rows(tmp_path)] == ["failed", "done"]
    assert "training diverged" in rows(tmp_path)[0]["failure"]
    with pytest.raises(RunError, match="1 of 2 trials failed") as caught:
        swarm.results()
    assert str(bad.folder) in str(caught.value)
    assert swarm.ended[make_trial(1).folder].result is not None


def test_mistake_in_a_trial_stops_the_swarm(make_trial: MakeTrial, tmp_path: Path) -> None:
    trial = make_trial(0)
    wrong = replace(trial, spec=replace(trial.spec, weights={"wiki": 1.0}))
    with pytest.raises(UserError, match="no domain 'wiki'"):
        run_swarm([wrong], tmp_path, InlineBackend(), silent)
    assert rows(tmp_path)[0]["state"] == "waiting"
    with pytest.raises(ValueError, match="one folder"):
        run_swarm([trial, trial], tmp_path, InlineBackend(), silent)


def test_table_tells_the_time_left_of_a_trial_at_its_own_pace(
    make_trial: MakeTrial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("pipelines.swarm.time.monotonic", lambda: now[0])
    swarm = Swarm([make_trial(i) for i in range(3)], tmp_path / TABLE)
    swarm.write([4, 0, 0])  # the first had 4 steps behind it
    now[0] += 10.0
    swarm.write([8, 2, 0])
    table = rows(tmp_path)
    assert [row["state"] for row in table] == ["training", "training", "waiting"]
    assert [row["seconds_left"] for row in table] == ["30", "90", ""]


SWARM = """
import pickle, sys
from pathlib import Path
from curation.backends import RayBackend
from pipelines.progress import silent
from pipelines.swarm import run_swarm
trials = pickle.loads(Path(sys.argv[1]).read_bytes())
run_swarm(trials, Path(sys.argv[2]), RayBackend(workers=2), silent).results()
"""


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_lost_workers_and_a_killed_driver_change_nothing(
    make_trial: MakeTrial, tmp_path: Path
) -> None:
    options = {"tokens": 200 * 256, "checkpoint_every": 25}
    whole = [make_trial(i, "whole", **options) for i in range(3)]
    run_swarm(whole, tmp_path / "whole", InlineBackend(), silent)
    trials = [make_trial(i, "killed", **options) for i in range(3)]
    (tmp_path / "trials").write_bytes(pickle.dumps(trials))
    driver = start(tmp_path)
    wait_for(driver, trials, steps=40)
    assert kill_one_worker(driver.pid)
    wait_for(driver, trials, steps=150)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    assert any(not (trial.folder / MODEL).exists() for trial in trials)
    assert start(tmp_path).wait() == 0, (tmp_path / "log").read_text()
    for one, two in zip(whole, trials, strict=True):
        assert (one.folder / MODEL).read_bytes() == (two.folder / MODEL).read_bytes()
    assert [row["state"] for row in rows(tmp_path / "killed")] == ["done"] * 3


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SWARM, str(folder / "trials"), str(folder / "killed")]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)


def wait_for(driver: subprocess.Popen[bytes], trials: list[Trial], steps: int) -> None:
    """Returns once `steps` lines were written by all trials together."""
    while driver.poll() is None:
        files = [trial.folder / METRICS for trial in trials]
        if sum(f.read_bytes().count(b"\n") for f in files if f.exists()) >= steps:
            return
        time.sleep(0.005)
    raise AssertionError("the swarm ended too early")


def kill_one_worker(session: int) -> bool:
    """Kills a worker of this session that trains."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            training = (folder / "cmdline").read_bytes().startswith(b"ray::train_trial")
            if training and os.getsid(int(folder.name)) == session:
                os.kill(int(folder.name), signal.SIGKILL)
                return True
        except OSError:
            continue  # it ended while we looked
    return False
