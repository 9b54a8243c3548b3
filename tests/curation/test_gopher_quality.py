"""Gopher's quality rules on texts whose counts are plain to see."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from curation.filters.gopher_quality import GopherQuality

OFF: dict[str, Any] = dict.fromkeys(GopherQuality.decides)
Measure = Callable[[GopherQuality, str], dict[str, Any]]
Reason = Callable[[GopherQuality, str], str | None]


def only(**params: Any) -> GopherQuality:
    """All rules off but these."""
    return GopherQuality(**{**OFF, **params})


# (parameter, threshold, the last text that stays, the first that goes)
EDGES = [
    # 50 and 49 words
    ("min_words", 50, "a " * 50, "a " * 49),
    ("max_words", 100_000, "a " * 100_000, "a " * 100_001),
    # letters per word: 12/4 = 3, 11/4
    ("min_avg_word_len", 3.0, "four two two one", "four two two i!"),
    # 20/2 = 10, 21/2
    ("max_avg_word_len", 10.0, "abcdefghij klmnopqrst", "abcdefghij klmnopqrstu"),
    # '#' per piece: 1/10, 1/9
    ("max_symbol_word_ratio", 0.1, "# " + "a " * 9, "# " + "a " * 8),
    # ellipses per piece: 1/10, 1/9; one is attached to its word, so it adds no piece
    ("max_symbol_word_ratio", 0.1, "a... " + "a " * 9, "a... " + "a " * 8),
    ("max_symbol_word_ratio", 0.1, "a… " + "a " * 9, "a… " + "a " * 8),
    # bulleted lines: 9/10, 10/11
    ("max_bullet_line_frac", 0.9, "- a\n" * 9 + "a\n", "- a\n" * 10 + "a\n"),
    ("max_bullet_line_frac", 0.9, "  • a\n" * 9 + "\n\na\n", "  • a\n" * 10 + "\n\na\n"),
    # lines that trail off: 3/10, 4/10
    ("max_ellipsis_line_frac", 0.3, "a...\n" * 3 + "a\n" * 7, "a...\n" * 4 + "a\n" * 6),
    ("max_ellipsis_line_frac", 0.3, "a…  \n" * 3 + "a\n" * 7, "a…  \n" * 4 + "a\n" * 6),
    # pieces with a letter: 8/10, 7/10
    ("min_alpha_word_frac", 0.8, "a " * 8 + "1 --", "a " * 7 + "1 2 --"),
    # distinct stop words: 2, 1 (twice)
    ("min_stop_words", 2, "the cat and dog", "the cat the dog"),
]


@pytest.mark.parametrize(("param", "threshold", "inside", "outside"), EDGES)
def test_gopher_quality_at_threshold_keeps_inside_and_drops_outside(
    reason: Reason, param: str, threshold: float, inside: str, outside: str
) -> None:
    stage = only(**{param: threshold})
    assert reason(stage, inside) is None
    assert reason(stage, outside) == param


@pytest.mark.parametrize(("param", "outside"), [(e[0], e[3]) for e in EDGES])
def test_gopher_quality_rule_set_to_none_is_off(reason: Reason, param: str, outside: str) -> None:
    assert reason(only(), outside) is None


def test_gopher_quality_defaults_are_those_of_the_paper() -> None:
    assert GopherQuality().parameters() == {
        "min_words": 50,
        "max_words": 100_000,
        "min_avg_word_len": 3.0,
        "max_avg_word_len": 10.0,
        "max_symbol_word_ratio": 0.1,
        "max_bullet_line_frac": 0.9,
        "max_ellipsis_line_frac": 0.3,
        "min_alpha_word_frac": 0.8,
        "min_stop_words": 2,
    }


def test_gopher_quality_edges_cover_every_parameter() -> None:
    assert {e[0] for e in EDGES} == set(GopherQuality().parameters())


# Pieces, by line: "The" "cat" "#1" "sat..." | "-" "42%" "of" "it's" "…"
MIXED = "The cat #1 sat...\n\n  - 42% of it's …\n"


def test_gopher_quality_mixed_text_measures_as_counted_by_hand(measure: Measure) -> None:
    found = measure(GopherQuality(), MIXED)
    # words: The cat 1 sat 42 of it s = 8, of 3+3+1+3+2+2+2+1 = 17 letters and digits
    assert found["num_words"] == 8
    assert found["avg_word_len"] == 17 / 8
    assert found["hash_word_ratio"] == 1 / 9
    assert found["ellipsis_word_ratio"] == 2 / 9
    assert found["bullet_line_frac"] == 1 / 2
    assert found["ellipsis_line_frac"] == 2 / 2
    assert found["alpha_word_frac"] == 5 / 9  # The cat sat... of it's
    assert found["num_stop_words"] == 1  # "of"; "The" is not "the"


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("##a", "hash_word_ratio", 2.0),  # two marks in one piece
        ("a.. b", "ellipsis_word_ratio", 0.0),  # two dots are no ellipsis
        ("a.... b", "ellipsis_word_ratio", 0.5),  # four are one
        ("…… b", "ellipsis_word_ratio", 0.5),  # a run counts once
        ("été naïve", "avg_word_len", 4.0),  # code points, not bytes
        ("e\u0301te\u0301 a", "avg_word_len", 3.0),  # marks count: (5 + 1) / 2
        ("中文字", "num_words", 3),
        ("中文字", "avg_word_len", 1.0),
        ("don't", "num_words", 2),
        ("a\u2028b\u00a0c", "num_words", 3),  # both are white space
        ("a\r\n- b\r\n", "bullet_line_frac", 0.5),
        ("the to of and that have with be", "num_stop_words", 8),
        ("them tof andy", "num_stop_words", 0),  # whole words only
        ("- \n\n", "bullet_line_frac", 1.0),  # blank lines do not count
        ("", "num_words", 0),
        ("", "alpha_word_frac", 0.0),
        ("\n\n", "bullet_line_frac", 0.0),
    ],
)
def test_gopher_quality_short_text_measures_exactly(
    measure: Measure, text: str, column: str, value: float
) -> None:
    assert measure(GopherQuality(), text)[column] == value


def test_gopher_quality_several_rules_fail_first_in_order_is_the_reason(reason: Reason) -> None:
    assert reason(GopherQuality(), "a") == "min_words"
    assert reason(GopherQuality(min_words=None), "a") == "min_avg_word_len"


def test_gopher_quality_ordinary_prose_stays(reason: Reason) -> None:
    text = "The farmer turned the soil and waited for the rain to come with patience. " * 4
    assert reason(GopherQuality(), text) is None


def test_gopher_quality_measurements_are_finite_without_words(measure: Measure) -> None:
    for text in ("", " ", "...", "\n", "#", "😀"):
        assert all(map(math.isfinite, measure(GopherQuality(), text).values()))
