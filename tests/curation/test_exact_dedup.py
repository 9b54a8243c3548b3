"""Exact duplicates, byte for byte or normalised."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.dedup.exact import ExactDedup
from curation.errors import UserError

MakeTable = Callable[..., pa.Table]


def gone(table: pa.Table, **params: Any) -> list[tuple[str, str]]:
    """(id, survivor) of the documents that go."""
    stage = ExactDedup(**params)
    found = stage.evidence(table)
    found = found.append_column("id", table["id"].take(found["row"]))
    found = found.append_column("slice", pa.array([0] * len(found), pa.int64()))
    rows = stage.resolve(found).to_pylist()
    assert all((r["drop_reason"], r["similarity"]) == ("duplicate", 1.0) for r in rows)
    return sorted((table["id"][r["row"]].as_py(), r["survivor_id"]) for r in rows)


def test_exact_dedup_first_of_equals_survives(documents: MakeTable) -> None:
    table = documents(["a", "b", "a", "c", "b", "a"])
    assert gone(table) == [("d2", "d0"), ("d4", "d1"), ("d5", "d0")]


@pytest.mark.parametrize(
    "other",
    [
        "a  b",
        " a b ",
        "a\nb",
        "a\t\r\nb",
        "a\u00a0b",
        "a\u2028b",
        "a\u0085b",
        "a\u3000b",
        "a\x0bb\x1f",
    ],
)
def test_exact_dedup_white_space_does_not_matter_when_normalised(
    documents: MakeTable, other: str
) -> None:
    assert gone(documents(["a b", other])) == [("d1", "d0")]
    assert gone(documents(["a b", other]), normalise="none") == []


@pytest.mark.parametrize("other", ["ab", "A b", "a b.", "b a", "a\u200bb", "", "a b a b"])
def test_exact_dedup_other_text_is_no_duplicate(documents: MakeTable, other: str) -> None:
    assert gone(documents(["a b", other])) == []


def test_exact_dedup_composed_and_decomposed_letters_differ(documents: MakeTable) -> None:
    assert gone(documents(["é", "e\u0301"])) == []


def test_exact_dedup_byte_for_byte_takes_equals_only(documents: MakeTable) -> None:
    assert gone(documents(["a b", "a  b", "a b"]), normalise="none") == [("d2", "d0")]


def test_exact_dedup_texts_without_words_are_duplicates_of_each_other(
    documents: MakeTable,
) -> None:
    assert gone(documents(["", " ", "\n", "x"])) == [("d1", "d0"), ("d2", "d0")]


def test_exact_dedup_survivor_is_first_in_corpus_order_across_slices(documents: MakeTable) -> None:
    stage, table = ExactDedup(), documents(["a", "a"])
    parts = []
    for number in (0, 1):
        found = stage.evidence(table[number : number + 1])
        found = found.append_column("id", table["id"][number : number + 1])
        parts.append(found.append_column("slice", pa.array([number], pa.int64())))
    rows = stage.resolve(pa.concat_tables(parts)).to_pylist()
    assert [(r["slice"], r["row"], r["survivor_id"]) for r in rows] == [(1, 0, "d0")]


def test_exact_dedup_sliced_and_chunked_tables_have_the_same_evidence(
    documents: MakeTable,
) -> None:
    table = documents(["x", "a", "bb", "ccc"])
    whole = ExactDedup().evidence(table)["key"].to_pylist()
    assert ExactDedup().evidence(table[2:])["key"].to_pylist() == whole[2:]
    chunked = pa.concat_tables([table[:1], table[1:]])
    assert ExactDedup().evidence(chunked)["key"].to_pylist() == whole


def test_exact_dedup_unknown_normalisation_is_an_error() -> None:
    with pytest.raises(UserError, match="whitespace, none"):
        build(ExactDedup, {"normalise": "spaces"}, where="r.yaml")
