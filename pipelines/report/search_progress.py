"""Section 4 of a search's page: what was measured run by run, and the best so far."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.report import svg
from pipelines.report.format import is_number, number
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.scale import Scale, padded
from pipelines.report.search_facts import measured, proxies, unit
from pipelines.search.guards import NATURAL
from pipelines.search.record import RunEntry, SearchRecord

_WIDTH, _HEIGHT = 1040.0, 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 150.0, 36.0, 40.0
_FAILED = 22.0  # where failed runs stand, above the scale
_TITLES = 12.0  # and the names of rounds above them
_LINE_GAP, _ROUND_GAP = 15.0, 64.0  # least pixels between two labels
_SDS = 2.0  # half the band's width in sd of a run: 95 % of runs of the natural mixture
_ONLY = "only "  # before the name of a baseline of a single domain
_SHOWN_FRAC = 0.5  # of the runs that the axis must hold; far worse ones are held at its top


@dataclass(frozen=True)
class _Axes:
    runs: Sequence[RunEntry]
    x: Scale
    y: Scale

    def of(self, index: int) -> float:
        return self.x(index + 1)


def progress(record: SearchRecord) -> Html:
    """The picture and what its parts are."""
    runs = proxies(record, "search", "proposal")
    if not measured(runs):
        return tag("p", "No run that the method asked for is measured yet.")
    caption = f"Objective by run, {unit(record)}, search half: lower is better"
    drawn = svg.broad(draw(record, runs, caption), caption)
    legend = svg.legend(list(_legend(record, runs)))
    notes = (tag("p", note, class_="note") for note in _notes(record, runs))
    return join([svg.figure(caption, legend, drawn, class_="broad"), *notes])


def _legend(record: SearchRecord, runs: Sequence[RunEntry]) -> Iterator[tuple[str, str]]:
    """Names of what the picture holds."""
    yield "best of the runs so far", "best"
    yield "run", "c0"
    if any(run.role == "proposal" for run in runs):
        yield "proposal, measured", "chosen"
    if not all(run.allowed for run in runs):
        yield "mixture that the target may not have", "barred"
    if any(run.state == "failed" for run in runs):
        yield "failed run", "worse"
    if any(one.predicted is not None for one in record.rounds):
        yield "predicted optimum after a round, ± sd", "guess"
    if _band(record):
        yield f"noise floor: natural ± {_SDS:g} sd of its seeds", "noise"


def draw(record: SearchRecord, runs: Sequence[RunEntry], title: str) -> Html:
    """Runs from left to right in the order in which they were made."""
    lines = baseline_lines(record)
    y = Scale(*_range(record, runs), _HEIGHT - _BOTTOM, _TOP)
    x = Scale(0.5, len(runs) + 0.5, _LEFT, _WIDTH - _RIGHT)
    axes = _Axes(runs, x, y)
    shapes = [*_noise(record, axes), *svg.left_axis(y, _LEFT, x.stop - _LEFT, wanted=5)]
    shapes += [*_rounds(axes), *_baselines(lines, axes)]
    shapes += [*_best(axes), *_dots(axes), *_guesses(record, axes)]
    shapes += svg.bottom_axis(x, _HEIGHT - _BOTTOM, wanted=8)
    shapes.append(svg.label(x.stop, _HEIGHT - 6, "runs", "tick", "end"))
    return svg.picture(_WIDTH, _HEIGHT, title, *shapes)


def baseline_lines(record: SearchRecord) -> dict[str, float]:
    """Objectives of the mixtures, and of the best single domain."""
    found = measured(proxies(record, "baseline"))
    lines = {run.name: value for value, run in found if not run.name.startswith(_ONLY)}
    single = best_single(record)
    if single is not None:
        lines[f"best single: {single[1].name.removeprefix(_ONLY)}"] = single[0]
    return lines


def best_single(record: SearchRecord) -> tuple[float, RunEntry] | None:
    """The single domain with the smallest objective, whether or not the target may have it."""
    found = measured(proxies(record, "baseline"))
    single = [pair for pair in found if pair[1].name.startswith(_ONLY)]
    return min(single, key=lambda pair: pair[0], default=None)


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Places moved down as little as keeps them `gap` apart, each in its old position."""
    moved = list(places)
    order = sorted(range(len(moved)), key=lambda i: places[i])
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    return moved


def _range(record: SearchRecord, runs: Sequence[RunEntry]) -> tuple[float, float]:
    """What the axis holds: natural, the better half of the runs, and what is not far worse.

    One diverging run would flatten the rest, and so would a prediction that is far off: neither
    may more than double the axis.
    """
    values, lines = sorted(value for value, _ in measured(runs)), baseline_lines(record)
    band = _band(record) or (lines.get(NATURAL, values[0]),) * 2
    most = max(values[math.ceil(_SHOWN_FRAC * len(values)) - 1], band[1])
    low = min([*values, *lines.values(), *band])
    reach = most - low
    guesses = [one.predicted for one in record.rounds if one.predicted is not None]
    shown = [v for v in [*values, *lines.values(), *band] if v <= most + reach]
    return padded([*shown, *(v for v in guesses if low - reach <= v <= most)], 0.06)


def _band(record: SearchRecord) -> tuple[float, float] | None:
    natural = baseline_lines(record).get(NATURAL)
    sd = record.noise.sd if record.noise else None
    if natural is None or sd is None:
        return None
    return natural - _SDS * sd, natural + _SDS * sd


def _noise(record: SearchRecord, axes: _Axes) -> Iterator[Html]:
    band = _band(record)
    if band is not None:
        low, high = axes.y(band[0]), axes.y(band[1])
        told = f"noise floor: natural ± {number((band[1] - band[0]) / 2)}"
        yield svg.rect(_LEFT, high, axes.x.stop - _LEFT, low - high, "noise", told)


def _rounds(axes: _Axes) -> Iterator[Html]:
    """A line where a round begins, with its number, as far as there is room for them."""
    kept: list[tuple[float, str]] = []
    for x, name in reversed(list(_begins(axes))):  # proposals are last and always named
        if not kept or kept[-1][0] - x >= _ROUND_GAP:
            kept.append((x, name))
    for x, name in kept:
        yield svg.line(x, _TITLES - 8, x, _HEIGHT - _BOTTOM, "turn")
        yield svg.label(x + 4, _TITLES, name, "tick")


def _begins(axes: _Axes) -> Iterator[tuple[float, str]]:
    for i, run in enumerate(axes.runs):
        if i == 0 or run.round != axes.runs[i - 1].round:
            yield axes.x(i + 0.5), "proposals" if run.round is None else f"round {run.round}"


def _baselines(lines: dict[str, float], axes: _Axes) -> Iterator[Html]:
    shown = {name: value for name, value in lines.items() if value <= axes.y.high}
    places = spread([axes.y(value) for value in shown.values()], _LINE_GAP)
    for (name, value), place in zip(shown.items(), places, strict=True):
        yield svg.line(_LEFT, axes.y(value), axes.x.stop, axes.y(value), "zero")
        yield svg.label(axes.x.stop + 6, place + 4, clip(name, 22), "tick")


def _best(axes: _Axes) -> Iterator[Html]:
    steps = list(_steps(axes))
    if steps:
        yield svg.path(steps, "curve best")


def _steps(axes: _Axes) -> Iterator[tuple[float, float]]:
    best = math.inf
    for i, run in enumerate(axes.runs):
        value = run.objective
        if run.allowed and value is not None and is_number(value) and value < best:
            if best < math.inf:
                yield axes.of(i), axes.y(best)
            best = value
            yield axes.of(i), axes.y(best)
    if best < math.inf:
        yield axes.x.stop, axes.y(best)


def _dots(axes: _Axes) -> Iterator[Html]:
    radius = 4.0 if len(axes.runs) <= 120 else 2.2
    for i, run in enumerate(axes.runs):
        if run.objective is None or not is_number(run.objective):
            yield svg.dot(axes.of(i), _FAILED, 3, "worse", f"{run.name}: failed, {run.failure}")
            continue
        class_ = "chosen" if run.role == "proposal" else "c0"
        class_ = class_ if run.allowed else "barred"
        told = f"{run.name}: {number(run.objective)}"
        yield svg.dot(axes.of(i), axes.y(run.objective), radius, class_, told)


def _guesses(record: SearchRecord, axes: _Axes) -> Iterator[Html]:
    """What the best proposal was predicted to score, at the end of its round."""
    ends = {run.round: i for i, run in enumerate(axes.runs)}
    for one in record.rounds:
        if one.predicted is None or one.number not in ends:
            continue
        if not axes.y.low <= one.predicted <= axes.y.high:
            continue
        x, sd = axes.of(ends[one.number]), one.predicted_sd or 0.0
        low, high = axes.y(one.predicted - sd), axes.y(one.predicted + sd)
        told = f"predicted after round {one.number}: {number(one.predicted)} ± {number(sd)}"
        yield svg.line(x, low, x, high, "error")
        yield svg.dot(x, axes.y(one.predicted), 4, "guess", told)


def _notes(record: SearchRecord, runs: Sequence[RunEntry]) -> Iterator[str]:
    others = [r for r in record.runs if r.role == "search" and r.size != record.sizes[0].preset]
    yield f"Runs of {record.sizes[0].preset} at one seed, in the order in which they were made."
    if others:
        yield f"{len(others)} runs of other sizes are in the table only: they do not compare."
    values, lines = [v for v, _ in measured(runs)], list(baseline_lines(record).values())
    single = best_single(record)
    if single is not None and not single[1].allowed:
        yield f"The target may not have {single[1].name}: its floors or caps forbid it."
    top = _range(record, runs)[1]
    above = sum(value > top for value in [*values, *lines])
    if above:
        yield f"Worse runs and baselines above the picture: {above}."
