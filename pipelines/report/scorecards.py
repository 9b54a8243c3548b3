"""Section 1, continued: what each recipe's scorecard holds, panel by panel."""

from __future__ import annotations

from pipelines.report.format import ABSENT, compact, count, is_number, number, size
from pipelines.report.markup import Html, join
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.suites import suites
from pipelines.report.table import Column, numbers, table, texts


def scorecards(results: Results) -> Html:
    """Bits per byte of every panel, and the suites' metrics, one column per recipe."""
    scored = [recipe for recipe in results.recipes if recipe.scorecard]
    if not scored:
        return Html("")
    return join([_panel_table(scored), suites(scored), _metric_table(scored)])


def _panel_table(scored: list[RecipeResult]) -> Html:
    panels: dict[str, Json] = {}
    for recipe in scored:
        panels = recipe.scorecard.get("panels", {}) | panels
    if not panels:
        return Html("")
    columns = [*texts("panel"), *numbers("documents", "bytes"), *_recipe_columns(scored)]
    rows = [
        [name, count(panel.get("documents")), size(panel.get("bytes"))]
        + [_mean_sd(recipe.scorecard.get("panels", {}).get(name, {})) for recipe in scored]
        for name, panel in panels.items()
    ]
    return table("Bits per byte per panel, mean ± sd", columns, rows)


def _metric_table(scored: list[RecipeResult]) -> Html:
    found = (name for recipe in scored for name in recipe.scorecard.get("metrics", {}))
    # Panels and suites have tables of their own.
    names = dict.fromkeys(name for name in found if not name.startswith(("panels.", "suites.")))
    if not names:
        return Html("")
    columns = [*texts("metric"), *_recipe_columns(scored)]
    rows = [
        [name, *(_metric(recipe.scorecard.get("metrics", {}).get(name)) for recipe in scored)]
        for name in names
    ]
    return table("Other metrics, mean ± sd", columns, rows)


def _recipe_columns(scored: list[RecipeResult]) -> list[Column]:
    return numbers(*(recipe.name for recipe in scored))


def _metric(value: object) -> str:
    if isinstance(value, dict) and "mean" in value:
        return _mean_sd(value)
    if isinstance(value, dict):
        return "; ".join(f"{key} {compact(item)}" for key, item in value.items())
    return compact(value)


def _mean_sd(entry: Json) -> str:
    if not is_number(entry.get("mean")):
        return ABSENT
    sd = entry.get("sd")
    return number(entry["mean"]) + (f" ± {number(sd)}" if is_number(sd) else "")
