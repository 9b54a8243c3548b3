"""Batches: the windows of one optimiser step, gathered from token shards."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from train.order import DataOrder
from train.shards import TokenShards


class Batches:
    """Batch `step` of a run; holds maps of the files and no position.

    Args:
        shards: the tokens.
        order: which windows, in which order.
        rows: windows per step.
        context: predictions per window (T).
    """

    def __init__(self, shards: TokenShards, order: DataOrder, rows: int, context: int) -> None:
        self._order, self._rows, self._context = order, rows, context
        self._tokens = [shards.tokens(source) for source in order.sources]

    def __call__(self, step: int) -> Tensor:
        """int64 ids, shape (rows, T + 1); position t predicts position t + 1."""
        sources, windows = self._order.windows(step * self._rows, (step + 1) * self._rows)
        batch = np.empty((self._rows, self._context + 1), dtype=np.int64)
        for row, (source, window) in enumerate(zip(sources, windows, strict=True)):
            start = window * self._context
            batch[row] = self._tokens[source][start : start + self._context + 1]
        return torch.from_numpy(batch)
