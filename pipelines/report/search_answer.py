"""Section 1 of a search's page: the mixture to use, and how far to believe it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.mixture_spec import MIXTURE
from pipelines.report.compared import badge
from pipelines.report.forest import Interval
from pipelines.report.format import ABSENT, number, seconds, signed
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.search_facts import contender, gain, mde, unit
from pipelines.search.guards import NATURAL, UNIFORM
from pipelines.search.live import best_so_far, mixture_text, natural_run
from pipelines.search.record import SearchRecord

_NAMED = 8  # domains in the sentence, the largest weights
_AT_WORK = {
    "baselines": "is measuring its baselines",
    "searching": "is asking for runs",
    "measuring": "is measuring what it proposes",
    "confirming": "is confirming what it found",
    "done": "is over, and chose nothing",
}


def answer(record: SearchRecord) -> Html:
    """What to use and why, how to use it, and the numbers as tiles; or how far the search is."""
    tiles = tag("div", *_tiles(record), class_="glance")
    if record.chosen is None:
        return join([tag("p", _progress(record), class_="sentence"), tiles])
    chosen = record.chosen
    head = tag(
        "p",
        tag("strong", clip(chosen.name, 80)),
        f": {mixture_text(chosen.weights, most=_NAMED)} ",
        verdict_badge(chosen.verdict),
        class_="sentence",
    )
    why = tag("p", chosen.reason[:1].upper() + chosen.reason[1:], ".")
    return join([head, why, _use(), tiles])


def verdict_badge(verdict: str) -> Html:
    """A verdict of the record as a word with its sign."""
    if verdict == "not confirmed":
        return tag("span", "? not confirmed", class_="badge")
    return badge(verdict)


def _use() -> Html:
    line = tag("code", f"mixture: {MIXTURE}")
    return tag("p", "One line of a recipe in this folder uses it: ", line)


def _progress(record: SearchRecord) -> str:
    told = (
        f"The search {_AT_WORK[record.state]}: {record.asked} of {record.budget_runs} runs asked "
        f"for, {len(record.runs)} of all {record.planned} ended."
    )
    best = best_so_far(record)
    if best is None:
        return told
    mixture = f"{clip(best.name, 80)}, {mixture_text(best.weights, most=_NAMED)}"
    return f"{told} Best so far: {mixture}; not confirmed."


def _tiles(record: SearchRecord) -> Iterator[Html]:
    yield from _gains(record) if record.confirmation else _unconfirmed(record)
    failed = len({run.id for run in record.runs if run.state == "failed"})
    rest = f"of {record.budget_runs} asked for, {record.outside_budget} more outside the budget"
    yield _tile("Runs", str(record.asked), f"{rest}, {failed} failed, {seconds(record.seconds)}")


def _gains(record: SearchRecord) -> Iterator[Html]:
    one = contender(record)
    if one is None or record.confirmation is None:
        return
    seeds, measure = f"{len(record.confirmation.seeds)} fresh seeds", unit(record)
    # The chosen mixture needs no name here; where natural is kept, another one is tested.
    named = "" if record.chosen and record.chosen.name == one.name else f" of {clip(one.name, 40)}"
    for other in (NATURAL, UNIFORM):
        found = gain(record, one.name, other)
        if found is not None:
            told = f"{_ends(found)} {measure}, 95 % interval, {seeds}"
            yield _tile(f"Gain{named} over {other}", signed(found.difference), told)
    smallest = mde(record, one.name)
    told = "a smaller gain over natural is found in fewer than 80 % of repeats"
    yield _tile("Smallest detectable gain", number(smallest), told)


def _unconfirmed(record: SearchRecord) -> Iterator[Html]:
    best, natural = best_so_far(record), natural_run(record)
    values = [run.objective if run else None for run in (natural, best)]
    if values[0] is not None and values[1] is not None:
        told = f"{unit(record)} on the half that chose it, one seed: an optimistic figure"
        yield _tile("Gain over natural, not confirmed", signed(values[0] - values[1]), told)
    if record.noise is not None:
        told = f"sd of one run, {record.noise.seeds} seeds of natural"
        yield _tile("Noise floor", number(record.noise.sd), told)


def _ends(found: Interval) -> str:
    if found.low is None or found.high is None:
        return f"{ABSENT} (too few seeds for an interval)"
    return f"[{signed(found.low)}, {signed(found.high)}]"


def _tile(title: str, figure: str, told: str) -> Html:
    return tag(
        "section", tag("h3", title), tag("p", tag("strong", figure)), tag("p", told), class_="tile"
    )
