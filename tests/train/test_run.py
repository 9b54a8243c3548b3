"""Runs: repeatable to the bit, resumable at any step, honest in their record."""

import errno
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
from safetensors.torch import load_file, save_file

from curation.errors import RunError, UserError
from curation.fingerprint import fingerprint
from train.checkpoint import MODEL, read_about
from train.config import PRESETS
from train.loop import CHECKPOINTS, METRICS, Job, point_folder, read_metrics, train
from train.numerics import Numerics, choose_numerics, gpu_share, peak_flops
from train.record import count_spikes
from train.run import RUN, initial, load_model, plan, run_proxy
from train.shards import TokenShards, tokenize_dataset
from train.spec import VERSION, ProxySpec, identity
from train.tokenizer import Tokenizer, train_tokenizer

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


def test_full_disk_stops_a_run_that_then_goes_on_from_its_last_checkpoint(
    make_spec: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_proxy(make_spec(), tmp_path / "whole")
    calls = iter(range(100))

    def full_at_the_third(tensors: Any, path: Path, **options: Any) -> None:
        if next(calls) == 4:  # two files per checkpoint
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(tensors, path, **options)

    monkeypatch.setattr("train.checkpoint.save_file", full_at_the_third)
    with pytest.raises(RunError, match="No space left on device") as caught:
        run_proxy(make_spec(), tmp_path / "full")
    assert str(tmp_path / "full") in str(caught.value)
    assert [p.name for p in (tmp_path / "full" / CHECKPOINTS).iterdir()] == ["step-00000014"]
    monkeypatch.undo()
    run_proxy(make_spec(), tmp_path / "full")
    assert_same_run(tmp_path / "whole", tmp_path / "full")


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
    assert (record["numerics"]["device"], record["mfu"]) == ("cpu", None)
    assert json.loads((tmp_path / RUN).read_text()) == record


def test_load_model_gives_the_trained_weights(make_spec: MakeSpec, tmp_path: Path) -> None:
    run_proxy(make_spec(), tmp_path)
    weights = load_file(tmp_path / MODEL)
    model = load_model(tmp_path)
    assert all(torch.equal(weights[n], p) for n, p in model.state_dict().items())


@pytest.mark.parametrize("schedule", ["wsd", "cosine"])
def test_points_leave_the_run_itself_as_it_is(
    make_spec: MakeSpec, tmp_path: Path, schedule: str
) -> None:
    changes = {"schedule": schedule, "decay_frac": 0.2}
    run_proxy(make_spec(train=changes), tmp_path / "plain")
    record = run_proxy(make_spec(train=changes, points=(0.5, 0.25)), tmp_path / "points")
    assert metrics(tmp_path / "plain") == metrics(tmp_path / "points")
    weights = [load_file(tmp_path / name / MODEL) for name in ("plain", "points")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert [point["tokens"] for point in record["curve"]] == [8 * 256, 15 * 256, 30 * 256]
    assert record["curve"][-1] == {
        "tokens": record["tokens"],
        "flops": record["flops"],
        "loss": record["final_loss"],
        "model": MODEL,
        "decayed": True,
    }
    assert record["branch_tokens"] == ((2 + 3) * 256 if schedule == "wsd" else 0)
    assert [point["decayed"] for point in record["curve"][:2]] == [schedule == "wsd"] * 2
    models = [load_model(tmp_path / "points", point["model"]) for point in record["curve"]]
    assert not torch.equal(models[0].embedding, models[1].embedding)
    assert not list(tmp_path.rglob(CHECKPOINTS))


def test_branch_of_wsd_is_the_run_that_ends_there(make_spec: MakeSpec, tmp_path: Path) -> None:
    """Without a warm-up, whose length depends on the budget, the two are the same to the bit."""
    train = {"decay_frac": 0.2, "warmup_frac": 0.0, "tokens": 40 * 256}
    whole = make_spec(train=train, points=(0.5,), weights={"web": 1.0})
    half = make_spec(train={**train, "tokens": 20 * 256}, weights={"web": 1.0})
    record = run_proxy(whole, tmp_path / "whole")
    short = run_proxy(half, tmp_path / "half")
    weights = [
        load_file(path) for path in (tmp_path / "half" / MODEL, tmp_path / "whole" / POINT / MODEL)
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert record["curve"][0]["loss"] == short["final_loss"]


POINT = "points/step-00000020"


@pytest.mark.parametrize("stop", [3, 17, 19, 33])
def test_run_with_points_resumes_bitwise(make_spec: MakeSpec, tmp_path: Path, stop: int) -> None:
    """Stopped in the trunk before the branch, at its start, inside it, and in the trunk after."""
    config = make_spec(train={"decay_frac": 0.2, "tokens": 40 * 256, "checkpoint_every": 6}).train
    ids = torch.randint(300, (40, 8, 33), generator=torch.Generator().manual_seed(0))
    model = make_spec().model
    job = Job(
        model=model, train=config, numerics=Numerics(), seed=0, fingerprint="job", branches={16: 20}
    )
    train(job, lambda step: ids[step], tmp_path / "whole")

    def batch(step: int) -> torch.Tensor:
        if step == stop:
            raise StopError
        return ids[step]

    with pytest.raises(StopError):
        train(job, batch, tmp_path / "stopped")
    branched = (tmp_path / "stopped" / POINT / MODEL).exists()
    assert branched == (stop == 33)
    train(job, lambda step: ids[step], tmp_path / "stopped")
    assert_same_run(tmp_path / "whole", tmp_path / "stopped")
    assert_same_run(point_folder(tmp_path / "whole", 20), point_folder(tmp_path / "stopped", 20))
    assert [line["step"] for line in metrics(tmp_path / "whole" / POINT)] == [16, 17, 18, 19]


def test_points_of_another_run_in_the_folder_are_not_taken_for_its_own(
    make_spec: MakeSpec, tmp_path: Path
) -> None:
    train = {"decay_frac": 0.2, "tokens": 40 * 256}
    run_proxy(make_spec(train=train, points=(0.5,), seed=1), tmp_path / "used")
    record = run_proxy(make_spec(train=train, points=(0.5,)), tmp_path / "used")
    fresh = run_proxy(make_spec(train=train, points=(0.5,)), tmp_path / "fresh")
    assert record["curve"] == fresh["curve"]
    assert_same_run(tmp_path / "used" / POINT, tmp_path / "fresh" / POINT)


def test_continued_run_starts_from_the_weights_of_the_first(
    make_spec: MakeSpec, tmp_path: Path
) -> None:
    first = run_proxy(make_spec(train={"tokens": 100 * 256}), tmp_path / "first")
    more = make_spec(train={"schedule": "rewarm"}, init_from=tmp_path / "first")
    record = run_proxy(more, tmp_path / "more")
    assert (
        read_metrics(tmp_path / "more")[0]["loss"]
        < 0.8 * read_metrics(tmp_path / "first")[0]["loss"]
    )
    weights = load_file(tmp_path / "first" / MODEL)
    for name, tensor in weights.items():
        assert not torch.equal(tensor, load_file(tmp_path / "more" / MODEL)[name])
    assert read_about(tmp_path / "more" / MODEL)["tokenizer"] == first["tokenizer"]
    scratch = run_proxy(make_spec(train={"schedule": "rewarm"}), tmp_path / "scratch")
    assert scratch["fingerprint"] != record["fingerprint"]
    file = replace(more, init_from=tmp_path / "first" / MODEL)
    assert run_proxy(file, tmp_path / "more") == record  # the same weights, named another way


def test_continued_run_resumes_bitwise(make_spec: MakeSpec, tmp_path: Path) -> None:
    run_proxy(make_spec(train={"tokens": 10 * 256}), tmp_path / "first")
    spec = make_spec(init_from=tmp_path / "first")
    job = Job(model=spec.model, train=spec.train, numerics=Numerics(), seed=0, fingerprint="job")
    ids = torch.randint(300, (30, 8, 33), generator=torch.Generator().manual_seed(0))
    start = initial(spec, TokenShards.open(spec.shards))
    train(job, lambda step: ids[step], tmp_path / "whole", start)
    with pytest.raises(IndexError):
        train(job, lambda step: ids[:20][step], tmp_path / "stopped", start)
    train(job, lambda step: ids[step], tmp_path / "stopped", start)
    assert_same_run(tmp_path / "whole", tmp_path / "stopped")


def test_model_of_another_shape_or_tokenizer_is_refused(
    make_spec: MakeSpec, dataset: Path, tmp_path: Path
) -> None:
    spec = make_spec()
    run_proxy(spec, tmp_path / "first")
    wider = replace(spec.model, width=48)
    with pytest.raises(UserError, match=r"another model: .*'width': 32.* has .*'width': 48"):
        run_proxy(make_spec(model=wider, init_from=tmp_path / "first"), tmp_path / "run")
    other = train_tokenizer(["some other words"] * 9, vocab=290)
    shards = tokenize_dataset([dataset], other, tmp_path / "shards")
    ours = TokenShards.open(spec.shards).tokenizer
    with pytest.raises(UserError, match=f"another tokenizer: {ours}.* has {other.hash}"):
        run_proxy(make_spec(shards=shards.folder, init_from=tmp_path / "first"), tmp_path / "run")
    with pytest.raises(UserError, match="there is no model"):
        run_proxy(make_spec(init_from=tmp_path / "nowhere"), tmp_path / "run")
    save_file(load_file(tmp_path / "first" / MODEL), tmp_path / "bare.safetensors")
    with pytest.raises(UserError, match="does not say its model"):
        run_proxy(make_spec(init_from=tmp_path / "bare.safetensors"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_masking_documents_is_another_run_that_learns_as_well(
    make_spec: MakeSpec, shards: TokenShards, tmp_path: Path
) -> None:
    plain = run_proxy(make_spec(train={"tokens": 60 * 256}), tmp_path / "plain")
    masked = run_proxy(
        make_spec(train={"tokens": 60 * 256, "mask_documents": True}), tmp_path / "masked"
    )
    assert masked["fingerprint"] != plain["fingerprint"]
    assert masked["final_loss"] != plain["final_loss"]
    assert masked["final_loss"] == pytest.approx(plain["final_loss"], rel=0.05)
    assert all(shards.tokens(s)[shards.index(s)].tolist().count(shards.eot) for s in shards.sources)


def test_new_options_left_out_keep_the_names_of_old_runs(
    make_spec: MakeSpec, shards: TokenShards
) -> None:
    """The identity of a run as the first version computed it."""
    spec = make_spec()
    old = {
        "train": "tokens batch_tokens optimizer lr muon_lr muon_momentum beta1 beta2 eps "
        "weight_decay clip warmup_frac decay_frac checkpoint_every",
        "numerics": "dtype attention threads",
    }
    fields: dict[str, Any] = {
        name: {key: getattr(getattr(spec, name), key) for key in keys.split()}
        for name, keys in old.items()
    }
    for name in ("recipe", "weights", "max_epochs", "preset", "model", "seed", "judge"):
        fields[name] = getattr(spec, name)
    fields["dataset_fingerprint"] = spec.dataset_fingerprint
    assert identity(spec, shards) == fingerprint(
        {"version": VERSION, "shards": shards.identity, **fields}
    )
    assert identity(make_spec(points=(0.5,)), shards) != identity(spec, shards)


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


def test_numerics_of_a_gpu_compile_long_runs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H100 80GB HBM3")
    short, long = (choose_numerics(PRESETS[n].model, PRESETS[n].train.tokens) for n in ("s", "xl"))
    assert (short.device, short.dtype, short.attention) == ("cuda", "bfloat16", "sdpa")
    assert (short.compile, long.compile) == (False, True)
    assert short.micro_tokens > Numerics().micro_tokens


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 9.89e14),
        ("NVIDIA H100 PCIe", 7.56e14),
        ("NVIDIA A100-SXM4-40GB", 3.12e14),
        ("NVIDIA A10G", 1.25e14),
        ("NVIDIA L40S", 3.62e14),
        ("Quadro K600", None),
    ],
)
def test_peak_flops_are_those_of_the_data_sheet(name: str, peak: float | None) -> None:
    assert peak_flops(name) == peak


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_judge_of_a_gpu_is_refused_where_there_is_none(make_spec: MakeSpec, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="this machine has none"):
        run_proxy(make_spec(numerics=Numerics(device="cuda")), tmp_path)


def test_several_small_trials_share_a_gpu() -> None:
    shares = {name: gpu_share(preset.model) for name, preset in PRESETS.items()}
    assert [shares[name] for name in ("xs", "m", "l", "xl")] == [0.125, 0.125, 0.25, 1.0]
