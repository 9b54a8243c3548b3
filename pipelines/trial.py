"""A trial: one recipe, one seed. Trains the proxy, scores it on every panel, keeps both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from curation.files import atomic
from eval.bpb import PanelScore, score_panel, tokenize_panel
from train.run import ProxySpec, load_model, run_proxy
from train.tokenizer import Tokenizer

SCORES = "scores.npz"


@dataclass(frozen=True)
class Trial:
    """What a worker needs; plain data."""

    spec: ProxySpec
    folder: Path
    tokenizer: Path
    panels: dict[str, Path]


@dataclass(frozen=True)
class TrialResult:
    """The run's record and its score on each panel."""

    recipe: str
    seed: int
    record: dict[str, Any]
    scores: dict[str, PanelScore]


def run_trial(trial: Trial) -> TrialResult:
    """Trains and scores what is missing; on one thread, so that trials run side by side."""
    record = run_proxy(trial.spec, trial.folder)
    path = trial.folder / SCORES
    scores = _read(path, record["fingerprint"]) or _score(trial)
    _write(path, record["fingerprint"], scores)
    return TrialResult(trial.spec.recipe, trial.spec.seed, record, scores)


def _score(trial: Trial) -> dict[str, PanelScore]:
    tokenizer = Tokenizer.load(trial.tokenizer)
    model = load_model(trial.folder)
    scores = {}
    for name, path in trial.panels.items():
        texts = pq.read_table(path, columns=["text"])["text"].to_pylist()
        scores[name] = score_panel(model, tokenize_panel(name, texts, tokenizer))
    return scores


def _read(path: Path, fingerprint: str) -> dict[str, PanelScore] | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        if str(arrays["fingerprint"]) != fingerprint:
            return None
        names = [key.removeprefix("nats/") for key in arrays if key.startswith("nats/")]
        return {
            name: PanelScore(nats=arrays[f"nats/{name}"], bytes=arrays[f"bytes/{name}"])
            for name in names
        }


def _write(path: Path, fingerprint: str, scores: Mapping[str, PanelScore]) -> None:
    arrays: dict[str, Any] = {f"nats/{name}": score.nats for name, score in scores.items()}
    arrays |= {f"bytes/{name}": score.bytes for name, score in scores.items()}
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, fingerprint=np.array(fingerprint), **arrays)
