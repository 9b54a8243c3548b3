"""Parts of sources that stages learn from: how they are given, and which documents they hold."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from curation.errors import UserError
from curation.parts import Part

ROWS = pa.table(
    {
        "url": ["https://a.example/1", None, "https://b.example/2", "https://c.example/3"],
        "date": ["2019-12-31", "2020-01-01", None, "2024-06-30T10:00:00Z"],
        "meta": ['{"score": 5, "tag": "a"}', '{"score": "5", "ok": true}', None, '{"score": 4.5}'],
        "gopher_quality.num_words": pa.array([100, 99, None, 101], pa.int64()),
        "quality.score": pa.array([0.5, 0.25, 1.0, 0.0], pa.float64()),
    }
)


def rows(where: dict[str, Any]) -> list[int]:
    part = Part.parse({"from": "forum", "where": where})
    table = ROWS.select(list(part.columns()) or ["url"])
    found = part.matches(table)
    assert found.null_count == 0
    return [i for i, holds in enumerate(found.to_pylist()) if holds]


def test_part_of_a_name_is_the_whole_source() -> None:
    part = Part.parse("wiki")
    assert (part.name, part.columns(), str(part)) == ("wiki", (), "'wiki'")
    assert part == Part.parse({"from": "wiki"})
    assert part.matches(ROWS).to_pylist() == [True] * 4


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"gopher_quality.num_words": {"min": 100}}, [0, 3]),
        ({"gopher_quality.num_words": {"max": 100}}, [0, 1]),
        ({"gopher_quality.num_words": {"min": 99.5}}, [0, 3]),
        ({"gopher_quality.num_words": {"in": [99, 101]}}, [1, 3]),
        ({"quality.score": {"min": 0.25, "max": 0.5}}, [0, 1]),
        ({"date": {"min": "2020", "max": "2024"}}, [1]),
        ({"url": {"in": ["https://a.example/1", "x"]}}, [0]),
        ({"meta.score": {"min": 5}}, [0]),
        ({"meta.score": {"max": 4.5}}, [3]),
        ({"meta.score": {"in": ["5"]}}, [1]),
        ({"meta.ok": {"in": [True]}}, [1]),
        ({"meta.ok": {"in": [1]}}, []),
        ({"meta.none": {"min": 0}}, []),
        ({"meta.score": {"min": 0}, "quality.score": {"min": 0.1}}, [0]),
    ],
)
def test_part_where_holds_at_equality_and_never_for_what_is_missing(
    where: dict[str, Any], expected: list[int]
) -> None:
    assert rows(where) == expected


def test_part_where_takes_metas_that_are_no_objects() -> None:
    part = Part.parse({"from": "s", "where": {"meta.a": {"min": 1}}})
    table = pa.table({"meta": ["[1]", "", "3", '{"a": 1}']})
    assert part.matches(table).to_pylist() == [False, False, False, True]


def test_part_where_takes_an_empty_table() -> None:
    part = Part.parse({"from": "s", "where": {"meta.a": {"min": 1}, "date": {"min": "2"}}})
    assert part.matches(ROWS[:0]).to_pylist() == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"from": 3},
        {"where": {"date": {"min": "2"}}},
        {"from": "s", "wher": {}},
        {"from": "s", "where": []},
        {"from": "s", "where": {"date": {}}},
        {"from": "s", "where": {"date": {"minimum": "2"}}},
        {"from": "s", "where": {"date": "2020"}},
        {"from": "s", "where": {"date": {"in": []}}},
        {"from": "s", "where": {"date": {"in": "2020"}}},
        {"from": "s", "where": {"date": {"min": ["2"]}}},
    ],
)
def test_part_of_another_shape_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Got"):
        Part.parse(given)


KNOWN = {"quality.score": pa.float64(), "license.is_open": pa.bool_()}


@pytest.mark.parametrize(
    "where",
    [
        {"quality.score": {"min": 1}},
        {"license.is_open": {"in": [True]}},
        {"meta.anything": {"min": "a", "max": 3}},
        {"language": {"in": ["en"]}},
    ],
)
def test_part_check_takes_known_columns_of_the_right_type(where: dict[str, Any]) -> None:
    Part.parse({"from": "s", "where": where}).check(KNOWN)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"quality.scores": {"min": 1}}, "Did you mean 'quality.score'"),
        ({"quality.score": {"min": "high"}}, "does not compare with 'high'"),
        ({"date": {"min": 2020}}, "does not compare with 2020"),
        ({"license.is_open": {"min": 1}}, "does not compare with 1"),
        ({"quality.score": {"in": [True]}}, "does not compare with True"),
    ],
)
def test_part_check_names_the_column_that_is_wrong(where: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        Part.parse({"from": "s", "where": where}).check(KNOWN)
    assert next(iter(where)) in error.value.where


def test_part_description_is_the_same_for_equal_parts() -> None:
    one = Part.parse({"from": "s", "where": {"a": {"min": 1}, "b": {"in": ["x"]}}})
    other = Part.parse({"from": "s", "where": {"b": {"in": ["x"]}, "a": {"min": 1}}})
    assert one.describe() == other.describe()
    assert Part.parse("s").describe() == {"from": "s", "where": {}}
