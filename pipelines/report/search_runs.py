"""Section 7 of a search's page: every run."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.report.format import ABSENT, count, number, percent, seconds
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.table import Column, numbers, table, texts
from pipelines.search.live import mixture_text
from pipelines.search.record import RunEntry, SearchRecord

_ROLES = {
    "baseline": "Baselines",
    "proposal": "Proposals, measured",
    "search": "Runs that the method asked for",
    "confirm": "Confirmation",
}
_OPEN_ROWS = 16  # longer tables are folded
_DOMAINS = 8  # up to so many domains have a column each
_NAME_CHARS, _FAILURE_CHARS = 60, 300
_NOTE = (
    "Objectives are lower-is-better. A run that plays several roles is in several tables. What is "
    "not allowed lies outside of the target's floors or caps: it is measured, and never chosen. "
    "All weights and losses are in search.json."
)


def runs(record: SearchRecord) -> Html:
    """A table per role."""
    if not record.runs:
        return tag("p", "No run has ended yet.")
    parts = []
    for role, title in _ROLES.items():
        found = [run for run in record.runs if run.role == role]
        if found:
            parts.append(_folded(f"{title} ({len(found)})", record, found))
    return join([*parts, tag("p", _NOTE, class_="note")])


def _folded(title: str, record: SearchRecord, found: Sequence[RunEntry]) -> Html:
    names = [domain.name for domain in record.domains]
    shown = names if len(names) <= _DOMAINS else []
    drawn = table(title, _columns(shown), (_row(run, shown) for run in found))
    return drawn if len(found) <= _OPEN_ROWS else tag("details", tag("summary", title), drawn)


def _columns(names: Sequence[str]) -> list[Column]:
    weights = numbers(*(clip(name, 24) for name in names)) if names else texts("largest weights")
    return [
        *texts("mixture", "size"),
        *numbers("seed", "tokens", "search half", "confirm half"),
        *weights,
        *numbers("most epochs", "took"),
        *texts("state", "run"),
    ]


def _row(run: RunEntry, names: Sequence[str]) -> list[str]:
    weights = [percent(run.weights.get(name, 0.0), 1.0) for name in names]
    return [
        tag("span", clip(run.name, _NAME_CHARS), class_="whole"),
        run.size,
        str(run.seed),
        count(run.tokens),
        number(run.objective),
        number(run.confirm_objective),
        *(weights or [tag("span", mixture_text(run.weights, most=6), class_="words")]),
        number(max(run.epochs.values(), default=None), 2),
        seconds(run.seconds),
        _state(run),
        tag("code", run.id, class_="whole"),
    ]


def _state(run: RunEntry) -> str:
    if run.state == "failed":
        told = clip(run.failure, _FAILURE_CHARS) or ABSENT
        return tag("span", tag("b", "failed"), f": {told}", class_="words")
    return run.state if run.allowed else tag("span", "done, not allowed", class_="whole")
