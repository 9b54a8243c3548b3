"""Real documents: English prose, what else there is, and those near the thresholds."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import zstandard

from curation.stage import Rule
from tests.corpora import SHARED
from tests.curation.parity.edits import EDITS, LINE_EDITS
from tests.curation.parity.pairs import WHOLE

PROSE = {  # documents drawn for the test, of each file
    "news": 2000,
    "science_cs": 900,
    "forum": 700,
    "recipes": 347,
    "government": 200,
    "biomedical": 200,
    "encyclopedia": 150,
    "reviews": 150,
    "speeches": 100,
    "blog": 120,
    "books": 60,
    "poetry_drama": 60,
    "legal": 60,
}
OTHERS = ("code_python", "docs_tech", "math", "lang_de", "lang_fr", "lang_ru", "lang_ja", "lang_zh")
MOST_CHARS = 6000  # of a document; longer ones are cut at a line's end
NEAR = 0.2  # a statistic is near its threshold if it is off by at most this part of it
NEAR_EACH_SIDE = 25  # documents per rule
EDITED = 100  # documents per edit


@functools.cache
def documents(name: str) -> list[str]:
    """The texts of a file, cut, in an order of their own."""
    with zstandard.open(SHARED / "text" / f"{name}.jsonl.zst", "rb") as file:
        lines = file.read().split(b"\n")
    texts = dict.fromkeys(_cut(json.loads(line)["text"]) for line in lines if line)
    return sorted((text for text in texts if text.strip()), key=_order)


def _order(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _cut(text: str) -> str:
    if len(text) <= MOST_CHARS:
        return text
    end = text.rfind("\n", 0, MOST_CHARS)
    return text[: end if end > 0 else MOST_CHARS]


def all_prose() -> list[str]:
    """All English prose, cut."""
    return [text for name in PROSE for text in documents(name)]


def drawn_prose() -> list[str]:
    """Some of every file, whatever their statistics are."""
    return [text for name, count in PROSE.items() for text in documents(name)[:count]]


def near_thresholds() -> list[str]:
    """Of all prose the documents whose statistics, as we measure them, are next to a threshold."""
    texts = all_prose()
    table = pa.table({"text": texts})
    chosen: set[int] = set()
    for stage in (pair.ours for pair in WHOLE):
        measured = stage.measure(table)
        for rule in stage.rules():
            chosen.update(_nearest(rule, measured[rule.column]))
    return [texts[i] for i in sorted(chosen)]


def _nearest(rule: Rule, column: pa.Array) -> Sequence[int]:
    """The rows on either side of the threshold, nearest first."""
    if not rule.threshold:
        return []
    off = np.asarray(column, float) / rule.threshold - 1
    rows = np.argsort(np.abs(off), kind="stable")
    near = rows[np.abs(off[rows]) <= NEAR]
    sides = [near[off[near] <= 0], near[off[near] > 0]]
    return [int(row) for side in sides for row in side[:NEAR_EACH_SIDE]]


def edited() -> list[str]:
    """Documents moved across a threshold by edits, where few are near it by themselves."""
    pool = [text for name in PROSE for text in documents(name) if 400 <= len(text) <= 2500]
    pool.sort(key=_order)
    made = []
    for place, edit in enumerate(EDITS):
        chosen = pool[place * EDITED % len(pool) :][:EDITED]
        made += [edit(text, i / (len(chosen) - 1)) for i, text in enumerate(chosen)]
    return [text for text in made if text.strip()]


def edited_lines() -> list[str]:
    """The same for rules on lines."""
    pool = [line for line in lines_of(documents("blog")[:100]) if len(line.split()) > 5]
    pool.sort(key=_order)
    return [
        edit(line, i / (EDITED - 1)) for edit in LINE_EDITS for i, line in enumerate(pool[:EDITED])
    ]


def unique(texts: Sequence[str]) -> list[str]:
    """Each text once."""
    return list(dict.fromkeys(texts))


def lines_of(texts: Sequence[str]) -> list[str]:
    """The lines of the texts that are not blank, each once."""
    lines = (line for text in texts for line in text.split("\n"))
    return unique([line for line in lines if line.strip()])
