"""Real test items, real documents some of them were put into, and datatrove's filter for them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pyarrow as pa

from curation.decontaminate.evidence import ANSWERS, EVIDENCE_SCHEMA, QUESTIONS
from tests.benchmarks.data import NO_PROSE, json_lines, shared


class Document(NamedTuple):
    """A document, and the item that was put into it, if one was."""

    id: str
    source: str
    text: str
    item: str | None = None
    edit: str = "clean"


def planted() -> list[Document]:
    """1000 documents, 240 of them with an item."""
    rows = json_lines(shared("decontam", "planted.jsonl.zst"))
    return [
        Document(r["id"], "planted", r["text"], r["item_id"], r["edit"] or "clean") for r in rows
    ]


def others() -> list[Document]:
    """Documents of many kinds that nobody put an item into."""
    files = sorted(shared("text").glob("*.jsonl.zst"))
    names = [(file, file.name.removesuffix(".jsonl.zst")) for file in files]
    return [
        Document(row["id"], name, row["text"])
        for file, name in names
        if name not in NO_PROSE
        for row in json_lines(file)
    ]


def evidence() -> pa.Table:
    """Every text of every item of the shared suites."""
    rows = [row for file in sorted(shared("bench").glob("*.zst")) for row in json_lines(file)]
    texts = [
        {"suite": row["task"], "item": row["id"], "field": field, "text": text}
        for row in rows
        for field, text in _fields(row)
        if text.strip()
    ]
    return pa.Table.from_pylist(texts, EVIDENCE_SCHEMA)


def _fields(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    match row["type"]:
        case "multiple_choice":
            yield "question", row["query"]
            for i, choice in enumerate(row["choices"]):
                yield "answer" if i == row["gold"] else "choice", choice
        case "schema":
            yield from (("context", text) for text in row["context_options"])
            yield "continuation", row["continuation"]
        case "lm_completion":
            yield "context", row["context"]
            yield "continuation", row["continuation"]
        case "qa":
            yield "question", row["context"]
            yield "answer", row["answer"]
        case "minimal_pair":
            yield "sentence", row["sentence_good"]
            yield "sentence", row["sentence_bad"]
        case "code":
            yield "question", row["prompt"]
            yield "answer", row["canonical_solution"]


def datatrove_filter(items: pa.Table, *, find_query_ngrams: bool, n_grams: int = 12) -> Any:
    """NGramsDecontFilter with the index that NGramsDecontIndexer makes of question and answer."""
    from datatrove.pipeline.decont.n_grams import (
        NGramsDecontConfig,
        NGramsDecontFilter,
        NGramsDecontIndexer,
    )
    from datatrove.utils.hashing import HashConfig

    # Its own default, xxhash, does not take strings.
    sha1 = HashConfig(hash_fc="sha1")
    config = NGramsDecontConfig(
        n_grams=n_grams, find_query_ngrams=find_query_ngrams, hash_config=sha1
    )
    made = NGramsDecontFilter("unused", config)
    # The indexer itself asks for lighteval, which it needs for other suites than ours.
    indexer = SimpleNamespace(config=config, tokenizer=made.tokenizer, hash_func=made.hash_func)
    made._index_hashes = {
        value: item
        for item, label, query in _asked(items)
        for value in NGramsDecontIndexer.compute_hashes(indexer, label, query)
    }
    return made


def _asked(items: pa.Table) -> Iterator[tuple[str, str, str]]:
    """(item, answer, question) of each item."""
    texts: dict[str, dict[str, str]] = {}
    for row in items.to_pylist():
        role = "query" if row["field"] in QUESTIONS else "label" if row["field"] in ANSWERS else ""
        texts.setdefault(row["item"], {}).setdefault(role, row["text"])
    for item, one in texts.items():
        yield item, one.get("label", ""), one.get("query", "")


def found_by_datatrove(peer: Any, documents: list[Document]) -> list[str | None]:
    """The item that it takes each document to hold."""
    from datatrove.data import Document as TheirDocument

    found: list[str | None] = []
    for one in documents:
        theirs = TheirDocument(text=one.text, id=one.id)
        found.append(None if peer.filter(theirs) is True else theirs.metadata["contaminated_task"])
    return found
