"""The texts of test items, for finding them in training data.

A Parquet file of one row per text: suite, item, field, text. `field` is `question` (a query),
`answer` (the right choice), `choice` (a wrong one), `context`, `continuation` or `sentence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from curation.files import write_parquet
from eval.suites.items import Item, LmCompletion, MinimalPair, MultipleChoice, Schema
from eval.suites.suite import Suite

EVIDENCE_SCHEMA = pa.schema([(name, pa.string()) for name in ("suite", "item", "field", "text")])


def write_evidence(suites: Iterable[Suite], path: Path) -> None:
    """Writes every text of every item of `suites`; a text that an item repeats is written once."""
    rows = [
        {"suite": suite.name, "item": item.id, "field": field, "text": text}
        for suite in suites
        for item in suite.items
        for field, text in dict.fromkeys(item_fields(item))
        if text.strip()
    ]
    write_parquet(path, pa.Table.from_pylist(rows, EVIDENCE_SCHEMA))


def item_fields(item: Item) -> Iterator[tuple[str, str]]:
    """Field and text of everything in `item` that a model is shown."""
    match item:
        case MultipleChoice():
            yield "question", item.query
            for i, choice in enumerate(item.choices):
                yield "answer" if i == item.gold else "choice", choice
        case Schema():
            yield from (("context", context) for context in item.context_options)
            yield "continuation", item.continuation
        case LmCompletion():
            yield "context", item.context
            yield "continuation", item.continuation
        case MinimalPair():
            yield "sentence", item.good
            yield "sentence", item.bad
