"""Section 3, continued: the labels that stages gave, by source, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.report.format import count, percent
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.results import Json, RecipeResult, Results
from pipelines.report.table import numbers, table, texts
from pipelines.report.tally import batches

Key = tuple[str | None, str, bool]  # label, null if no stage gave one; source; whether it stayed

MAX_LABELS = 200  # a column with more distinct values holds no labels
MAX_ROWS = 20
MAX_SOURCES = 8
_BATCH = 8_192  # rows: a string may be long


def labels(results: Results) -> Html:
    """One block per recipe with a stage that gave labels: a table per column."""
    return join(_recipe(recipe) for recipe in results.recipes)


def _recipe(recipe: RecipeResult) -> Html:
    found = {
        column: count_labels(recipe, column, given)
        for column, given in label_columns(recipe.manifest).items()
    }
    tables = [
        _table(name, counts) for name, counts in found.items() if counts and _distinct(counts)
    ]
    skipped = ", ".join(clip(column, 80) for column, counts in found.items() if counts is None)
    if skipped:
        told = f"Not shown, with more than {MAX_LABELS} distinct values each: {skipped}."
        tables.append(tag("p", told, class_="note"))
    return join([tag("h3", recipe.name), *tables]) if tables else Html("")


def label_columns(manifest: Json) -> dict[str, str]:
    """Columns of strings that stages fill, each with one that is null where no stage has.

    For an annotation that is itself. The document's `language` may come from its source, so what
    tells is another column of the first stage that fills it.
    """
    annotations = manifest.get("annotations", {})
    found = {}
    for stage in manifest.get("stages", []):
        # The rules of a stage are over its own columns.
        if any(rule["column"] == "language" for rule in stage.get("rules", [])):
            own = [name for name in annotations if name.rpartition(".")[0] == stage["label"]]
            found = {"language": own[0]} if own else {}
            break
    return found | {name: name for name, kind in annotations.items() if kind == "string"}


def count_labels(recipe: RecipeResult, column: str, given: str) -> Counter[Key] | None:
    """Documents by label, source and fate; None as soon as there are too many labels."""
    counts: Counter[Key] = Counter()
    columns = list(dict.fromkeys([column, given, "source"]))
    for files, stayed in ((recipe.dataset_files, True), (recipe.dropped_files, False)):
        for batch in batches(files, columns, _BATCH):
            if set(columns) <= set(batch.schema.names):
                for label, source, n in _pairs(batch, column, given):
                    counts[label, source, stayed] += n
            if _distinct(counts) > MAX_LABELS:
                return None
    return counts


def _distinct(counts: Counter[Key]) -> int:
    """The number of labels."""
    return len({label for label, _, _ in counts} - {None})


def _pairs(batch: Any, column: str, given: str) -> Iterator[tuple[str | None, str, int]]:
    """(label, source, documents) of a batch."""
    values = batch[column]
    values = pc.if_else(pc.is_valid(batch[given]), values, pa.scalar(None, values.type))
    pairs = pa.table({"label": values, "source": batch["source"]})
    counted = pairs.group_by(["label", "source"]).aggregate([([], "count_all")])
    for row in counted.to_pylist():
        yield row["label"], row["source"], row["count_all"]


def _table(column: str, counts: Counter[Key]) -> Html:
    """The most frequent labels, the rest in one row, and the documents without one."""
    sources = _groups(_by_size(counts, lambda key: key[1]), MAX_SOURCES)
    groups = _groups(_by_size(counts, lambda key: key[0]), MAX_ROWS)
    rows = [[_title(group), *_cells(counts, group, sources)] for group in groups]
    if any(label is None for label, _, _ in counts):
        rows.append([_aside("not reached"), *_cells(counts, [None], sources)])
    read = [f"read, {_source(group)}" for group in sources]
    columns = [*texts("label"), *numbers("read", "kept", "dropped", "share kept", *read)]
    return table(f"{clip(column, 80)}, in documents", columns, rows)


def _groups(names: Sequence[str], limit: int) -> list[Sequence[str]]:
    """Each of the first names by itself, and all the others together."""
    rest = names[limit:]
    return [*([name] for name in names[:limit]), *([rest] if rest else [])]


def _by_size(counts: Counter[Key], part: Callable[[Key], str | None]) -> list[str]:
    """The distinct values of a part of the keys but null, those of most documents first."""
    sizes: Counter[str] = Counter()
    for key, n in counts.items():
        if (value := part(key)) is not None:
            sizes[value] += n
    return sorted(sizes, key=lambda value: (-sizes[value], value))


def _cells(
    counts: Counter[Key], wanted: Sequence[str | None], sources: Sequence[Sequence[str]]
) -> list[str]:
    """What became of all documents with one of the labels, and how many each source has."""
    of = [(key, n) for key, n in counts.items() if key[0] in wanted]
    read, kept = sum(n for _, n in of), sum(n for (_, _, stayed), n in of if stayed)
    per = [sum(n for key, n in of if key[1] in group) for group in sources]
    return [count(read), count(kept), count(read - kept), percent(kept, read), *map(count, per)]


def _title(group: Sequence[str]) -> str:
    if len(group) > 1:
        return _aside(f"{len(group)} other labels")
    return clip(group[0], 120) if group[0].strip() else _aside("blank")


def _source(group: Sequence[str]) -> str:
    return f"{len(group)} other sources" if len(group) > 1 else clip(group[0], 40)


def _aside(text: str) -> Html:
    """What is said of labels, as against a label that says the same."""
    return tag("span", text, class_="note")
