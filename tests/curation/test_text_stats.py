"""Lengths and kinds of characters: against hand counts, and against plain Python."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.text_stats import TextStats
from tests.curation.odd_texts import strings
from tests.curation.segmentation import plain_tokens

Measure = Callable[[TextStats, str], dict[str, Any]]
Reason = Callable[[TextStats, str], str | None]

# (parameter, threshold, the last text that stays, the first that goes); all shares are of 4 and 3
# code points, or of 4 and 5
EDGES = [
    ("min_chars", 4, "éé中 ", "éé中"),
    ("max_chars", 4, "éé中 ", "éé中  "),
    ("max_token_len", 5, "abcde don't", "abcde don'ts"),
    ("max_digit_frac", 0.25, "a1bc", "a1b"),
    ("max_upper_frac", 0.25, "aBcd", "aBc"),
    ("max_symbol_frac", 0.25, "a-bc", "a-b"),
    ("max_space_frac", 0.25, "a bc", "a b"),
    ("max_non_alpha_frac", 0.25, "a1bc", "a1b"),
]


@pytest.mark.parametrize(("param", "threshold", "inside", "outside"), EDGES)
def test_text_stats_at_threshold_keeps_inside_and_drops_outside(
    reason: Reason, param: str, threshold: float, inside: str, outside: str
) -> None:
    stage = TextStats(**{param: threshold})  # type: ignore[arg-type]
    assert reason(stage, inside) is None
    assert reason(stage, outside) == param


def test_text_stats_edges_cover_every_parameter_and_all_are_off() -> None:
    assert TextStats().parameters() == {param: None for param, *_ in EDGES}


@pytest.mark.parametrize("text", ["", "x" * 100_000, "1 2 3", "!!!", "ABC", " \n "])
def test_text_stats_without_limits_keeps_all(reason: Reason, text: str) -> None:
    assert reason(TextStats(), text) is None


def test_text_stats_rules_are_tried_in_order(reason: Reason) -> None:
    # 8 code points: 1 digit, 5 capitals, 1 symbol, 1 space; 3 are no letters
    text = "ABCDE1! "
    assert reason(TextStats(min_chars=9, max_token_len=0), text) == "min_chars"
    limits: dict[str, Any] = {param: 0 for param, *_ in EDGES}
    for param, *_ in EDGES[1:]:
        assert reason(TextStats(**limits), text) == param
        limits[param] = None


def test_text_stats_limits_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="'min_chars' of text_stats is 9, above 'max_chars', 8"):
        TextStats(min_chars=9, max_chars=8)


def test_text_stats_mixed_text_measures_as_counted_by_hand(measure: Measure) -> None:
    # "Don't " 6, "SHOUT" 5, "\n" 1, "3.14 €" 6, "\n" 1: 19 code points
    assert measure(TextStats(), "Don't SHOUT\n3.14 €\n") == {
        "num_chars": 19,
        "num_tokens": 4,  # Don't SHOUT 3.14 €
        "num_lines": 3,
        "max_token_len": 5,
        "digit_frac": 3 / 19,
        "upper_frac": 6 / 19,
        "symbol_frac": 3 / 19,  # ' . €
        "space_frac": 4 / 19,
        "non_alpha_frac": 10 / 19,  # 9 letters: D o n t S H O U T
    }


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("é中😀", "num_chars", 3),
        ("e\u0301", "num_chars", 2),
        ("e\u0301", "non_alpha_frac", 1 / 2),  # a mark is no letter
        ("中文", "num_tokens", 2),
        ("สวัสดี", "num_tokens", 4),  # a consonant with its marks
        ("สวัสดี", "max_token_len", 2),
        ("한국어", "max_token_len", 3),
        ("שלום עולם", "non_alpha_frac", 1 / 9),
        ("a\r\nb\r\n", "num_lines", 3),
        ("a\u2028b\u0085c\x0bd", "num_lines", 1),
        ("a\u2028b\u0085c\u00a0d", "space_frac", 3 / 7),
        ("a\u200bb", "space_frac", 0.0),
        ("\x00\x00", "symbol_frac", 0.0),  # control characters are of no kind
        ("\x00\x00", "max_token_len", 2),
        ("٣३", "digit_frac", 1.0),
        ("½Ⅷ²", "digit_frac", 0.0),  # numbers, no digits
        ("ǅÉʼ", "upper_frac", 2 / 3),  # a title-case letter counts
        ("中ßª", "upper_frac", 0.0),
        ("€😀+“", "symbol_frac", 1.0),
        ("\n", "num_lines", 2),
        ("a", "num_lines", 1),
        ("", "num_lines", 0),
        ("", "non_alpha_frac", 0.0),
        (" ", "max_token_len", 0),
    ],
)
def test_text_stats_short_text_measures_exactly(
    measure: Measure, text: str, column: str, value: float
) -> None:
    assert measure(TextStats(), text)[column] == value


def test_text_stats_huge_line_and_a_million_lines(measure: Measure) -> None:
    found = measure(TextStats(), "é" * 1_000_000 + " A")
    assert (found["num_chars"], found["max_token_len"]) == (1_000_002, 1_000_000)
    assert found["upper_frac"] == 1 / 1_000_002
    found = measure(TextStats(), "\n" * 1_000_000)
    assert (found["num_lines"], found["num_tokens"]) == (1_000_001, 0)
    assert (found["space_frac"], found["non_alpha_frac"]) == (1.0, 1.0)


def plain_stats(text: str) -> dict[str, float]:
    """The measurements in plain Python."""
    lengths = [len(token.string) for token in plain_tokens(text)]
    kinds = [unicodedata.category(char) for char in text]

    def share(count: int) -> float:
        return count / max(len(text), 1)

    return {
        "num_chars": len(text),
        "num_tokens": len(lengths),
        "num_lines": len(text.split("\n")) if text else 0,
        "max_token_len": max(lengths, default=0),
        "digit_frac": share(kinds.count("Nd")),
        "upper_frac": share(kinds.count("Lu") + kinds.count("Lt")),
        "symbol_frac": share(sum(kind[0] in "PS" for kind in kinds)),
        "space_frac": share(sum(map(str.isspace, text))),
        "non_alpha_frac": share(sum(not char.isalpha() for char in text)),
    }


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(strings, max_size=5))
def test_text_stats_generated_texts_equal_plain_python(documents: Any, texts: list[str]) -> None:
    found = TextStats().measure(documents(texts))
    rows = [{name: values[i].as_py() for name, values in found.items()} for i in range(len(texts))]
    assert rows == [plain_stats(text) for text in texts]
