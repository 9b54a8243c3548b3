"""Optimisers and the schedule."""

from typing import Literal

import pytest
import torch
from torch import nn

from train.config import ModelConfig, TrainConfig
from train.model import GPT
from train.optim import Optimizer, orthogonalize
from train.schedule import rate


def test_orthogonalize_brings_all_singular_values_near_one() -> None:
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randn(3, 16, 48, generator=generator) * 7
    singular = torch.linalg.svdvals(orthogonalize(matrices))
    assert singular.min() > 0.6
    assert singular.max() < 1.3


def test_orthogonalize_keeps_the_singular_directions() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(1, 16, 48, generator=generator)
    u, _, vh = torch.linalg.svd(matrix[0], full_matrices=False)
    core = u.T @ orthogonalize(matrix)[0] @ vh.T
    assert (core - core.diagonal().diag()).abs().max() < 1e-3


def test_orthogonalize_of_zero_is_zero() -> None:
    assert orthogonalize(torch.zeros(1, 4, 8)).abs().max() == 0


def one_step(config: TrainConfig, name: str, shape: tuple[int, int]) -> torch.Tensor:
    """The change that one step at full rate makes to a matrix called `name`."""
    generator = torch.Generator().manual_seed(0)
    weight = nn.Parameter(torch.zeros(shape))
    embedding = nn.Parameter(torch.ones(5, 4))
    weight.grad = torch.randn(shape, generator=generator)
    embedding.grad = torch.ones(5, 4)
    optimizer = Optimizer({"embedding": embedding, name: weight}, config, torch.float32)
    optimizer.step(1.0)
    return weight.detach()


def test_muon_orthogonalises_query_key_and_value_separately() -> None:
    config = TrainConfig(tokens=1, weight_decay=0.0)
    change = one_step(config, "blocks.0.qkv.weight", (24, 8)) / -config.muon_lr
    for part in change.chunk(3):
        singular = torch.linalg.svdvals(part)
        assert singular.min() > 0.6
        assert singular.max() < 1.3


def test_muon_scales_tall_matrices_by_the_root_of_their_ratio() -> None:
    config = TrainConfig(tokens=1, weight_decay=0.0)
    tall = one_step(config, "up.weight", (32, 8)) / -config.muon_lr
    wide = one_step(config, "down.weight", (8, 32)) / -config.muon_lr
    assert torch.linalg.svdvals(tall).mean() == pytest.approx(2.0, abs=0.4)
    assert torch.linalg.svdvals(wide).mean() == pytest.approx(1.0, abs=0.2)


def test_adamw_first_step_is_the_sign_of_the_gradient() -> None:
    config = TrainConfig(tokens=1, optimizer="adamw", weight_decay=0.0)
    change = one_step(config, "up.weight", (6, 4))
    torch.testing.assert_close(change.abs(), torch.full((6, 4), config.lr))


def test_weight_decay_spares_the_embedding() -> None:
    embedding, matrix = nn.Parameter(torch.ones(5, 4)), nn.Parameter(torch.ones(4, 4))
    for p in (embedding, matrix):
        p.grad = torch.zeros_like(p)
    config = TrainConfig(tokens=1)
    Optimizer({"embedding": embedding, "up.weight": matrix}, config, torch.float32).step(0.5)
    assert torch.equal(embedding.detach(), torch.ones(5, 4))
    torch.testing.assert_close(matrix.detach(), torch.full((4, 4), 1 - 0.5 * 0.02 * 0.1))


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_state_carries_over_bitwise(tiny: ModelConfig, kind: Literal["muon", "adamw"]) -> None:
    config = TrainConfig(tokens=1, optimizer=kind)
    ids = torch.arange(66).view(2, 33)

    def step(model: GPT, optimizer: Optimizer) -> None:
        model(ids[:, :-1], ids[:, 1:]).backward()
        optimizer.step(0.7)

    whole = GPT(tiny)
    optimizer = Optimizer(dict(whole.named_parameters()), config, torch.float32)
    step(whole, optimizer)
    other = GPT(tiny, seed=9)
    other.load_state_dict(whole.state_dict())
    resumed = Optimizer(dict(other.named_parameters()), config, torch.float32)
    resumed.load({name: tensor.clone() for name, tensor in optimizer.state().items()})
    step(whole, optimizer)
    step(other, resumed)
    for (name, a), b in zip(whole.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b), name


def test_schedule_climbs_stays_and_falls() -> None:
    config = TrainConfig(tokens=100 * 4096, warmup_frac=0.05, decay_frac=0.5)
    rates = [rate(config, step) for step in range(100)]
    assert rates[:5] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])
    assert set(rates[5:50]) == {1.0}
    assert rates[50:] == pytest.approx([(50 - i) / 51 for i in range(50)])


def test_schedule_of_a_single_step_is_not_zero() -> None:
    assert rate(TrainConfig(tokens=1), 0) > 0
