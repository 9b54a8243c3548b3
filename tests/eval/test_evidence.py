"""Evidence: every text of every item, once, under the field it is."""

from pathlib import Path

import pyarrow.parquet as pq

from eval.evidence import EVIDENCE_SCHEMA, write_evidence
from eval.suites.built_in import built_in
from eval.suites.header import Header
from eval.suites.items import Item, ItemType, LmCompletion, MinimalPair, MultipleChoice, Schema
from eval.suites.suite import Suite


def suite(name: str, kind: ItemType, item: Item) -> Suite:
    header = Header(
        name=name, version=1, type=kind, source="ours", licence="CC0-1.0", formulation="cloze"
    )
    return Suite(header, (item,))


def test_evidence_holds_all_fields(tmp_path: Path) -> None:
    suites = [
        suite(
            "mc",
            "multiple_choice",
            MultipleChoice(id="a", query="Which?", choices=("x", "y", "z", "x"), gold=1),
        ),
        suite(
            "ws", "schema", Schema(id="b", context_options=("A", "B"), continuation="ran", gold=0)
        ),
        suite("lm", "lm_completion", LmCompletion(id="c", context="", continuation="end")),
        suite("mp", "minimal_pair", MinimalPair(id="d", good="He is.", bad="He are.")),
    ]
    write_evidence(suites, tmp_path / "evidence.parquet")
    table = pq.read_table(tmp_path / "evidence.parquet")
    assert table.schema.equals(EVIDENCE_SCHEMA)
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("mc", "a", "question", "Which?"),
        ("mc", "a", "choice", "x"),
        ("mc", "a", "answer", "y"),
        ("mc", "a", "choice", "z"),
        ("ws", "b", "context", "A"),
        ("ws", "b", "context", "B"),
        ("ws", "b", "continuation", "ran"),
        ("lm", "c", "continuation", "end"),
        ("mp", "d", "sentence", "He is."),
        ("mp", "d", "sentence", "He are."),
    ]


def test_evidence_of_a_built_in_suite_names_each_item(tmp_path: Path) -> None:
    pairs = built_in("minimal_pairs")
    write_evidence([pairs], tmp_path / "e.parquet")
    table = pq.read_table(tmp_path / "e.parquet")
    assert len(table) == 2 * len(pairs.items)
    assert set(table["item"].to_pylist()) == {item.id for item in pairs.items}
