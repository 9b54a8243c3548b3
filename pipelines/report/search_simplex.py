"""The simplex of three domains as a triangle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.report import svg
from pipelines.report.markup import Html, clip
from pipelines.report.search_facts import Drawn

_SIDE, _LEFT, _TOP = 400.0, 40.0, 26.0
_RISE = _SIDE * 3**0.5 / 2
_GRID = (0.2, 0.4, 0.6, 0.8)

Point = tuple[float, float]


def draw_simplex(
    drawn: Sequence[Drawn], marks: Sequence[Drawn], names: Sequence[str], title: str
) -> Html:
    """A dot per mixture, a ring around each of `marks`; the first domain is at the top."""
    shapes = [*_grid(), *_corners(names)]
    for one in drawn:
        shapes.append(svg.dot(*place(one.weights, names), 4.5, f"run {one.class_}", one.hint))
    for i, mark in enumerate(marks):
        # Rings of several sizes: the chosen mixture is often the best measured one too.
        radius = 8.0 + 3.5 * i
        shapes.append(
            svg.dot(*place(mark.weights, names), radius, f"ring {mark.class_}", mark.hint)
        )
    return svg.picture(2 * _LEFT + _SIDE, _TOP + _RISE + 28, title, *shapes)


def place(weights: Mapping[str, float], names: Sequence[str]) -> Point:
    """Where a mixture lies; its weights need not sum to 1 exactly."""
    top, left, right = (weights.get(name, 0.0) for name in names)
    total = top + left + right or 1.0
    x = _LEFT + _SIDE * (right + top / 2) / total
    return x, _TOP + _RISE * (1 - top / total)


def _grid() -> Iterator[Html]:
    corners = ("0", "1", "2")
    for i in range(3):
        yield _line({corners[i]: 1.0}, {corners[(i + 1) % 3]: 1.0}, "axis")
        for share in _GRID:
            one = {corners[i]: share, corners[(i + 1) % 3]: 1 - share}
            other = {corners[i]: share, corners[(i + 2) % 3]: 1 - share}
            yield _line(one, other, "grid")
            x, y = place(one, corners) if i != 2 else place(other, corners)
            yield from _tick(i, share, x, y)


def _tick(corner: int, share: float, x: float, y: float) -> Iterator[Html]:
    """The scale of the first domain, on the left side: the others read likewise."""
    if corner == 0:
        yield svg.label(x - 8, y + 4, f"{share:.0%}", "tick", "end")


def _line(one: Mapping[str, float], other: Mapping[str, float], class_: str) -> Html:
    corners = ("0", "1", "2")
    return svg.line(*place(one, corners), *place(other, corners), class_)


def _corners(names: Sequence[str]) -> Iterator[Html]:
    top, left, right = (clip(name, 24) for name in names)
    yield svg.label(_LEFT + _SIDE / 2, _TOP - 10, top, "name", "middle")
    yield svg.label(0, _TOP + _RISE + 20, left, "name")
    yield svg.label(2 * _LEFT + _SIDE, _TOP + _RISE + 20, right, "name", "end")
