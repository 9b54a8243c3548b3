"""Section 4: dropped documents to look at, by stage and reason. All of it is untrusted text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pipelines.report.format import ABSENT, count, number
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.sampling import TEXT_CHARS, sample_dropped

_MAX_REASONS = 12  # per stage; the rest are named in the funnel's counts
_MAX_FIELD = 300


def samples(results: Results) -> Html:
    """One block per recipe that dropped something."""
    blocks = [block for recipe in results.recipes if (block := _recipe(recipe))]
    return join(blocks) if blocks else tag("p", "No document was dropped.")


def _recipe(recipe: RecipeResult) -> Html:
    rows = sample_dropped(recipe.dropped_files)
    if not rows:
        return Html("")
    order = {row["stage"]: i for i, row in enumerate(recipe.funnel)}
    reasons = {row["stage"]: row.get("reasons", {}) for row in recipe.funnel}
    rows.sort(key=lambda row: (order.get(row["drop_stage"], len(order)), str(row["drop_stage"])))
    parts = [tag("h3", recipe.name)]
    for stage, members in groupby(rows, key=lambda row: str(row["drop_stage"] or ABSENT)):
        parts += [tag("h4", stage), *_stage(list(members), reasons.get(stage, {}))]
    return join(parts)


def _stage(rows: Sequence[Json], counts: dict[str, int]) -> list[Html]:
    """The stage's reasons, the most frequent first and open."""
    by_reason: dict[str, list[Json]] = {}
    for row in rows:
        by_reason.setdefault(str(row["drop_reason"] or ABSENT), []).append(row)
    order = sorted(by_reason, key=lambda reason: (-counts.get(reason, 0), reason))
    return [
        _reason(reason, counts.get(reason), by_reason[reason], is_open=i == 0)
        for i, reason in enumerate(order[:_MAX_REASONS])
    ]


def _reason(reason: str, dropped: int | None, rows: Sequence[Json], is_open: bool) -> Html:
    told = "" if dropped is None else f" · {count(dropped)} document{'s' * (dropped != 1)}"
    summary = tag("summary", tag("b", clip(reason, 80)), told)
    cards = tag("div", *(_card(row) for row in rows), class_="cards")
    return tag("details", summary, cards, open="" if is_open else None)


def _card(row: Json) -> Html:
    facts = [
        tag("div", tag("dt", name), tag("dd", clip(str(value), _MAX_FIELD), dir="auto"))
        for name, value in _facts(row)
        if value is not None
    ]
    return tag("article", tag("dl", *facts), _text(row), class_="card")


def _facts(row: Json) -> list[tuple[str, object]]:
    similarity = row.get("similarity")
    return [
        ("value", row.get("drop_value")),
        ("threshold", row.get("drop_threshold")),
        ("survivor", row.get("survivor_id")),
        ("similarity", None if similarity is None else number(similarity, 3)),
        ("source", row.get("source")),
        ("url", row.get("url")),
        ("id", row.get("id")),
    ]


def _text(row: Json) -> Html:
    text, length = row.get("text"), row.get("num_chars") or 0
    if not text:
        return tag("p", "empty, or its text was not kept", class_="note")
    more = f"first {TEXT_CHARS} of {count(length)} characters" if length > TEXT_CHARS else ""
    # `dir=auto` isolates the text: whatever its direction, it does not turn the page around.
    return join([tag("pre", text, dir="auto"), tag("p", more, class_="note") if more else Html("")])
