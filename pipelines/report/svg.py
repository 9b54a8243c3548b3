"""The few shapes that the pictures are drawn with. Colours are classes: see `style.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.report.format import aligned
from pipelines.report.markup import Html, clip, tag
from pipelines.report.scale import Scale

N_COLOURS = 6


def colour(index: int) -> str:
    """The class of the `index`-th thing of a kind; the palette repeats when it is used up."""
    return f"c{index % N_COLOURS}"


def picture(width: float, height: float, title: str, *shapes: str) -> Html:
    """An SVG that a screen reader names and that shrinks with the page."""
    return tag(
        "svg",
        tag("title", title),
        *shapes,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        role="img",
        aria_label=title,
    )


def rect(x: float, y: float, width: float, height: float, class_: str, hint: str = "") -> Html:
    """A bar; `hint` is shown when a pointer rests on it."""
    inside = [tag("title", hint)] if hint else []
    box = {"x": x, "y": y, "width": max(width, 0.0), "height": max(height, 0.0)}
    return tag("rect", *inside, class_=class_, **box)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def dot(x: float, y: float, radius: float, class_: str, hint: str = "") -> Html:
    """A filled circle."""
    inside = [tag("title", hint)] if hint else []
    return tag("circle", *inside, cx=x, cy=y, r=radius, class_=class_)


def path(points: Iterable[tuple[float, float]], class_: str, hint: str = "") -> Html:
    """A line through `points`."""
    inside = [tag("title", hint)] if hint else []
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return tag("path", *inside, d=f"M{steps}", class_=class_)


def label(x: float, y: float, text: str, class_: str = "", anchor: str | None = None) -> Html:
    """Text at a baseline; `anchor` is `middle` or `end`."""
    return tag("text", text, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def bottom_axis(scale: Scale, y: float, wanted: int = 5, sign: bool = False) -> list[Html]:
    """A horizontal axis line at `y` with ticks and their labels below."""
    shapes = [line(scale.start, y, scale.stop, y, "axis")]
    ticks = scale.ticks(wanted)
    for value, text in zip(ticks, aligned(ticks, sign), strict=True):
        x = scale(value)
        shapes.append(line(x, y, x, y + 4, "axis"))
        shapes.append(label(x, y + 16, text, "tick", "middle"))
    return shapes


def left_axis(scale: Scale, x: float, width: float, wanted: int = 4) -> list[Html]:
    """Light lines across the picture with labels left of `x`."""
    shapes = []
    ticks = scale.ticks(wanted)
    for value, text in zip(ticks, aligned(ticks), strict=True):
        y = scale(value)
        shapes.append(line(x, y, x + width, y, "grid"))
        shapes.append(label(x - 6, y + 4, text, "tick", "end"))
    return shapes


def legend(entries: Sequence[tuple[str, str]]) -> Html:
    """Name and colour class of each thing in a picture, as a list below or above it."""
    items = [
        tag("li", tag("span", class_=f"key {class_}", aria_hidden="true"), clip(name, 80))
        for name, class_ in entries
    ]
    return tag("ul", *items, class_="legend")


def figure(caption: str, *parts: str, class_: str | None = None) -> Html:
    """A picture with its caption on top."""
    return tag("figure", tag("figcaption", caption), *parts, class_=class_)


def broad(drawn: str, caption: str) -> Html:
    """A box for a picture of the page's width, which scrolls where the screen is narrower."""
    # A box that scrolls must be reachable by keyboard.
    return tag("div", drawn, class_="scroll", tabindex="0", role="region", aria_label=caption)
