"""The training loop: batches in, a trained model and one line of metrics per step out.

A run is a pure function of its job and its batches. Whatever it needs to go on is the number of
finished steps, the weights and the optimiser's tensors, so a run that was killed and resumed is
bitwise the run that was not, and so is its `metrics.jsonl`, the timing fields apart.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor

from curation.errors import RunError
from curation.files import write_bytes
from train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from train.config import ModelConfig, TrainConfig
from train.model import DTYPES, GPT
from train.numerics import Numerics, torch_threads
from train.optim import Optimizer
from train.schedule import rate

METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
MICRO_TOKENS = 1024  # tokens per pass: activations of a small model then stay in a core's cache


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything but the data. `fingerprint` names the whole run, data included."""

    model: ModelConfig
    train: TrainConfig
    numerics: Numerics
    seed: int
    fingerprint: str


def train(job: Job, batch: Callable[[int], Tensor], folder: Path) -> GPT:
    """Trains to the end of the budget, from the newest checkpoint in `folder` if there is one.

    Args:
        job: what to train and how.
        batch: step to int64 ids of shape (rows, T + 1); must not depend on earlier calls.
        folder: for `metrics.jsonl` and `checkpoints/`.

    Raises:
        RunError: a loss or gradient is not finite; names the step and the folder.
    """
    with torch_threads(job.numerics.threads):
        model = GPT(
            job.model,
            dtype=job.numerics.dtype,
            attention=job.numerics.attention,
            seed=job.seed,
        )
        optimizer = Optimizer(dict(model.named_parameters()), job.train, DTYPES[job.numerics.dtype])
        done = _resume(job, model, optimizer, folder)
        with _open_metrics(folder / METRICS, done) as metrics:
            for step in range(done, job.train.steps):
                _step(job, model, optimizer, batch(step), step, metrics, folder)
                finished = step + 1
                if finished % job.train.checkpoint_every == 0 and finished < job.train.steps:
                    _checkpoint(job, model, optimizer, finished, metrics, folder)
            os.fsync(metrics.fileno())
        return model


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """The finished steps of a run: step, tokens, loss, lr, grad_norm, tokens_per_s, seconds."""
    lines = (folder / METRICS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _step(
    job: Job,
    model: GPT,
    optimizer: Optimizer,
    ids: Tensor,
    step: int,
    metrics: TextIO,
    folder: Path,
) -> None:
    """One optimiser step and its line of metrics."""
    start = time.perf_counter()
    loss = accumulate_gradients(model, ids)
    grad_norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), job.train.clip))
    if not (math.isfinite(loss) and math.isfinite(grad_norm)):
        raise RunError(
            f"training diverged at step {step}: loss {loss}, gradient norm {grad_norm} ({folder})"
        )
    factor = rate(job.train, step)
    optimizer.step(factor)
    seconds = time.perf_counter() - start
    n_tokens = ids.shape[0] * (ids.shape[1] - 1)
    line = {
        "step": step,
        "tokens": (step + 1) * n_tokens,
        "loss": loss,
        "lr": factor * job.train.lr,
        "grad_norm": grad_norm,
        "tokens_per_s": n_tokens / seconds,
        "seconds": seconds,
    }
    metrics.write(json.dumps(line) + "\n")
    metrics.flush()


def accumulate_gradients(model: GPT, ids: Tensor) -> float:
    """Adds the gradient of the mean loss of `ids` to the parameters; the mean loss in nats."""
    rows, context = ids.shape[0], ids.shape[1] - 1
    loss = 0.0
    for part in torch.split(ids, max(1, MICRO_TOKENS // context)):
        total = model(part[:, :-1], part[:, 1:], reduction="sum") / (rows * context)
        total.backward()
        loss += total.item()
    return loss


def _resume(job: Job, model: GPT, optimizer: Optimizer, folder: Path) -> int:
    """Loads the newest checkpoint of this very run; the number of finished steps."""
    checkpoint = load_checkpoint(folder / CHECKPOINTS, job.fingerprint)
    if checkpoint is None:
        return 0
    model.load_state_dict(checkpoint.model)
    optimizer.load(checkpoint.optimizer)
    return checkpoint.step


def _checkpoint(
    job: Job, model: GPT, optimizer: Optimizer, step: int, metrics: TextIO, folder: Path
) -> None:
    os.fsync(metrics.fileno())  # the metrics of a checkpointed step must outlive a crash
    checkpoint = Checkpoint(
        step=step,
        fingerprint=job.fingerprint,
        model=dict(model.state_dict()),
        optimizer=optimizer.state(),
    )
    save_checkpoint(folder / CHECKPOINTS, checkpoint)


def _open_metrics(path: Path, done: int) -> TextIO:
    """Opens the log for appending, with only the lines of the `done` first steps in it."""
    kept = b"".join(path.read_bytes().splitlines(keepends=True)[:done]) if path.is_file() else b""
    write_bytes(path, kept)
    return path.open("a", encoding="utf-8")
