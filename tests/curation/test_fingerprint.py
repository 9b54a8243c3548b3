"""Identity: equal things have one fingerprint, different ones have two."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from curation.fingerprint import canonical, fingerprint


@dataclass(frozen=True)
class Pair:
    a: Any
    b: Any


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"x": {"a": 1, "b": 2}}, {"x": {"b": 2, "a": 1}}),
        ((1, 2), [1, 2]),
        (1.0, 1),
        (-0.0, 0),
        (1e22, 10**22),
        (Pair(1, "x"), {"a": 1, "b": "x"}),
        (np.float64(0.5), 0.5),
    ],
)
def test_fingerprint_equal_values_are_equal(one: Any, other: Any) -> None:
    assert fingerprint(one) == fingerprint(other)


DIFFERENT: list[Any] = [
    None, True, False, 0, 1, 2, "", "0", "1", "null", "true", 0.5, "0.5", [], [[]], [1, 2], [2, 1],
    ["1", "2"], ["1,2"], {}, {"a": None}, {"a": 1}, {"a": [1]}, {"b": 1}, "é", "e\u0301",
    0.1 + 0.2, 0.3,
]  # fmt: skip


def test_fingerprint_different_values_differ() -> None:
    prints = [fingerprint(value) for value in DIFFERENT]
    assert len(set(prints)) == len(prints)
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in prints)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"a": {"b": float("nan")}}, "value.a.b"),
        ([0, float("inf")], "value[1]"),
        ({"f": print}, "value.f"),
        ({"s": {1, 2}}, "value.s"),
        ([object()], "value[0]"),
        (b"bytes", "value"),
        (Pair(1, lambda: 0), "value.b"),
        ({"path": Path("a/b")}, "value.path"),
        (PurePosixPath("a"), "value"),
        (Pair, "value"),
    ],
)
def test_fingerprint_value_without_stable_form_is_refused_by_name(value: Any, named: str) -> None:
    with pytest.raises(TypeError) as error:
        fingerprint(value)
    assert str(error.value).startswith(f"{named} is ")


def test_fingerprint_canonical_keeps_numbers_that_json_can_hold() -> None:
    assert canonical({"b": (1.5, 2.0), "a": None}) == {"a": None, "b": [1.5, 2]}


def test_fingerprint_is_the_same_in_another_process() -> None:
    """No part of it hangs on the seed of Python's own hashes."""
    value = {"words": ["é", "b"], "x": 0.1, "n": None}
    script = f"from curation.fingerprint import fingerprint; print(fingerprint({value!r}))"
    prints = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert prints == {fingerprint(value)}
