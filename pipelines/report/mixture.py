"""Section 6: how many tokens a run saw, how many of them were new, and epochs per source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.report import svg
from pipelines.report.format import ABSENT, count, number
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.scale import Scale
from pipelines.report.table import numbers, table, texts

_WIDTH, _ROW, _BAR = 460.0, 16.0, 11.0
_NAME, _VALUE = 150.0, 52.0


@dataclass(frozen=True)
class Share:
    """What one run of a recipe trained on."""

    recipe: str
    tokens: float | None
    unique_tokens: float | None
    epochs: dict[str, float]


def mixture(results: Results) -> Html:
    """A picture of the epochs and a table."""
    shares = _shares(results)
    if not shares:
        return tag("p", "No proxy model has been trained yet.")
    sources = sorted({source for share in shares for source in share.epochs})
    columns = [*texts("recipe"), *numbers("tokens", "unique tokens"), *numbers(*sources)]
    rows = [
        [share.recipe, count(share.tokens), count(share.unique_tokens)]
        + [_epochs(share.epochs.get(source)) for source in sources]
        for share in shares
    ]
    listed = table("Tokens of one run, and epochs per source", columns, rows)
    return join([_picture(shares, sources) if sources else Html(""), listed])


def draw(shares: Sequence[Share], sources: Sequence[str]) -> Html:
    """A group of bars per source, a bar per recipe, one epoch as a line."""
    most = max([1.0, *(v for share in shares for v in share.epochs.values())])
    scale = Scale(0, most, _NAME, _WIDTH - _VALUE)
    height = (len(shares) * _ROW + 14) * len(sources)
    tops = [i * height / len(sources) for i in range(len(sources))]
    shapes: list[Html] = []
    for source, top in zip(sources, tops, strict=True):
        shapes += _bars(source, shares, scale, top)
    shapes.append(svg.line(scale(1), 0, scale(1), height, "threshold"))
    for source, top in zip(sources, tops, strict=True):
        shapes += _labels(source, shares, scale, top)
    shapes.append(svg.label(scale(1), height + 14, "1 epoch", "tick", "middle"))
    return svg.picture(_WIDTH, height + 22, "Epochs per source", *shapes)


def _bars(source: str, shares: Sequence[Share], scale: Scale, top: float) -> list[Html]:
    shapes = []
    for i, share in enumerate(shares):
        y, value = top + 4 + i * _ROW, share.epochs.get(source, 0.0)
        hint = f"{source} in {share.recipe}: {_epochs(value)} epochs"
        shapes.append(svg.rect(_NAME, y, scale(value) - _NAME, _BAR, svg.colour(i), hint))
    return shapes


def _labels(source: str, shares: Sequence[Share], scale: Scale, top: float) -> list[Html]:
    """The source's name and the numbers at the ends of its bars."""
    middle = top + 7 + len(shares) * _ROW / 2
    shapes = [svg.label(_NAME - 8, middle, clip(source, 20), "name", "end")]
    for i, share in enumerate(shares):
        value = share.epochs.get(source)
        y = top + 14 + i * _ROW
        shapes.append(svg.label(scale(value or 0.0) + 5, y, _epochs(value), "tick"))
    return shapes


def _picture(shares: Sequence[Share], sources: Sequence[str]) -> Html:
    legend = svg.legend([(share.recipe, svg.colour(i)) for i, share in enumerate(shares)])
    note = "Above one epoch a run reads the same text again."
    return svg.figure(f"Epochs per source. {note}", legend, draw(shares, sources))


def _shares(results: Results) -> list[Share]:
    """From the comparison where there is one, else from each recipe's first run."""
    compared = {row["name"]: row for row in results.comparison.get("recipes", [])}
    found = []
    for recipe in results.recipes:
        row = compared.get(recipe.name) or _first_run(recipe)
        if row:
            epochs = row.get("epochs") or {}
            found.append(Share(recipe.name, row.get("tokens"), row.get("unique_tokens"), epochs))
    return found


def _first_run(recipe: RecipeResult) -> Json | None:
    return recipe.runs[0] if recipe.runs else None


def _epochs(value: float | None) -> str:
    return ABSENT if value is None else number(value, 2)
