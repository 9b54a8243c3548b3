"""Runs: repeatable to the bit, resumable at any step, honest in their record."""

import json
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from curation.errors import RunError, UserError
from train.checkpoint import MODEL
from train.loop import METRICS, Job, read_metrics, train
from train.numerics import Numerics, choose_numerics
from train.run import RUN, ProxySpec, count_spikes, load_model, plan, run_proxy
from train.shards import TokenShards, tokenize_dataset
from train.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
TIMINGS = ("tokens_per_s", "seconds")
MakeSpec = Callable[..., ProxySpec]


def metrics(folder: Path) -> list[dict[str, float]]:
    lines = read_metrics(folder)
    return [{k: v for k, v in line.items() if k not in TIMINGS} for line in lines]


def assert_same_run(one: Path, two: Path) -> None:
    assert (one / MODEL).read_bytes() == (two / MODEL).read_bytes()
    assert metrics(one) == metrics(two)


def test_same_seed_twice_is_bitwise_the_same(make_spec: MakeSpec, tmp_path: Path) -> None:
    run_proxy(make_spec(), tmp_path / "one")
    run_proxy(make_spec(), tmp_path / "two")
    assert_same_run(tmp_path / "one", tmp_path / "two")


def test_another_seed_is_another_run(make_spec: MakeSpec, tmp_path: Path) -> None:
    one = run_proxy(make_spec(seed=0), tmp_path / "one")
    two = run_proxy(make_spec(seed=1), tmp_path / "two")
    assert one["final_loss"] != two["final_loss"]
    assert one["epochs"] == two["epochs"]


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_training_learns(make_spec: MakeSpec, tmp_path: Path, optimizer: str) -> None:
    run_proxy(make_spec(train={"optimizer": optimizer, "tokens": 100 * 256}), tmp_path)
    losses = [line["loss"] for line in read_metrics(tmp_path)]
    assert losses[-1] < 0.7 * losses[0]


class StopError(Exception):
    """Raised by a batch to interrupt training from outside."""


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_interrupted_at_any_step_resumes_bitwise(
    make_spec: MakeSpec, tmp_path: Path, optimizer: str
) -> None:
    spec = make_spec(train={"optimizer": optimizer})
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(300, (spec.train.steps, 8, 33), generator=generator)
    job = Job(model=spec.model, train=spec.train, numerics=spec.numerics, seed=0, fingerprint="job")
    whole = train(job, lambda step: ids[step], tmp_path / "whole_run").state_dict()
    rng = random.Random(optimizer)
    stops = sorted(rng.sample(range(spec.train.steps), 3))

    def until(stop: int) -> Callable[[int], torch.Tensor]:
        def batch(step: int) -> torch.Tensor:
            if step == stop:
                raise StopError
            return ids[step]

        return batch

    for stop in stops:
        with pytest.raises(StopError):
            train(job, until(stop), tmp_path / "stopped")
        with (tmp_path / "stopped" / METRICS).open("a") as file:
            file.write('{"step": 999, "los')  # a line that the crash cut short
    resumed = train(job, lambda step: ids[step], tmp_path / "stopped").state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert metrics(tmp_path / "whole_run") == metrics(tmp_path / "stopped")


CHILD = """
import pickle, sys
from pathlib import Path
from train.run import run_proxy
run_proxy(pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))
"""


def test_killed_process_resumes_bitwise(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec(train={"tokens": 90 * 256, "checkpoint_every": 5})
    run_proxy(spec, tmp_path / "whole_run")
    (tmp_path / "spec").write_bytes(pickle.dumps(spec))
    killed = tmp_path / "killed"
    for steps in (17, 49):
        command = [sys.executable, "-c", CHILD, str(tmp_path / "spec"), str(killed)]
        with subprocess.Popen(command, cwd=ROOT) as child:
            while child.poll() is None and lines_in(killed / METRICS) < steps:
                time.sleep(0.001)
            child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL
        assert not (killed / RUN).exists()
    run_proxy(spec, killed)
    assert_same_run(tmp_path / "whole_run", killed)


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def test_finished_run_is_not_run_again(make_spec: MakeSpec, tmp_path: Path) -> None:
    first = run_proxy(make_spec(), tmp_path)
    stamp = (tmp_path / MODEL).stat().st_mtime_ns
    assert run_proxy(make_spec(), tmp_path) == first
    assert (tmp_path / MODEL).stat().st_mtime_ns == stamp
    assert sorted(p.name for p in tmp_path.iterdir()) == [METRICS, MODEL, RUN]


@pytest.mark.parametrize(
    "changes", [{"seed": 3}, {"train": {"lr": 0.01}}, {"judge": "other"}, {"weights": "uniform"}]
)
def test_changed_spec_replaces_the_run(
    make_spec: MakeSpec, tmp_path: Path, changes: dict[str, Any]
) -> None:
    first = run_proxy(make_spec(), tmp_path)
    second = run_proxy(make_spec(**changes), tmp_path)
    assert second["fingerprint"] != first["fingerprint"]
    assert len(read_metrics(tmp_path)) == second["steps"]


def test_moved_shards_are_the_same_run(
    make_spec: MakeSpec, dataset: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    first = run_proxy(make_spec(), tmp_path / "run")
    moved = tokenize_dataset([dataset], tokenizer, tmp_path / "elsewhere")
    again = run_proxy(make_spec(shards=moved.folder), tmp_path / "run")
    assert again == first


def test_record_counts_what_was_seen(
    make_spec: MakeSpec, shards: TokenShards, tmp_path: Path
) -> None:
    spec = make_spec(weights={"books": 1.0}, train={"tokens": 60 * 256})
    record = run_proxy(spec, tmp_path)
    windows = (shards.sources["books"].tokens - 1) // 32
    assert record["tokens"] == 60 * 256
    assert record["unique_tokens"] == min(windows, 480) * 32
    assert record["epochs"] == {"books": 480 / windows, "web": 0.0}
    assert record["params"] == spec.model.params
    assert record["flops"] == record["tokens"] * spec.model.flops_per_token
    losses = [line["loss"] for line in read_metrics(tmp_path)]
    assert record["final_loss"] == pytest.approx(sum(losses[-3:]) / 3)
    assert (record["nans"], record["tokenizer"]) == (0, shards.tokenizer)
    assert json.loads((tmp_path / RUN).read_text()) == record


def test_load_model_gives_the_trained_weights(make_spec: MakeSpec, tmp_path: Path) -> None:
    run_proxy(make_spec(), tmp_path)
    weights = load_file(tmp_path / MODEL)
    model = load_model(tmp_path)
    assert all(torch.equal(weights[n], p) for n, p in model.state_dict().items())


def test_epoch_cap_is_checked_before_training(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec(max_epochs=1.0, train={"tokens": 100_000_000})
    with pytest.raises(UserError, match="unique tokens") as caught:
        run_proxy(spec, tmp_path)
    assert caught.value.where.startswith("recipe tiny")
    assert not (tmp_path / METRICS).exists()


def test_dataset_without_one_window_says_so(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec()
    with pytest.raises(UserError, match="one training window needs 100,001"):
        run_proxy(
            replace(
                spec,
                model=replace(spec.model, context=100_000),
                train=replace(spec.train, batch_tokens=100_000),
            ),
            tmp_path,
        )


def test_shapes_that_do_not_fit_are_refused(make_spec: MakeSpec, shards: TokenShards) -> None:
    spec = make_spec()
    with pytest.raises(UserError) as caught:
        plan(replace(spec, model=replace(spec.model, vocab=299)), shards)
    assert caught.value.where == "tokenizer.vocab"
    with pytest.raises(UserError) as caught:
        plan(make_spec(train={"batch_tokens": 100}), shards)
    assert caught.value.where == "train.batch_tokens"


def test_loss_that_is_not_finite_names_step_and_folder(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec(train={"optimizer": "adamw", "lr": 1e38, "warmup_frac": 0.0})
    with pytest.raises(RunError, match=r"diverged at step \d+") as caught:
        run_proxy(spec, tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert not (tmp_path / RUN).exists()


def test_spikes_are_counted_against_the_steps_before() -> None:
    calm = [3.0 + 0.01 * (i % 5) for i in range(400)]
    assert count_spikes(calm) == 0
    assert count_spikes([*calm[:200], 4.0, *calm[201:]]) == 1


def test_choose_numerics_restores_threads(tiny: Any) -> None:
    before = torch.get_num_threads()
    assert isinstance(choose_numerics(tiny), Numerics)
    assert torch.get_num_threads() == before
