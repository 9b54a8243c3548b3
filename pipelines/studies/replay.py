"""Predictors on real published runs: RegMix's 512 mixtures, judged on 256 others at two sizes.

The mean of 13 domains is the rank correlation of the mean loss: one fit per domain, predictions
and losses averaged, then ranked. A cell is a draw of N of the 512 runs; finished cells are files
and are not computed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.errors import UserError
from curation.files import read_json, write_json
from mixtures.agreement import spearman, top_decile_spearman
from mixtures.columns import owner
from mixtures.folds import Indices
from mixtures.predictors.predictor import Fit, predictors
from mixtures.run_table import Reading, RunTable, read_like, read_runs
from mixtures.selection import CANDIDATES, select
from mixtures.space import Floats
from pipelines.studies.study import SHARED, Bench, markdown

COUNTS = (24, 48, 96, 192, 512)
DRAWS = 20
SINGLE = "pile_cc"  # the target that RegMix reports
DEFAULT = "auto"
_RESAMPLES = 10_000

Figures = dict[str, dict[str, float]]  # predictor to measure to value


@dataclass(frozen=True)
class Tables:
    """The published runs.

    Attributes:
        fitted: 512 runs of 1M parameters.
        tests: by size, 256 other mixtures.
    """

    fitted: RunTable
    tests: Mapping[str, RunTable]


def study(bench: Bench) -> str:
    """Rank correlation of every predictor and of the default, by number of fitted runs."""
    tables = published(SHARED / "mixture_runs" / "regmix")
    cells = [(count, draw) for count in COUNTS for draw in range(_draws(count))]
    found: dict[tuple[int, int], Figures] = {}
    for done, (count, draw) in enumerate(cells):
        bench.progress("replay", done, len(cells))
        path = bench.out / f"{count}-{draw}.json"
        if not path.exists():
            write_json(path, cell(tables, count, draw))
        found[count, draw] = read_json(path)
    bench.progress("replay", len(cells), len(cells))
    return report(found)


def published(folder: Path) -> Tables:
    """RegMix's tables, as they are in its repository.

    Raises:
        UserError: they are not there.
    """
    if not folder.exists():
        raise UserError("there is no such folder", where=str(folder), hint="Studies need it")
    how = Reading()
    fitted = read_runs(folder / "train_mixture_1m.csv", folder / "train_pile_loss_1m.csv", how)
    tests = {
        size: read_like(
            fitted,
            folder / f"test_mixture_{size.lower()}.csv",
            folder / f"test_pile_loss_{size.lower()}.csv",
            how,
        )
        for size in ("1M", "60M")
    }
    return Tables(fitted, tests)


def cell(tables: Tables, count: int, draw: int, candidates: Sequence[str] = CANDIDATES) -> Figures:
    """Fits `count` runs drawn at random and measures the predictions of the tests.

    Measures are named by target and size: `single 1M`, `mean 60M`, and with ` top` the figure
    within the best tenth.
    """
    table = tables.fitted
    rows = np.random.default_rng([count, draw]).permutation(len(table.weights))[:count]
    fits: dict[str, list[Fit]] = {}
    for target in table.targets:
        for name, fit in _fits(table, rows, target, candidates).items():
            fits.setdefault(name, []).append(fit)
    complete = {name: made for name, made in fits.items() if len(made) == len(table.targets)}
    return {name: dict(_figures(made, tables)) for name, made in complete.items()}


def _fits(
    table: RunTable, rows: Indices, target: str, candidates: Sequence[str]
) -> Mapping[str, Fit]:
    """Every candidate that can be fitted to the rows, and the default."""
    weights, losses = table.weights[rows], table.column(target)[rows]
    domain = owner(target, table.domains)
    own = None if domain is None else table.domains.index(domain)
    selected = select(weights, losses, own, candidates)
    fits = {
        score.name: predictors.get(score.name)().fit(weights, losses, own)
        for score in selected.scores
        if not score.failure and score.name != selected.name
    }
    return fits | {selected.name: selected.fit, DEFAULT: selected.fit}


def _figures(fits: Sequence[Fit], tables: Tables) -> Iterator[tuple[str, float]]:
    single = next(i for i, name in enumerate(tables.fitted.targets) if SINGLE in name)
    for size, test in tables.tests.items():
        predicted = np.stack([fit.mean(test.weights) for fit in fits], 1)
        pairs = {
            "single": (predicted[:, single], test.losses[:, single]),
            "mean": (predicted.mean(1), test.losses.mean(1)),
        }
        for label, (guess, truth) in pairs.items():
            yield f"{label} {size}", spearman(guess, truth)
            yield f"{label} {size} top", top_decile_spearman(guess, truth)


def _draws(count: int) -> int:
    return 1 if count == max(COUNTS) else DRAWS  # all 512 runs can be drawn in one way


def report(found: Mapping[tuple[int, int], Figures]) -> str:
    """Means over draws, the best of a row in bold; and the default against LightGBM, paired."""
    names = [*CANDIDATES, DEFAULT]
    counts = sorted({count for count, _ in found})
    measures = list(next(iter(found.values()))[DEFAULT])
    rows = []
    for measure in measures:
        for count in counts:
            means = [_mean(found, count, name, measure) for name in names]
            best = max(value for value in means if value is not None)
            cells = ["-" if v is None else _bold(v, best) for v in means]
            rows.append((measure, count, *cells, _gain(found, count, measure)))
    header = ("Spearman", "runs", *names, f"{DEFAULT} over LightGBM, 95 %")
    return markdown(header, rows)


def _values(
    found: Mapping[tuple[int, int], Figures], count: int, name: str, measure: str
) -> list[float]:
    """Of all draws, or none where a predictor could not be fitted to one."""
    cells = [figures for (runs, _), figures in found.items() if runs == count]
    return [f[name][measure] for f in cells] if all(name in f for f in cells) else []


def _mean(
    found: Mapping[tuple[int, int], Figures], count: int, name: str, measure: str
) -> float | None:
    values = _values(found, count, name, measure)
    return float(np.mean(values)) if values else None


def _bold(value: float, best: float) -> str:
    return f"**{value:.3f}**" if value == best else f"{value:.3f}"


def _gain(found: Mapping[tuple[int, int], Figures], count: int, measure: str) -> str:
    ours, theirs = (_values(found, count, name, measure) for name in (DEFAULT, "lightgbm"))
    if len(ours) < 2 or len(theirs) < 2:
        return ""
    low, high = paired_interval(np.subtract(ours, theirs))
    return f"[{low:+.3f}, {high:+.3f}]"


def paired_interval(differences: Floats) -> tuple[float, float]:
    """95 % percentile bootstrap of a mean over draws, which share the runs that they are of."""
    rng = np.random.default_rng(len(differences))
    picks = rng.integers(0, len(differences), (_RESAMPLES, len(differences)))
    low, high = np.quantile(differences[picks].mean(1), [0.025, 0.975])
    return float(low), float(high)
