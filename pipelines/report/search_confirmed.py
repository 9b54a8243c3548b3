"""Section 3 of a search's page: fresh seeds, on documents that chose nothing."""

from __future__ import annotations

from pipelines.report import svg
from pipelines.report.forest import dots, forest, interval_text
from pipelines.report.format import ABSENT, compact, count, number
from pipelines.report.markup import Html, join, tag
from pipelines.report.search_answer import verdict_badge
from pipelines.report.search_facts import gained, unit
from pipelines.report.table import numbers, table, texts
from pipelines.search.guards import NATURAL
from pipelines.search.live import mixture_text
from pipelines.search.record import Candidate, Confirmation, SearchRecord

_TESTS = {"paired": "the paired t test", "welch": "Welch's t test"}


def confirmed(record: SearchRecord) -> Html:
    """A forest plot of gains, a dot per seed, and a table."""
    found = record.confirmation
    if found is None:
        told = "Nothing is confirmed" if record.state == "done" else "Nothing is confirmed yet"
        return tag("p", f"{told}: no fresh seeds have measured the candidates.")
    note = (
        f"{found.size.preset} on {count(found.size.tokens)} tokens, seeds {compact(found.seeds)}, "
        f"by {_TESTS[found.test]}, Holm-adjusted; documents of the confirm half."
    )
    parts = [_forest(record, found), _seeds(record, found)]
    pictures = tag("div", *parts, class_="two")
    return join([pictures, _table(record, found), tag("p", note, class_="note")])


def _forest(record: SearchRecord, found: Confirmation) -> Html:
    if not found.pairs:
        return tag("p", "Only the natural mixture was confirmed: there is no gain to draw.")
    caption = f"Gain over natural, {unit(record)}, 95 % intervals over seeds"
    order = [one.name for one in found.candidates]
    pairs = sorted(found.pairs, key=lambda pair: order.index(pair.a))
    rows = [gained(pair) for pair in pairs]
    return svg.figure(caption, forest(rows, caption, higher_is_better=True))


def _seeds(record: SearchRecord, found: Confirmation) -> Html:
    caption = f"Objective, {unit(record)}: every seed is a dot, the bar is the mean"
    rows = [
        (one.name, {str(s): v for s, v in zip(found.seeds, one.values, strict=False)})
        for one in found.candidates
    ]
    return svg.figure(caption, dots(rows, caption))


def _table(record: SearchRecord, found: Confirmation) -> Html:
    columns = [
        *texts("mixture"),
        *numbers("seeds", "mean", "sd", "gain [95 % interval]", "p (Holm)", "smallest detectable"),
        *texts("verdict", "weights"),
    ]
    rows = (_row(record, found, one) for one in found.candidates)
    return table("Confirmation", columns, rows)


def _row(record: SearchRecord, found: Confirmation, one: Candidate) -> list[str]:
    pair = next((pair for pair in found.pairs if pair.a == one.name), None)
    is_chosen = record.chosen is not None and record.chosen.name == one.name
    baseline = "baseline" if one.name == NATURAL else ABSENT
    return [
        f"{one.name}, chosen" if is_chosen else one.name,
        str(len(one.values)),
        number(one.mean),
        number(one.sd),
        interval_text(gained(pair)) if pair else ABSENT,
        compact(pair.p_holm) if pair else ABSENT,
        number(pair.mde) if pair else ABSENT,
        verdict_badge(pair.verdict) if pair else baseline,
        mixture_text(one.weights),
    ]
