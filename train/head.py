"""The head: logits and cross-entropy, a few rows at a time.

The logits of a batch are by far its largest array (4,096 tokens x 2,048 words = 32 MB). In
chunks they never leave the cache: each chunk's loss, and in training its gradient, is finished
before the next chunk's logits are made. A GPU takes larger chunks: it needs the parallel work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

CHUNK = 128  # rows; 128 x 2,048 float32 logits are 1 MB, the L2 cache of a core
CUDA_CHUNK = 8192


def token_losses(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood in nats of each target, float32, shape (N,); no gradient.

    Args:
        hidden: (N, D) activations.
        weight: (V, D) tied embedding.
        targets: (N,) token ids.
    """
    with torch.no_grad():
        losses = [loss for _, loss, _ in _chunks(hidden, weight.to(hidden.dtype), targets)]
        return torch.cat(losses)


def summed_loss(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Sum of `token_losses`, a scalar that `backward` works on."""
    loss: Tensor = _SummedLoss.apply(hidden, weight, targets)  # type: ignore[no-untyped-call]
    return loss


def _chunks(
    hidden: Tensor, weight: Tensor, targets: Tensor
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Rows, their losses (n,), and the softmax of their logits (n, V), valid until the next.

    Two buffers serve all chunks: fresh ones would cost more in page faults than the arithmetic.
    """
    chunk = min(len(hidden), CUDA_CHUNK if hidden.is_cuda else CHUNK)
    logits = hidden.new_empty(chunk, len(weight))
    softmax = torch.empty_like(logits, dtype=torch.float32)
    for start in range(0, len(hidden), chunk):
        rows = slice(start, start + chunk)
        n = len(hidden[rows])
        torch.mm(hidden[rows], weight.t(), out=logits[:n])
        exact = logits[:n].float()  # no copy in float32
        at_target = exact.gather(1, targets[rows, None])
        peak = exact.amax(1, keepdim=True)
        torch.softmax(exact, 1, out=softmax[:n])
        # The log-sum-exp from the likeliest word, whose probability of at least 1/V has an exact
        # logarithm.
        log_sum = peak - softmax[:n].amax(1, keepdim=True).log()
        yield rows, (log_sum - at_target).squeeze(1), softmax[:n]


class _SummedLoss(torch.autograd.Function):
    """Computes the gradients on the way forward: d loss / d logits = softmax - one-hot."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        cast = weight.to(hidden.dtype)
        grad_hidden = torch.empty_like(hidden)
        grad_weight = torch.zeros_like(weight)
        total = hidden.new_zeros((), dtype=torch.float32)
        for rows, losses, grad in _chunks(hidden, cast, targets):
            total += losses.sum()
            grad.scatter_add_(1, targets[rows, None], grad.new_full((len(grad), 1), -1.0))
            grad = grad.to(hidden.dtype)
            torch.mm(grad, cast, out=grad_hidden[rows])
            _add_product(grad_weight, grad.t(), hidden[rows])
        ctx.save_for_backward(grad_hidden, grad_weight)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        grad_hidden, grad_weight = ctx.saved_tensors
        return grad_hidden * grads[0], grad_weight * grads[0], None


def _add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    """Adds a @ b to `total`; the sum over chunks stays float32 whatever a and b are."""
    if a.dtype == total.dtype:
        total.addmm_(a, b)
    else:
        total += a @ b
