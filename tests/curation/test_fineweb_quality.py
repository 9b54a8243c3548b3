"""FineWeb's own rules: against hand counts, and against the rules in plain Python."""

from collections.abc import Callable
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.fineweb_quality import FinewebQuality
from curation.process import PlannedStage, process
from tests.curation.odd_texts import FRAGMENTS, strings
from tests.curation.segmentation import plain_tokens

OFF: dict[str, Any] = dict.fromkeys(FinewebQuality.decides)
Measure = Callable[[FinewebQuality, str], dict[str, Any]]
Reason = Callable[[FinewebQuality, str], str | None]


def only(**params: Any) -> FinewebQuality:
    """All rules off but these."""
    return FinewebQuality(**{**OFF, **params})


SHORT, LONG = "s" * 30 + "\n", "l" * 31 + "\n"
# (parameter, threshold, the last text that stays, the first that goes)
EDGES = [
    # lines that end in a mark: 3/25 = 0.12, 2/25
    ("min_line_punct_frac", 0.12, "a.\n" * 3 + "a\n" * 22, "a.\n" * 2 + "a\n" * 23),
    # short lines: 67/100, 68/100
    ("max_short_line_frac", 0.67, SHORT * 67 + LONG * 33, SHORT * 68 + LONG * 32),
    # characters of the second "a": 1 of 100, 1 of 99
    ("max_dup_line_char_frac", 0.01, "a\na\n" + "q" * 98, "a\na\n" + "q" * 97),
    # newlines per token: 3/10, 3/9
    ("max_newline_word_ratio", 0.3, "a\n" * 3 + "a " * 7, "a\n" * 3 + "a " * 6),
]


@pytest.mark.parametrize(("param", "threshold", "inside", "outside"), EDGES)
def test_fineweb_quality_at_threshold_keeps_inside_and_drops_outside(
    reason: Reason, param: str, threshold: float, inside: str, outside: str
) -> None:
    stage = only(**{param: threshold})
    assert reason(stage, inside) is None
    assert reason(stage, outside) == param
    assert reason(only(), outside) is None


def test_fineweb_quality_defaults_are_those_of_its_code() -> None:
    expected: dict[str, Any] = {param: threshold for param, threshold, _, _ in EDGES}
    expected |= {"short_line_chars": 30, "words": "tokens"}
    assert FinewebQuality().parameters() == expected


def test_fineweb_quality_rules_are_tried_in_order(reason: Reason) -> None:
    text = "soil\n" * 20
    off: dict[str, Any] = {}
    for param in FinewebQuality.decides:
        assert reason(FinewebQuality(**off), text) == param
        off[param] = None


def test_fineweb_quality_mixed_text_measures_as_counted_by_hand(measure: Measure) -> None:
    # lines of 9, 0, 9, 31, 1 (blank) and 7 code points; 5 newlines
    text = "The soil.\n\nThe soil.\n" + "x" * 30 + "!\n \n“Rain?”"
    found = measure(FinewebQuality(), text)
    assert found["line_punct_frac"] == 3 / 4  # not the one that ends in a quotation mark
    assert found["short_line_frac"] == 3 / 4
    assert found["dup_line_char_frac"] == 9 / 57  # 9 + 9 + 31 + 1 + 7
    # The soil . The soil . xxx ! “ Rain ? ” = 12 tokens
    assert found["newline_word_ratio"] == 5 / 12


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("a! b\nb?  \nc.\t", "line_punct_frac", 2 / 3),  # white space at the end of a line
        ("a。\nb؟\nc।\nd…", "line_punct_frac", 3 / 4),  # full stops of other scripts; no ellipsis
        ("a...\nb?!\nc:", "line_punct_frac", 2 / 3),
        ("a.\r\nb.\r\n", "line_punct_frac", 1.0),
        ("a.\u200b", "line_punct_frac", 0.0),  # a zero-width space is a character
        ("e\u0301.\nx\u0301", "line_punct_frac", 1 / 2),
        ("a.\u2028b", "line_punct_frac", 0.0),  # one line
        (".", "line_punct_frac", 1.0),
        ("a" * 30 + "\r\n" + "b" * 30, "short_line_frac", 1 / 2),  # \r counts as a character
        ("é" * 30 + "\n" + "é" * 31, "short_line_frac", 1 / 2),  # code points, not bytes
        ("中" * 31, "short_line_frac", 0.0),
        ("e\u0301" * 16, "short_line_frac", 0.0),  # 32 code points
        ("👨\u200d👩" * 10, "short_line_frac", 1.0),
        ("  a\na\n a", "dup_line_char_frac", 0.0),  # lines are compared as they are
        ("ab\nab\nab\ncd", "dup_line_char_frac", 4 / 8),
        ("é\né", "dup_line_char_frac", 1 / 2),
        ("\n\n \n \na", "dup_line_char_frac", 0.0),  # blank lines are none
        ("\x00\n\x00\n", "dup_line_char_frac", 1 / 2),
        ("a\n", "newline_word_ratio", 1.0),
        ("don't stop.\n", "newline_word_ratio", 1 / 3),
        ("中文\n字", "newline_word_ratio", 1 / 3),
        ("\n\n", "newline_word_ratio", 2.0),  # no token counts as one
        ("a\u2028b\u0085c", "newline_word_ratio", 0.0),
        ("", "newline_word_ratio", 0.0),
        ("", "line_punct_frac", 0.0),
        (" \n\t", "short_line_frac", 0.0),
    ],
)
def test_fineweb_quality_short_text_measures_exactly(
    measure: Measure, text: str, column: str, value: float
) -> None:
    assert measure(FinewebQuality(), text)[column] == value


@pytest.mark.parametrize("text", ["", " \n\u3000\n"])
def test_fineweb_quality_text_without_lines_ends_in_no_mark(reason: Reason, text: str) -> None:
    assert reason(FinewebQuality(), text) == "min_line_punct_frac"


def test_fineweb_quality_short_line_chars_moves_the_border(measure: Measure) -> None:
    text = "1\n22\n333\n4444"
    for chars, share in ((0, 0.0), (1, 1 / 4), (3, 3 / 4), (4, 1.0)):
        assert measure(FinewebQuality(short_line_chars=chars), text)["short_line_frac"] == share


def test_fineweb_quality_huge_line_and_a_million_lines(measure: Measure) -> None:
    found = measure(FinewebQuality(), "the rain. " * 200_000)
    assert (found["line_punct_frac"], found["short_line_frac"]) == (1.0, 0.0)
    found = measure(FinewebQuality(), "\n" * 1_000_000)
    assert found["newline_word_ratio"] == 1_000_000
    found = measure(FinewebQuality(), "x.\n" * 1_000_000)
    assert found["dup_line_char_frac"] == 1_999_998 / 2_000_000
    assert found["newline_word_ratio"] == 1_000_000 / 2_000_000


def test_fineweb_quality_drop_carries_value_and_threshold(documents: Any) -> None:
    _, dropped, _ = process(documents(["a\n" * 3]), [PlannedStage("fw", FinewebQuality())])
    row = dropped.to_pylist()[0]
    assert (row["drop_stage"], row["drop_reason"]) == ("fw", "min_line_punct_frac")
    assert (row["drop_value"], row["drop_threshold"]) == ("0", "0.12")


def plain_rules(text: str, short_line_chars: int) -> dict[str, float]:
    """The measurements in plain Python."""
    lines = [line for line in text.split("\n") if line.strip()]
    ended = [line for line in lines if regex.search(r"\p{Sentence_Terminal}\Z", line.rstrip())]
    short = [line for line in lines if len(line) <= short_line_chars]
    again = sum(len(line) for i, line in enumerate(lines) if line in lines[:i])
    return {
        "line_punct_frac": len(ended) / max(len(lines), 1),
        "short_line_frac": len(short) / max(len(lines), 1),
        "dup_line_char_frac": again / max(len(text.replace("\n", "")), 1),
        "newline_word_ratio": text.count("\n") / max(len(plain_tokens(text)), 1),
    }


TEXTS = st.one_of(strings, st.lists(st.sampled_from([*FRAGMENTS, *"\n\n\n\n..??ab"])).map("".join))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(TEXTS, max_size=5), st.integers(0, 12))
def test_fineweb_quality_generated_texts_equal_plain_python(
    documents: Any, texts: list[str], short_line_chars: int
) -> None:
    found = FinewebQuality(short_line_chars=short_line_chars).measure(documents(texts))
    rows = [{name: values[i].as_py() for name, values in found.items()} for i in range(len(texts))]
    assert rows == [plain_rules(text, short_line_chars) for text in texts]
