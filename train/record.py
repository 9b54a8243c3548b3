"""The record of a run: what was trained on what, how it went, what it cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from curation.files import sha256
from train.checkpoint import MODEL
from train.loop import Job, point_folder, read_metrics
from train.numerics import peak_flops
from train.order import DataOrder, n_windows, seen_windows
from train.phases import phase_steps
from train.shards import TokenShards
from train.spec import ProxySpec, model_file

FINAL_FRAC = 0.05  # share of the last steps whose mean loss is `final_loss`
SPIKE_STEPS, SPIKE_SDS = 128, 6.0  # OLMo-core's SkipStepOptimizer: 6 sd over 128 steps


def make_record(
    spec: ProxySpec, job: Job, shards: TokenShards, order: DataOrder, folder: Path
) -> dict[str, Any]:
    """The content of `run.json` for a run that is trained.

    Args:
        spec: what was asked.
        job: what was trained.
        shards: on what tokens,
        order: in which order.
        folder: with the run's metrics.
    """
    context, metrics = spec.model.context, read_metrics(folder)
    windows = {
        name: seen_windows(n_windows(s.tokens, context), spec.window_frac)
        for name, s in shards.sources.items()
    }
    drawn = {name: order.drawn.get(name, 0) for name in windows}
    losses = [line["loss"] for line in metrics]
    seconds = sum(line["seconds"] for line in metrics)
    tokens = order.total * context
    return {
        "id": f"{spec.recipe}-seed{spec.seed}-{job.fingerprint[:8]}",
        "recipe": spec.recipe,
        "seed": spec.seed,
        "preset": spec.preset,
        "model": asdict(spec.model),
        "train": {**asdict(job.train), "restarts": [asdict(r) for r in job.train.restarts]},
        "params": spec.model.params,
        "tokens": tokens,
        "unique_tokens": sum(min(drawn[name], windows[name]) for name in windows) * context,
        "epochs": {name: drawn[name] / windows[name] if drawn[name] else 0.0 for name in windows},
        "steps": spec.train.steps,
        "phases": [
            {**asdict(phase), "tokens": n * spec.train.batch_tokens}
            for phase, n in zip(spec.phases, phase_steps(spec.mixtures, spec.train), strict=False)
        ],
        "curve": _curve(spec, job, folder),
        "branch_tokens": sum(e - s for s, e in job.branches.items()) * spec.train.batch_tokens,
        "init_from": None if spec.init_from is None else sha256(model_file(spec.init_from)),
        "flops": tokens * spec.model.flops_per_token,
        "wall_s": seconds,
        "tokens_per_s": tokens / seconds,
        "mfu": _mfu(spec, tokens / seconds),
        "final_loss": _final(losses),
        "clip_rate": _mean([float(line["grad_norm"] > spec.train.clip) for line in metrics]),
        "spikes": count_spikes(losses),
        "nans": 0,  # a loss that is not finite stops the run
        "numerics": asdict(spec.numerics),
        "fingerprint": job.fingerprint,
        "dataset_fingerprint": spec.dataset_fingerprint,
        "judge": spec.judge,
        "tokenizer": shards.tokenizer,
    }


def _curve(spec: ProxySpec, job: Job, folder: Path) -> list[dict[str, Any]]:
    """The run's models by tokens seen, the last one at the end.

    A branch's loss is the mean over its last steps; a model without a branch has the run's at that
    moment. `decayed` tells whether its learning rate had come down: such models alone make a
    curve from which token multipliers can be read.
    """
    losses = [line["loss"] for line in read_metrics(folder)]
    out = []
    for start, end in sorted(job.branches.items()):
        home = point_folder(folder, end)
        branch = losses[:start] + [line["loss"] for line in read_metrics(home)]
        out.append((end, _final(branch), str((home / MODEL).relative_to(folder)), start < end))
    out.append((spec.train.steps, _final(losses), MODEL, True))
    return [
        {
            "tokens": end * spec.train.batch_tokens,
            "flops": end * spec.train.batch_tokens * spec.model.flops_per_token,
            "loss": loss,
            "model": model,
            "decayed": decayed,
        }
        for end, loss, model, decayed in out
    ]


def _final(losses: Sequence[float]) -> float:
    return _mean(losses[-max(1, round(FINAL_FRAC * len(losses))) :])


def _mfu(spec: ProxySpec, tokens_per_s: float) -> float | None:
    """Share of the GPU's peak FLOP/s that training used; None on a CPU or an unknown GPU."""
    peak = peak_flops() if spec.numerics.device == "cuda" else None
    return tokens_per_s * spec.model.flops_per_token / peak if peak else None


def count_spikes(losses: Sequence[float]) -> int:
    """Losses more than 6 standard deviations above the mean of the 128 steps before."""
    spikes = 0
    for i in range(SPIKE_STEPS, len(losses)):
        before = losses[i - SPIKE_STEPS : i]
        mean = _mean(before)
        sd = math.sqrt(_mean([(loss - mean) ** 2 for loss in before]))
        spikes += losses[i] > mean + SPIKE_SDS * sd
    return spikes


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
