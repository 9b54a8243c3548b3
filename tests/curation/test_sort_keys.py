"""Keys that sort: numbers and dates."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sort_keys import ascending, instants


@given(st.lists(st.floats(allow_nan=False)))
def test_ascending_keeps_the_order_of_numbers(values: list[float]) -> None:
    keys = ascending(np.array(values, np.float64))
    for i, one in enumerate(values):
        for j, other in enumerate(values):
            assert (keys[i] < keys[j]) == (one < other)


FIRST_AND_LAST = [
    ("2021", "2021-01-01T00:00:00.000", "2021-12-31T23:59:59.999"),
    ("2021-02", "2021-02-01T00:00:00.000", "2021-02-28T23:59:59.999"),
    ("2020-02-29", "2020-02-29T00:00:00.000", "2020-02-29T23:59:59.999"),
    ("20210305", "2021-03-05T00:00:00.000", "2021-03-05T23:59:59.999"),
    ("2021-03-05T10", "2021-03-05T10:00:00.000", "2021-03-05T10:59:59.999"),
    ("2021-03-05 10:30Z", "2021-03-05T10:30:00.000", "2021-03-05T10:30:59.999"),
    ("2021-03-05T10:30:15+02:00", "2021-03-05T08:30:15.000", "2021-03-05T08:30:15.999"),
    ("2021-03-05T22:30:15-0230", "2021-03-06T01:00:15.000", "2021-03-06T01:00:15.999"),
    ("20210305T103015.5Z", "2021-03-05T10:30:15.500", "2021-03-05T10:30:15.500"),
    ("2021-03-05T10:30:15.123999z", "2021-03-05T10:30:15.123", "2021-03-05T10:30:15.123"),
    (" 2021-03-05T10:30:15,25 ", "2021-03-05T10:30:15.250", "2021-03-05T10:30:15.250"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000", "2017-01-01T00:00:00.999"),
    ("0000", "0000-01-01T00:00:00.000", "0000-12-31T23:59:59.999"),
    ("9999-12-31", "9999-12-31T00:00:00.000", "9999-12-31T23:59:59.999"),
]


@pytest.mark.parametrize(("date", "first", "last"), FIRST_AND_LAST)
def test_instants_of_a_date_are_those_it_may_mean(date: str, first: str, last: str) -> None:
    column = pa.chunked_array([[None], [date]], pa.string())
    assert instants(column)[1] == np.datetime64(first, "ms")
    assert instants(column, last=True)[1] == np.datetime64(last, "ms")


@pytest.mark.parametrize(
    "date",
    [
        *(
            "",
            "x",
            "21",
            "2021-13",
            "2021-00",
            "2021-02-29",
            "2021-01-32",
            "2021-01-00",
            "2021-3-5",
        ),
        *(
            "2021-01-01T24:00",
            "2021-01-01T10:60",
            "March 2021",
            "2021-01-01x",
            "20211",
            "٢٠٢١",
            None,
        ),
    ],
)
def test_instants_of_what_is_no_date_are_none(date: str | None) -> None:
    for last in (False, True):
        assert np.isnat(instants(pa.array([date], pa.string()), last=last)).all()


def test_instants_of_nothing_are_nothing() -> None:
    assert len(instants(pa.chunked_array([], pa.string()))) == 0
