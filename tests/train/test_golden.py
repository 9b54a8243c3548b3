"""A short loss curve that must not change unless somebody means it to.

When a change is meant: run `python tests/train/test_golden.py` from the root and review the diff.
"""

import json
from pathlib import Path

import pytest
import torch

from train.config import ModelConfig, TrainConfig
from train.loop import Job, read_metrics, train
from train.numerics import Numerics

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "loss_curve.json"


def losses(folder: Path) -> list[float]:
    """20 steps of Muon in float32 on tokens of a fixed skewed distribution."""
    model = ModelConfig(vocab=300, width=32, n_layer=2, n_head=2, head_dim=16, context=32)
    config = TrainConfig(tokens=20 * 256, batch_tokens=256)
    generator = torch.Generator().manual_seed(0)
    ids = (torch.rand(20, 8, 33, generator=generator) ** 4 * 300).long()
    job = Job(model=model, train=config, numerics=Numerics(), seed=0, fingerprint="golden")
    train(job, lambda step: ids[step], folder)
    return [line["loss"] for line in read_metrics(folder)]


def test_loss_curve_is_the_golden_one(tmp_path: Path) -> None:
    # Machines sum in other orders: 1e-3 lets those through and no change of a formula.
    assert losses(tmp_path) == pytest.approx(json.loads(GOLDEN.read_text()), rel=1e-3)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        GOLDEN.write_text(json.dumps([round(loss, 6) for loss in losses(Path(name))]) + "\n")
