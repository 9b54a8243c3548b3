"""Decontamination: items found where they were put in, and elsewhere; against datatrove."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.decontaminate.counting import Live, find_live
from curation.decontaminate.index import Index, build_index, index_bytes
from curation.decontaminate.overlap import find_matches
from curation.decontaminate.passages import make_passages
from curation.decontaminate.scan import find_hits
from curation.decontaminate.stage import Decontaminate
from tests.benchmarks.leaked_items import (
    Document,
    datatrove_filter,
    evidence,
    found_by_datatrove,
    others,
    planted,
)
from tests.benchmarks.tables import Table
from tests.benchmarks.timing import Case, quotients, rates, spread
from tests.curation.decontaminate.running import decide_on

EDITS = ("verbatim", "case_ws", "one_word_in_20_changed", "half_of_item", "question_only")
SETTINGS: dict[str, dict[str, Any]] = {
    "tilth": {},
    "tilth, 13-grams, half": {"n_gram": 13, "min_words": 13, "min_overlap": 0.5},
}
PEERS: dict[str, dict[str, Any]] = {
    "datatrove, defaults": {"find_query_ngrams": False},
    "datatrove, query n-grams": {"find_query_ngrams": True},
}


def run() -> list[Table]:
    """Recall and precision per kind of edit, hits in other documents, speed and memory."""
    items, documents = evidence(), planted()
    put_in = {one.item.split("/")[0] for one in documents if one.item}
    theirs = items.filter(pc.is_in(items["suite"], pa.array(sorted(put_in))))
    filters = {name: datatrove_filter(theirs, **given) for name, given in PEERS.items()}
    return [
        _planted(items, documents, filters),
        _others(items),
        *_speed(items, documents, filters["datatrove, query n-grams"]),
    ]


def _planted(items: pa.Table, documents: list[Document], filters: dict[str, Any]) -> Table:
    found = {name: _found(items, documents, given) for name, given in SETTINGS.items()}
    found |= {n: [{f} for f in found_by_datatrove(p, documents)] for n, p in filters.items()}
    rows = []
    for edit in EDITS:
        own = [i for i, one in enumerate(documents) if one.edit == edit]
        hits = [sum(documents[i].item in f[i] for i in own) / len(own) for f in found.values()]
        rows.append((edit, len(own), *hits))
    leaked = [i for i, one in enumerate(documents) if one.item]
    recall = [sum(documents[i].item in f[i] for i in leaked) / len(leaked) for f in found.values()]
    rows.append(("recall", len(leaked), *recall))
    rows.append(("precision", len(documents), *(_precision(documents, f) for f in found.values())))
    columns = ("share of documents whose item is found", "documents", *found)
    note = "datatrove looks for the suites only whose items were put in, by SHA-1."
    return Table("planted items", columns, rows, [_about(items), note])


def _precision(documents: list[Document], found: Sequence[set[str | None]]) -> float:
    flagged = [one for one, items in zip(documents, found, strict=True) if items - {None}]
    return sum(one.item is not None for one in flagged) / max(1, len(flagged))


def _found(
    items: pa.Table, documents: list[Document], given: dict[str, Any]
) -> list[set[str | None]]:
    found: list[set[str | None]] = [set() for _ in documents]
    for hit in _hits(items, documents, given):
        found[int(hit["id"][1:])].add(hit["item"])
    return found


def _hits(
    items: pa.Table, documents: list[Document], given: dict[str, Any]
) -> list[dict[str, Any]]:
    """What `hits.parquet` holds; ids are d and the number of the document."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(items, folder / "evidence.parquet")
        stage = Decontaminate(against=(folder / "evidence.parquet",), action="mark", **given)
        sizes = [min(1000, len(documents) - i) for i in range(0, len(documents), 1000)]
        verdicts = decide_on(folder, [one.text for one in documents], stage, sizes=sizes)
        hits: list[dict[str, Any]] = pq.read_table(verdicts.artifacts[0]).to_pylist()
        return hits


def _others(items: pa.Table) -> Table:
    documents = others()
    rows = []
    for hit in _hits(items, documents, {}):
        one = documents[int(hit["id"][1:])]
        shown = " ".join(hit["text"].replace("|", "/").split())[:80]
        rows.append((one.source, one.id, hit["item"], hit["overlap"], shown))
    columns = ("source", "document", "item", "overlap", "what stands there")
    megabytes = sum(len(one.text.encode()) for one in documents) / 1e6
    notes = [f"Of {len(documents)} documents, {megabytes:.1f} MB. {_about(items)}"]
    return Table("every hit in documents without planted items", columns, rows, notes)


def _about(items: pa.Table) -> str:
    """What is looked for."""
    count = len(set(zip(items["suite"].to_pylist(), items["item"].to_pylist(), strict=True)))
    return f"Evidence: {len(items)} texts of {count} items of ../shared/data/bench."


def _speed(items: pa.Table, documents: list[Document], peer: Any) -> list[Table]:
    index, _ = build_index(make_passages(items)[1], Decontaminate.n_gram, Decontaminate.max_items)
    many, few = pa.array([one.text for one in others()]), documents[::4]
    size = sum(len(text.as_py().encode()) for text in many) / 1e6
    size_of_few = sum(len(one.text.encode()) for one in few) / 1e6
    texts = pa.array([one.text for one in documents])
    megabytes = sum(len(one.text.encode()) for one in documents) / 1e6
    live = find_live(index, np.ones(len(index.postings.bounds) - 1, np.bool_))
    _search(index, live, texts[:10])  # compiled, or from the cache
    cases = [
        Case("tilth, documents without items", partial(_search, index, live, many), size),
        Case(
            "tilth, planted documents", partial(_search, index, live, texts), megabytes, repeat=10
        ),
        Case("datatrove, planted documents", partial(found_by_datatrove, peer, few), size_of_few),
    ]
    measured = rates(cases)
    last = measured[cases[-1].name]
    rows = [
        (n, r.typical, np.median(quotients(r, last)), spread(r.core)) for n, r in measured.items()
    ]
    count = len(index.postings.bounds) - 1
    memory = [
        ("n-grams in the index", count),
        ("MB", index_bytes(index) / 1e6),
        ("bytes per n-gram", index_bytes(index) / count),
        ("bytes per item", index_bytes(index) / len(np.unique(index.passages.item))),
    ]
    notes = ["Texts in memory; the index is there. Both look for questions and answers."]
    return [
        Table("search", ("", "MB/s per core", "ratio", "spread"), rows, notes),
        Table("memory of the index", ("", ""), memory),
    ]


def _search(index: Index, live: Live, texts: pa.Array) -> None:
    stage = Decontaminate(against="eval")
    find_matches(find_hits(texts, index.searcher), index, live, stage.demands)
