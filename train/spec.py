"""ProxySpec: one run to make, and its identity."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from curation.errors import UserError
from curation.files import sha256
from curation.fingerprint import fingerprint
from mixtures.mixture import Weights
from train.checkpoint import MODEL
from train.config import ModelConfig, TrainConfig
from train.numerics import Numerics
from train.phases import Phase
from train.shards import TokenShards

VERSION = 1  # of the trainer: raise it when the same spec gives other weights
# Fields that version 1 did not have from the start: where they are left out, a run keeps its name.
NEWER = {"schedule", "min_frac", "stable_frac", "cooldown_frac", "restarts", "mask_documents"}
NEWER |= {"phases", "points", "init_from", "device", "compile", "window_frac"}


@dataclass(frozen=True, kw_only=True)
class ProxySpec:
    """One run to make; plain data, so it can be sent to a worker.

    Attributes:
        recipe: its name.
        shards: folder of token shards.
        weights: `natural`, `uniform`, or a weight per source; with `phases` not used.
        max_epochs: most passes over any source; None for no limit.
        preset: name of the size, for the record.
        model: shape.
        train: optimiser, schedule, budget.
        numerics: chosen once per judge.
        seed: of initial weights and data order.
        judge: hash of the judge.
        dataset_fingerprint: of the dataset that the shards were made from.
        phases: mixtures that follow one another; empty for the one of `weights`.
        points: shares of the tokens, in (0, 1), at which models are kept for a curve; see
            `train.schedule.branches`.
        init_from: model file, or folder of a finished run, whose weights training starts from,
            with a fresh optimiser.
        window_frac: share of each source's windows that the run may see, in (0, 1]; epochs count
            passes over these. A proxy that sees as large a share of the data as its tokens are of
            the target's repeats every source as often as the target does.
    """

    recipe: str
    shards: Path
    weights: Weights
    max_epochs: float | None
    preset: str
    model: ModelConfig
    train: TrainConfig
    numerics: Numerics
    seed: int
    judge: str
    dataset_fingerprint: str
    phases: tuple[Phase, ...] = ()
    points: tuple[float, ...] = ()
    init_from: Path | None = None
    window_frac: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.window_frac <= 1:
            raise ValueError(f"'window_frac' must be in (0, 1]. Got {self.window_frac}.")

    @property
    def rows(self) -> int:
        """Windows per step."""
        return self.train.batch_tokens // self.model.context

    @property
    def mixtures(self) -> tuple[Phase, ...]:
        """The phases, of which one is the least."""
        return self.phases or (Phase(weights=self.weights, frac=1.0),)


def identity(spec: ProxySpec, shards: TokenShards) -> str:
    """Hash of all that decides the weights and the record; not of where files lie."""
    stated = _stated(spec)
    del stated["shards"]
    if spec.init_from is not None:
        stated["init_from"] = sha256(model_file(spec.init_from))
    return fingerprint({"version": VERSION, "shards": shards.identity, **stated})


def _stated(value: Any) -> dict[str, Any]:
    """Fields of a dataclass; those that came after version 1 only where they say something."""
    out = {}
    for field in fields(value):
        entry = getattr(value, field.name)
        if field.name in NEWER and entry == field.default:
            continue
        out[field.name] = _stated(entry) if is_dataclass(entry) else entry
    return out


def model_file(path: Path) -> Path:
    """The weights in the folder of a finished run, or `path` itself if it is a file.

    Raises:
        UserError: there are none.
    """
    file = path / MODEL if path.is_dir() else path
    if not file.is_file():
        hint = "A run is finished when its folder has a model.safetensors."
        raise UserError(f"there is no model {file}", where="train.init_from", hint=hint)
    return file
