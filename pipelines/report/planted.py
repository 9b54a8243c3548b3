"""Section 7: how much of the demo's planted trouble each recipe caught."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.report import svg
from pipelines.report.format import ABSENT, compact, count, is_number, percent, size
from pipelines.report.markup import Html, join, tag
from pipelines.report.results import Json, Results
from pipelines.report.scale import Scale
from pipelines.report.table import numbers, table, texts

_WIDTH, _BAR = 84.0, 12.0
_UNPLANTED = ".unplanted"
_ALL = "all"  # the row that sums a kind, or all stages


def planted(results: Results) -> Html:
    """A table per recipe, and what it dropped of the text that nobody tampered with."""
    if not results.demo:
        return Html("")
    names = [name for name in results.demo if not name.endswith(_UNPLANTED)]
    return join(_recipe(results.demo, name) for name in names)


def _recipe(demo: Json, name: str) -> Html:
    rows = demo[name] if isinstance(demo[name], list) else []
    columns = [
        *texts("kind of trouble", "share caught"),
        *numbers("planted", "caught", "missed"),
        *texts("caught by"),
    ]
    listed = table("Planted trouble", columns, (_cells(row) for row in rows))
    return join([tag("h3", name), listed, _unplanted(demo.get(name + _UNPLANTED))])


def _cells(row: Json) -> Sequence[str]:
    counts = [count(row.get(key)) for key in ("planted", "caught", "missed")]
    kind, sort = str(row.get("kind", ABSENT)), row.get("sort", _ALL)
    kind = kind if sort == _ALL else f"{kind}: {sort}"
    stages = row.get("caught_by") or {}
    by = ", ".join(f"{stage} {count(n)}" for stage, n in stages.items()) or ABSENT
    if row.get("treated", True):
        return [kind, _share(kind, row.get("caught_frac")), *counts, by]
    # Other stages may catch some of it by chance: no share is made of that.
    return [kind, tag("em", "not treated by this recipe"), *counts, by]


def _share(kind: str, frac: float | None) -> Html:
    if frac is None or not is_number(frac):
        return Html(ABSENT)
    scale, text = Scale(0, 1, 0, _WIDTH), percent(frac, 1)
    shapes = [
        svg.rect(0, 0, _WIDTH, _BAR, "track"),
        svg.rect(0, 0, scale(frac), _BAR, "better"),
    ]
    bar = svg.picture(_WIDTH, _BAR, f"{kind}: {text} caught", *shapes)
    return tag("span", bar, f" {text}", class_="whole")


def _unplanted(facts: object) -> Html:
    """The price: text without planted trouble that went as well, in all or by stage."""
    given = facts if isinstance(facts, list) else [facts]
    rows: list[Json] = [{"stage": _ALL} | row for row in given if isinstance(row, dict) and row]
    if not rows:
        return Html("")
    keys = [key for key in rows[0] if key != "stage"]
    columns = [*texts("dropped by"), *numbers(*(_title(key) for key in keys))]
    cells = ([str(row["stage"]), *(_value(key, row.get(key)) for key in keys)] for row in rows)
    return table("Unplanted text", columns, cells)


def _title(key: str) -> str:
    name = key.removesuffix("_frac").replace("_", " ")
    return f"share of {name}" if key.endswith("_frac") else name


def _value(key: str, value: object) -> str:
    if isinstance(value, int | float) and key.endswith("_frac"):
        return percent(value, 1)
    if isinstance(value, int | float) and key.endswith("bytes"):
        return size(value)
    return compact(value)
