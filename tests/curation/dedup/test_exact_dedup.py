"""Exact duplicates, byte for byte or normalised."""

import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.dedup.exact import ExactDedup
from curation.errors import UserError
from tests.curation.dedup.keyed_stages import decisions, evidence_of, gone
from tests.curation.dedup.plain_lines import plain_form

MakeTable = Callable[..., pa.Table]


def test_exact_dedup_first_of_equals_survives(documents: MakeTable) -> None:
    table = documents(["a", "b", "a", "c", "b", "a"])
    assert gone(ExactDedup(), table) == [("d2", "d0"), ("d4", "d1"), ("d5", "d0")]


def test_exact_dedup_decision_says_why(documents: MakeTable) -> None:
    assert decisions(ExactDedup(), documents(["a", "a"])) == [
        {
            "row": 1,
            "drop_reason": "duplicate",
            "drop_value": None,
            "drop_threshold": None,
            "survivor_id": "d0",
            "similarity": 1.0,
        }
    ]


@pytest.mark.parametrize(
    "other",
    ["a  b", " a b ", "a\nb", "a\t\r\nb", "a\u00a0b", "a\u2028b", "a\u0085b", "a\u3000b"],
)
def test_exact_dedup_white_space_does_not_matter_when_normalised(
    documents: MakeTable, other: str
) -> None:
    assert gone(ExactDedup(), documents(["a b", other])) == [("d1", "d0")]
    assert gone(ExactDedup(normalise="none"), documents(["a b", other])) == []


@pytest.mark.parametrize("other", ["ab", "A b", "a b.", "b a", "a\u200bb", "", "a b a b", "a b\0"])
def test_exact_dedup_other_text_is_no_duplicate(documents: MakeTable, other: str) -> None:
    assert gone(ExactDedup(), documents(["a b", other])) == []


def test_exact_dedup_case_and_punctuation_as_asked(documents: MakeTable) -> None:
    table = documents(["One-way, 1999", "ONE-WAY,  1999", "one way 1999!", "One way 2024"])
    expected = {"whitespace": 0, "case": 1, "alphanumeric": 2, "digits": 3}
    for form, count in expected.items():
        assert len(gone(ExactDedup(normalise=form), table)) == count  # type: ignore[arg-type]


def test_exact_dedup_composed_and_decomposed_letters_differ(documents: MakeTable) -> None:
    assert gone(ExactDedup(normalise="digits"), documents(["é", "e\u0301"])) == []


def test_exact_dedup_texts_without_words_are_duplicates_of_each_other(
    documents: MakeTable,
) -> None:
    table = documents(["", " ", "\n", None, "x"])
    assert gone(ExactDedup(), table) == [("d1", "d0"), ("d2", "d0"), ("d3", "d0")]


@pytest.mark.parametrize("form", ["none", "whitespace", "case", "alphanumeric", "digits"])
def test_exact_dedup_is_what_a_dict_of_texts_finds(documents: MakeTable, form: str) -> None:
    draw = random.Random(form)
    texts = ["".join(draw.choices("aAéÉ1٣ \n.-", k=draw.randint(0, 4))) for _ in range(400)]
    first: dict[str, int] = {}
    expected = []
    for i, text in enumerate(texts):
        survivor = first.setdefault(plain_form(text, form), i)
        if survivor != i:
            expected.append((f"d{i}", f"d{survivor}"))
    assert len(expected) > 20
    assert gone(ExactDedup(normalise=form), documents(texts)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "survivors"),
    [
        ({}, {"z", "y"}),
        ({"keep": "longest"}, {"w", "x"}),
        ({"keep": "newest"}, {"w", "y"}),
        ({"keep": "oldest"}, {"v", "y"}),
        ({"keep": "highest", "column": "s.n"}, {"v", "y"}),
        ({"keep": "lowest", "column": "s.n"}, {"w", "x"}),
        ({"source_priority": ("books",)}, {"w", "x"}),
        ({"keep": "oldest", "source_priority": ("web", "books")}, {"v", "y"}),
    ],
)
def test_exact_dedup_survivor_is_the_best_by_policy(
    documents: MakeTable, given: dict[str, Any], survivors: set[str]
) -> None:
    table = documents(
        ["same", "other", "same ", "other  ", "same"],
        id=["z", "y", "w", "x", "v"],
        date=["2020", "2021", "2022-05", None, "2019-01-01"],
        source=["web", "web", "books", "books", "web"],
    ).append_column("s.n", pa.array([0.5, 0.9, 0.1, 0.2, 0.7]))
    found = gone(ExactDedup(**given), table)
    assert {survivor for _, survivor in found} == survivors
    assert {name for name, _ in found} | survivors == {"v", "w", "x", "y", "z"}


def test_exact_dedup_ties_go_by_id_unless_the_first_stays(documents: MakeTable) -> None:
    table = documents(["a", "a", "a"], id=["c", "a", "b"])
    assert {s for _, s in gone(ExactDedup(), table)} == {"c"}
    assert {s for _, s in gone(ExactDedup(keep="longest"), table)} == {"a"}


@pytest.mark.parametrize("given", [{}, {"keep": "longest"}, {"source_priority": ("s",)}])
def test_exact_dedup_does_not_depend_on_slices_and_partitions(
    documents: MakeTable, given: dict[str, Any]
) -> None:
    draw = random.Random(1)
    table = documents([draw.choice("abcdefgh") * draw.randint(1, 3) for _ in range(90)])
    stage = ExactDedup(**given)
    whole = decisions(stage, table)
    assert len(whole) > 50
    for sizes, partitions in (([1] * 90, 3), ([7, 0, 40, 43], 7), ([89, 1], 1)):
        assert decisions(stage, table, sizes, partitions) == whole


def test_exact_dedup_sliced_and_chunked_tables_have_the_same_evidence(
    documents: MakeTable,
) -> None:
    table = documents(["x", "a", "bb", "ccc"])
    whole = ExactDedup().evidence(table)["key"].to_pylist()
    assert ExactDedup().evidence(table[2:])["key"].to_pylist() == whole[2:]
    chunked = pa.concat_tables([table[:1], table[1:]])
    assert ExactDedup().evidence(chunked)["key"].to_pylist() == whole


def test_exact_dedup_second_pass_removes_nothing(documents: MakeTable) -> None:
    table = documents(["a", "b", "a", " b", "c"])
    stays = table.filter(pa.array([True, True, False, False, True]))
    assert len(gone(ExactDedup(), table)) == 2
    assert gone(ExactDedup(), stays) == []


def test_exact_dedup_reads_no_more_than_it_needs(documents: MakeTable) -> None:
    assert ExactDedup().reads == ("text",)
    assert ExactDedup(keep="longest", source_priority=("a",)).reads == ("text", "source")
    assert ExactDedup(keep="newest").reads == ("text", "date")
    names = evidence_of(ExactDedup(), documents(["a"]), [1]).column_names
    assert "text" not in names


def test_exact_dedup_column_must_be_there_and_hold_numbers() -> None:
    known = {"text": pa.string(), "s.n": pa.float64()}
    ExactDedup(keep="highest", column="s.n").check_columns(known)
    with pytest.raises(UserError, match=r"no column 's.m'"):
        ExactDedup(keep="highest", column="s.m").check_columns(known)
    with pytest.raises(UserError, match="needs a number"):
        ExactDedup(keep="lowest", column="text").check_columns(known)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"normalise": "spaces"}, "none, whitespace, case, alphanumeric, digits"),
        ({"keep": "best"}, "first, longest, newest, oldest, highest, lowest"),
        ({"keep": "highest"}, "needs 'column'"),
        ({"column": "s.n"}, "'column' is for"),
    ],
)
def test_exact_dedup_parameters_that_cannot_be_are_errors(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        build(ExactDedup, given, where="r.yaml")
