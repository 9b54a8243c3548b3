"""Section 8 of a search's page: what guards against believing too much."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.report.format import ABSENT, compact, count, number, percent, signed
from pipelines.report.markup import Html, join, tag
from pipelines.report.table import numbers, pairs, table, texts
from pipelines.search.record import SearchRecord, SizeEntry

_ALIKE = 0.01  # relative difference of a window share from the matched one, of rounding alone


def checks(record: SearchRecord) -> Html:
    """Warnings, repetition by size, noise, agreement of sizes, optimism of predictions."""
    warnings = [tag("li", text) for text in record.warnings]
    alarms = tag("ul", *warnings, class_="alarms") if warnings else tag("p", "No warnings.")
    return join([alarms, _sizes(record), pairs("Guards", _guards(record))])


def repetition(size: SizeEntry, target: SizeEntry) -> str:
    """Whether a run of this size repeats every domain as often as the target run does."""
    exact = min(1.0, size.tokens / target.tokens)
    if abs(size.window_frac - exact) <= _ALIKE * exact:
        return "as the target's"
    times = exact / size.window_frac
    return f"{times:.2g} times the target's: not matched"


def _sizes(record: SearchRecord) -> Html:
    entries = [("proxy", size) for size in record.sizes]
    if record.confirmation is not None:
        entries.append(("confirmation", record.confirmation.size))
    entries.append(("target", record.target))
    rows = [
        [
            role,
            size.preset,
            count(size.params),
            count(size.tokens),
            percent(size.window_frac, 1.0),
            repetition(size, record.target),
        ]
        for role, size in entries
    ]
    columns = [
        *texts("run", "preset"),
        *numbers("parameters", "tokens", "share of each domain that it sees"),
        *texts("repetition"),
    ]
    return table("Sizes, and repetition matched to the target", columns, rows)


def _guards(record: SearchRecord) -> Iterator[tuple[str, str]]:
    yield "noise floor", _noise(record)
    yield "agreement of sizes", _agreement(record)
    yield "proposals measured", _optimism(record)
    yield "confirmation", _confirmation(record)
    limit = record.max_epochs
    yield "most epochs", "no limit" if limit is None else f"{limit:g} passes over a domain"


def _noise(record: SearchRecord) -> str:
    noise = record.noise
    if noise is None:
        return "not measured yet"
    if noise.sd is None:
        return f"not known: {noise.seeds} seeds of natural finished, it takes two"
    return (
        f"sd {number(noise.sd)} over {noise.seeds} seeds of natural; two single runs must differ "
        f"by {number(noise.mde)} to tell"
    )


def _agreement(record: SearchRecord) -> str:
    found = record.agreement
    if found is None:
        return "not measured yet" if len(record.sizes) > 1 else "not known: measured at one size"
    pair = f"{found.small} and {found.large}, {len(found.mixtures)} mixtures"
    if found.validity is None:
        return f"{pair}: too few to rank"
    validity = found.validity
    accuracy = f"{percent(validity.accuracy, 1.0)} of {validity.pairs} pairs ordered alike"
    tau = f"Kendall's tau {signed(validity.tau, 2)}"
    ends = _ends(validity.accuracy_interval), _ends(validity.tau_interval)
    return f"{pair}: {accuracy}{ends[0]}, {tau}{ends[1]}"


def _ends(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{number(interval[0], 2)}, {number(interval[1], 2)}]"


def _optimism(record: SearchRecord) -> str:
    if not record.proposals:
        return ABSENT
    known = [
        one.measured - one.mean
        for one in record.proposals
        if one.measured is not None and one.mean is not None
    ]
    done = sum(one.measured is not None for one in record.proposals)
    told = f"{done} of {len(record.proposals)}"
    if not known:
        return told
    return f"{told}; measured less predicted {signed(sum(known) / len(known))} on average"


def _confirmation(record: SearchRecord) -> str:
    found = record.confirmation
    if found is None:
        return "none" if record.state == "done" else "not yet"
    used = sorted({run.seed for run in record.runs if run.role != "confirm"})
    return (
        f"seeds {compact(found.seeds)}, the search's were {compact(used)}; on documents that "
        "took no part in the choice"
    )
