"""Forest plot and dot plot: what was measured, and how sure one can be of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.report import svg
from pipelines.report.format import is_number, number, signed
from pipelines.report.markup import Html, clip
from pipelines.report.scale import Scale, padded

_WIDTH, _SIDE, _ROW, _TOP = 460.0, 14.0, 46.0, 8.0


@dataclass(frozen=True)
class Interval:
    """A difference to the baseline with its 95 % interval; `low` and `high` may be unknown.

    `wide` is the interval over other items too, drawn thin behind it; None if not known.
    """

    label: str
    difference: float
    low: float | None
    high: float | None
    verdict: str = "neutral"
    wide: tuple[float, float] | None = None

    @property
    def values(self) -> list[float]:
        """The numbers that the plot must have room for."""
        known = [v for v in (self.difference, self.low, self.high) if v is not None]
        return [*known, *(self.wide or ())]


def interval_text(row: Interval, digits: int = 4) -> str:
    """`−0.042 [−0.053, −0.031]`."""
    if row.low is None or row.high is None:
        return signed(row.difference, digits)
    low, high = signed(row.low, digits), signed(row.high, digits)
    return f"{signed(row.difference, digits)} [{low}, {high}]"


def forest(rows: Sequence[Interval], title: str, higher_is_better: bool) -> Html:
    """One row per difference, zero as a line, the side that is better named below the axis."""
    scale = _scale([0.0, *(v for row in rows for v in row.values)])
    bottom = _TOP + _ROW * len(rows)
    shapes: list[Html] = []
    for i, row in enumerate(rows):
        shapes += _interval(row, scale, _TOP + _ROW * i)
    left, right = ("worse", "better") if higher_is_better else ("better", "worse")
    shapes += svg.bottom_axis(scale, bottom, sign=True)
    shapes.append(svg.label(_SIDE, bottom + 34, f"← {left}", "tick"))
    shapes.append(svg.label(_WIDTH - _SIDE, bottom + 34, f"{right} →", "tick", "end"))
    return svg.picture(_WIDTH, bottom + 42, title, *shapes)


def dots(rows: Sequence[tuple[str, dict[str, float]]], title: str) -> Html:
    """One row per recipe: a dot per seed and a bar at their mean."""
    scale = _scale([v for _, seeds in rows for v in seeds.values()])
    bottom = _TOP + _ROW * len(rows)
    shapes: list[Html] = []
    for i, (name, seeds) in enumerate(rows):
        shapes += _seed_dots(name, seeds, scale, _TOP + _ROW * i, svg.colour(i))
    shapes += svg.bottom_axis(scale, bottom)
    return svg.picture(_WIDTH, bottom + 24, title, *shapes)


def _scale(values: Sequence[float]) -> Scale:
    return Scale(*padded(values), _SIDE, _WIDTH - _SIDE)


def _interval(row: Interval, scale: Scale, top: float) -> list[Html]:
    y = top + 30
    shapes = [
        svg.line(scale(0), top + 21, scale(0), top + _ROW, "zero"),
        svg.label(_SIDE, top + 16, clip(row.label, 24), "name"),
        svg.label(_WIDTH - _SIDE, top + 16, interval_text(row), "value", "end"),
    ]
    if row.wide is not None:
        shapes.append(svg.line(scale(row.wide[0]), y, scale(row.wide[1]), y, "wide"))
    if row.low is not None and row.high is not None:
        low, high = scale(row.low), scale(row.high)
        shapes.append(svg.line(low, y, high, y, f"interval {row.verdict}"))
        shapes += [svg.line(x, y - 5, x, y + 5, f"interval {row.verdict}") for x in (low, high)]
    hint = f"{row.label}: {interval_text(row)}"
    return [*shapes, svg.dot(scale(row.difference), y, 5, row.verdict, hint)]


def _seed_dots(
    name: str, seeds: dict[str, float], scale: Scale, top: float, class_: str
) -> list[Html]:
    y, measured = top + 30, {k: v for k, v in seeds.items() if is_number(v)}
    shapes = [svg.label(_SIDE, top + 16, clip(name, 24), "name")]
    if measured:
        mean = sum(measured.values()) / len(measured)
        shapes.append(svg.label(_WIDTH - _SIDE, top + 16, number(mean), "value", "end"))
        shapes.append(svg.rect(scale(mean) - 1.5, y - 9, 3, 18, class_, f"mean {number(mean)}"))
    for seed, value in measured.items():
        shapes.append(svg.dot(scale(value), y, 4.5, f"{class_} soft", f"{seed}: {number(value)}"))
    return shapes
