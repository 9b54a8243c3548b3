"""Compiled layers against their formulas, forward and backward."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from train.layers import heads, heads_formula, norm, norm_formula, rotary, squared_relu


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 1), (5, 96), (2, 3, 33), (2, 0, 8)])
@pytest.mark.parametrize(
    ("layer", "formula"), [(norm, norm_formula), (squared_relu, lambda x: F.relu(x).square())]
)
def test_compiled_layer_equals_its_formula(
    layer: Callable[[Tensor], Tensor], formula: Callable[[Tensor], Tensor], shape: tuple[int, ...]
) -> None:
    x, grad = random(*shape).requires_grad_(), random(*shape, seed=1)
    out, expected = layer(x), formula(x)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(
        torch.autograd.grad(out, x, grad), torch.autograd.grad(expected, x, grad)
    )


@pytest.mark.parametrize("layer", [norm, squared_relu])
def test_compiled_layer_takes_strided_input_and_gradient(layer: Callable[[Tensor], Tensor]) -> None:
    base, grad = random(4, 6, 8), random(6, 4, 8, seed=1)
    plain, strided = base.clone().requires_grad_(), base.mT.contiguous().mT.requires_grad_()
    (expected,) = torch.autograd.grad(layer(plain), plain, grad.transpose(0, 1).contiguous())
    out = layer(strided)
    torch.testing.assert_close(out, layer(plain))
    torch.testing.assert_close(torch.autograd.grad(out, strided, grad.transpose(0, 1)), (expected,))


@pytest.mark.parametrize("layer", [norm, squared_relu])
def test_not_a_number_stays_visible(layer: Callable[[Tensor], Tensor]) -> None:
    x = torch.tensor([[1.0, float("nan"), -1.0, 2.0]])
    assert layer(x).isnan().any()


def test_heads_equal_their_formula() -> None:
    cos, sin = rotary(7, 8)
    qkv = random(2, 7, 3, 3, 8).requires_grad_()
    grads = [random(2, 3, 7, 8, seed=seed) for seed in (1, 2, 3)]
    out, expected = heads(qkv, cos, sin), heads_formula(qkv, cos, sin)
    for a, b in zip(out, expected, strict=True):
        torch.testing.assert_close(a, b)
    torch.testing.assert_close(
        torch.autograd.grad(out, qkv, grads), torch.autograd.grad(expected, qkv, grads)
    )


def test_heads_formula_serves_bfloat16() -> None:
    cos, sin = rotary(7, 8)
    qkv = random(2, 7, 3, 3, 8)
    half = heads(qkv.bfloat16(), cos.bfloat16(), sin.bfloat16())
    assert {x.dtype for x in half} == {torch.bfloat16}
    for a, b in zip(half, heads(qkv, cos, sin), strict=True):
        torch.testing.assert_close(a.float(), b, atol=0.03, rtol=0.03)


def test_rotation_makes_scores_depend_on_distance_only() -> None:
    cos, sin = rotary(12, 8)
    q, k, _ = heads(random(1, 1, 3, 1, 8).expand(1, 12, 3, 1, 8), cos, sin)
    scores = q[0, 0] @ k[0, 0].T
    for distance in range(12):
        diagonal = scores.diagonal(-distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert scores.std() > 0.01


def test_position_zero_is_not_turned_and_rows_have_unit_mean_square() -> None:
    cos, sin = rotary(3, 8)
    qkv = random(1, 3, 3, 2, 8)
    q, k, v = heads(qkv, cos, sin)
    torch.testing.assert_close(q[:, :, 0], norm(qkv[:, 0, 0]))
    torch.testing.assert_close(k.square().mean(-1), torch.ones(1, 2, 3))
    assert torch.equal(v, qkv[:, :, 2].transpose(1, 2))
