"""Real items in real documents: recall per kind of edit, precision, and documents without any."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.benchmarks.leaked_items import Document, evidence, others, planted
from tests.curation.decontaminate.running import run

pytestmark = pytest.mark.shared


def found_in(folder: Path, documents: list[Document]) -> dict[str, set[str]]:
    """The items that each document is found to hold."""
    rows = [tuple(row.values()) for row in evidence().to_pylist()]
    sizes = [min(1000, len(documents) - i) for i in range(0, len(documents), 1000)]
    outcome = run(folder, [one.text for one in documents], rows, sizes=sizes, action="mark")
    found: dict[str, set[str]] = {}
    for hit in outcome.hits:
        found.setdefault(documents[int(hit["id"][1:])].id, set()).add(hit["item"])
    return found


def test_planted_items_are_found_and_nothing_else(tmp_path: Path) -> None:
    documents = planted()
    found = found_in(tmp_path, documents)
    clean = {one.id for one in documents if one.item is None}
    assert len(clean) == 760
    assert not clean & found.keys()
    missed = [one for one in documents if one.item and one.item not in found.get(one.id, set())]
    # One question has two words: it cannot be told from others.
    assert [(one.item, one.edit) for one in missed] == [("piqa/609", "question_only")]


def test_documents_on_the_topics_of_items_are_clean(tmp_path: Path) -> None:
    """Speeches, contracts, proofs, code, encyclopedia: what repeats in them is no item.

    The four that are found are problems of GSM8K's training set that its test set has with other
    numbers.
    """
    documents = others()
    found = found_in(tmp_path, documents)
    assert len(documents) > 25_000
    sources = Counter(one.source for one in documents if one.id in found)
    assert dict(sources) == {"math_word": 4}
