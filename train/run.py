"""ProxyRun: one compact model trained on one recipe's tokens with one seed.

<folder>/metrics.jsonl      one line per step
<folder>/model.safetensors  the trained weights
<folder>/points/<step>/     the same two of each point before the end
<folder>/run.json           the record, written last: its presence means complete
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from curation.errors import UserError
from curation.files import write_json
from mixtures.mixture import Mixture
from train.batches import Batches
from train.checkpoint import MODEL, Checkpoint, read_about
from train.config import ModelConfig
from train.loop import CHECKPOINTS, Job, point_folder, train
from train.model import GPT
from train.order import DataOrder, n_windows, seen_windows
from train.phases import phase_steps, restarts
from train.record import make_record
from train.schedule import branches, rate
from train.shards import TokenShards
from train.spec import ProxySpec, identity, model_file

RUN = "run.json"


def run_proxy(spec: ProxySpec, folder: Path) -> dict[str, Any]:
    """Trains what is missing of a run and returns its record, the content of `run.json`.

    A finished run with the same fingerprint is returned as it is; a started one goes on from its
    checkpoint; anything else in the folder is replaced.

    Raises:
        UserError: the data cannot fill one window, or not the budget within `max_epochs`; or the
            model to start from has another shape or tokenizer.
        RunError: the shards are damaged, or the loss is not finite.
    """
    shards = TokenShards.open(spec.shards)
    name = identity(spec, shards)
    record = _finished(folder, name)
    if record is not None:
        return record
    order, job = plan(spec, shards), _job(spec, shards, name)
    start = initial(spec, shards)
    (folder / RUN).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    train(job, Batches(shards, order, spec.rows, spec.model.context), folder, start)
    record = make_record(spec, job, shards, order, folder)
    write_json(folder / RUN, record)
    _tidy(folder, {point_folder(folder, end) for end in job.branches.values()})
    return record


def plan(spec: ProxySpec, shards: TokenShards) -> DataOrder:
    """The windows of a run, after all checks of its data.

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
    seen = {name: seen_windows(count, spec.window_frac) for name, count in windows.items()}
    mixtures = _mixtures(spec, {name: count * context for name, count in seen.items()})
    phases = [(mixture.weights, mixture.budget // context) for mixture in mixtures]
    return DataOrder(windows, phases, spec.seed, spec.window_frac)


def initial(spec: ProxySpec, shards: TokenShards) -> Checkpoint | None:
    """The weights of `init_from` as the state before the first step; None without it.

    Raises:
        UserError: there is no such model, or it has another shape or tokenizer.
    """
    if spec.init_from is None:
        return None
    path = model_file(spec.init_from)
    about = read_about(path)
    wanted = {"model": asdict(spec.model), "tokenizer": shards.tokenizer}
    for name, ours in wanted.items():
        if name not in about:
            hint = "Give the folder of a finished run, or its model.safetensors."
            raise UserError(f"{path} does not say its {name}", where="train.init_from", hint=hint)
        if about[name] != ours:
            raise UserError(
                f"{path} has another {name}: {about[name]}, but the run has {ours}",
                where="train.init_from",
                hint="Judge with the preset and the tokenizer that the model was trained with.",
            )
    return Checkpoint(step=0, fingerprint="", model=load_file(path), optimizer={})


def load_model(folder: Path, point: str = MODEL) -> GPT:
    """A trained model of a finished run, in float32, for scoring.

    Args:
        folder: of the run.
        point: its file, as `model` of an entry of the record's `curve` names it.
    """
    record = json.loads((folder / RUN).read_text(encoding="utf-8"))
    model = GPT(ModelConfig(**record["model"]), attention=record["numerics"]["attention"])
    model.load_state_dict(load_file(folder / point))
    return model.eval()


def _job(spec: ProxySpec, shards: TokenShards, name: str) -> Job:
    steps = phase_steps(spec.mixtures, spec.train)
    config = replace(spec.train, restarts=restarts(spec.mixtures, steps, spec.train))
    for restart in config.restarts:
        rate(config, restart.step)  # a schedule that its phase cannot have is refused here
    return Job(
        model=spec.model,
        train=config,
        numerics=spec.numerics,
        seed=spec.seed,
        fingerprint=name,
        branches=branches(config, spec.points),
        boundary=shards.eot if config.mask_documents else None,
        about={"model": asdict(spec.model), "tokenizer": shards.tokenizer},
    )


def _tidy(folder: Path, points: set[Path]) -> None:
    """Deletes checkpoints, and points that an earlier run left in the folder."""
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    for home in (folder / "points").glob("*"):
        shutil.rmtree(home / CHECKPOINTS if home in points else home, ignore_errors=True)


def _check_shapes(spec: ProxySpec, shards: TokenShards) -> None:
    if shards.vocab > spec.model.vocab:
        raise UserError(
            f"the tokenizer has {shards.vocab:,} tokens, the model {spec.model.vocab:,}",
            where="tokenizer.vocab",
            hint="Both come from the judge: make them equal.",
        )
    if spec.numerics.device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "the judge's runs compute on a GPU, and this machine has none",
            where="numerics.device",
            hint="Run where there is one, or judge in another folder.",
        )
    if spec.train.batch_tokens % spec.model.context:
        raise UserError(
            f"must be a multiple of the context {spec.model.context}. "
            f"Got {spec.train.batch_tokens}.",
            where="train.batch_tokens",
        )


def _mixtures(spec: ProxySpec, tokens: dict[str, int]) -> list[Mixture]:
    """One mixture per phase; what a phase takes of a source counts in the next."""
    used = dict.fromkeys(tokens, 0.0)
    out = []
    try:
        steps = phase_steps(spec.mixtures, spec.train)
        for phase, n in zip(spec.mixtures, steps, strict=True):
            budget = n * spec.train.batch_tokens
            mixture = Mixture.of(phase.weights, tokens, budget, spec.max_epochs, used)
            out.append(mixture)
            used = {d: used[d] + mixture.weights[d] * mixture.budget for d in tokens}
    except UserError as err:
        raise err.at(f"recipe {spec.recipe}") from None
    return out


def _finished(folder: Path, name: str) -> dict[str, Any] | None:
    if not ((folder / RUN).is_file() and (folder / MODEL).is_file()):
        return None
    record: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
    kept = all((folder / point["model"]).is_file() for point in record.get("curve", ()))
    return record if kept and record["fingerprint"] == name else None
