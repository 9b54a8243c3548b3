"""Scorecard: the verdict on one recipe, over all its seeds.

scorecard.json   bits per byte per panel, metrics, compute, links by fingerprint
items.npz        nats of every document by seed and panel, and the values of every test item by
                 seed, suite and metric, for resampling
"""

from __future__ import annotations

import io
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from curation.errors import UserError
from curation.files import write_bytes, write_json
from eval.bpb import PanelScore
from eval.metrics import SuiteScore, is_better_higher
from eval.suite_arrays import read_suite_arrays, suite_arrays

SCORECARD = "scorecard.json"
ITEMS = "items.npz"
MEAN_BPB = "panels.mean_bpb"
FINAL_LOSS = "train.final_loss"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number per seed, with mean and sample standard deviation (None for one seed).

    Of a suite's metric, `n` is the number of items and `stderr` the standard error over items of
    one run (root mean square over seeds): what other items would change, which `sd`, what other
    seeds would change, does not hold.
    """

    per_seed: dict[int, float]
    mean: float
    sd: float | None
    higher_is_better: bool
    n: int | None = None
    stderr: float | None = None


@dataclass(frozen=True, kw_only=True)
class PanelResult:
    """Bits per byte on one panel by seed; `sd` is None for one seed."""

    documents: int
    bytes: int
    bpb: dict[int, float]
    mean: float
    sd: float | None


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """What `scorecard.json` holds. `runs` are the contents of the runs' `run.json`."""

    recipe: str
    judge: str
    primary: str
    seeds: list[int]
    panels: dict[str, PanelResult]
    metrics: dict[str, Metric]
    runs: list[dict[str, Any]]
    tokens: int
    unique_tokens: int
    epochs: dict[str, float]
    flops: int
    dataset_fingerprint: str
    params: int


def make_scorecard(
    recipe: str,
    judge: str,
    primary: str,
    runs: Sequence[Mapping[str, Any]],
    scores: Mapping[int, Mapping[str, PanelScore]],
    suites: Mapping[int, Mapping[str, SuiteScore]] | None = None,
) -> Scorecard:
    """Collects the runs of a recipe and their scores.

    Args:
        recipe: its name.
        judge: hash of the judge.
        primary: name of the metric that decides, such as `panels.mean_bpb`.
        runs: contents of `run.json`, one per seed, of one dataset.
        scores: by seed, then by panel.
        suites: by seed, then by suite; they enter as `suites.<suite>.<metric>`.

    Raises:
        UserError: `primary` is no metric of this scorecard.
    """
    runs = sorted(runs, key=lambda run: run["seed"])
    seeds = [run["seed"] for run in runs]
    names = list(scores[seeds[0]])
    means = {s: statistics.fmean(scores[s][n].bpb for n in names) for s in seeds} if names else {}
    metrics = {FINAL_LOSS: _metric({run["seed"]: run["final_loss"] for run in runs})}
    if means:
        metrics[MEAN_BPB] = _metric(means)
    panels = {name: _panel({s: scores[s][name] for s in seeds}) for name in names}
    metrics |= {f"panels.{n}.bpb": _metric(panel.bpb) for n, panel in panels.items()}
    metrics |= _suite_metrics({seed: suites[seed] for seed in seeds} if suites else {})
    if primary not in metrics:
        raise UserError(
            f"there is no metric '{primary}'",
            where="primary",
            hint=f"This judge measures: {', '.join(sorted(metrics))}",
        )
    return Scorecard(
        recipe=recipe,
        judge=judge,
        primary=primary,
        seeds=seeds,
        panels=panels,
        metrics=metrics,
        runs=[dict(run) for run in runs],
        tokens=runs[0]["tokens"],
        unique_tokens=runs[0]["unique_tokens"],
        epochs=runs[0]["epochs"],
        flops=runs[0]["flops"],
        dataset_fingerprint=runs[0]["dataset_fingerprint"],
        params=runs[0]["params"],
    )


def write_scorecard(
    card: Scorecard,
    scores: Mapping[int, Mapping[str, PanelScore]],
    folder: Path,
    suites: Mapping[int, Mapping[str, SuiteScore]] | None = None,
) -> None:
    """Writes `items.npz`, then `scorecard.json`, each atomically."""
    buffer = io.BytesIO()
    arrays = {
        f"{kind}/{seed}/{name}": getattr(score, kind)
        for seed, panels in scores.items()
        for name, score in panels.items()
        for kind in ("nats", "bytes")
    }
    for seed, score in (suites or {}).items():
        arrays |= suite_arrays(score, f"{seed}/")
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(folder / ITEMS, buffer.getvalue())
    write_json(folder / SCORECARD, asdict(card))


def read_scorecard(folder: Path) -> Scorecard:
    """The scorecard in `folder`.

    Raises:
        UserError: there is none, or it is not one.
    """
    path = folder / SCORECARD
    if not path.is_file():
        raise UserError(
            f"there is no {SCORECARD}", where=str(folder), hint="Make it with `tilth run`."
        )
    raw = json.loads(path.read_text(encoding="utf-8"))
    try:
        raw["panels"] = {
            name: PanelResult(**{**panel, "bpb": _int_keys(panel["bpb"])})
            for name, panel in raw["panels"].items()
        }
        raw["metrics"] = {
            name: Metric(**{**metric, "per_seed": _int_keys(metric["per_seed"])})
            for name, metric in raw["metrics"].items()
        }
        return Scorecard(**raw)
    except (KeyError, TypeError) as err:
        raise UserError(f"not a scorecard of this version: {err}", where=str(path)) from err


def read_items(folder: Path) -> dict[int, dict[str, PanelScore]]:
    """Scores of every document, by seed and panel, as `write_scorecard` was given them."""
    scores: dict[int, dict[str, PanelScore]] = {}
    with np.load(folder / ITEMS, allow_pickle=False) as items:
        for key in items.files:
            kind, seed, name = key.split("/", 2)
            if kind == "nats":
                score = PanelScore(nats=items[key], bytes=items[f"bytes/{seed}/{name}"])
                scores.setdefault(int(seed), {})[name] = score
    return scores


def read_suite_items(folder: Path) -> dict[int, dict[str, SuiteScore]]:
    """Values of every test item by seed and suite, as `write_scorecard` was given them."""
    with np.load(folder / ITEMS, allow_pickle=False) as items:
        seeds = {int(key.split("/")[1]) for key in items.files}
        return {seed: read_suite_arrays(items, f"{seed}/") for seed in sorted(seeds)}


def sample_sd(values: Sequence[float]) -> float | None:
    """Standard deviation with n - 1; None for fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else None


def _metric(per_seed: dict[int, float], higher_is_better: bool = False) -> Metric:
    values = list(per_seed.values())
    return Metric(
        per_seed=per_seed,
        mean=math.fsum(values) / len(values),
        sd=sample_sd(values),
        higher_is_better=higher_is_better,
    )


def _suite_metrics(suites: Mapping[int, Mapping[str, SuiteScore]]) -> dict[str, Metric]:
    """Metrics of all suites; the same in every seed."""
    found = {}
    for name, score in next(iter(suites.values()), {}).items():
        for metric in score:
            runs = {seed: suites[seed][name][metric] for seed in suites}
            base = _metric({seed: run.mean for seed, run in runs.items()}, is_better_higher(metric))
            errors = [run.stderr for run in runs.values() if run.stderr is not None]
            found[f"suites.{name}.{metric}"] = replace(
                base,
                n=score[metric].n,
                stderr=math.sqrt(statistics.fmean(e * e for e in errors)) if errors else None,
            )
    return found


def _panel(scores: Mapping[int, PanelScore]) -> PanelResult:
    any_score = next(iter(scores.values()))
    metric = _metric({seed: score.bpb for seed, score in scores.items()})
    return PanelResult(
        documents=len(any_score.bytes),
        bytes=int(any_score.bytes.sum()),
        bpb=metric.per_seed,
        mean=metric.mean,
        sd=metric.sd,
    )


def _int_keys(values: Mapping[str, float]) -> dict[int, float]:
    return {int(key): value for key, value in values.items()}
