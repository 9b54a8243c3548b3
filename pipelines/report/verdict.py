"""Section 1: which recipe made the better model, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.report.compared import compared
from pipelines.report.forest import Interval, dots, forest
from pipelines.report.format import is_number, number, signed
from pipelines.report.markup import Html, join, tag
from pipelines.report.results import Json, Results
from pipelines.report.svg import figure

_MIRRORED = {"better": "worse", "worse": "better"}
_VERDICTS = ("better", "worse", "tied")


def sentence(results: Results) -> Html:
    """The result in one sentence."""
    comparison = results.comparison
    if not comparison.get("recipes"):
        return tag("p", _without_comparison(results), class_="sentence")
    rows = intervals(comparison, comparison.get("pairs", []))
    return tag("p", _told(comparison, rows), class_="sentence")


def verdict(results: Results) -> Html:
    """Forest plot, seeds, table, and the panels without a verdict."""
    comparison = results.comparison
    if not comparison.get("recipes"):
        return Html("")
    rows = intervals(comparison, comparison.get("pairs", []))
    pictures = tag("div", _forest(comparison, rows), _seeds(comparison), class_="two")
    return join([pictures, compared(comparison, rows, _unit(comparison)), _panels(comparison)])


def intervals(comparison: Json, pairs: Sequence[Json]) -> list[Interval]:
    """The pairs with the baseline, turned so that each is a recipe minus the baseline."""
    baseline = comparison.get("baseline")
    turned = (_turned(pair, baseline) for pair in pairs)
    return [row for row in turned if row is not None]


def _turned(pair: Json, baseline: str | None) -> Interval | None:
    difference, verdict = _finite(pair.get("difference")), str(pair.get("verdict"))
    verdict = verdict if verdict in _VERDICTS else "neutral"
    low, high = _finite(pair.get("ci_low")), _finite(pair.get("ci_high"))
    if difference is None:
        return None
    if pair["b"] == baseline:
        return Interval(pair["a"], difference, low, high, verdict, _wide(pair))
    if pair["a"] != baseline:
        return None
    low, high = (-high if high is not None else None), (-low if low is not None else None)
    return Interval(pair["b"], -difference, low, high, _MIRRORED.get(verdict, verdict))


def _wide(pair: Json) -> tuple[float, float] | None:
    over = pair.get("over_items") or {}
    low, high = _finite(over.get("ci_low")), _finite(over.get("ci_high"))
    return None if low is None or high is None else (low, high)


def _finite(value: Any) -> float | None:
    return float(value) if is_number(value) else None


def _unit(comparison: Json) -> str:
    primary = str(comparison.get("primary", ""))
    return "bits per byte" if "bpb" in primary else primary


def _told(comparison: Json, rows: Sequence[Interval]) -> str:
    """The recipe with the best mean against the baseline, in words."""
    if not rows:
        return "No recipe was compared with the baseline."
    direction = -1.0 if comparison.get("higher_is_better") else 1.0
    best = min(rows, key=lambda row: direction * row.difference)
    baseline, unit = comparison.get("baseline", "the baseline"), _unit(comparison)
    if best.low is None or best.high is None:
        gap = signed(best.difference)
        return f"{best.label} minus {baseline}: {gap} {unit}; without an interval, no verdict."
    seeds = f"{len(comparison.get('seeds', []))} seeds"
    if best.verdict not in _MIRRORED:
        within = f"{signed(best.low)} to {signed(best.high)}"
        measured = f"{signed(best.difference)} {unit}, 95 % interval {within}, {seeds}"
        return f"{best.label} and {baseline} are tied: {measured}. {_resolution(comparison)}"
    near, far = sorted((abs(best.low), abs(best.high)))
    measured = (
        f"{number(abs(best.difference))} {unit} (95 % interval {number(near)} to {number(far)}"
    )
    doubt = _doubt(best)
    if best.verdict == "worse" and len(rows) > 1:
        closest = f"{best.label}, the closest of {len(rows)}, is worse by {measured}, {seeds})"
        return f"No recipe is better than {baseline}: {closest}.{doubt}"
    among = f" It has the best mean of {len(rows) + 1} recipes." if len(rows) > 1 else ""
    return f"{best.label} is {best.verdict} than {baseline}, by {measured}, {seeds}).{among}{doubt}"


def _doubt(best: Interval) -> str:
    """Where the panels' documents are too few to stand for others."""
    if best.wide is None or best.wide[0] * best.wide[1] > 0:
        return ""
    return " Over other documents or test items of the same kind this is not sure."


def _resolution(comparison: Json) -> str:
    """What a tie does not rule out."""
    smallest = [p["mde"] for p in comparison.get("pairs", []) if is_number(p.get("mde"))]
    if not smallest:
        return "A smaller difference than the interval is wide may still be there."
    return f"A true difference below about {number(max(smallest))} would not show here."


def _forest(comparison: Json, rows: Sequence[Interval]) -> Html:
    if not rows:
        return Html("")
    caption = f"Difference to {comparison.get('baseline')}, with 95 % intervals over seeds"
    if any(row.wide for row in rows):
        caption += "; the thin line is over documents or test items too"
    higher = bool(comparison.get("higher_is_better"))
    return figure(caption, forest(rows, caption, higher))


def _seeds(comparison: Json) -> Html:
    rows = [(r["name"], r.get("per_seed", {})) for r in comparison["recipes"]]
    if not any(is_number(v) for _, seeds in rows for v in seeds.values()):
        return Html("")
    caption = f"Mean {_unit(comparison)}: every seed is a dot, the bar is the mean"
    return figure(caption, dots(rows, caption))


def _panels(comparison: Json) -> Html:
    """Differences per panel, drawn without verdicts: one primary metric decides."""
    rows = [
        Interval(f"{panel}: {row.label}", row.difference, row.low, row.high)
        for panel, pairs in comparison.get("panels", {}).items()
        for row in intervals(comparison, pairs)
    ]
    if not rows:
        return Html("")
    note = (
        "Where the difference comes from. Described, not judged: only the primary metric decides."
    )
    title = f"Difference to {comparison.get('baseline')} per panel"
    drawn = forest(rows, title, bool(comparison.get("higher_is_better")))
    return join([tag("h3", "Panel by panel"), tag("p", note, class_="note"), figure(title, drawn)])


def _without_comparison(results: Results) -> str:
    scored = [r for r in results.recipes if r.scorecard]
    if not scored:
        return "No proxy model has been scored yet, so there is nothing to compare."
    names = ", ".join(recipe.name for recipe in scored)
    return f"Measured, not yet compared: {names}. A verdict needs two recipes and one judge."
