"""Section 3, continued: what classifiers learned from, and how they do on held-out documents."""

from __future__ import annotations

from pipelines.report.format import ABSENT, count, number, percent
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.table import numbers, pairs, table, texts

_REGRESSION = {
    "rmse": "root mean square error",
    "r2": "share of the variance explained",
    "spearman": "Spearman's correlation with the label",
}


def classifiers(results: Results) -> Html:
    """One block per recipe and classifier that it trained."""
    return join(
        block
        for recipe in results.recipes
        for label, metrics in recipe.classifiers.items()
        for block in _classifier(recipe, label, metrics)
    )


def _classifier(recipe: RecipeResult, label: str, metrics: Json) -> list[Html]:
    name = f"{label} in {recipe.name}"
    return [
        tag("h3", name),
        pairs("Lineage", _lineage(metrics)),
        pairs("On held-out documents", _quality(recipe, label, metrics)),
        _thresholds(metrics.get("thresholds", [])),
        _calibration(metrics.get("calibration", [])),
        _ranking(metrics.get("ranking", {})),
        _telling(metrics.get("telling", {})),
    ]


def _lineage(metrics: Json) -> list[tuple[str, str]]:
    lineage, documents = metrics.get("lineage", {}), metrics.get("documents", {})
    rows = []
    drawn = dict.fromkeys(p["role"] for p in lineage.get("parts", []))
    for role in dict.fromkeys((*drawn, *(k for k, v in documents.items() if isinstance(v, dict)))):
        parts = [p for p in lineage.get("parts", []) if p["role"] == role]
        told = "; ".join(f"{_part(p)} ({count(p['documents'])})" for p in parts)
        counts = documents.get(role)
        rows.append((role, ": ".join(t for t in (clip(told, 300), _learned(counts)) if t)))
    seed = f"{lineage.get('stage', {}).get('name', ABSENT)}, seed {lineage.get('seed', ABSENT)}"
    return [*rows, ("trained as", seed)]


def _learned(counts: Json | None) -> str:
    if counts is None:
        return ""
    return f"{count(counts.get('train'))} learned, {count(counts.get('held_out'))} held out"


def _part(part: Json) -> str:
    conditions = [
        f"{name} {bound} {value}"
        for name, bounds in part.get("where", {}).items()
        for bound, value in bounds.items()
        if value is not None
    ]
    return f"{part['from']} where {', '.join(conditions)}" if conditions else str(part["from"])


def _quality(recipe: RecipeResult, label: str, metrics: Json) -> list[tuple[str, str]]:
    auc = metrics.get("auc", {})
    interval = f"{number(auc.get('ci_low'), 3)} to {number(auc.get('ci_high'), 3)}"
    rows = [
        ("area under the ROC curve", f"{number(auc.get('value'), 3)} (95 % {interval})"),
        ("average precision", number(metrics.get("average_precision"), 3)),
        ("share of positives", percent(metrics.get("positive_frac"), 1)),
        ("expected calibration error", number(metrics.get("ece"), 3)),
        ("Brier score", number(metrics.get("brier"), 3)),
    ]
    for name, value in metrics.get("regression", {}).items():
        rows.append((_REGRESSION.get(name, name), number(value, 3)))
    for stage in recipe.manifest.get("stages", []):
        if stage.get("params", {}).get("column") == f"{label}.score":
            for group, cut in stage.get("report", {}).get("cuts", {}).items():
                share = f"{stage['params']['keep_frac']:g} of the tokens, {group}"
                rows.append((f"score that keeps {share}", number(float(cut))))
    return rows


def _thresholds(rows: list[Json]) -> Html:
    columns = numbers("min_score", "precision", "recall", "passing")
    cells = [
        [
            f"{row['min_score']:g}",
            number(row["precision"], 3),
            number(row["recall"], 3),
            percent(row["passing_frac"], 1),
        ]
        for row in rows
    ]
    return table("Thresholds", columns, cells) if rows else Html("")


def _calibration(bins: list[Json]) -> Html:
    columns = numbers("score", "documents", "mean score", "positives among them")
    cells = [
        [
            f"{one['min']:.1f} to {one['max']:.1f}",
            count(one["documents"]),
            number(one["mean_score"], 3),
            number(one["positive_frac"], 3),
        ]
        for one in bins
    ]
    return table("Calibration", columns, cells) if bins else Html("")


def _ranking(ranking: Json) -> Html:
    """What ranked the sample that the classifier learned from, and how far it agrees with it."""
    if not ranking:
        return Html("")
    agreement = number(ranking["spearman"], 3)
    rows = [
        ("documents ranked", count(ranking["documents"])),
        ("without a vector", count(ranking["without_vector"])),
        ("positives", f"{count(ranking['positives'])}, by {ranking['value']} of the ranks"),
        ("Spearman's correlation of score and rank, held out", agreement),
    ]
    columns = [*texts("target set"), *numbers("examples", "of the positives nearest to it")]
    cells = [
        [clip(one["name"], 60), count(one["examples"]), percent(one["positives_frac"], 1)]
        for one in ranking["targets"]
    ]
    return join([pairs("Ranking by benchmarks", rows), table("Target sets", columns, cells)])


def _telling(sides: dict[str, list[Json]]) -> Html:
    """The n-grams of both sides; a reader sees at once what the classifier looks at."""
    columns = [*texts("n-gram"), *numbers("margin", "of positives", "of negatives")]
    found = [
        table(
            f"Most telling for {side}",
            columns,
            [
                [
                    clip(row["ngram"], 60),
                    number(row["margin"], 2),
                    percent(row["positives_frac"], 1),
                    percent(row["negatives_frac"], 1),
                ]
                for row in rows
            ],
        )
        for side, rows in sides.items()
        if rows
    ]
    return tag("div", *found, class_="two") if found else Html("")
