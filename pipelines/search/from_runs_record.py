"""FromRuns: what a table of measured runs says, the content of `from_runs.json`."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.search.agreements import Agreement
from pipelines.search.record import PredictorScore

FROM_RUNS = "from_runs.json"


@dataclass(frozen=True, kw_only=True)
class TableEntry:
    """A table as it was read.

    Attributes:
        files: of the mixtures and, where they are apart, of the losses.
        read: rows in the file of the mixtures.
        used: of these.
        mixtures: different ones; runs of one mixture are averaged.
        notes: what was left out or changed, and why.
    """

    files: tuple[str, ...]
    read: int
    used: int
    mixtures: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MeasuredRow:
    """A run of the table, predicted by fits to others.

    Attributes:
        key: of the run, or of the first of its mixture.
        weights: by domain.
        measured: objective.
        held_out: predicted objective.
        held_out_sd: standard error of it.
    """

    key: str
    weights: dict[str, float]
    measured: float
    held_out: float
    held_out_sd: float


@dataclass(frozen=True, kw_only=True)
class PredictedMixture:
    """A mixture that was not measured, or not by this table.

    Attributes:
        name: what it is.
        weights: by domain, summing to 1.
        mean: predicted objective.
        sd: standard error of it.
        distance: Hellinger, to the nearest measured mixture.
        outside: in what respect it is outside the measured region; empty where it is inside.
    """

    name: str
    weights: dict[str, float]
    mean: float
    sd: float
    distance: float
    outside: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TestRow:
    """A row of the second table.

    Attributes:
        key: of the run.
        mean: predicted objective.
        sd: standard error of it.
        losses: predicted, by target.
        measured: objective; None where the table lacks a target of it.
        measured_losses: by target, as far as the table has them.
    """

    key: str
    mean: float
    sd: float
    losses: dict[str, float]
    measured: float | None
    measured_losses: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class TestEntry:
    """The second table.

    Attributes:
        table: as it was read.
        rows: predictions of each.
        agreement: of the objective; None where the table has not all losses of it.
        targets: agreement of each target that it has.
    """

    table: TableEntry
    rows: tuple[TestRow, ...]
    agreement: Agreement | None
    targets: dict[str, Agreement]


@dataclass(frozen=True, kw_only=True)
class FromRuns:
    """All of it. Objectives are weighted sums of losses; lower is better.

    Attributes:
        table: as it was read.
        domains: columns of the weights.
        objective: weight by target, summing to 1.
        owners: target to the domain whose text it is, as their names say.
        predictors: cross-validation of all on every target.
        not_tried: why a predictor could not be, by its name.
        trust: agreement of held-out predictions of the objective with measurements.
        reach: distance to the nearest run up to which a mixture is near.
        rows: of the table, one per mixture.
        best: key of the best measured.
        best_predicted: what the fit to all runs says of it.
        optima: where the predicted objective is least.
        next_runs: mixtures to measure next, different from each other and from those measured.
        test: the second table, if there is one.
        warnings: what the reader must know before using any of it.
    """

    table: TableEntry
    domains: tuple[str, ...]
    objective: dict[str, float]
    owners: dict[str, str]
    predictors: tuple[PredictorScore, ...]
    not_tried: dict[str, str]
    trust: Agreement
    reach: float
    rows: tuple[MeasuredRow, ...]
    best: str
    best_predicted: PredictedMixture
    optima: tuple[PredictedMixture, ...]
    next_runs: tuple[PredictedMixture, ...]
    test: TestEntry | None
    warnings: tuple[str, ...]

    def best_row(self) -> MeasuredRow:
        """The best measured."""
        return next(row for row in self.rows if row.key == self.best)
