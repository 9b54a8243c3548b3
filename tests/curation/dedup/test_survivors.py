"""The policy by which one of several duplicates stays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curation.dedup.survivors import Policy
from curation.errors import UserError

MakeTable = Callable[..., pa.Table]


def ranked(policy: Policy, table: pa.Table) -> list[str]:
    """The ids, the best first."""
    order = pa.array(policy.order(table.select([*policy.reads])), pa.uint64())
    table = table.append_column("order", order)
    table = table.append_column("slice", pa.array([0] * len(table)))
    table = table.append_column("row", pa.array(range(len(table))))
    by = [(name, "ascending") for name in ("order", *policy.ties)]
    return table.sort_by(by)["id"].to_pylist()


def test_policy_first_is_corpus_order(documents: MakeTable) -> None:
    assert Policy().reads == ()
    assert ranked(Policy(), documents(["b", "a", "c"], id=["z", "y", "x"])) == ["z", "y", "x"]


def test_policy_longest_counts_characters_and_ties_by_id(documents: MakeTable) -> None:
    table = documents(["ééé", "aaaa", "", None, "bbbb"], id=["e", "d", "c", "b", "a"])
    assert ranked(Policy("longest"), table) == ["a", "d", "e", "b", "c"]


DATES = ["2021-03-05T10:00:00Z", "2021", None, "2020-12-31", "soon", "2021-03-05T12:30:00+01:00"]


def test_policy_dates_are_the_worst_instants_they_may_mean(documents: MakeTable) -> None:
    table = documents(["x"] * 6, date=DATES)
    assert ranked(Policy("newest"), table) == ["d5", "d0", "d1", "d3", "d2", "d4"]
    assert ranked(Policy("oldest"), table) == ["d3", "d0", "d5", "d1", "d2", "d4"]


def test_policy_dates_at_the_ends_of_the_calendar(documents: MakeTable) -> None:
    dates = ["0000-01-01T00:00:00+10:00", "9999-12-31T23:59:59.999-10:00", "2000", None]
    table = documents(["x"] * 4, date=dates)
    assert ranked(Policy("newest"), table) == ["d1", "d2", "d0", "d3"]
    assert ranked(Policy("oldest"), table) == ["d0", "d2", "d1", "d3"]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int32()])
def test_policy_numbers_missing_ones_are_the_worst(documents: MakeTable, kind: pa.DataType) -> None:
    table = documents(["x"] * 4).append_column("s.n", pa.array([2, None, -3, 5], kind))
    assert ranked(Policy("highest", "s.n"), table) == ["d3", "d0", "d2", "d1"]
    assert ranked(Policy("lowest", "s.n"), table) == ["d2", "d0", "d3", "d1"]


def test_policy_numbers_of_any_size_and_nan(documents: MakeTable) -> None:
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-300, 1 + 1e-12]
    table = documents(["x"] * 7).append_column("s.n", pa.array(values))
    assert ranked(Policy("highest", "s.n"), table) == ["d1", "d6", "d5", "d3", "d4", "d2", "d0"]
    assert ranked(Policy("lowest", "s.n"), table) == ["d2", "d3", "d4", "d5", "d6", "d1", "d0"]


def test_policy_numbers_that_agree_in_so_many_digits_tie_by_id(documents: MakeTable) -> None:
    table = documents(["x"] * 2, id=["b", "a"])
    near = table.append_column("s.n", pa.array([1 + 1e-15, 1.0]))
    assert ranked(Policy("highest", "s.n"), near) == ["a", "b"]
    apart = table.append_column("s.n", pa.array([1 + 1e-12, 1.0]))
    assert ranked(Policy("highest", "s.n"), apart) == ["b", "a"]


def test_policy_source_goes_before_the_value(documents: MakeTable) -> None:
    sources = ["web", "books", "forum", "books", None]
    table = documents(["aaaaa", "a", "aaaa", "aa", "aaaaaa"], source=sources)
    policy = Policy("longest", source_priority=("books", "forum"))
    assert policy.reads == ("text", "source")
    assert ranked(policy, table) == ["d3", "d1", "d2", "d4", "d0"]


def test_policy_first_by_source_then_corpus_order(documents: MakeTable) -> None:
    table = documents(["x"] * 4, source=["a", "b", "a", "b"], id=["3", "2", "1", "0"])
    assert ranked(Policy(source_priority=("b",)), table) == ["2", "0", "3", "1"]


def test_policy_order_of_no_documents_is_empty(documents: MakeTable) -> None:
    for policy in (Policy(), Policy("newest"), Policy("longest", source_priority=("a",))):
        assert len(policy.order(documents([]))) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"keep": "highest"}, "needs 'column'"),
        ({"keep": "longest", "column": "s.n"}, "'column' is for"),
        ({"source_priority": ("a", "b", "a")}, "a source twice"),
        ({"source_priority": tuple(map(str, range(256)))}, "at most 255"),
    ],
)
def test_policy_that_cannot_be_is_an_error(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Policy(**given)


def test_policy_column_must_hold_numbers() -> None:
    policy = Policy("highest", "s.n")
    policy.check_columns({"s.n": pa.int64()})
    with pytest.raises(UserError, match="is string: 'keep: highest' needs a number"):
        policy.check_columns({"s.n": pa.string()})
