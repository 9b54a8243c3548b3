"""A search for the terminal: what was measured, what was confirmed, what to use."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.search.live import best_so_far, mixture_text, natural_run
from pipelines.search.record import Confirmation, RunEntry, SearchRecord
from pipelines.tables import table


def record_text(record: SearchRecord) -> str:
    """The tables of a finished search, or of one at work."""
    return "\n".join(_parts(record))


def _parts(record: SearchRecord) -> Iterator[str]:
    yield _head(record)
    yield "\ndomains (tokens that the target may repeat, in whole windows):"
    yield _domains(record)
    yield f"\nmeasured at {record.sizes[0].preset} with seed {record.proxy_seed}, search half:"
    yield _measured(record)
    yield from _noise(record)
    if record.agreement and record.agreement.validity:
        found, sizes = record.agreement.validity, record.agreement
        yield (
            f"{sizes.small} and {sizes.large} order {found.accuracy:.0%} of {found.pairs} pairs of "
            f"mixtures alike (tau {_number(found.tau, 2)})"
        )
    if record.predictors:
        yield "\ncross-validation of predictors:"
        yield _predictors(record)
    if record.confirmation:
        yield _confirmed(record.confirmation)
    yield from (f"warning: {text}" for text in record.warnings)
    if record.chosen:
        yield f"\nchosen: {record.chosen.name} ({record.chosen.verdict}): {record.chosen.reason}"
        yield f"  {mixture_text(record.chosen.weights, most=len(record.domains))}"


def _head(record: SearchRecord) -> str:
    failed = len({run.id for run in record.runs if run.state == "failed"})
    return (
        f"search over {record.name} by {record.by} with {record.method['name']} "
        f"({record.method['reference']}): {record.asked} of {record.budget_runs} runs asked for, "
        f"{record.outside_budget} more for baselines, proposals and confirmation, {failed} failed; "
        f"for {record.target.preset} at {record.target.tokens:,} tokens"
    )


def _domains(record: SearchRecord) -> str:
    chosen = record.chosen
    rows = [
        (
            domain.name,
            f"{domain.documents:,}",
            f"{domain.tokens:,}",
            f"{domain.share:.2%}",
            f"{domain.cap:.2%}",
            f"{chosen.weights.get(domain.name, 0.0):.2%}" if chosen else "",
            f"{chosen.epochs.get(domain.name, 0.0):.2f}" if chosen else "",
        )
        for domain in record.domains
    ]
    header = ("domain", "documents", "tokens", "natural", "cap", "chosen", "epochs")
    return table(header, rows)


def _measured(record: SearchRecord) -> str:
    size, natural = record.sizes[0].preset, natural_run(record)
    base = natural.objective if natural else None
    alike = [run for run in record.runs if run.size == size and run.seed == record.proxy_seed]
    baselines = [run for run in alike if run.role == "baseline"]
    rows = [_row(run.name, None, run, base) for run in baselines]
    by_run = {run.id: run for run in record.runs}
    for one in record.proposals:
        rows.append(_row(one.name, (one.mean, one.sd), by_run[one.run], base))
    best = best_so_far(record)
    if best:
        rows.append(_row("best measured", None, best, base))
    return table(("mixture", "weights", "predicted", "measured", "less natural"), rows, left=2)


def _row(
    name: str,
    predicted: tuple[float | None, float | None] | None,
    run: RunEntry,
    base: float | None,
) -> tuple[str, ...]:
    mean, sd = predicted or (None, None)
    less = run.objective - base if run.objective is not None and base is not None else None
    return (
        name if run.allowed else f"{name} (over its cap)",
        mixture_text(run.weights),
        _number(mean) + (f" ± {sd:.4f}" if sd is not None else ""),
        _number(run.objective) if run.state == "done" else "failed",
        "" if less is None else f"{less:+.4f}",
    )


def _noise(record: SearchRecord) -> Iterator[str]:
    noise = record.noise
    if noise and noise.sd is not None and noise.mde is not None:
        yield (
            f"seeds alone: sd {noise.sd:.4f} over {noise.seeds} runs of natural; two single runs "
            f"must differ by {noise.mde:.4f} to tell"
        )


def _predictors(record: SearchRecord) -> str:
    rows = [
        (one.target, one.predictor, _number(one.spearman, 3), f"{one.rmse:.4f}", "*" * one.chosen)
        for one in record.predictors
    ]
    return table(("target", "predictor", "spearman", "rmse", "chosen"), rows, left=2)


def _confirmed(found: Confirmation) -> str:
    pairs = {pair.a: pair for pair in found.pairs}
    rows = []
    for one in found.candidates:
        pair = pairs.get(one.name)
        low, high = (pair.ci_low, pair.ci_high) if pair else (None, None)
        rows.append(
            (
                one.name,
                mixture_text(one.weights),
                f"{one.mean:.4f}",
                _number(one.sd),
                f"{pair.difference:+.4f}" if pair else "",
                f"[{low:+.4f}, {high:+.4f}]" if low is not None and high is not None else "",
                _number(pair.mde) if pair else "",
                pair.verdict if pair else "",
            )
        )
    header = ("mixture", "weights", "mean", "sd", "less natural", "95 % interval", "mde", "")
    return (
        f"\nconfirmed at {found.size.preset}, {found.size.tokens:,} tokens, {len(found.seeds)} "
        f"fresh seeds, confirm half ({found.test} test):\n{table(header, rows, left=2)}"
    )


def _number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}f}"
