"""Section 2: what each stage let through, as a picture and as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.report import svg
from pipelines.report.format import ABSENT, compact, count, percent, seconds, size
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.scale import Scale
from pipelines.report.table import numbers, pairs, table, texts

WIDTH, ROW, BAR = 460.0, 42.0, 14.0
_TOP_REASONS = 3


def funnel(results: Results) -> Html:
    """One block per recipe."""
    blocks = [_recipe(recipe, results.sources) for recipe in results.recipes if recipe.manifest]
    if not blocks:
        return tag("p", "No dataset has been finished yet.")
    return join(blocks)


def _recipe(recipe: RecipeResult, sources: Sequence[str]) -> Html:
    parts = [tag("h3", recipe.name), _alarms(recipe)]
    if recipe.funnel:
        drawn = [
            draw(recipe.funnel, sources, unit, show)
            for unit, show in (("documents", count), ("bytes", size))
        ]
        parts += [_legend(sources), tag("div", *drawn, class_="two"), _table(recipe)]
    parts += [_source_table(recipe), _error_table(recipe)]
    return join(parts)


def draw(
    rows: Sequence[Json], sources: Sequence[str], unit: str, show: Callable[[float], str]
) -> Html:
    """A bar per stage: what stayed by source, then what went here, on the scale of the widest."""
    widest = max((row.get(f"{unit}_in", 0) for row in rows), default=0)
    scale = Scale(0, max(widest, 1), 0, WIDTH)
    shapes: list[Html] = []
    for i, row in enumerate(rows):
        shapes += _bar(row, sources, unit, show, scale, ROW * i)
    caption = f"{unit.capitalize()} after each stage"
    return svg.figure(caption, svg.picture(WIDTH, ROW * len(rows) + 2, caption, *shapes))


def _bar(
    row: Json,
    sources: Sequence[str],
    unit: str,
    show: Callable[[float], str],
    scale: Scale,
    top: float,
) -> list[Html]:
    entered, left = row.get(f"{unit}_in", 0), row.get(f"{unit}_out", 0)
    kept = f"{show(left)} · {percent(left, entered)}"
    y = top + 20
    shapes = [
        svg.label(0, top + 15, clip(row["stage"], 34), "name"),
        svg.label(WIDTH, top + 15, kept, "value", "end"),
        svg.rect(0, y, WIDTH, BAR, "track"),
    ]
    x = 0.0
    for i, (name, amount) in enumerate(_by_source(row, sources, unit, left)):
        hint = f"{row['stage']}: {show(amount)} {unit} kept of {name}"
        shapes.append(svg.rect(x, y, scale(amount), BAR, f"kept {svg.colour(i)}", hint))
        x += scale(amount)
    if entered > left:
        hint = f"{row['stage']}: {show(entered - left)} {unit} removed"
        # What went must be seen, be it one document of a million.
        shapes.append(svg.rect(x, y, max(scale(entered - left), 1.0), BAR, "gone", hint))
    return shapes


def _by_source(
    row: Json, sources: Sequence[str], unit: str, left: float
) -> list[tuple[str, float]]:
    """What stayed of each source, as many as there are colours; the last stands for the rest."""
    parts = row.get("by_source", {})
    if not parts:
        return [("all sources", left)]
    amounts = [parts.get(name, {}).get(f"{unit}_out", 0) for name in sources]
    names = _named(sources)
    named = amounts[: len(names) - 1]
    return list(zip(names, [*named, sum(amounts[len(named) :])], strict=True))


def _named(sources: Sequence[str]) -> list[str]:
    """The sources with a colour of their own, and a name for the others."""
    if len(sources) <= svg.N_COLOURS:
        return list(sources)
    return [*sources[: svg.N_COLOURS - 1], "other sources"]


def _legend(sources: Sequence[str]) -> Html:
    kept = [(f"kept, {name}", svg.colour(i)) for i, name in enumerate(_named(sources))]
    return svg.legend([*(kept or [("kept", svg.colour(0))]), ("removed at this stage", "gone")])


def _alarms(recipe: RecipeResult) -> Html:
    """What stages did that should be looked at: said loudly."""
    found = recipe.manifest.get("alarms", [])
    items = [tag("li", clip(alarm["message"], 300)) for alarm in found]
    return tag("ul", *items, class_="alarms") if items else Html("")


def _table(recipe: RecipeResult) -> Html:
    columns = [
        *texts("stage", "kind"),
        *numbers("in", "out", "kept", "bytes out", "characters edited out"),
        *texts("top reasons", "alarms"),
        *numbers("time"),
    ]
    kinds = {stage["label"]: stage.get("kind") for stage in recipe.manifest.get("stages", [])}
    alarms = recipe.manifest.get("alarms", [])
    rows = (_cells(row, kinds.get(row["stage"]), alarms) for row in recipe.funnel)
    return table("Stages", columns, rows)


def _cells(row: Json, kind: str | None, alarms: Sequence[Json]) -> list[str]:
    edited = row.get("removed_chars", 0)
    return [
        row["stage"],
        kind or row.get("kind", ABSENT),
        count(row.get("documents_in")),
        count(row.get("documents_out")),
        percent(row.get("documents_out"), row.get("documents_in")),
        size(row.get("bytes_out")),
        count(edited) if edited else ABSENT,
        _reasons(row.get("reasons", {})),
        _raised([alarm for alarm in alarms if alarm["stage"] == row["stage"]]),
        seconds(row.get("seconds")),
    ]


def _raised(alarms: Sequence[Json]) -> str:
    """The kinds of a stage's alarms, each with the sources it is about."""
    sources: dict[str, list[str]] = {}
    for alarm in alarms:
        of = sources.setdefault(alarm["kind"].replace("_", " "), [])
        of += [alarm["source"]] if alarm["source"] else []
    told = [f"{kind}: {', '.join(of)}" if of else kind for kind, of in sources.items()]
    return clip("; ".join(told), 200) or ABSENT


def _reasons(reasons: dict[str, int]) -> str:
    top = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{clip(name, 60)} {count(n)}" for name, n in top[:_TOP_REASONS]]
    rest = len(top) - _TOP_REASONS
    return ", ".join([*shown, *([f"and {rest} more"] if rest > 0 else [])]) or ABSENT


def _source_table(recipe: RecipeResult) -> Html:
    sources = recipe.manifest.get("sources", [])
    if not sources:
        return Html("")
    columns = [
        *texts("source", "format"),
        *numbers("files", "size", "documents", "kept", "share kept", "errors"),
        *texts("skipped, not documents"),
    ]
    last = recipe.funnel[-1].get("by_source", {}) if recipe.funnel else {}
    rows = [_source_cells(source, last.get(source.get("name"), {})) for source in sources]
    return table("Sources", columns, rows)


def _source_cells(source: Json, last: Json) -> list[str]:
    kept = last.get("documents_out")
    return [
        source.get("name", ABSENT),
        source.get("format", ABSENT),
        count(source.get("files")),
        size(source.get("bytes")),
        count(source.get("documents")),
        count(kept),
        percent(kept, source.get("documents")),
        count(source.get("errors")),
        _reasons(source.get("skipped", {})),
    ]


def _error_table(recipe: RecipeResult) -> Html:
    """The first failing files and records."""
    if not recipe.errors:
        return Html("")
    rows = [
        (
            clip(f"{row.get('source')}: {row.get('path')} @ {compact(row.get('offset'))}", 160),
            clip(f"{row.get('kind')}: {row.get('message')}", 240),
        )
        for row in recipe.errors
    ]
    listed = pairs("The first rows of errors.jsonl", rows)
    return tag("details", tag("summary", "Files and records that could not be read"), listed)
