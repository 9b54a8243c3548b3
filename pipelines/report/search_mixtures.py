"""Section 6 of a search's page: which mixtures were measured, coloured by what they scored."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pipelines.report import svg
from pipelines.report.format import number
from pipelines.report.markup import Html, clip, tag
from pipelines.report.scale import Scale
from pipelines.report.search_facts import Drawn, distinct, measured, natural_mixture, proxies
from pipelines.report.search_simplex import draw_simplex
from pipelines.search.live import best_so_far, mixture_text
from pipelines.search.record import RunEntry, SearchRecord

FIFTHS = ("best fifth", "second", "third", "fourth", "worst fifth")
_WIDTH, _AXIS = 1040.0, 300.0
_LEFT, _RIGHT, _TOP = 52.0, 24.0, 12.0
_LEVEL, _TURNED = 26.0, 104.0  # room below the axes for names that lie level, or are turned
_FEW = 8  # up to so many domains their names are level
_TICKS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)


def mixtures(record: SearchRecord) -> Html:
    """A triangle for three domains, parallel axes for any other number."""
    lines = ranked(_shown(record))
    if not lines:
        return tag("p", "No run is measured yet.")
    marks = list(_marks(record))
    names = [domain.name for domain in record.domains]
    legend = svg.legend(
        [*((name, f"q{i}") for i, name in enumerate(FIFTHS)), *((m.hint, m.class_) for m in marks)]
    )
    if len(names) == 3:
        caption = "Measured mixtures: the nearer to a corner, the more of its domain"
        return svg.figure(caption, legend, draw_simplex(lines, marks, names, caption))
    caption = "Measured mixtures, a line each: weight of every domain, on a square-root axis"
    drawn = draw_parallel(lines, marks, names, caption)
    return svg.figure(caption, legend, svg.broad(drawn, caption), class_="broad")


def _shown(record: SearchRecord) -> list[tuple[float, RunEntry]]:
    """Each measured mixture once; beyond three domains without the baselines of a single one.

    A line that runs from axis to axis along the bottom tells nothing and hides what does.
    """
    found = distinct(measured(proxies(record, "baseline", "search", "proposal")))
    if len(record.domains) <= 3:
        return found
    return [(v, run) for v, run in found if run.role != "baseline" or len(run.weights) > 1]


def ranked(runs: Sequence[tuple[float, RunEntry]]) -> list[Drawn]:
    """The worst first, so that the best are drawn over them."""
    order = sorted(runs, key=lambda pair: pair[0])
    drawn = []
    for rank, (value, run) in enumerate(order):
        told = f"{run.name}: {number(value)}, {mixture_text(run.weights)}"
        drawn.append(Drawn(run.weights, f"q{rank * len(FIFTHS) // len(order)}", told))
    return drawn[::-1]


def draw_parallel(
    lines: Sequence[Drawn], marks: Sequence[Drawn], names: Sequence[str], title: str
) -> Html:
    """An upright axis per domain, a line per mixture."""
    most = max((v for line in lines for v in line.weights.values()), default=1.0)
    below = _LEVEL if len(names) <= _FEW else _TURNED
    y = Scale(0, math.sqrt(most) * 1.02 or 1.0, _AXIS, _TOP)
    x = Scale(0, max(len(names) - 1, 1), _LEFT, _WIDTH - _RIGHT)
    shapes = [*_axes(names, x, y, most)]
    shapes += [_path(line, names, x, y, f"run {line.class_}") for line in lines]
    shapes += [_path(mark, names, x, y, f"mark {mark.class_}") for mark in marks]
    return svg.picture(_WIDTH, _AXIS + below, title, *shapes)


def _axes(names: Sequence[str], x: Scale, y: Scale, most: float) -> Iterator[Html]:
    for tick in (t for t in _TICKS if t <= most):
        place = y(math.sqrt(tick))
        yield svg.line(_LEFT, place, _WIDTH - _RIGHT, place, "grid")
        yield svg.label(_LEFT - 8, place + 4, f"{tick:.0%}", "tick", "end")
    for i, name in enumerate(names):
        yield svg.line(x(i), _TOP, x(i), y.start, "axis" if len(names) <= _FEW else "grid")
        yield _name(x(i), y.start + 16, name, is_level=len(names) <= _FEW)


def _name(x: float, y: float, name: str, is_level: bool) -> Html:
    if is_level:
        return svg.label(x, y, clip(name, 16), "tick", "middle")
    turned = f"rotate(-45 {x:.1f} {y:.1f})"
    return tag("text", clip(name, 16), x=x, y=y, class_="tick", text_anchor="end", transform=turned)


def _path(line: Drawn, names: Sequence[str], x: Scale, y: Scale, class_: str) -> Html:
    points = [(x(i), y(math.sqrt(line.weights.get(name, 0.0)))) for i, name in enumerate(names)]
    return svg.path(points, class_, line.hint)


def _marks(record: SearchRecord) -> Iterator[Drawn]:
    """The mixtures to look at, under the names of the legend."""
    yield Drawn(natural_mixture(record).weights, "natural", "natural")
    best = best_so_far(record)
    if best is not None:
        yield Drawn(best.weights, "best", "best measured")
    if record.chosen is not None:
        yield Drawn(record.chosen.weights, "chosen", "chosen")
