"""Numerics: the arithmetic that a judge's runs share, chosen once by timing and recorded.

bfloat16 is 2-3 times faster than float32 on CPUs with bf16 instructions and slower on others, and
which attention is faster depends on both; so a second of training steps decides. A choice changes
results in the last bits, hence one choice per judge, stored with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch

from train.config import ModelConfig
from train.model import GPT, Attention, Precision

TRIAL_TOKENS = 1024  # per timed pass: what the training loop takes at a time
TRIAL_STEPS = 3  # the fastest counts: other jobs only ever slow a step down


@dataclass(frozen=True, kw_only=True)
class Numerics:
    """How a run computes.

    Attributes:
        dtype: of activations and matrix products; weights, norms' sums, logits and loss are
            always float32.
        attention: `matmul` (softmax of an explicit score matrix) or `sdpa` (torch's kernel).
        threads: torch threads per trial; trials run in parallel, one per core.
    """

    dtype: Precision = "float32"
    attention: Attention = "matmul"
    threads: Literal[1] = 1


def choose_numerics(config: ModelConfig) -> Numerics:
    """The fastest numerics for a model on this machine; takes about a second at xs.

    Times a forward and backward pass of each combination on one thread.
    """
    dtypes: tuple[Precision, ...] = ("float32", "bfloat16")
    kinds: tuple[Attention, ...] = ("matmul", "sdpa")
    options = [Numerics(dtype=dtype, attention=kind) for dtype in dtypes for kind in kinds]
    with torch_threads(1):
        return min(options, key=lambda numerics: _seconds_per_step(config, numerics))


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Torch computes with `count` threads inside; the number before is restored after."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _seconds_per_step(config: ModelConfig, numerics: Numerics) -> float:
    model = GPT(config, dtype=numerics.dtype, attention=numerics.attention, seed=0)
    rows = max(1, TRIAL_TOKENS // config.context)
    tokens = torch.arange(rows * (config.context + 1)).view(rows, -1) % config.vocab
    times = []
    for _ in range(TRIAL_STEPS):
        start = time.perf_counter()
        loss = model(tokens[:, :-1], tokens[:, 1:])
        torch.autograd.backward(loss)
        times.append(time.perf_counter() - start)
    return min(times)
