"""The parts of a block without weights: norm, squared ReLU, and the making of attention heads.

In float32 on a CPU they run compiled (`train.kernels`), with gradients written by hand; otherwise
by the torch formulas below, which are their definition and their test.

Shapes: B sequences, T positions, D width, H heads, K features per head.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from train import kernels

EPS = float(kernels.EPS)
ROTARY_BASE = 1e4  # RoFormer (Su et al. 2021)


def norm(x: Tensor) -> Tensor:
    """Scales the last axis to a root mean square of 1."""
    if _compiled(x):
        out: Tensor = _Norm.apply(x)  # type: ignore[no-untyped-call]
        return out
    return norm_formula(x)


def squared_relu(x: Tensor) -> Tensor:
    """max(x, 0) ** 2."""
    if _compiled(x):
        out: Tensor = _SquaredRelu.apply(x)  # type: ignore[no-untyped-call]
        return out
    return F.relu(x).square()


def heads(qkv: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of attention.

    Args:
        qkv: (B, T, 3, H, K).
        cos: (T, K/2), from `rotary`.
        sin: (T, K/2).

    Returns:
        Queries and keys, normed and turned by their position, and values, each (B, H, T, K).
    """
    if _compiled(qkv):
        out: tuple[Tensor, Tensor, Tensor] = _Heads.apply(qkv, cos, sin)  # type: ignore[no-untyped-call]
        return out
    return heads_formula(qkv, cos, sin)


def rotary(time: int, head_dim: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the angle of each position and feature pair, each (T, K/2)."""
    pairs = head_dim // 2
    frequency = ROTARY_BASE ** (-torch.arange(pairs) / pairs)
    angle = torch.outer(torch.arange(time).float(), frequency)
    return angle.cos(), angle.sin()


def norm_formula(x: Tensor) -> Tensor:
    """`norm` by torch, for any dtype and device."""
    return F.rms_norm(x, (x.shape[-1],), eps=EPS)


def heads_formula(qkv: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`heads` by torch: feature i and i + K/2 are one point, turned by its position's angle."""
    q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, H, T, K) each
    a, b = norm_formula(torch.stack([q, k])).chunk(2, dim=-1)
    turned = torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
    return turned[0], turned[1], v


def _compiled(x: Tensor) -> bool:
    return x.dtype == torch.float32 and x.device.type == "cpu"


def _array(x: Tensor) -> Any:
    return x.detach().contiguous().numpy()


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        scale = torch.empty(x.numel() // x.shape[-1])
        rows = (-1, x.shape[-1])
        kernels.norm_forward(_array(x).reshape(rows), out.numpy().reshape(rows), scale.numpy())
        ctx.save_for_backward(out, scale)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        out, scale = ctx.saved_tensors
        grad_x = torch.empty_like(out)
        rows = (-1, out.shape[-1])
        kernels.norm_backward(
            _array(grads[0]).reshape(rows),
            _array(out).reshape(rows),
            scale.numpy(),
            grad_x.numpy().reshape(rows),
        )
        return grad_x


class _SquaredRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.contiguous()
        out = torch.empty_like(x)
        kernels.squared_relu_forward(_array(x).reshape(-1), out.numpy().reshape(-1))
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad_x = torch.empty_like(x)
        kernels.squared_relu_backward(
            _array(grads[0]).reshape(-1), _array(x).reshape(-1), grad_x.numpy().reshape(-1)
        )
        return grad_x


class _Heads(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, time, _, n_head, size = qkv.shape
        out = torch.empty(3, batch, n_head, time, size)
        scale = torch.empty(2, batch, n_head, time)
        kernels.heads_forward(_array(qkv), _array(cos), _array(sin), out.numpy(), scale.numpy())
        ctx.save_for_backward(cos, sin, out, scale)
        return out[0], out[1], out[2]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        cos, sin, out, scale = ctx.saved_tensors
        _, batch, n_head, time, size = out.shape
        grad_qkv = torch.empty(batch, time, 3, n_head, size)
        grad_q, grad_k, grad_v = (_array(grad) for grad in grads)
        kernels.heads_backward(
            grad_q,
            grad_k,
            grad_v,
            _array(cos),
            _array(sin),
            _array(out),
            scale.numpy(),
            grad_qkv.numpy(),
        )
        return grad_qkv, None, None
