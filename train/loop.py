"""The training loop: batches in, a trained model and one line of metrics per step out.

A run is a pure function of its job and its batches. Whatever it needs to go on is the number of
finished steps, the weights and the optimiser's tensors, so a run that was killed and resumed is
bitwise the run that was not, and so is its `metrics.jsonl`, the timing fields apart.

Branches are runs of their own that start from the trunk's state at a step and end elsewhere: the
models of a curve over tokens. The trunk waits for a branch, so its checkpoint of that step is
there until the branch is done.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor

from curation.errors import RunError
from curation.files import write_bytes
from train.checkpoint import (
    MODEL,
    Checkpoint,
    load_checkpoint,
    read_about,
    save_checkpoint,
    save_model,
)
from train.config import ModelConfig, TrainConfig
from train.model import DTYPES, GPT
from train.numerics import TRIAL_TOKENS, Numerics, torch_threads
from train.optim import Optimizer
from train.schedule import rate

METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything but the data.

    Attributes:
        model: shape.
        train: budget, optimiser, schedule.
        numerics: how to compute.
        seed: of the initial weights.
        fingerprint: names the whole run, data included.
        branches: first step of each branch to its end; see `train.schedule.branches`.
        boundary: token that attention does not look back over, or None.
        about: goes into the header of every model file.
    """

    model: ModelConfig
    train: TrainConfig
    numerics: Numerics
    seed: int
    fingerprint: str
    branches: Mapping[int, int] = field(default_factory=dict)
    boundary: int | None = None
    about: Mapping[str, object] = field(default_factory=dict)


def train(
    job: Job, batch: Callable[[int], Tensor], folder: Path, start: Checkpoint | None = None
) -> GPT:
    """Trains to the end of the budget, from the newest checkpoint in `folder` if there is one.

    Args:
        job: what to train and how.
        batch: step to int64 ids of shape (rows, T + 1); must not depend on earlier calls.
        folder: for `metrics.jsonl`, `model.safetensors`, `checkpoints/`, and `points/` with a
            folder of the same kind per branch.
        start: where to begin where there is no checkpoint; None: initial weights, step 0.

    Raises:
        RunError: a loss or gradient is not finite, or the disk is full; names the folder.
    """
    with torch_threads(job.numerics.threads):
        run = _Run(job, batch, folder)
        first = start.step if start else 0
        done = run.load(load_checkpoint(folder / CHECKPOINTS, job.fingerprint) or start)
        with _open_metrics(folder / METRICS, done - first) as metrics:
            for step in range(done, job.train.steps):
                run.before(step, metrics)
                metrics.write(json.dumps(run.step(step)) + "\n")
                metrics.flush()
            os.fsync(metrics.fileno())
        about = {**job.about, "fingerprint": job.fingerprint}
        save_model(folder / MODEL, dict(run.model.state_dict()), about)
        return run.model


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """The finished steps of a run: step, tokens, loss, lr, grad_norm, tokens_per_s, seconds."""
    lines = (folder / METRICS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def point_folder(folder: Path, end: int) -> Path:
    """Where the branch of a run that ends after `end` steps is."""
    return folder / "points" / f"step-{end:08d}"


class _Run:
    """A model with its optimiser in the middle of training."""

    def __init__(self, job: Job, batch: Callable[[int], Tensor], folder: Path) -> None:
        self.job, self.batch, self.folder = job, batch, folder
        self.saved = 0  # step of the newest checkpoint; the initial state needs none
        self.model = GPT(
            job.model,
            dtype=job.numerics.dtype,
            attention=job.numerics.attention,
            seed=job.seed,
            boundary=job.boundary,
        ).to(job.numerics.device)
        if job.numerics.compile:
            self.model.hidden = torch.compile(self.model.hidden, dynamic=False)  # type: ignore[method-assign]
        parameters = dict(self.model.named_parameters())
        self.optimizer = Optimizer(parameters, job.train, DTYPES[job.numerics.dtype])

    def load(self, checkpoint: Checkpoint | None) -> int:
        """Takes over a state; the number of its finished steps."""
        if checkpoint is None:
            return 0
        self.saved = checkpoint.step
        self.model.load_state_dict(checkpoint.model)
        self.optimizer.load(checkpoint.optimizer)
        return checkpoint.step

    def before(self, step: int, metrics: TextIO) -> None:
        """Saves the state after `step` steps if it is due, and trains the branch that leaves it."""
        branch = self._branch(step)
        if branch is None and step % self.job.train.checkpoint_every:
            return
        os.fsync(metrics.fileno())  # the metrics of a checkpointed step must outlive a crash
        checkpoint = Checkpoint(
            step=step,
            fingerprint=self.job.fingerprint,
            model=dict(self.model.state_dict()),
            optimizer=self.optimizer.state(),
        )
        if step != self.saved:
            save_checkpoint(self.folder / CHECKPOINTS, checkpoint)
            self.saved = step
        if branch is not None:
            train(branch, self.batch, point_folder(self.folder, branch.train.steps), checkpoint)

    def step(self, step: int) -> dict[str, float]:
        """One optimiser step; its line of metrics."""
        begin = time.perf_counter()
        ids = self.batch(step).to(self.job.numerics.device)
        loss = accumulate_gradients(self.model, ids, self.job.numerics.micro_tokens)
        clip = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.job.train.clip)
        grad_norm = float(clip)
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            raise RunError(
                f"training diverged at step {step}: loss {loss}, gradient norm {grad_norm} "
                f"({self.folder})"
            )
        factor = rate(self.job.train, step)
        self.optimizer.step(factor)
        seconds = time.perf_counter() - begin
        n_tokens = ids.shape[0] * (ids.shape[1] - 1)
        return {
            "step": step,
            "tokens": (step + 1) * n_tokens,
            "loss": loss,
            "lr": factor * self.job.train.lr,
            "grad_norm": grad_norm,
            "tokens_per_s": n_tokens / seconds,
            "seconds": seconds,
        }

    def _branch(self, step: int) -> Job | None:
        """What the branch that leaves at `step` still has to do: a run of fewer steps."""
        if step not in self.job.branches:
            return None
        config, end = self.job.train, self.job.branches[step]
        name = f"{self.job.fingerprint}/{end}"
        if read_about(point_folder(self.folder, end) / MODEL).get("fingerprint") == name:
            return None
        config = replace(config, tokens=end * config.batch_tokens)
        return replace(self.job, train=config, fingerprint=name, branches={})


def accumulate_gradients(model: GPT, ids: Tensor, micro_tokens: int = TRIAL_TOKENS) -> float:
    """Adds the gradient of the mean loss of `ids` to the parameters; the mean loss in nats.

    Passes of `micro_tokens` bound memory; the sum over passes is that of one pass but for the
    rounding of float32 additions.
    """
    rows, context = ids.shape[0], ids.shape[1] - 1
    loss = 0.0
    for part in torch.split(ids, max(1, micro_tokens // context)):
        total = model(part[:, :-1], part[:, 1:], reduction="sum") / (rows * context)
        total.backward()
        loss += total.item()
    return loss


def _open_metrics(path: Path, done: int) -> TextIO:
    """Opens the log for appending, with only the lines of the `done` first steps in it."""
    kept = b"".join(path.read_bytes().splitlines(keepends=True)[:done]) if path.is_file() else b""
    write_bytes(path, kept)
    return path.open("a", encoding="utf-8")
