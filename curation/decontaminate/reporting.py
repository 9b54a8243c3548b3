"""What is to be known of a decontamination: per item, per suite and per source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.decontaminate.counting import Demands, Live, checkable, long_enough
from curation.decontaminate.index import Index
from curation.rounds import Rounds

SHOWN = 50  # items in the report
CONTAMINATED, CLEAN = "contaminated", "clean"
NO_QUESTION, TOO_SHORT, TOO_COMMON = "no_question", "too_short", "too_common"
STATES = (CONTAMINATED, CLEAN, NO_QUESTION, TOO_SHORT, TOO_COMMON)


def item_table(
    items: pa.Table, hits: pa.Table, index: Index, live: Live, demands: Demands
) -> pa.Table:
    """Of every item its state, the documents that hold it, and the highest overlap.

    An item that cannot be checked has `no_question`, or is `too_short` (less than three words or
    `min_chars_whole`), or `too_common` (what it says, many items or documents say).
    """
    found = hits.group_by(["suite", "item"], use_threads=False).aggregate(
        [("id", "count"), ("overlap", "max")]
    )
    found = found.rename_columns(["suite", "item", "documents", "overlap"])
    numbered = items.append_column("_number", pa.array(np.arange(len(items))))
    table = numbered.join(found, ["suite", "item"], use_threads=False).sort_by("_number")
    state = _states(len(items), index, live, demands)
    state[np.asarray(pc.is_valid(table["overlap"]))] = CONTAMINATED
    columns = {
        "suite": table["suite"],
        "item": table["item"],
        "state": pa.array(state.tolist(), pa.string()),
        "documents": pc.fill_null(table["documents"], 0),
        "overlap": table["overlap"],
    }
    return pa.table(columns)


def _states(count: int, index: Index, live: Live, demands: Demands) -> np.ndarray:
    """The state of each item before a document is looked at."""
    passages = index.passages
    state = np.full(count, NO_QUESTION, dtype=object)
    for name, which in (
        (TOO_SHORT, np.ones(len(passages.item), np.bool_)),
        (TOO_COMMON, long_enough(passages, demands)),
        (CLEAN, checkable(index, live, demands)),
    ):
        state[np.unique(passages.item[which])] = name
    return state


def report(
    rounds: Rounds,
    evidence: Mapping[str, Any],
    items: pa.Table,
    hits: pa.Table,
    judged: Iterable[tuple[str, str, int]],
) -> dict[str, Any]:
    """Totals, per suite, per source, and the items of the most documents.

    Args:
        rounds: of the stage.
        evidence: about the index.
        items: of `item_table`.
        hits: of all documents.
        judged: documents by source and suite; suite '' for those of any.
    """
    sources: dict[str, dict[str, Any]] = {}
    for one in rounds.slices:
        own = sources.setdefault(one.source, {"documents": 0, "contaminated": 0, "suites": {}})
        own["documents"] += one.rows
    suites: Counter[str] = Counter()
    for source, suite, count in judged:
        if suite:
            by_suite = sources[source]["suites"]
            by_suite[suite] = by_suite.get(suite, 0) + count
            suites[suite] += count
        else:
            sources[source]["contaminated"] += count
    return {
        "documents": rounds.rows,
        "contaminated": sum(own["contaminated"] for own in sources.values()),
        "evidence": dict(evidence),
        "suites": _suites(items, suites),
        "sources": sources,
        "top": _top(items, hits),
    }


def _suites(items: pa.Table, documents: Counter[str]) -> dict[str, dict[str, int]]:
    """Per suite its items by state, and the documents that hold any."""
    counted = Counter(zip(items["suite"].to_pylist(), items["state"].to_pylist(), strict=True))
    found: dict[str, dict[str, int]] = {}
    for suite in pc.unique(items["suite"]).to_pylist():
        states = {state: counted[suite, state] for state in STATES}
        found[suite] = {"items": sum(states.values()), **states, "documents": documents[suite]}
    return found


def _top(items: pa.Table, hits: pa.Table) -> list[dict[str, Any]]:
    """The items of the most documents, each with its best hit."""
    by = [("documents", "descending"), ("overlap", "descending")]
    found = items.filter(pc.greater(items["documents"], 0)).sort_by(by)[:SHOWN]
    shown = []
    for row in found.select(["suite", "item", "documents", "overlap"]).to_pylist():
        same = pc.and_(pc.equal(hits["suite"], row["suite"]), pc.equal(hits["item"], row["item"]))
        own = hits.filter(same)
        at = pc.index(own["overlap"], row["overlap"]).as_py()
        shown.append({**row, **{name: own[name][at].as_py() for name in ("field", "id", "text")}})
    return shown
