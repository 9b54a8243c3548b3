"""Duplicates: between which sources they were, how large clusters are, and the largest of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.report.format import count, percent
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.table import numbers, table, texts

_GROUPS = ((2, 2), (3, 3), (4, 5), (6, 10), (11, 100), (101, 1000), (1001, None))
_MAX_ROWS = 30


def duplicates(results: Results) -> Html:
    """One block per recipe and stage that found clusters of duplicates."""
    return join(
        join([tag("h3", f"{label} in {recipe.name}"), *_stage(report)])
        for recipe in results.recipes
        for label, report in _reports(recipe)
    )


def _reports(recipe: RecipeResult) -> Iterator[tuple[str, Json]]:
    for stage in recipe.manifest.get("stages", []):
        if "cluster_sizes" in stage.get("report", {}):
            yield stage["label"], stage["report"]


def _stage(report: Json) -> list[Html]:
    told = (
        f"{count(report['duplicates'])} of {count(report['documents'])} documents were duplicates"
    )
    parts = [tag("p", f"{told} ({percent(_frac(report), 1)}).")]
    buckets = report.get("buckets", {})
    if buckets.get("skipped"):
        parts.append(tag("p", _capped(buckets), class_="note"))
    parts += [_by_source(report["duplicates_by_source"]), _sizes(report["cluster_sizes"])]
    if report.get("candidates_by_similarity"):
        parts.append(_candidates(report["candidates_by_similarity"]))
    if report.get("curve"):
        parts.append(_curve(report["curve"], report["documents"]))
    return [*parts, *(_cluster(one) for one in report.get("largest_clusters", []))]


def _frac(report: Json) -> float:
    return float(report["duplicates"] / report["documents"]) if report["documents"] else 0.0


def _capped(buckets: Mapping[str, int]) -> str:
    return (
        f"{count(buckets['capped'])} buckets were larger than max_bucket (the largest holds "
        f"{count(buckets['largest'])} documents): {count(buckets['skipped'])} pairs in them were "
        "not compared, and some of their duplicates may have stayed."
    )


def _by_source(rows: list[Json]) -> Html:
    columns = [*texts("source", "of a document in"), *numbers("duplicates")]
    cells = [
        [clip(r["source"], 80), clip(r["survivor_source"], 80), count(r["documents"])]
        for r in sorted(rows, key=lambda r: -r["documents"])[:_MAX_ROWS]
    ]
    return table("Duplicates within and across sources", columns, cells) if cells else Html("")


def _sizes(sizes: Mapping[str, int]) -> Html:
    counts = {int(size): n for size, n in sizes.items()}
    cells = []
    for least, most in _GROUPS:
        within = {size: n for size, n in counts.items() if least <= size <= (most or size)}
        if within:
            documents = sum(size * n for size, n in within.items())
            cells.append([_range(least, most), count(sum(within.values())), count(documents)])
    columns = numbers("documents in a cluster", "clusters", "documents")
    return table("Cluster sizes", columns, cells) if cells else Html("")


def _range(least: int, most: int | None) -> str:
    if most is None:
        return f"{least:,} and more"
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _candidates(bins: list[int]) -> Html:
    """Whether the threshold stands where there are few pairs, and how well bands choose them."""
    width, total = 1 / len(bins), sum(bins)
    cells = [
        [f"{i * width:.2f} to {(i + 1) * width:.2f}", count(n), percent(n / total, 1)]
        for i, n in enumerate(bins)
        if n
    ]
    columns = numbers("exact similarity", "pairs", "share")
    return table("Pairs that were compared", columns, cells) if cells else Html("")


def _curve(points: list[Json], documents: int) -> Html:
    """What other thresholds would find."""
    cells = [
        [
            f"{one['min_similarity']:g}",
            count(one["documents"]),
            percent(one["documents"], documents),
        ]
        for one in points
    ]
    columns = numbers("similarity", "documents", "share")
    return table("Documents with a better one at least so similar", columns, cells)


def _cluster(cluster: Json) -> Html:
    sources: dict[str, Any] = cluster["sources"]
    told = ", ".join(f"{clip(name, 60)} {count(n)}" for name, n in list(sources.items())[:8])
    head = f" \u00b7 {count(cluster['documents'])} documents: {told}"
    summary = tag("summary", tag("b", clip(cluster["survivor"], 80)), head)
    members = ", ".join(clip(member, 80) for member in cluster["members"])
    body = [
        tag("p", clip(cluster["text"], 400), dir="auto"),
        tag("p", f"Some that went for it: {members}", class_="note"),
    ]
    return tag("details", summary, *body)
