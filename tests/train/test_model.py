"""The model against its formulas."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from train.config import PRESETS, ModelConfig, TrainConfig
from train.head import CHUNK, summed_loss, token_losses
from train.loop import accumulate_gradients
from train.model import GPT, Linear, causal_attention
from train.optim import Optimizer


def random_batch(config: ModelConfig, rows: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(config.vocab, (rows, config.context + 1), generator=generator)


def test_loss_at_init_is_that_of_a_uniform_guess() -> None:
    config = PRESETS["xs"].model
    batch = random_batch(config, 4)
    loss = GPT(config)(batch[:, :-1], batch[:, 1:])
    assert loss.item() == pytest.approx(math.log(config.vocab), abs=0.1)


def test_parameters_are_those_of_the_config() -> None:
    for name in ("xs", "s"):
        config = PRESETS[name].model
        assert sum(p.numel() for p in GPT(config).parameters()) == config.params
    assert PRESETS["xs"].model.params == 638_976


def test_one_batch_can_be_memorised(tiny: ModelConfig) -> None:
    model = GPT(tiny)
    optimizer = Optimizer(dict(model.named_parameters()), TrainConfig(tokens=1), torch.float32)
    batch = random_batch(tiny, 2)
    for _ in range(50):
        loss = model(batch[:, :-1], batch[:, 1:])
        loss.backward()
        optimizer.step(1.0)
    assert loss.item() < 0.05


@pytest.mark.parametrize("kind", ["matmul", "sdpa"])
def test_attention_equals_the_formula(kind: Literal["matmul", "sdpa"]) -> None:
    generator = torch.Generator().manual_seed(1)
    q, k, v = torch.randn(3, 2, 3, 9, 8, generator=generator)
    out = causal_attention(q, k, v, kind)
    for t in range(9):
        scores = torch.einsum("bhk,bhsk->bhs", q[:, :, t], k[:, :, : t + 1]) / math.sqrt(8)
        expected = torch.einsum("bhs,bhsk->bhk", scores.softmax(-1), v[:, :, : t + 1])
        torch.testing.assert_close(out[:, :, t], expected)


@pytest.mark.parametrize("kind", ["matmul", "sdpa"])
def test_future_tokens_do_not_change_the_past(
    tiny: ModelConfig, kind: Literal["matmul", "sdpa"]
) -> None:
    model = trained_a_little(tiny, kind)
    ids = random_batch(tiny, 1)[:, :-1]
    changed = ids.clone()
    changed[:, 20:] = (changed[:, 20:] + 1) % tiny.vocab
    before, after = model.logits(ids), model.logits(changed)
    torch.testing.assert_close(before[:, :20], after[:, :20])
    assert not torch.allclose(before[:, 20:], after[:, 20:])


@pytest.mark.parametrize("rows", [1, CHUNK - 1, CHUNK, CHUNK + 3])
def test_summed_loss_and_its_gradients_equal_cross_entropy(rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    hidden = torch.randn(rows, 16, generator=generator, requires_grad=True)
    weight = torch.randn(50, 16, generator=generator, requires_grad=True)
    targets = torch.randint(50, (rows,), generator=generator)
    reference = F.cross_entropy(hidden @ weight.T, targets, reduction="none")
    expected = torch.autograd.grad(reference.sum() / 7, (hidden, weight))
    loss = summed_loss(hidden, weight, targets)
    torch.testing.assert_close(loss, reference.sum())
    torch.testing.assert_close(torch.autograd.grad(loss / 7, (hidden, weight)), expected)
    torch.testing.assert_close(token_losses(hidden, weight, targets), reference.detach())


def test_loss_stays_exact_where_a_target_is_impossible() -> None:
    hidden, weight = torch.tensor([[1.0]]), torch.tensor([[500.0], [-500.0]])
    assert token_losses(hidden, weight, torch.tensor([1])).item() == pytest.approx(1000.0)
    assert token_losses(hidden, weight, torch.tensor([0])).item() == pytest.approx(0.0)


def test_reductions_agree(tiny: ModelConfig) -> None:
    model, batch = trained_a_little(tiny), random_batch(tiny, 3, seed=9)
    x, y = batch[:, :-1], batch[:, 1:]
    each = model(x, y, reduction="none")
    assert each.shape == y.shape
    assert model(x, y, reduction="sum").item() == pytest.approx(each.sum().item(), rel=1e-5)
    assert model(x, y).item() == pytest.approx(each.mean().item(), rel=1e-5)
    reference = F.cross_entropy(model.logits(x).flatten(0, 1), y.flatten(), reduction="none")
    torch.testing.assert_close(each.flatten(), reference.detach())


def test_bfloat16_keeps_float32_weights_logits_and_nearly_the_loss(tiny: ModelConfig) -> None:
    exact, half = trained_a_little(tiny), GPT(tiny, dtype="bfloat16")
    half.load_state_dict(exact.state_dict())
    batch = random_batch(tiny, 4)
    loss = half(batch[:, :-1], batch[:, 1:])
    loss.backward()
    assert {p.dtype for p in half.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in half.parameters() if p.grad is not None} == {torch.float32}
    assert half.logits(batch[:, :-1]).dtype == torch.float32
    assert loss.item() == pytest.approx(exact(batch[:, :-1], batch[:, 1:]).item(), abs=0.02)


def test_linear_multiplies_in_the_dtype_of_its_input() -> None:
    linear = Linear(4, 2)
    torch.nn.init.ones_(linear.weight)
    assert linear(torch.ones(3, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_same_seed_gives_the_same_weights(tiny: ModelConfig) -> None:
    one, two, other = GPT(tiny, seed=4), GPT(tiny, seed=4), GPT(tiny, seed=5)
    assert torch.equal(one.embedding, two.embedding)
    assert not torch.equal(one.embedding, other.embedding)


@pytest.mark.parametrize("kind", ["matmul", "sdpa"])
def test_masked_documents_are_read_as_if_alone(
    tiny: ModelConfig, kind: Literal["matmul", "sdpa"]
) -> None:
    """Rotary positions are relative, so where in the window a document stands does not matter."""
    trained = trained_a_little(tiny, kind)
    masked, plain = GPT(tiny, attention=kind, boundary=0), GPT(tiny, attention=kind)
    for model in (masked, plain):
        model.load_state_dict(trained.state_dict())
    ids = random_batch(tiny, 3).clamp_min(1)[:, :-1]
    starts = [[0, 5, 6, 20], [11], []]  # the first row has an empty document, the last none
    for row, places in enumerate(starts):
        ids[row, places] = 0
    together, across = masked.logits(ids), plain.logits(ids)
    for row, places in enumerate(starts):
        cuts = sorted({0, *places, ids.shape[1]})
        for a, b in pairwise(cuts):
            alone = plain.logits(ids[row : row + 1, a:b])[0]
            torch.testing.assert_close(together[row, a:b], alone, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(together[2], across[2])
    assert not torch.allclose(together[0, 20:], across[0, 20:], atol=1e-3)


def test_masked_documents_give_their_own_gradients(tiny: ModelConfig) -> None:
    trained = trained_a_little(tiny)
    ids = random_batch(tiny, 1).clamp_min(1)
    ids[0, [0, 16]] = 0
    gradients = []
    for parts in ([ids], [ids[:, :17], ids[:, 16:]]):
        model = GPT(tiny, boundary=0)
        model.load_state_dict(trained.state_dict())
        for part in parts:
            model(part[:, :-1], part[:, 1:], reduction="sum").backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-4)


def test_accumulated_gradients_are_those_of_one_pass(tiny: ModelConfig) -> None:
    trained, ids = trained_a_little(tiny), random_batch(tiny, 7)
    runs = []
    for micro_tokens in (1, 3 * 32, 7 * 32):  # 1, 3 and 7 windows a pass
        trained.zero_grad()
        loss = accumulate_gradients(trained, ids, micro_tokens)
        runs.append((loss, [p.grad.clone() for p in trained.parameters() if p.grad is not None]))
    for loss, gradients in runs[:2]:
        assert loss == pytest.approx(runs[2][0], rel=1e-6)
        torch.testing.assert_close(gradients, runs[2][1], rtol=1e-4, atol=1e-7)


def test_odd_head_dim_is_refused(tiny: ModelConfig) -> None:
    with pytest.raises(Exception, match="even"):
        replace(tiny, head_dim=15)


def trained_a_little(config: ModelConfig, kind: Literal["matmul", "sdpa"] = "matmul") -> GPT:
    """A model whose output projections are no longer zero."""
    model = GPT(config, attention=kind)
    optimizer = Optimizer(dict(model.named_parameters()), TrainConfig(tokens=1), torch.float32)
    batch = random_batch(config, 2)
    for _ in range(3):
        model(batch[:, :-1], batch[:, 1:]).backward()
        optimizer.step(1.0)
    return model
