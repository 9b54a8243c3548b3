"""The forward pass in two steps: a prefix once, then any number of continuations of it.

Prefixes of a batch are padded on the left, so that what follows starts at one position in every
row. Rotary positions only matter relative to each other: a shift by the padding changes nothing.

Shapes: N prefixes, B rows, P positions of the longest prefix, T of the longest row, H heads,
K features per head, D width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from train.layers import heads, norm, rotary, squared_relu
from train.model import GPT, Block

KeysValues = list[tuple[Tensor, Tensor]]  # per block, (N, H, P, K) each


@dataclass(frozen=True)
class Prefix:
    """What attention needs of the prefixes; `padding` is (N, P), true before a prefix starts."""

    keys_values: KeysValues
    padding: Tensor

    def rows(self, parents: Tensor) -> Prefix:
        """The prefix of each row."""
        return Prefix(
            [(k[parents], v[parents]) for k, v in self.keys_values], self.padding[parents]
        )


def read_prefixes(model: GPT, prefixes: Sequence[NDArray[Any]]) -> Prefix:
    """Runs the model over `prefixes`, which may be empty."""
    longest = max(len(ids) for ids in prefixes)
    tokens = np.zeros((len(prefixes), longest), dtype=np.int64)
    for row, ids in enumerate(prefixes):
        tokens[row, longest - len(ids) :] = ids
    lengths = torch.tensor([len(ids) for ids in prefixes], device=model.embedding.device)
    padding = torch.arange(longest, device=lengths.device) < longest - lengths[:, None]
    nothing = padding.new_zeros(len(prefixes), 0)
    keys_values: KeysValues = []
    if longest:
        before = Prefix([], nothing)
        _, keys_values = _forward(model, _on_device(model, tokens), before, padding, finish=False)
    return Prefix(keys_values, padding)


def continue_prefixes(model: GPT, prefix: Prefix, rows: Sequence[NDArray[Any]]) -> Tensor:
    """Activations (B, T, D) of `rows`, padded on the right, each after its own prefix."""
    longest = max(len(ids) for ids in rows)
    tokens = np.zeros((len(rows), longest), dtype=np.int64)
    for row, ids in enumerate(rows):
        tokens[row, : len(ids)] = ids
    # What is padded follows the tokens, so causal attention never sees it.
    own = torch.zeros(tokens.shape, dtype=torch.bool, device=model.embedding.device)
    x, _ = _forward(model, _on_device(model, tokens), prefix, own, finish=True)
    return norm(x)


def _on_device(model: GPT, tokens: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(tokens).to(model.embedding.device)


def _forward(
    model: GPT, tokens: Tensor, before: Prefix, padding: Tensor, *, finish: bool
) -> tuple[Tensor, KeysValues]:
    """What the blocks put out, and the keys and values of `tokens`.

    Unless it is to `finish`, the last block stops at its keys and values.
    """
    n_before = before.padding.shape[1]
    time = n_before + tokens.shape[1]
    cos, sin = (
        part[n_before:].to(tokens.device, model.dtype)
        for part in rotary(time, model.config.head_dim)
    )
    bias = _bias(before.padding, padding, model.dtype)
    x = norm(F.embedding(tokens, model.embedding).to(model.dtype))
    keys_values: KeysValues = []
    for i, block in enumerate(model.blocks):
        assert isinstance(block, Block)
        qkv = block.qkv(norm(x)).view(*x.shape[:2], 3, block.n_head, block.head_dim)
        q, k, v = heads(qkv, cos, sin)  # (B, H, T, K)
        keys_values.append((k, v))
        if not finish and i == len(model.blocks) - 1:
            break
        if before.keys_values:
            k, v = (torch.cat(pair, 2) for pair in zip(before.keys_values[i], (k, v), strict=True))
        x = _add_block(block, x, _attend(q, k, v, bias))
    return x, keys_values


def _attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(K) + bias) v; faster here than torch's kernel with a mask of its own."""
    scores = (q * q.shape[-1] ** -0.5) @ k.mT
    return torch.softmax(scores.add_(bias), -1) @ v


def _add_block(block: Block, x: Tensor, attended: Tensor) -> Tensor:
    """The residual stream after a block; `attended` is (B, H, T, K)."""
    x = x + block.out(attended.transpose(1, 2).flatten(2))
    out: Tensor = x + block.down(squared_relu(block.up(norm(x))))
    return out


def _bias(before: Tensor, own: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 1, T, P + T): 0 where a position may look, -inf where not.

    A padded position looks at itself, else it would look at nothing, which is not a number.
    """
    time = own.shape[1]
    future = torch.ones(time, time, dtype=torch.bool, device=own.device).triu(1)
    itself = torch.eye(time, dtype=torch.bool, device=own.device)
    hidden = (future | own[:, None, :]) & ~itself  # (B, T, T)
    hidden = torch.cat([before[:, None, :].expand(-1, time, -1), hidden], 2)
    bias = torch.zeros(hidden.shape, dtype=dtype, device=own.device)
    return bias.masked_fill_(hidden, -math.inf).unsqueeze(1)
