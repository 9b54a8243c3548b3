"""Compiled float32 loops for the parts of a block that are not matrix products.

Each makes one pass over memory where torch's operations make three to ten, which on one core is a
quarter of a training step. `train.layers` pairs every forward with its backward and says what they
compute.

Shapes: N rows, D features; B sequences, T positions, H heads, K features per head.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Kernel = TypeVar("Kernel", bound=Callable[..., None])

EPS = np.float32(1e-6)  # below any mean square that occurs; keeps a row of zeros at zero


def compiled(function: Kernel) -> Kernel:
    """Compiles with sums that may be reordered (so that they vectorise) and NaNs kept."""
    options: dict[str, Any] = {"cache": True, "nogil": True}
    kernel: Kernel = njit(fastmath={"reassoc", "contract", "arcp", "nsz"}, **options)(function)
    return kernel


@compiled
def norm_forward(x: Floats, out: Floats, scale: Floats) -> None:
    """Makes out = x * scale with scale = 1 / root mean square; (N, D), (N, D), (N,)."""
    for i in range(x.shape[0]):
        total = np.float32(0)
        for j in range(x.shape[1]):
            total += x[i, j] * x[i, j]
        scale[i] = np.float32(1) / math.sqrt(total / np.float32(x.shape[1]) + EPS)
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] * scale[i]


@compiled
def norm_backward(grad: Floats, out: Floats, scale: Floats, grad_x: Floats) -> None:
    """grad_x = scale * (grad - out * mean(grad * out)), row by row."""
    for i in range(out.shape[0]):
        total = np.float32(0)
        for j in range(out.shape[1]):
            total += grad[i, j] * out[i, j]
        mean = total / np.float32(out.shape[1])
        for j in range(out.shape[1]):
            grad_x[i, j] = scale[i] * (grad[i, j] - out[i, j] * mean)


@compiled
def squared_relu_forward(x: Floats, out: Floats) -> None:
    """Makes out = max(x, 0) ** 2, flat; NaN stays NaN."""
    for i in range(x.shape[0]):
        out[i] = np.float32(0) if x[i] <= 0 else x[i] * x[i]


@compiled
def squared_relu_backward(grad: Floats, x: Floats, grad_x: Floats) -> None:
    """grad_x = grad * 2 max(x, 0), flat."""
    for i in range(x.shape[0]):
        grad_x[i] = np.float32(0) if x[i] <= 0 else np.float32(2) * x[i] * grad[i]


@compiled
def heads_forward(qkv: Floats, cos: Floats, sin: Floats, out: Floats, scale: Floats) -> None:
    """Queries and keys normed and turned by their position, values copied, heads before time.

    qkv is (B, T, 3, H, K), cos and sin (T, K/2), out (3, B, H, T, K), scale (2, B, H, T).
    """
    batch, time, _, n_head, size = qkv.shape
    half = size // 2
    for b in range(batch):
        for t in range(time):
            for h in range(n_head):
                for part in range(2):
                    x, y = qkv[b, t, part, h], out[part, b, h, t]
                    total = np.float32(0)
                    for k in range(size):
                        total += x[k] * x[k]
                    r = np.float32(1) / math.sqrt(total / np.float32(size) + EPS)
                    scale[part, b, h, t] = r
                    for k in range(half):
                        y[k] = r * (x[k] * cos[t, k] - x[half + k] * sin[t, k])
                        y[half + k] = r * (x[k] * sin[t, k] + x[half + k] * cos[t, k])
                for k in range(size):
                    out[2, b, h, t, k] = qkv[b, t, 2, h, k]


@compiled
def heads_backward(
    grad_q: Floats,
    grad_k: Floats,
    grad_v: Floats,
    cos: Floats,
    sin: Floats,
    out: Floats,
    scale: Floats,
    grad_qkv: Floats,
) -> None:
    """The gradient of `heads_forward`.

    A rotation keeps lengths and angles, so the norm's gradient is taken on the turned vectors and
    turned back.
    """
    batch, time, _, n_head, size = grad_qkv.shape
    half = size // 2
    for b in range(batch):
        for t in range(time):
            for h in range(n_head):
                for part in range(2):
                    g = grad_q[b, h, t] if part == 0 else grad_k[b, h, t]
                    y, dx = out[part, b, h, t], grad_qkv[b, t, part, h]
                    total = np.float32(0)
                    for k in range(size):
                        total += g[k] * y[k]
                    mean, r = total / np.float32(size), scale[part, b, h, t]
                    for k in range(half):
                        p = r * (g[k] - y[k] * mean)
                        q = r * (g[half + k] - y[half + k] * mean)
                        dx[k] = p * cos[t, k] + q * sin[t, k]
                        dx[half + k] = q * cos[t, k] - p * sin[t, k]
                for k in range(size):
                    grad_qkv[b, t, 2, h, k] = grad_v[b, h, t, k]
