"""Section 1, continued: each suite's metrics, recipe by recipe, and its phenomena."""

from __future__ import annotations

from pipelines.report.format import ABSENT, count, is_number, number
from pipelines.report.markup import Html, join
from pipelines.report.results import Json, RecipeResult
from pipelines.report.table import numbers, table, texts

PREFIX = "suites."


def suites(scored: list[RecipeResult]) -> Html:
    """A table per suite, and one of its phenomena where it has several."""
    found = dict.fromkeys(key.split(".")[1] for recipe in scored for key in _metrics(recipe))
    return join([part for name in found for part in _suite(name, scored)])


def _metrics(recipe: RecipeResult) -> dict[str, Json]:
    metrics = recipe.scorecard.get("metrics", {})
    return {key: value for key, value in metrics.items() if key.startswith(PREFIX)}


def _suite(name: str, scored: list[RecipeResult]) -> list[Html]:
    keys = dict.fromkeys(key for recipe in scored for key in _metrics(recipe))
    paths = [key.split(".")[2:] for key in keys if key.split(".")[1] == name]
    whole = [path[0] for path in paths if len(path) == 1]
    columns = [*texts("metric"), *numbers("items", *(recipe.name for recipe in scored))]
    caption = f"{name}, mean ± sd over seeds (standard error over items)"
    parts = [table(caption, columns, [_row(f"{name}.{m}", m, scored) for m in whole])]
    phenomena = [path for path in paths if len(path) == 2 and path[0] == whole[0]]
    if phenomena:
        columns = [*texts("phenomenon"), *columns[1:]]
        rows = [_row(f"{name}.{'.'.join(path)}", path[1], scored) for path in phenomena]
        parts.append(table(f"{name}, {whole[0]} by phenomenon", columns, rows))
    return parts


def _row(key: str, title: str, scored: list[RecipeResult]) -> list[str]:
    found = [_metrics(recipe).get(PREFIX + key, {}) for recipe in scored]
    items = next((metric["n"] for metric in found if is_number(metric.get("n"))), None)
    return [title.replace("_", " "), count(items), *(_cell(metric) for metric in found)]


def _cell(metric: Json) -> str:
    if not is_number(metric.get("mean")):
        return ABSENT
    sd = f" ± {number(metric['sd'])}" if is_number(metric.get("sd")) else ""
    error = f" ({number(metric['stderr'])})" if is_number(metric.get("stderr")) else ""
    return f"{number(metric['mean'])}{sd}{error}"
