"""One GPT, top to bottom.

Rotary positions (base 1e4), RMS norms without weights (one after the embedding too), QK-norm,
squared ReLU, no biases, tied embedding, output projections that start at zero: the choices of
nanochat and modded-nanogpt, which are faster to a loss than GPT-2's at every size we run.
Weights are float32; `Linear` casts them to the activations' dtype, so a step smaller than
bfloat16 resolves is not lost.

Shapes: B sequences, T positions, D width, H heads, K features per head, V words.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.config import ModelConfig
from train.head import summed_loss, token_losses
from train.layers import heads, norm, rotary, squared_relu

Precision = Literal["float32", "bfloat16"]
Attention = Literal["matmul", "sdpa"]
Reduction = Literal["mean", "sum", "none"]

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
EMBEDDING_STD = 0.02  # GPT-2


class Linear(nn.Module):
    """x @ weight.T, with the float32 weight cast to the dtype of x."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in))

    def forward(self, x: Tensor) -> Tensor:
        """(..., n_in) -> (..., n_out)."""
        return F.linear(x, self.weight.to(x.dtype))


class Block(nn.Module):
    """Attention, then a two-layer perceptron, each added to the residual stream."""

    def __init__(self, config: ModelConfig, attention: Attention) -> None:
        super().__init__()
        inner = config.n_head * config.head_dim
        self.n_head, self.head_dim, self.attention = config.n_head, config.head_dim, attention
        self.qkv = Linear(config.width, 3 * inner)
        self.out = Linear(inner, config.width)
        self.up = Linear(config.width, 4 * config.width)
        self.down = Linear(4 * config.width, config.width)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        x = x + self._attend(norm(x), cos, sin, mask)
        mixed: Tensor = self.down(squared_relu(self.up(norm(x))))
        return x + mixed

    def _attend(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        batch, time, _ = x.shape
        qkv = self.qkv(x).view(batch, time, 3, self.n_head, self.head_dim)
        q, k, v = heads(qkv, cos, sin)  # (B, H, T, K)
        y = causal_attention(q, k, v, self.attention, mask).transpose(1, 2)  # (B, T, H, K)
        out: Tensor = self.out(y.reshape(batch, time, self.n_head * self.head_dim))
        return out


class GPT(nn.Module):
    """The language model.

    Args:
        config: its shape.
        dtype: of activations and matrix products.
        attention: which attention kernel.
        seed: of the initial weights; the same seed gives the same weights on every machine.
        boundary: token that starts a document and that attention does not look back over; None:
            attention looks back over the whole window.
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self,
        config: ModelConfig,
        *,
        dtype: Precision = "float32",
        attention: Attention = "matmul",
        seed: int = 0,
        boundary: int | None = None,
    ) -> None:
        super().__init__()
        self.config, self.dtype, self.boundary = config, DTYPES[dtype], boundary
        self.embedding = nn.Parameter(torch.empty(config.vocab, config.width))
        self.blocks = nn.ModuleList(Block(config, attention) for _ in range(config.n_layer))
        cos, sin = rotary(config.context, config.head_dim)
        self.register_buffer("cos", cos.to(self.dtype), persistent=False)
        self.register_buffer("sin", sin.to(self.dtype), persistent=False)
        self._initialise(torch.Generator().manual_seed(seed))

    def forward(self, tokens: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """Loss in nats per target.

        Args:
            tokens: (B, T) ids, T at most the context.
            targets: (B, T) ids that follow each position.
            reduction: `mean` or `sum` over the batch, or `none` for (B, T), without gradient.
        """
        hidden = self.hidden(tokens).flatten(0, 1)  # (B*T, D)
        if reduction == "none":
            return token_losses(hidden, self.embedding, targets.flatten()).view(tokens.shape)
        total = summed_loss(hidden, self.embedding, targets.flatten())
        return total / targets.numel() if reduction == "mean" else total

    def hidden(self, tokens: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, D) normed activations, which the head turns into logits."""
        time = tokens.shape[1]
        mask = None if self.boundary is None else same_document(tokens, self.boundary)
        x = norm(F.embedding(tokens, self.embedding).to(self.dtype))
        for block in self.blocks:
            x = block(x, self.cos[:time], self.sin[:time], mask)
        return norm(x)

    def logits(self, tokens: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, V) float32 logits of the next token."""
        hidden = self.hidden(tokens)
        return (hidden @ self.embedding.to(hidden.dtype).t()).float()

    def _initialise(self, generator: torch.Generator) -> None:
        for name, weight in self.named_parameters():
            if name == "embedding":
                nn.init.normal_(weight, std=EMBEDDING_STD, generator=generator)
            elif name.endswith(("out.weight", "down.weight")):
                nn.init.zeros_(weight)  # each block starts as the identity
            else:
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5, generator=generator)


def same_document(tokens: Tensor, boundary: int) -> Tensor:
    """(B, T) ids -> (B, 1, T, T), true where a position and an earlier one share a document."""
    document = (tokens == boundary).cumsum(1)
    return (document[:, :, None] == document[:, None, :]).tril()[:, None]


def causal_attention(
    q: Tensor, k: Tensor, v: Tensor, kind: Attention = "matmul", mask: Tensor | None = None
) -> Tensor:
    """softmax(q k^T / sqrt(K)) v over the positions up to each one; all shapes (B, H, T, K).

    `mask`, (B, 1, T, T), says which positions each one sees instead.
    """
    if kind == "sdpa":
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    batch, n_head, time, size = q.shape
    q, k, v = q.flatten(0, 1), k.flatten(0, 1), v.flatten(0, 1)  # (B*H, T, K)
    hidden = torch.full((1, time, time), -math.inf, dtype=q.dtype, device=q.device).triu(1)
    if mask is not None:
        hidden = torch.zeros_like(mask, dtype=q.dtype).masked_fill(~mask, -math.inf)
        hidden = hidden.expand(batch, n_head, time, time).flatten(0, 1)
    scores = torch.baddbmm(hidden, q, k.mT, alpha=size**-0.5)  # scale and mask cost no pass
    return (torch.softmax(scores, dim=-1) @ v).view(batch, n_head, time, size)
