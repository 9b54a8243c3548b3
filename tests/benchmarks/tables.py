"""What a benchmark returns."""

from dataclasses import dataclass, field
from typing import Any


class Skipped(Exception):
    """A benchmark, or a peer, cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Table:
    """Rows of figures under a title."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    notes: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        """A Markdown table that also reads well in a terminal."""
        cells = [self.columns, *([_format(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        aligned = [
            " | ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(pairs))
            for pairs in (list(zip(row, widths, strict=True)) for row in cells)
        ]
        rule = "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths))
        body = [f"| {aligned[0]} |", f"|{rule}|", *(f"| {row} |" for row in aligned[1:])]
        return "\n".join(
            [f"### {self.title}", "", *body, *([""] if self.notes else []), *self.notes]
        )

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes}


def _format(value: Any) -> str:
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
