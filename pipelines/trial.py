"""A trial: one recipe, one seed. Trains the proxy, scores it on panels and suites, keeps all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from eval.bpb import PanelScore, score_panel, tokenize_panel
from eval.metrics import SuiteScore, suite_metrics
from eval.readers.read import read_suite
from eval.requests import conditioned, suite_requests
from eval.scorer import score
from pipelines.curves import scored_curve
from pipelines.scores import TrialScores, read_scores, write_scores
from train.checkpoint import MODEL
from train.run import load_model, run_proxy
from train.spec import ProxySpec
from train.tokenizer import Tokenizer

SCORES = "scores.npz"


@dataclass(frozen=True)
class Trial:
    """What a worker needs; plain data."""

    spec: ProxySpec
    folder: Path
    tokenizer: Path
    panels: dict[str, Path]
    suites: dict[str, Path]
    control: str | None = None  # token that texts start with when they are scored


@dataclass(frozen=True)
class TrialResult:
    """The run's record, metrics in its curve, and its score on each panel and suite."""

    recipe: str
    seed: int
    record: dict[str, Any]
    scores: dict[str, PanelScore]
    suites: dict[str, SuiteScore]


def run_trial(trial: Trial) -> TrialResult:
    """Trains and scores what is missing; on one thread, so that trials run side by side."""
    record = run_proxy(trial.spec, trial.folder)
    name = record["fingerprint"]
    record["curve"] = scored_curve(record, lambda model: _scores(trial, name, model))
    final = _scores(trial, name, MODEL)
    return TrialResult(trial.spec.recipe, trial.spec.seed, record, final.panels, final.suites)


def _scores(trial: Trial, fingerprint: str, point: str) -> TrialScores:
    """Scores of the model file `point` of the run, made or found beside it."""
    path = (trial.folder / point).with_name(SCORES)
    scores = read_scores(path, fingerprint)
    if scores is None:
        scores = _score(trial, point)
        write_scores(path, fingerprint, scores)
    return scores


def _score(trial: Trial, point: str) -> TrialScores:
    tokenizer = Tokenizer.load(trial.tokenizer)
    model = load_model(trial.folder, point)
    panels, suites = {}, {}
    for name, path in trial.panels.items():
        texts = pq.read_table(path, columns=["text"])["text"].to_pylist()
        panel = tokenize_panel(name, texts, tokenizer, trial.control)
        panels[name] = score_panel(model, panel)
    for name, path in trial.suites.items():
        suite = read_suite(path)
        requests = suite_requests(suite, tokenizer, cache=path.parent)
        if trial.control is not None:
            requests = conditioned(requests, tokenizer.control(trial.control))
        suites[name] = suite_metrics(suite, score(model, requests))
    return TrialScores(panels, suites)
