"""The cluster of a duplicate: who stayed for it, who else went, and in what the texts differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

MAX_WORDS = 3000  # of a text that are compared: finding differences takes their square
SHOWN_DIFFERENCES = 5
CONTEXT = 4  # words that are shown around a difference
SHOWN_WORDS = 25  # of a difference
_WORDS = re.compile(r"\S+")


@dataclass(frozen=True)
class Cluster:
    """What a document was a duplicate of."""

    survivor: str
    similarity: float | None
    outcome: str  # of the survivor in later stages; `unknown` if it stands in an index
    size: int  # documents of the cluster, the survivor too
    others: list[str]  # ids of some that went with it
    differences: list[str]  # `[-of this document-] {+of the survivor+}`, with words around them


def cluster_of(home: Path, row: dict[str, Any], most: int) -> Cluster:
    """The cluster of a dropped row of the recipe in `home`, with at most so many other ids."""
    survivor = str(row["survivor_id"])
    members = find(home / "dropped", ds.field("survivor_id") == survivor, ["id"])["id"].to_pylist()
    outcome, text = _survivor(home, survivor)
    others = [one for one in members if one != row["id"]]
    return Cluster(
        survivor,
        row["similarity"],
        outcome,
        len(members) + 1,
        others[:most],
        list(islice(differences(row["text"] or "", text), SHOWN_DIFFERENCES)) if text else [],
    )


def find(folder: Path, condition: pc.Expression, columns: list[str] | None = None) -> pa.Table:
    """Rows of the shards in a folder."""
    files = sorted(str(path) for path in folder.glob("*.parquet"))
    if not files:
        return pa.table({name: [] for name in columns or ["id"]})
    return ds.dataset(files).to_table(filter=condition, columns=columns)


def _survivor(home: Path, survivor: str) -> tuple[str, str | None]:
    """What became of it, and its text."""
    for which in ("dataset", "dropped"):
        columns = ["text"] if which == "dataset" else ["text", "drop_stage"]
        for row in find(home / which, ds.field("id") == survivor, columns).to_pylist():
            told = "kept" if which == "dataset" else f"dropped later, by {row['drop_stage']}"
            return told, row["text"]
    return "unknown: not in this dataset, so from the index", None


def differences(gone: str, stayed: str) -> Iterator[str]:
    """Where two texts differ, word by word: `before [-gone-] {+stayed+} after`."""
    a, b = (_WORDS.findall(text)[:MAX_WORDS] for text in (gone, stayed))
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind != "equal":
            parts = [" ".join(a[max(a0 - CONTEXT, 0) : a0])]
            parts += [f"[-{_clip(a[a0:a1])}-]"] if a1 > a0 else []
            parts += [f"{{+{_clip(b[b0:b1])}+}}"] if b1 > b0 else []
            parts.append(" ".join(a[a1 : a1 + CONTEXT]))
            yield " ".join(part for part in parts if part)


def _clip(words: list[str]) -> str:
    left = len(words) - SHOWN_WORDS
    return " ".join(words) if left <= 0 else f"{' '.join(words[:SHOWN_WORDS])} ... {left} more"


def cluster_text(cluster: Cluster) -> list[str]:
    """A cluster for the terminal."""
    similarity = "" if cluster.similarity is None else f", similarity {cluster.similarity:.3f}"
    lines = [f"  duplicate of {cluster.survivor} ({cluster.outcome}){similarity}"]
    if cluster.others:
        more = cluster.size - 2 - len(cluster.others)
        told = f" and {more} more" if more else ""
        lines.append(f"  with it went {', '.join(cluster.others)}{told}")
    if cluster.differences:
        lines.append("  where it differs: [-this document-] {+the survivor+}")
        lines += [f"    {one}" for one in cluster.differences]
    elif cluster.outcome == "kept":
        lines.append("  word by word the same")
    return lines
