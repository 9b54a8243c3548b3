"""Section 5: loss curves by recipe and seed, the whole run and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.report import svg
from pipelines.report.format import ABSENT, compact, count, is_number, number
from pipelines.report.markup import Html, join, tag
from pipelines.report.results import Json, RecipeResult, Results, metrics
from pipelines.report.scale import Scale, padded
from pipelines.report.table import numbers, table, texts

_WIDTH, _HEIGHT = 460.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 10.0, 40.0
_MAX_POINTS = 160  # more cannot be told apart at this width
_END_FRAC, _END_POINTS = 0.5, 24  # the closer look: its start as a share of the run; smoother

Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """The loss over tokens of one run."""

    hint: str
    class_: str
    points: list[Point]


def curves(results: Results) -> Html:
    """Both pictures and a table of the runs."""
    trained = [recipe for recipe in results.recipes if recipe.runs]
    if not trained:
        return tag("p", "No proxy model has been trained yet.")
    colours = {recipe.name: svg.colour(i) for i, recipe in enumerate(results.recipes)}
    drawn = [curve for recipe in trained for curve in _of_recipe(recipe, colours[recipe.name])]
    legend = svg.legend([(recipe.name, colours[recipe.name]) for recipe in trained])
    return join([_pictures(drawn, legend), _table(trained)])


def smooth(points: Sequence[Point], at_most: int = _MAX_POINTS) -> list[Point]:
    """Means of equal runs of points, so that a long curve is neither heavy nor a blur."""
    width = -(-len(points) // at_most) or 1
    groups = [points[i : i + width] for i in range(0, len(points), width)]
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]


def draw(drawn: Sequence[Curve], title: str) -> Html:
    """Curves on common axes."""
    flat = [point for curve in drawn for point in curve.points]
    xs, ys = [x for x, _ in flat], [y for _, y in flat]
    x = Scale(min(xs), max(xs), _LEFT, _WIDTH - _RIGHT)
    y = Scale(*padded(ys, 0.05), _HEIGHT - _BOTTOM, _TOP)
    shapes = svg.left_axis(y, _LEFT, _WIDTH - _LEFT - _RIGHT, wanted=5)
    shapes += svg.bottom_axis(x, _HEIGHT - _BOTTOM, wanted=4)
    shapes.append(svg.label(_WIDTH - _RIGHT, _HEIGHT - 4, "tokens trained on", "tick", "end"))
    for curve in drawn:
        place = [(x(tokens), y(loss)) for tokens, loss in curve.points]
        shapes.append(svg.path(place, f"curve {curve.class_}", curve.hint))
    return svg.picture(_WIDTH, _HEIGHT, title, *shapes)


def _of_recipe(recipe: RecipeResult, class_: str) -> list[Curve]:
    found = []
    for run in recipe.runs:
        rows = [row for row in metrics(run) if is_number(row.get("loss"))]
        if rows:
            points = smooth([(row["tokens"], row["loss"]) for row in rows])
            hint = f"{recipe.name}, seed {compact(run.get('seed'))}"
            found.append(Curve(hint, class_, points))
    return found


def _pictures(drawn: Sequence[Curve], legend: Html) -> Html:
    if not drawn:
        return tag("p", "The runs left no curves.")
    start = _END_FRAC * max(x for curve in drawn for x, _ in curve.points)
    tails = [_tail(curve, start) for curve in drawn]
    whole, end = "Training loss, a line per seed", "The second half, smoothed and closer"
    parts = [svg.figure(whole, draw(drawn, whole))]
    if any(len(curve.points) > 1 for curve in tails):
        parts.append(svg.figure(end, draw([c for c in tails if c.points], end)))
    return join([legend, tag("div", *parts, class_="two")])


def _tail(curve: Curve, start: float) -> Curve:
    points = [point for point in curve.points if point[0] >= start]
    return Curve(curve.hint, curve.class_, smooth(points, _END_POINTS))


def _table(trained: Sequence[RecipeResult]) -> Html:
    columns = [
        *texts("run", "recipe"),
        *numbers("seed", "tokens", "final loss", "tokens/s"),
        *texts("numerics"),
    ]
    return table("Runs", columns, (_row(r, run) for r in trained for run in r.runs))


def _row(recipe: RecipeResult, run: Json) -> list[str]:
    numerics = run.get("numerics") or {}
    return [
        str(run.get("id", ABSENT)),
        recipe.name,
        compact(run.get("seed")),
        count(run.get("tokens")),
        number(run.get("final_loss")),
        count(run.get("tokens_per_s")),
        ", ".join(f"{key} {compact(value)}" for key, value in numerics.items()) or ABSENT,
    ]
