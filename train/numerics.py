"""Numerics: the arithmetic that a judge's runs share, chosen once by timing and recorded.

bfloat16 is 2-3 times faster than float32 on CPUs with bf16 instructions and slower on others, and
which attention is faster depends on both; so a second of training steps decides. A choice changes
results in the last bits, hence one choice per judge, stored with it. A GPU is taken where there is
one, with bfloat16 and torch's attention; its runs repeat closely, not to the bit.
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
GPU_SHARES = ((30_000_000, 0.125), (100_000_000, 0.25))  # parameters below, share
COMPILE_S = 60.0  # of a small model; modded-nanogpt waits 7 minutes for a large one
COMPILE_WORTH = 10.0  # a run this many times as long as its compilation gains by it
EAGER_MFU = 0.2  # of uncompiled small models on a GPU, for the estimate of a run's length

# Dense bfloat16 FLOP/s without sparsity, from NVIDIA's data sheets, by part of the device's name.
PEAK_FLOPS = {
    "B200": 2.25e15,
    "H200": 9.89e14,
    "H100 PCIe": 7.56e14,
    "H100": 9.89e14,
    "A100": 3.12e14,
    "L40S": 3.62e14,
    "L40": 1.81e14,
    "L4": 1.21e14,
    "A10": 1.25e14,
    "RTX 4090": 1.65e14,
    "RTX 3090": 7.1e13,
}


@dataclass(frozen=True, kw_only=True)
class Numerics:
    """How a run computes.

    Attributes:
        dtype: of activations and matrix products; weights, norms' sums, logits and loss are
            always float32.
        attention: `matmul` (softmax of an explicit score matrix) or `sdpa` (torch's kernel).
        threads: torch threads per trial; trials run in parallel, one per core.
        device: `cpu` or `cuda`.
        compile: whether torch compiles the model, on a GPU.
    """

    dtype: Precision = "float32"
    attention: Attention = "matmul"
    threads: Literal[1] = 1
    device: Literal["cpu", "cuda"] = "cpu"
    compile: bool = False

    @property
    def micro_tokens(self) -> int:
        """Tokens per pass: on a CPU few, so that activations stay in a core's cache."""
        return 65536 if self.device == "cuda" else TRIAL_TOKENS


def choose_numerics(config: ModelConfig, tokens: int = 0) -> Numerics:
    """The fastest numerics for a model on this machine; takes about a second at xs.

    Times a forward and backward pass of each combination on one thread; on a GPU there is nothing
    to choose but whether a run over `tokens` is long enough to compile for.
    """
    if torch.cuda.is_available():
        peak = peak_flops() or PEAK_FLOPS["A100"]
        seconds = tokens * config.flops_per_token / (EAGER_MFU * peak)
        worth = seconds > COMPILE_WORTH * COMPILE_S
        return Numerics(dtype="bfloat16", attention="sdpa", device="cuda", compile=worth)
    dtypes: tuple[Precision, ...] = ("float32", "bfloat16")
    kinds: tuple[Attention, ...] = ("matmul", "sdpa")
    options = [Numerics(dtype=dtype, attention=kind) for dtype in dtypes for kind in kinds]
    with torch_threads(1):
        return min(options, key=lambda numerics: _seconds_per_step(config, numerics))


def peak_flops(name: str | None = None) -> float | None:
    """Peak bfloat16 FLOP/s of the GPU called `name`, or of this machine's; None if not known."""
    if name is None and torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    return next((peak for part, peak in PEAK_FLOPS.items() if part in (name or "")), None)


def gpu_share(config: ModelConfig) -> float:
    """Part of a GPU that one trial needs: small models wait for launches, so several fit."""
    return next((share for most, share in GPU_SHARES if config.params < most), 1.0)


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
