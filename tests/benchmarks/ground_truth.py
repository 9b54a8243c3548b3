"""Annotated web pages, and how well a text extracted from them agrees.

* `articles` (full_text, written by hand) and `readability` (expected_html, what an algorithm's
  authors accept): precision, recall and F1 of the bag of lower-cased words (`\\w+`), as multisets,
  per page; the figures are means over pages.
* `segments`: strings that must be in the text (`with`) or must not (`without`), white space
  collapsed on both sides, over all strings. Recall: share of `with` found; precision: of all
  strings found, the share that is `with`; F1 of these two. Besides, the share of `without` absent.

With these definitions resiliparse has the F1 that was measured when the baselines were taken.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from curation.sources.inputs import InputFile, Split
from curation.sources.source import ReadLog
from curation.sources.warc import Warc
from tests.benchmarks.data import json_lines, shared

KINDS = {"full_text": "articles", "expected_html": "readability", "segments": "segments"}
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Page:
    """A page and what a person, or an accepted algorithm, takes for its text."""

    kind: str
    frame: bytes  # as `curation.modifiers.html_text.extract` gets it: content type, LF, bytes
    content_type: str | None
    truth: dict[str, Any]

    @property
    def raw(self) -> bytes:
        """The bytes of the page."""
        return self.frame.partition(b"\n")[2]


def load_pages() -> list[Page]:
    """All annotated pages, read by our WARC source.

    Raises:
        Skipped: the shared data is absent.
    """
    rows = list(json_lines(shared("warc", "ground_truth.jsonl.zst")))
    found = {name: _read_archive(name) for name in sorted({row["warc"] for row in rows})}
    pages = []
    for row in rows:
        name = row["record_id"].strip("<>").removeprefix("urn:uuid:")
        raw, kind = found[row["warc"]][name]
        frame = (kind or "").encode() + b"\n" + raw
        pages.append(Page(row["kind"], frame, kind, row))
    return pages


def _read_archive(name: str) -> dict[str, tuple[bytes, str | None]]:
    path = shared("warc", name)
    file = InputFile(url=str(path), path=name, size=path.stat().st_size)
    found = {}
    for table in Warc(name="pages", path=name).read(Split(file), ReadLog()):
        columns = (table[c].to_pylist() for c in ("id", "raw", "content_type"))
        found.update({i: (raw, kind) for i, raw, kind in zip(*columns, strict=True)})
    return found


def agreement(pages: Sequence[Page], texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 (and absent) per kind of annotation."""
    result = {}
    for kind in KINDS:
        pairs = [(p.truth, t) for p, t in zip(pages, texts, strict=True) if p.kind == kind]
        result[kind] = _segments(pairs) if kind == "segments" else _bags(pairs)
    return result


def _bags(pairs: list[tuple[dict[str, Any], str]]) -> dict[str, float]:
    scores = [_bag(_words(truth["text"]), _words(text)) for truth, text in pairs]
    return dict(
        zip(("precision", "recall", "f1"), map(mean, zip(*scores, strict=True)), strict=True)
    )


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))


def _bag(truth: Counter[str], found: Counter[str]) -> tuple[float, float, float]:
    shared_words = (truth & found).total()
    precision = shared_words / max(found.total(), 1)
    recall = shared_words / max(truth.total(), 1)
    return precision, recall, _f1(precision, recall)


def _segments(pairs: list[tuple[dict[str, Any], str]]) -> dict[str, float]:
    hits = {"with": [], "without": []}
    for truth, text in pairs:
        text = " ".join(text.split())
        for side, found in hits.items():
            found += [" ".join(segment.split()) in text for segment in truth[side]]
    good, bad = sum(hits["with"]), sum(hits["without"])
    precision, recall = good / max(good + bad, 1), good / len(hits["with"])
    absent = 1 - bad / len(hits["without"])
    return {
        "precision": precision,
        "recall": recall,
        "f1": _f1(precision, recall),
        "absent": absent,
    }


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
