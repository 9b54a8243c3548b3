"""Cards on top: what each recipe kept, at one glance."""

from __future__ import annotations

from pipelines.report import svg
from pipelines.report.compared import badge
from pipelines.report.format import count, is_number, number, percent, size
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import RecipeResult, Results
from pipelines.report.scale import Scale
from pipelines.report.verdict import intervals

_WIDTH, _BAR = 220.0, 7.0


def glance(results: Results) -> Html:
    """A card per recipe."""
    rows = intervals(results.comparison, results.comparison.get("pairs", []))
    verdicts = {row.label: row.verdict for row in rows}
    cards = [_card(recipe, verdicts.get(recipe.name)) for recipe in results.recipes]
    return tag("div", *cards, class_="glance")


def _card(recipe: RecipeResult, verdict: str | None) -> Html:
    head = tag("h3", clip(recipe.name, 80), " ", badge(verdict) if verdict else Html(""))
    return tag("section", head, _kept(recipe), _score(recipe), class_="tile")


def _kept(recipe: RecipeResult) -> Html:
    if not recipe.funnel:
        return tag("p", "no finished dataset", class_="note")
    first, last = recipe.funnel[0], recipe.funnel[-1]
    entered, left = first.get("documents_in", 0), last.get("documents_out", 0)
    share = percent(left, entered)
    scale = Scale(0, max(entered, 1), 0, _WIDTH)
    bar = svg.picture(
        _WIDTH,
        _BAR,
        f"{share} of the documents kept",
        svg.rect(0, 0, _WIDTH, _BAR, "gone soft"),
        svg.rect(0, 0, scale(left), _BAR, "stay"),
    )
    told = f" of {count(entered)} documents kept, {share}, {size(last.get('bytes_out'))}"
    return join([tag("p", tag("strong", count(left)), told), bar])


def _score(recipe: RecipeResult) -> Html:
    panels = recipe.scorecard.get("panels", {})
    means = [panel["mean"] for panel in panels.values() if is_number(panel.get("mean"))]
    if not means:
        return tag("p", "not scored", class_="note")
    mean = number(sum(means) / len(means))
    over = f"mean of {len(means)} panels" if len(means) > 1 else "on one panel"
    return tag("p", tag("strong", mean), f" bits per byte, {over}")
