"""ProxyRun: one compact model trained on one recipe's tokens with one seed.

<folder>/metrics.jsonl      one line per step
<folder>/model.safetensors  the trained weights
<folder>/run.json           the record, written last: its presence means complete
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load_file

from curation.errors import UserError
from curation.files import write_json
from curation.fingerprint import fingerprint
from mixtures.mixture import Mixture
from train.batches import Batches
from train.checkpoint import MODEL, save_model
from train.config import ModelConfig, TrainConfig
from train.loop import CHECKPOINTS, Job, read_metrics, train
from train.model import GPT
from train.numerics import Numerics
from train.order import DataOrder, n_windows
from train.shards import TokenShards

RUN = "run.json"
VERSION = 1  # of the trainer: raise it when the same spec gives other weights
FINAL_FRAC = 0.05  # share of the last steps whose mean loss is `final_loss`
SPIKE_STEPS, SPIKE_SDS = 128, 6.0  # OLMo-core's SkipStepOptimizer: 6 sd over 128 steps


@dataclass(frozen=True, kw_only=True)
class ProxySpec:
    """One run to make; plain data, so it can be sent to a worker.

    Attributes:
        recipe: its name.
        shards: folder of token shards.
        weights: `natural`, `uniform`, or a weight per source.
        max_epochs: most passes over any source; None for no limit.
        preset: name of the size, for the record.
        model: shape.
        train: optimiser, schedule, budget.
        numerics: chosen once per judge.
        seed: of initial weights and data order.
        judge: hash of the judge.
        dataset_fingerprint: of the dataset that the shards were made from.
    """

    recipe: str
    shards: Path
    weights: Literal["natural", "uniform"] | dict[str, float]
    max_epochs: float | None
    preset: str
    model: ModelConfig
    train: TrainConfig
    numerics: Numerics
    seed: int
    judge: str
    dataset_fingerprint: str


def run_proxy(spec: ProxySpec, folder: Path) -> dict[str, Any]:
    """Trains what is missing of a run and returns its record, the content of `run.json`.

    A finished run with the same fingerprint is returned as it is; a started one goes on from its
    checkpoint; anything else in the folder is replaced.

    Raises:
        UserError: the data cannot fill one window, or not the budget within `max_epochs`.
        RunError: the shards are damaged, or the loss is not finite.
    """
    shards = TokenShards.open(spec.shards)
    identity = _identity(spec, shards)
    record = _finished(folder, identity)
    if record is not None:
        return record
    (folder / RUN).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    order = plan(spec, shards)
    job = Job(
        model=spec.model,
        train=spec.train,
        numerics=spec.numerics,
        seed=spec.seed,
        fingerprint=identity,
    )
    rows = spec.train.batch_tokens // spec.model.context
    model = train(job, Batches(shards, order, rows, spec.model.context), folder)
    save_model(folder / MODEL, dict(model.state_dict()))
    record = _record(spec, shards, order, identity, read_metrics(folder))
    write_json(folder / RUN, record)
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return record


def plan(spec: ProxySpec, shards: TokenShards) -> DataOrder:
    """The windows of a run, after all checks that need no training.

    Raises:
        UserError: as `run_proxy`.
    """
    _check_shapes(spec, shards)
    context = spec.model.context
    windows = {name: n_windows(s.tokens, context) for name, s in shards.sources.items()}
    if not any(windows.values()):
        total = sum(s.tokens for s in shards.sources.values())
        raise UserError(
            f"the dataset has {total:,} tokens, but one training window needs {context + 1:,} "
            "from one source",
            where=f"recipe {spec.recipe}",
            hint="Add data, loosen the filters, or take a preset with a shorter context.",
        )
    rows = spec.train.steps * (spec.train.batch_tokens // context)
    mixture = _mixture(spec, {n: count * context for n, count in windows.items()}, rows * context)
    return DataOrder(windows, mixture.weights, rows, spec.seed)


def load_model(folder: Path) -> GPT:
    """The trained model of a finished run, in float32, for scoring."""
    record = json.loads((folder / RUN).read_text(encoding="utf-8"))
    model = GPT(ModelConfig(**record["model"]), attention=record["numerics"]["attention"])
    model.load_state_dict(load_file(folder / MODEL))
    return model.eval()


def _check_shapes(spec: ProxySpec, shards: TokenShards) -> None:
    if shards.vocab > spec.model.vocab:
        raise UserError(
            f"the tokenizer has {shards.vocab:,} tokens, the model {spec.model.vocab:,}",
            where="tokenizer.vocab",
            hint="Both come from the judge: make them equal.",
        )
    if spec.train.batch_tokens % spec.model.context:
        raise UserError(
            f"must be a multiple of the context {spec.model.context}. "
            f"Got {spec.train.batch_tokens}.",
            where="train.batch_tokens",
        )


def _mixture(spec: ProxySpec, tokens: dict[str, int], budget: int) -> Mixture:
    try:
        if spec.weights == "natural":
            return Mixture.natural(tokens, budget, spec.max_epochs)
        if spec.weights == "uniform":
            return Mixture.uniform(tokens, budget, spec.max_epochs)
        return Mixture.from_weights(spec.weights, tokens, budget, spec.max_epochs)
    except UserError as err:
        raise err.at(f"recipe {spec.recipe}") from None


def _identity(spec: ProxySpec, shards: TokenShards) -> str:
    """Hash of all that decides the weights and the record; not of where the shards lie."""
    fields = {name: value for name, value in vars(spec).items() if name != "shards"}
    return fingerprint({"version": VERSION, "shards": shards.identity, **fields})


def _finished(folder: Path, identity: str) -> dict[str, Any] | None:
    if not ((folder / RUN).is_file() and (folder / MODEL).is_file()):
        return None
    record: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
    return record if record["fingerprint"] == identity else None


def _record(
    spec: ProxySpec,
    shards: TokenShards,
    order: DataOrder,
    identity: str,
    metrics: Sequence[dict[str, float]],
) -> dict[str, Any]:
    context = spec.model.context
    windows = {name: n_windows(s.tokens, context) for name, s in shards.sources.items()}
    drawn = {name: order.drawn.get(name, 0) for name in windows}
    losses = [line["loss"] for line in metrics]
    seconds = sum(line["seconds"] for line in metrics)
    tokens = order.total * context
    return {
        "id": f"{spec.recipe}-seed{spec.seed}-{identity[:8]}",
        "recipe": spec.recipe,
        "seed": spec.seed,
        "preset": spec.preset,
        "model": asdict(spec.model),
        "train": asdict(spec.train),
        "params": spec.model.params,
        "tokens": tokens,
        "unique_tokens": sum(min(drawn[name], windows[name]) for name in windows) * context,
        "epochs": {name: drawn[name] / windows[name] if drawn[name] else 0.0 for name in windows},
        "steps": spec.train.steps,
        "flops": tokens * spec.model.flops_per_token,
        "wall_s": seconds,
        "tokens_per_s": tokens / seconds,
        "final_loss": _mean(losses[-max(1, round(FINAL_FRAC * len(losses))) :]),
        "clip_rate": _mean([float(line["grad_norm"] > spec.train.clip) for line in metrics]),
        "spikes": count_spikes(losses),
        "nans": 0,  # a loss that is not finite stops the run
        "numerics": asdict(spec.numerics),
        "fingerprint": identity,
        "dataset_fingerprint": spec.dataset_fingerprint,
        "judge": spec.judge,
        "tokenizer": shards.tokenizer,
    }


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
