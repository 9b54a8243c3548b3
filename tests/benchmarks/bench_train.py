"""Tokens per second of the xs preset against a plain PyTorch loop, on one thread.

    python -m tests.benchmarks train
    python -m tests.benchmarks.bench_train            # one JSON object on stdout

The plain loop is what one writes first: float32, LayerNorm, GELU, torch's attention, one pass per
batch, cross-entropy over all logits, AdamW. Both train the same shape on the same tokens; steps
alternate and the fastest of each counts, so other jobs on the machine disturb the ratio little.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.benchmarks.tables import Table
from train.config import ModelConfig, TrainConfig, preset
from train.loop import accumulate_gradients
from train.model import DTYPES, GPT
from train.numerics import Numerics
from train.optim import Optimizer

STEPS = 15
PLAIN = "plain fp32 sdpa adamw"


class PlainBlock(nn.Module):
    """A GPT-2 block."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.width
        self.n_head = config.n_head
        self.norm_a, self.norm_b = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        parts = self.qkv(self.norm_a(x)).split(width, dim=2)
        q, k, v = (p.view(batch, length, self.n_head, -1).transpose(1, 2) for p in parts)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm_b(x))))


class PlainGPT(nn.Module):
    """GPT-2 with a tied embedding."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab, config.width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.positions = nn.Embedding(config.context, config.width)
        self.blocks = nn.Sequential(*(PlainBlock(config) for _ in range(config.n_layer)))
        self.norm = nn.LayerNorm(config.width, bias=False)

    def forward(self, tokens: Tensor, targets: Tensor) -> Tensor:
        x = self.embedding(tokens) + self.positions(torch.arange(tokens.shape[1]))
        logits = F.linear(self.norm(self.blocks(x)), self.embedding.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def plain_step(config: ModelConfig, ids: Tensor) -> Callable[[], None]:
    model = PlainGPT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        model(ids[:, :-1], ids[:, 1:]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def our_step(
    config: ModelConfig, training: TrainConfig, numerics: Numerics, ids: Tensor
) -> Callable[[], None]:
    model = GPT(config, dtype=numerics.dtype, attention=numerics.attention)
    optimizer = Optimizer(dict(model.named_parameters()), training, DTYPES[numerics.dtype])

    def step() -> None:
        accumulate_gradients(model, ids)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step(1.0)

    return step


def fastest(steps: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Seconds of the fastest step of each, taken in turn."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(STEPS):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def steps_to_time(ids: Tensor) -> dict[str, Callable[[], None]]:
    """The plain step first, then ours in several numerics."""
    size = preset("xs")
    adamw = replace(size.train, optimizer="adamw")
    steps = {PLAIN: plain_step(size.model, ids)}
    for dtype in ("float32", "bfloat16"):
        for attention in ("matmul", "sdpa"):
            numerics = Numerics(dtype=dtype, attention=attention)
            steps[f"adamw {dtype} {attention}"] = our_step(size.model, adamw, numerics, ids)
    for attention in ("matmul", "sdpa"):
        numerics = Numerics(attention=attention)
        steps[f"muon float32 {attention}"] = our_step(size.model, size.train, numerics, ids)
    return steps


def measure() -> dict[str, float]:
    """Tokens per second of each on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    size = preset("xs")
    rows = size.train.batch_tokens // size.model.context
    ids = torch.randint(size.model.vocab, (rows, size.model.context + 1))
    seconds = fastest(steps_to_time(ids))
    torch.set_num_threads(threads)
    return {name: rows * size.model.context / s for name, s in seconds.items()}


def run() -> list[Table]:
    """As a benchmark of `python -m tests.benchmarks`."""
    speeds = measure()
    rows = [(name, speed, speed / speeds[PLAIN]) for name, speed in speeds.items()]
    columns = ("", "tokens/s", f"x {PLAIN}")
    note = f"Steps alternate; the fastest of {STEPS} of each counts."
    return [Table("training, xs, one thread", columns, rows, [note])]


def main() -> None:
    speeds = measure()
    result = {
        "machine": platform.processor() or platform.machine(),
        "tokens_per_s": {name: round(speed) for name, speed in speeds.items()},
        "ratio_to_plain": {name: round(s / speeds[PLAIN], 2) for name, s in speeds.items()},
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
