"""Training on a GPU: what a CPU computes, but for bfloat16; resumable, compiled or not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from train.checkpoint import MODEL
from train.config import PRESETS
from train.loop import Job, read_metrics, train
from train.numerics import Numerics, choose_numerics, peak_flops
from train.run import load_model, run_proxy
from train.spec import ProxySpec

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CUDA = Numerics(dtype="bfloat16", attention="sdpa", device="cuda")
MakeSpec = Callable[..., ProxySpec]


def losses(folder: Path) -> list[float]:
    return [line["loss"] for line in read_metrics(folder)]


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize(
    "numerics",
    [CUDA, replace(CUDA, compile=True), Numerics(device="cuda")],
    ids=["bfloat16", "compiled", "float32"],
)
def test_run_on_a_gpu_has_the_losses_of_a_cpu(
    make_spec: MakeSpec, tmp_path: Path, numerics: Numerics, optimizer: str
) -> None:
    options = {"optimizer": optimizer, "tokens": 60 * 256}
    run_proxy(make_spec(train=options), tmp_path / "cpu")
    record = run_proxy(make_spec(train=options, numerics=numerics), tmp_path / "gpu")
    assert losses(tmp_path / "gpu") == pytest.approx(losses(tmp_path / "cpu"), rel=0.05)
    assert record["numerics"]["device"] == "cuda"
    assert (record["mfu"] is None) == (peak_flops() is None)
    assert load_model(tmp_path / "gpu").embedding.device.type == "cpu"  # for scoring


def test_documents_are_masked_on_a_gpu_too(make_spec: MakeSpec, tmp_path: Path) -> None:
    options = {"mask_documents": True}
    run_proxy(make_spec(train=options), tmp_path / "cpu")
    run_proxy(make_spec(train=options, numerics=CUDA), tmp_path / "gpu")
    assert losses(tmp_path / "gpu") == pytest.approx(losses(tmp_path / "cpu"), rel=0.05)


def test_run_on_a_gpu_resumes(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec(numerics=CUDA)
    ids = torch.randint(300, (30, 8, 33), generator=torch.Generator().manual_seed(0))
    job = Job(model=spec.model, train=spec.train, numerics=CUDA, seed=0, fingerprint="job")
    train(job, lambda step: ids[step], tmp_path / "whole")
    with pytest.raises(IndexError):
        train(job, lambda step: ids[:20][step], tmp_path / "stopped")
    train(job, lambda step: ids[step], tmp_path / "stopped")
    assert losses(tmp_path / "stopped") == pytest.approx(losses(tmp_path / "whole"), rel=1e-3)
    assert (tmp_path / "stopped" / MODEL).is_file()


def test_a_gpu_is_chosen_where_there_is_one() -> None:
    chosen = choose_numerics(PRESETS["xs"].model, PRESETS["xs"].train.tokens)
    assert (chosen.device, chosen.dtype, chosen.compile) == ("cuda", "bfloat16", False)
