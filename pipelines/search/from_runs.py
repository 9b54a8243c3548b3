"""`tilth search --from-runs RUNS.csv`: what somebody's table of measured runs says.

DIR/from_runs.json     the record, with a prediction per row
DIR/next_runs.csv      mixtures to measure next, under the columns of the table
DIR/predictions.csv    of the second table
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from curation.errors import UserError
from curation.files import exclusive, write_bytes, write_json
from mixtures.columns import Columns, owner
from mixtures.methods.method import Proposal
from mixtures.run_table import Reading, RunTable, read_like, read_runs
from mixtures.selection import CANDIDATES
from mixtures.space import Floats
from pipelines.search.agreements import Agreement, agreement
from pipelines.search.fitted import Fitted, fit_table
from pipelines.search.from_runs_record import (
    FROM_RUNS,
    FromRuns,
    MeasuredRow,
    PredictedMixture,
    TableEntry,
    TestEntry,
    TestRow,
)
from pipelines.search.from_runs_text import from_runs_text
from pipelines.search.next_runs import Candidates
from pipelines.search.table_objective import lower_is_better, read_table_objective
from pipelines.tables import csv_text

NEXT, PREDICTIONS = "next_runs.csv", "predictions.csv"
_COVERED = 0.8  # of test losses within 95 % intervals, below which their level differs
MIN_RUNS = 10  # mixtures, below which a cross-validation of five folds tells nothing


@dataclass(frozen=True, kw_only=True)
class Files:
    """A table: mixtures, and losses where they are in another file."""

    runs: Path
    losses: Path | None = None

    def names(self) -> tuple[str, ...]:
        """As given."""
        return tuple(str(path) for path in (self.runs, self.losses) if path is not None)


def from_runs_command(args: argparse.Namespace) -> None:
    """The command; prints tables, or the record as JSON."""
    files = Files(runs=args.from_runs, losses=args.losses)
    test = None if args.test is None else Files(runs=args.test, losses=args.test_losses)
    how = Reading(
        columns=Columns(weights=args.weights_columns, losses=args.losses_columns, key=args.key),
        only=dict(args.where),
        normalize=args.normalize,
    )
    # One thread: the same bits for any number of cores; some hundred runs gain little from more.
    with threadpool_limits(1):
        record = from_runs(files, test, how, args.objective, args.predictor or CANDIDATES)
    if args.out is not None:
        write_from_runs(record, args.out)
    text = from_runs_text(record) + (f"\n\nwritten: {args.out}" if args.out is not None else "")
    print(json.dumps(asdict(record), indent=1, ensure_ascii=False) if args.json else text)


def from_runs(
    files: Files,
    test: Files | None,
    how: Reading,
    objective: str | None = None,
    names: Sequence[str] = CANDIDATES,
) -> FromRuns:
    """Fits, cross-validates, chooses, predicts and proposes; deterministic.

    Args:
        files: the measured runs.
        test: runs of the same domains to predict.
        how: the files are read.
        objective: `NAME=W,...` over columns of losses; None for their mean.
        names: of the predictors to choose from, by cross-validation per target.

    Raises:
        UserError: a file, column, row or name is wrong, or there are too few runs.
    """
    runs = lower_is_better(read_runs(files.runs, files.losses, how))
    goal, table = read_table_objective(objective, runs.targets), runs.means()
    _check_count(table, files)
    unseen = None
    if test is not None:
        unseen = lower_is_better(read_like(runs, test.runs, test.losses, how))
    fitted = fit_table(table, goal, names)
    measured = _objective(table, goal)
    candidates = Candidates(fitted.fit, table.weights, table.domains)
    optima = tuple(_predicted(p, candidates, table) for p in candidates.optima())
    predicted = None if unseen is None or test is None else _test(test, unseen, goal, fitted)
    best = int(np.argmin(measured))
    found = agreement(fitted.held_out, fitted.held_out_sd, measured)
    return FromRuns(
        table=_entry(files, runs, len(table.keys)),
        domains=table.domains,
        objective=goal,
        owners={t: o for t in goal if (o := owner(t, table.domains)) is not None},
        predictors=fitted.scores,
        not_tried=dict(fitted.failures),
        trust=found,
        reach=candidates.region.reach,
        rows=tuple(_rows(table, measured, fitted)),
        best=table.keys[best],
        best_predicted=_at(table.weights[best], "best measured", candidates, table, fitted),
        optima=optima,
        next_runs=tuple(_predicted(p, candidates, table) for p in candidates.next_runs()),
        test=predicted,
        warnings=tuple(_warnings(table, found, predicted, float(measured[best]), optima)),
    )


def write_from_runs(record: FromRuns, out: Path) -> None:
    """Writes the record, and its mixtures and predictions as tables."""
    with exclusive(out):
        write_json(out / FROM_RUNS, asdict(record))
        rows = [
            {"run": f"next-{i}", **one.weights, "predicted": one.mean, "sd": one.sd, "by": one.name}
            for i, one in enumerate(record.next_runs, 1)
        ]
        write_bytes(out / NEXT, csv_text(rows).encode())
        if record.test is not None:
            predicted = [
                {"run": row.key, "predicted": row.mean, "sd": row.sd, "measured": row.measured}
                | {f"predicted.{name}": loss for name, loss in row.losses.items()}
                for row in record.test.rows
            ]
            write_bytes(out / PREDICTIONS, csv_text(predicted).encode())


def _check_count(table: RunTable, files: Files) -> None:
    count = len(table.keys)
    if count < MIN_RUNS:
        what = f"has {count} different mixtures, too few to fit and to check the fit"
        hint = f"{MIN_RUNS} are needed; {3 * (len(table.domains) + 1)} or more are of use."
        raise UserError(what, where=str(files.runs), hint=hint)


def _objective(table: RunTable, goal: Mapping[str, float]) -> Floats:
    return np.asarray(sum(weight * table.column(name) for name, weight in goal.items()))


def _entry(files: Files, runs: RunTable, mixtures: int) -> TableEntry:
    return TableEntry(
        files=files.names(),
        read=runs.read,
        used=len(runs.keys),
        mixtures=mixtures,
        notes=runs.notes,
    )


def _rows(table: RunTable, measured: Floats, fitted: Fitted) -> Iterator[MeasuredRow]:
    values = (table.weights, measured, fitted.held_out, fitted.held_out_sd)
    for key, weights, value, mean, sd in zip(table.keys, *values, strict=True):
        yield MeasuredRow(
            key=key,
            weights=_named(table, weights),
            measured=float(value),
            held_out=float(mean),
            held_out_sd=float(sd),
        )


def _at(
    weights: Floats, name: str, candidates: Candidates, table: RunTable, fitted: Fitted
) -> PredictedMixture:
    mean, sd = (float(f(weights[None])[0]) for f in (fitted.fit.mean, fitted.fit.sd))
    return _predicted(Proposal(weights, mean, sd, name), candidates, table)


def _predicted(proposal: Proposal, candidates: Candidates, table: RunTable) -> PredictedMixture:
    assert proposal.mean is not None
    assert proposal.sd is not None
    region = candidates.region
    return PredictedMixture(
        name=proposal.by,
        weights=_named(table, proposal.weights),
        mean=proposal.mean,
        sd=proposal.sd,
        distance=float(region.distance(proposal.weights[None])[0]),
        outside=tuple(region.leaves(proposal.weights, table.domains)),
    )


def _named(table: RunTable, weights: Floats) -> dict[str, float]:
    return dict(zip(table.domains, weights.tolist(), strict=True))


def _test(files: Files, unseen: RunTable, goal: Mapping[str, float], fitted: Fitted) -> TestEntry:
    parts = {n: (f.mean(unseen.weights), f.sd(unseen.weights)) for n, f in fitted.fits.items()}
    known = [name for name in goal if name in unseen.targets]
    mean, sd = fitted.fit.mean(unseen.weights), fitted.fit.sd(unseen.weights)
    measured = _objective(unseen, goal) if len(known) == len(goal) else None
    rows = tuple(
        TestRow(
            key=key,
            mean=float(mean[i]),
            sd=float(sd[i]),
            losses={name: float(part[0][i]) for name, part in parts.items()},
            measured=None if measured is None else float(measured[i]),
            measured_losses={name: float(unseen.column(name)[i]) for name in known},
        )
        for i, key in enumerate(unseen.keys)
    )
    return TestEntry(
        table=_entry(files, unseen, len(unseen.means().keys)),
        rows=rows,
        agreement=None if measured is None else agreement(mean, sd, measured),
        targets={name: agreement(*parts[name], unseen.column(name)) for name in known},
    )


def _warnings(
    table: RunTable,
    trust: Agreement,
    test: TestEntry | None,
    best: float,
    optima: Sequence[PredictedMixture],
) -> Iterator[str]:
    for name, most in zip(table.domains, table.weights.max(0), strict=True):
        if most == 0:
            yield f"{name} has no weight in any run: nothing is known of it, and it gets none"
    if trust.spearman is None or (trust.interval and trust.interval[0] <= 0):
        yield "held-out runs are ranked no better than by chance: do not choose by predictions"
    if test is not None and test.agreement is not None and test.agreement.coverage < _COVERED:
        yield (
            f"{test.agreement.coverage:.0%} of the test losses are within 1.96 standard errors "
            f"(bias {test.agreement.bias:+.4f}): of another model size trust the order only"
        )
    first = optima[0]
    for reason in first.outside:
        yield f"the predicted optimum is outside the measured region: {reason}"
    if first.mean >= best:
        yield "no mixture is predicted to be better than the best measured run"
    elif best - first.mean < first.sd:
        yield "the predicted gain over the best measured run is within one standard error"
