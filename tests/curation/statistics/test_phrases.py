"""Phrases are found where plain Python finds them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.statistics.phrases import find_phrases, make_phrases, matches

CHECKED = settings(max_examples=300, deadline=None, derandomize=True, database=None)
LETTERS = "abc. {-é中K"  # the last is no ASCII letter, though its lower case is one
phrases = st.lists(st.text(st.sampled_from("abc. {-"), min_size=1, max_size=5), min_size=1)
texts = st.text(st.sampled_from(LETTERS + "ABCk\n\x00"), max_size=40)


def found(text: str, wanted: list[str], before: str = "", after: str = "") -> list[bool]:
    """Per phrase, whether it occurs in `text`, which stands between others."""
    data = (before + text + after).encode() + bytes(8)
    start = len(before.encode())
    stop = start + len(text.encode())
    bits = find_phrases(np.frombuffer(data, np.uint8), start, stop, make_phrases(wanted))
    return [bool(bits >> i & 1) for i in range(len(wanted))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lorem ipsum", [True, False, False]),
        ("LoReM IPSUM {", [True, True, False]),
        ("Lorem  ipsum", [False, False, False]),
        ("ipsum lorem", [False, False, False]),
        ("{", [False, True, False]),
        ("xJavaScripts", [False, False, True]),
        ("javascrip", [False, False, False]),
        ("jjavascriptt", [False, False, True]),
        ("javasjavascript", [False, False, True]),
        ("", [False, False, False]),
    ],
)
def test_find_phrases_in_any_case(text: str, expected: list[bool]) -> None:
    assert found(text, ["lorem ipsum", "{", "javascript"]) == expected


def test_find_phrases_of_kelvin_sign_is_no_letter() -> None:
    """`str.lower` would make it a `k`."""
    assert "\u212a".lower() == "k"
    assert found("use coo\u212aies", ["use cookies"]) == [False]


@CHECKED
@given(texts, phrases, texts, texts)
def test_find_phrases_equals_plain_python_wherever_the_text_lies(
    text: str, wanted: list[str], before: str, after: str
) -> None:
    lower = text.encode().lower()  # of ASCII only
    assert found(text, wanted, before, after) == [one.encode() in lower for one in wanted]


@CHECKED
@given(texts, phrases)
def test_matches_equals_plain_python_at_every_place(text: str, wanted: list[str]) -> None:
    data = text.encode()
    array, made = np.frombuffer(data + bytes(8), np.uint8), make_phrases(wanted)
    for i, one in enumerate(wanted):
        for at in range(len(data) + 1):
            expected = data[at:].lower().startswith(one.encode())
            assert matches(array, at, len(data), made, i) == expected
