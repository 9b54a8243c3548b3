"""Tables: a caption, column headers, row headers, and a scroll box for narrow screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.report.markup import Html, join, tag


@dataclass(frozen=True)
class Column:
    """A column's header and whether its cells are numbers, set flush right."""

    title: str
    numeric: bool = False


def texts(*titles: str) -> list[Column]:
    """Columns of text."""
    return [Column(title) for title in titles]


def numbers(*titles: str) -> list[Column]:
    """Columns of numbers."""
    return [Column(title, numeric=True) for title in titles]


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Html:
    """A table whose first cell of each row names the row."""
    head = tag("tr", *(tag("th", c.title, scope="col", class_=_class(c)) for c in columns))
    grid = tag(
        "table",
        tag("caption", caption),
        tag("thead", head),
        tag("tbody", *(_row(columns, row) for row in rows)),
    )
    # A box that scrolls must be reachable by keyboard.
    return tag("div", grid, class_="scroll", tabindex="0", role="region", aria_label=caption)


def pairs(caption: str, rows: Iterable[tuple[str, str]]) -> Html:
    """A table of names and values."""
    body = [tag("tr", tag("th", k, scope="row"), tag("td", v)) for k, v in rows]
    grid = tag("table", tag("caption", caption), tag("tbody", *body), class_="pairs")
    return tag("div", grid, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _row(columns: Sequence[Column], cells: Sequence[str]) -> Html:
    first = tag("th", cells[0], scope="row")
    rest = (tag("td", v, class_=_class(c)) for c, v in zip(columns[1:], cells[1:], strict=True))
    return tag("tr", first, join(rest))


def _class(column: Column) -> str | None:
    return "num" if column.numeric else None
