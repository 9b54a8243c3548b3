"""What a table of runs says, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mixtures.columns import short_names
from pipelines.search.agreements import Agreement
from pipelines.search.from_runs_record import FromRuns, PredictedMixture, TableEntry, TestEntry
from pipelines.search.live import mixture_text
from pipelines.search.record import PredictorScore
from pipelines.tables import table

_SHOWN = 4  # targets whose cross-validation is shown one by one


def from_runs_text(record: FromRuns) -> str:
    """Tables of a whole record."""
    return "\n".join(_parts(record))


def _parts(record: FromRuns) -> Iterator[str]:
    yield from _read(record.table, "runs")
    yield f"objective: {_objective(record.objective)}; lower is better"
    yield "\ncross-validation of predictors (rank correlation over held-out runs):"
    yield _predictors(record.predictors, len(record.objective))
    yield from (f"not tried: {name}: {why}" for name, why in record.not_tried.items())
    yield "chosen per target by the smallest error (RMSE) on held-out runs"
    yield "\nhow far to trust it (objective, held-out runs):"
    yield _agreements({"held out": record.trust})
    if record.test is not None:
        yield from _test(record.test)
    yield "\nbest measured beside predicted optimum:"
    yield _mixtures(record)
    yield "\nmeasure next:"
    yield _table([("", one) for one in record.next_runs], record.domains)
    yield "the table does not tell how many tokens domains have: check epochs before use"
    yield from (f"warning: {text}" for text in record.warnings)


def _read(entry: TableEntry, what: str) -> Iterator[str]:
    files = " and ".join(entry.files)
    yield f"{what}: {entry.used} of {entry.read} rows of {files}, {entry.mixtures} mixtures"
    yield from (f"  {note}" for note in entry.notes)


def _objective(weights: Mapping[str, float]) -> str:
    if len(weights) > _SHOWN and len(set(weights.values())) == 1:
        return f"mean of {len(weights)} losses: {', '.join(short_names(tuple(weights)))}"
    return " + ".join(f"{weight:.3g} {name}" for name, weight in weights.items())


def _predictors(scores: Sequence[PredictorScore], targets: int) -> str:
    if targets <= _SHOWN:
        rows = [
            (s.target, s.predictor, _number(s.spearman, 3), f"{s.rmse:.4f}", "*" * s.chosen)
            for s in scores
        ]
        return table(("target", "predictor", "spearman", "rmse", "chosen"), rows, left=2)
    found = []
    for name in dict.fromkeys(score.predictor for score in scores):
        own = [score for score in scores if score.predictor == name]
        ranks = [score.spearman for score in own if score.spearman is not None]
        mean = sum(ranks) / len(ranks) if ranks else None
        rmse = sum(score.rmse for score in own) / len(own)
        least = min(ranks) if ranks else None
        chosen = f"{sum(score.chosen for score in own)} of {targets}"
        found.append((name, _number(mean, 3), _number(least, 3), f"{rmse:.4f}", chosen))
    return table(("predictor", "mean spearman", "least", "mean rmse", "chosen"), found)


def _agreements(named: Mapping[str, Agreement]) -> str:
    rows = []
    for name, one in named.items():
        low, high = one.interval or (None, None)
        rows.append(
            (
                name,
                f"{one.runs}",
                _number(one.spearman, 3),
                f"[{_number(low, 3)}, {_number(high, 3)}]" if low is not None else "",
                f"{_number(one.top_spearman, 3)} ({one.top_runs})",
                "" if one.accuracy is None else f"{one.accuracy:.1%}",
                f"{one.mae:.4f}",
                f"{one.bias:+.4f}",
                f"{one.coverage:.0%}",
            )
        )
    header = (
        "",
        "runs",
        "spearman",
        "95 % interval",
        "of the best tenth (runs)",
        "pairs ordered alike",
    )
    return table((*header, "mean abs. error", "bias", "within 1.96 sd"), rows)


def _test(test: TestEntry) -> Iterator[str]:
    yield ""
    yield from _read(test.table, "test")
    if test.agreement is not None:
        targets = test.targets if len(test.targets) > 1 else {}
        yield _agreements({"objective": test.agreement, **targets})
    elif test.targets:
        yield _agreements(test.targets)
    else:
        yield f"no losses to compare with; predicted {len(test.rows)} rows (--json, --out)"


def _mixtures(record: FromRuns) -> str:
    measured = f"{record.best_row().measured:.4f}"
    best = (f"run {record.best}", measured, record.best_predicted)
    rows = [best, *((one.name, "", one) for one in record.optima)]
    return _table([(value, one) for _, value, one in rows], record.domains, [n for n, _, _ in rows])


def _table(
    rows: Sequence[tuple[str, PredictedMixture]],
    domains: tuple[str, ...],
    names: Sequence[str] | None = None,
) -> str:
    short = dict(zip(domains, short_names(domains), strict=True))
    lines = []
    for i, (measured, one) in enumerate(rows):
        weights = {short[name]: weight for name, weight in one.weights.items()}
        values = (f"{one.mean:.4f} ± {one.sd:.4f}", measured, f"{one.distance:.3f}")
        name = names[i] if names else one.name
        lines.append((name, mixture_text(weights), *values, "outside" * bool(one.outside)))
    header = ("mixture", "weights", "predicted", "measured", "from nearest run", "")
    return table(header, lines, left=2)


def _number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}f}"
