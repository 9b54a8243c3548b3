"""Clusters: where they lie, what each is about, and what was pruned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.report.format import compact, count, percent, size
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.scale import Scale, padded
from pipelines.report.svg import colour, dot, figure, label, picture
from pipelines.report.table import numbers, table, texts

WIDTH, HEIGHT = 720, 480
_MAX_ROWS = 40
_MAX_SOURCES = 8
_MAX_MEANS = 12


def clusters(results: Results) -> Html:
    """One block per recipe and stage that made clusters."""
    return join(
        join([tag("h3", f"{clip(name, 80)} in {recipe.name}"), *_stage(report)])
        for recipe in results.recipes
        for name, report in _reports(recipe)
    )


def _reports(recipe: RecipeResult) -> Iterator[tuple[str, Json]]:
    for stage in recipe.manifest.get("stages", []):
        if "k_init" in stage.get("report", {}):
            yield stage["label"], stage["report"]


def _stage(report: Json) -> list[Html]:
    shown = report["clusters"]
    made, asked = report["k_init"]["made"], report["k_init"]["asked"]
    told = (
        f"{count(report['documents'])} documents in {len(shown)} clusters, merged from "
        f"{count(made)} of k-means, learned from {count(report['sampled'])} documents."
    )
    parts = [tag("p", told)]
    if made < asked:
        few = f"{count(asked)} were asked for: there are no more distinct vectors in the sample."
        parts.append(tag("p", few, class_="note"))
    if report["without_vector"]:
        none = f"{count(report['without_vector'])} documents have no vector and went."
        parts.append(tag("p", none, class_="note"))
    if shown:
        parts += [_map(report), _sizes(shown), *(_card(one) for one in shown)]
    return [*parts, _pruned(report["pruned"])]


def _map(report: Json) -> Html:
    """Documents of the sample as small dots, clusters as large ones with their names."""
    names = [one["name"] for one in report["clusters"]]
    points, centres = report["map"]["documents"], report["map"]["clusters"]
    every = [*((x, y) for x, y, _ in points), *((x, y) for x, y in centres)]
    across = Scale(*padded([x for x, _ in every]), 10, WIDTH - 10)
    up = Scale(*padded([y for _, y in every]), HEIGHT - 10, 10)
    shapes = [
        dot(across(x), up(y), 2, f"{colour(i)} soft" if i >= 0 else "neutral soft")
        for x, y, i in points
    ]
    for i, (x, y) in enumerate(centres):
        hint = f"{names[i]}: {', '.join(report['clusters'][i]['keywords'])}"
        shapes.append(dot(across(x), up(y), 6, f"{colour(i)} kept", hint))
        shapes.append(label(across(x) + 9, up(y) + 4, names[i], "tick"))
    share = percent(report["map"]["explained_frac"], 1)
    caption = (
        f"A sample of documents on the two axes that tell most apart ({share} of the variance)"
    )
    return figure(caption, picture(WIDTH, HEIGHT, caption, *shapes))


def _sizes(shown: list[Json]) -> Html:
    whole = sum(one["bytes"] for one in shown)
    rows = [
        [
            clip(one["name"], 40),
            clip(", ".join(one["keywords"]), 120),
            count(one["documents"]),
            size(one["bytes"]),
            percent(one["bytes"], whole),
            count(len(one["fine"])),
        ]
        for one in shown[:_MAX_ROWS]
    ]
    columns = [*texts("cluster", "keywords"), *numbers("documents", "text", "share", "merged from")]
    return table("Clusters, the largest first", columns, rows)


def _card(one: Json) -> Html:
    words = clip(", ".join(one["keywords"]), 160)
    head = f" \u00b7 {count(one['documents'])} documents \u00b7 {words}"
    body = [
        _line("Sources", _shares(one["sources"])),
        _line("Means", _means(one["means"])),
        tag("h4", "Typical"),
        *(_example(example) for example in one["typical"]),
    ]
    if one["border"]:
        body.append(tag("h4", "At the border"))
        body += [_example(example) for example in one["border"]]
    return tag("details", tag("summary", tag("b", clip(one["name"], 40)), head), *body)


def _line(name: str, told: str) -> Html:
    return tag("p", f"{name}: {told}", class_="note") if told else Html("")


def _shares(sources: Mapping[str, int]) -> str:
    whole = sum(sources.values())
    ranked = sorted(sources.items(), key=lambda item: -item[1])
    told = [f"{clip(name, 60)} {percent(n, whole)}" for name, n in ranked[:_MAX_SOURCES]]
    rest = len(ranked) - len(told)
    return ", ".join([*told, *([f"and {rest} more"] if rest > 0 else [])])


def _means(means: Mapping[str, float]) -> str:
    told = [f"{clip(name, 60)} {compact(value)}" for name, value in list(means.items())]
    return ", ".join(told[:_MAX_MEANS])


def _example(example: Json) -> Html:
    other = f", next to {clip(example['other'], 40)}" if "other" in example else ""
    about = f"{clip(example['id'], 80)} of {clip(example['source'], 60)}{other}"
    return join([tag("p", clip(example["text"], 240), dir="auto"), tag("p", about, class_="note")])


def _pruned(rows: list[Json]) -> Html:
    columns = [*texts("cluster", "column"), *numbers("mean", "least", "documents")]
    cells = [
        [
            clip(one["name"], 40),
            clip(one["column"], 80),
            compact(one["mean"]),
            compact(one["min_mean"]),
            count(one["documents"]),
        ]
        for one in sorted(rows, key=lambda one: -one["documents"])[:_MAX_ROWS]
    ]
    return table("Pruned clusters of k-means", columns, cells) if cells else Html("")
