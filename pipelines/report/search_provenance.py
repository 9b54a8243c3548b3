"""Section 9 of a search's page: what made it, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml

from pipelines.report.format import ABSENT, compact, count, percent, seconds
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.table import numbers, pairs, table, texts
from pipelines.search.record import RunEntry, SearchRecord

_MAX_SPEC = 20_000
_FLOPS = 6  # per parameter and token: forward and backward (Kaplan et al. 2020, section 2.1)


def search_provenance(record: SearchRecord) -> Html:
    """Fingerprints, objective, cost by role, and the spec."""
    spec = yaml.safe_dump(record.spec, sort_keys=False, allow_unicode=True)
    shown = tag("details", tag("summary", "The spec"), tag("pre", clip(spec, _MAX_SPEC)))
    return join([pairs("Search", _facts(record)), _objective(record), _cost(record), shown])


def _facts(record: SearchRecord) -> Iterator[tuple[str, str]]:
    method = record.method
    yield "recipe", record.name
    yield "domains", f"{len(record.domains)}, by {record.by}"
    yield "method", str(method.get("name", ABSENT))
    yield "reference", str(method.get("reference", ABSENT))
    yield "parameters", json.dumps(method.get("parameters", {}), ensure_ascii=False)
    yield "judge", tag("code", record.judge)
    yield "dataset", tag("code", record.dataset)
    yield "state", record.state
    yield "wall time of the last call", seconds(record.seconds)
    if record.budget_seconds is not None:
        yield "budget of time", seconds(record.budget_seconds)


def _objective(record: SearchRecord) -> Html:
    rows = [
        [
            name,
            percent(weight, 1.0),
            "higher: enters negated" if name in record.negated else "lower",
        ]
        for name, weight in record.objective.items()
    ]
    return table("Objective", [*texts("target"), *numbers("weight"), *texts("better")], rows)


def _cost(record: SearchRecord) -> Html:
    """Each run once, under the first role that it played."""
    first: dict[str, RunEntry] = {}
    for run in record.runs:
        first.setdefault(run.id, run)
    made = list(first.values())
    roles = dict.fromkeys(run.role for run in made)
    rows = [_sum(role, [r for r in made if r.role == role], record) for role in roles]
    columns = [*texts("runs for"), *numbers("runs", "failed", "tokens", "FLOPs", "training took")]
    rows.append(_sum("all", made, record))
    return table("Cost", columns, rows)


def _sum(title: str, made: list[RunEntry], record: SearchRecord) -> list[str]:
    done = [run for run in made if run.state == "done"]
    sizes = [*record.sizes, record.target]
    sizes += [record.confirmation.size] if record.confirmation else []
    params = {size.preset: size.params for size in sizes}
    flops = [_FLOPS * params[run.size] * run.tokens for run in done if run.size in params]
    return [
        title,
        compact(len(made)),
        compact(len(made) - len(done)),
        count(sum(run.tokens for run in done)),
        f"{sum(flops):.3g}" if len(flops) == len(done) else ABSENT,
        seconds(sum(run.seconds or 0.0 for run in done)),
    ]
