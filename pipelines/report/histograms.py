"""Section 3: what each rule saw, kept and dropped apart, with its threshold as a line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pipelines.report import svg
from pipelines.report.format import compact, count, is_number
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.measures import measures
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.scale import Scale
from pipelines.report.tally import ELSEWHERE, HERE, KEPT, Categories, Histogram, tally

WIDTH, HEIGHT = 320.0, 166.0
LEFT, RIGHT, TOP, BOTTOM = 8.0, 16.0, 22.0, 22.0
_CLASSES = {KEPT: "stay", ELSEWHERE: "other", HERE: "gone"}  # from the bottom up
_NAMES = {KEPT: "kept", ELSEWHERE: "dropped by another rule", HERE: "dropped by this rule"}
_BOUNDS = {"min": "≥", "max": "≤", "in": "among"}
_MAX_CATEGORIES = 8


def histograms(results: Results) -> Html:
    """Small multiples: per recipe and stage, a picture per column that a rule reads."""
    blocks = [block for recipe in results.recipes if (block := _recipe(recipe))]
    if not blocks:
        return tag("p", "No recipe here has a rule that reads a score.")
    legend = svg.legend([(_NAMES[o], class_) for o, class_ in _CLASSES.items()])
    return join([legend, *blocks])


def _recipe(recipe: RecipeResult) -> Html:
    charts = tally(recipe, measures(recipe.manifest))
    reasons = {row["stage"]: row.get("reasons", {}) for row in recipe.funnel}
    parts = []
    for stage, members in groupby(charts, key=lambda chart: chart.measure.stage):
        pictures = [_figure(chart, reasons.get(stage, {})) for chart in members]
        parts.append(tag("h4", stage))
        parts.append(tag("div", *pictures, class_="many"))
    return join([tag("h3", recipe.name), *parts]) if parts else Html("")


def _figure(chart: Histogram | Categories, reasons: dict[str, int]) -> Html:
    measure = chart.measure
    name = measure.column.removeprefix(f"{measure.stage}.")
    title = f"{name} in {measure.stage}"
    drawn = (
        draw_histogram(chart, title)
        if isinstance(chart, Histogram)
        else draw_categories(chart, title)
    )
    told = [tag("li", _told(rule, reasons)) for rule in measure.rules]
    return svg.figure(clip(name, 60), drawn, tag("ul", *told, class_="rules"))


def _told(rule: Json, reasons: dict[str, int]) -> str:
    limit = clip(compact(rule["threshold"]), 80)
    dropped = count(reasons.get(rule["param"], 0))
    return f"{rule['param']} {limit}: {dropped} dropped"


def draw_histogram(chart: Histogram, title: str) -> Html:
    """Stacked bars over the values, thresholds as lines, the dropping side tinted."""
    edges = [float(edge) for edge in chart.bins.edges]
    x = Scale(edges[0], edges[-1], LEFT, WIDTH - RIGHT, chart.bins.log)
    y = Scale(0, max(float(chart.counts.sum(axis=0).max()), 1), 0, HEIGHT - TOP - BOTTOM)
    rules = [rule for rule in chart.measure.rules if is_number(rule["threshold"])]
    cuts = [(chart.bins.cut(rule), rule) for rule in rules]
    shapes = [_tint(x, cut, rule["bound"]) for cut, rule in cuts]
    for i in range(len(edges) - 1):
        hint = f"{compact(edges[i])} to {compact(edges[i + 1])}"
        column = [(outcome, int(chart.counts[outcome, i])) for outcome in _CLASSES]
        shapes += _stack(x(edges[i]), x(edges[i + 1]), column, y, hint)
    shapes += svg.bottom_axis(x, HEIGHT - BOTTOM, wanted=4)
    for cut, rule in cuts:
        shapes += _threshold(x(cut), rule)
    return svg.picture(WIDTH, HEIGHT, title, *shapes)


def draw_categories(chart: Categories, title: str) -> Html:
    """A bar per value, the most frequent first."""
    total = chart.counts[KEPT] + chart.counts[HERE] + chart.counts[ELSEWHERE]
    shown = total.most_common(_MAX_CATEGORIES)
    x = Scale(0, max(total.values()), 90, WIDTH - 52)
    step = (HEIGHT - 6) / _MAX_CATEGORIES
    shapes: list[Html] = []
    for i, (value, n) in enumerate(shown):
        top, start = 3 + i * step, 90.0
        shapes.append(svg.label(84, top + step / 2 + 4, clip(value, 11), "tick", "end"))
        for outcome, class_ in _CLASSES.items():
            amount = chart.counts[outcome][value]
            if not amount:
                continue
            width = max(x(amount) - 90, 1.5)
            hint = f"{value}: {amount} {_NAMES[outcome]}"
            shapes.append(svg.rect(start, top + 2, width, step - 4, class_, hint))
            start += width
        shapes.append(svg.label(start + 5, top + step / 2 + 4, count(n), "tick"))
    return svg.picture(WIDTH, 6 + step * len(shown), title, *shapes)


def _stack(
    left: float, right: float, column: Sequence[tuple[int, int]], y: Scale, hint: str
) -> list[Html]:
    shapes, base = [], HEIGHT - BOTTOM
    for outcome, n in column:
        if not n:
            continue
        # A single document among thousands is still drawn.
        height = max(y(n), 1.5)
        width = max(right - left - 0.8, 0.6)
        text = f"{hint}: {n} {_NAMES[outcome]}"
        shapes.append(svg.rect(left, base - height, width, height, _CLASSES[outcome], text))
        base -= height
    return shapes


def _tint(x: Scale, cut: float, bound: str) -> Html:
    """The side of the threshold where documents go."""
    low, high = (x.start, x(cut)) if bound == "min" else (x(cut), x.stop)
    return svg.rect(low, TOP, high - low, HEIGHT - TOP - BOTTOM, "tint")


def _threshold(x: float, rule: Json) -> list[Html]:
    """The line, and its label on the keeping side unless that runs out of the picture."""
    rightwards = rule["bound"] == "min" if 60 < x < WIDTH - 60 else x <= 60
    text = f"{_BOUNDS[rule['bound']]} {compact(rule['threshold'])}"
    anchor, gap = (None, 4) if rightwards else ("end", -4)
    return [
        svg.line(x, 4, x, HEIGHT - BOTTOM, "threshold"),
        svg.label(x + gap, 14, text, "limit", anchor),
    ]
