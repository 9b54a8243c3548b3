"""Gopher's quality rules: against hand counts, and against the rules in plain Python."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.gopher_quality import BULLETS, STOP_WORDS, GopherQuality
from tests.curation.odd_texts import FRAGMENTS, strings
from tests.curation.segmentation import plain_tokens

OFF: dict[str, Any] = dict.fromkeys(GopherQuality.decides)
Measure = Callable[[GopherQuality, str], dict[str, Any]]
Reason = Callable[[GopherQuality, str], str | None]


def only(**params: Any) -> GopherQuality:
    """All rules off but these."""
    return GopherQuality(**{**OFF, **params})


# (parameter, threshold, the last text that stays, the first that goes)
EDGES = [
    # 50 and 49 words; symbols are none
    ("min_words", 50, "a " * 50, "a " * 49 + "! ?"),
    ("max_words", 100_000, "a " * 100_000, "a " * 100_001),
    # code points per word: (4 + 3 + 3 + 2)/4 = 3, (4 + 3 + 3 + 1)/4
    ("min_avg_word_len", 3.0, "four two two is", "four two two i!"),
    # 20/2 = 10, 21/2
    ("max_avg_word_len", 10.0, "abcdefghij klmnopqrst", "abcdefghij klmnopqrstu"),
    # '#' per piece: 1/10, 1/9
    ("max_symbol_word_ratio", 0.1, "# " + "a " * 9, "# " + "a " * 8),
    # ellipses per piece: 1/10, 1/9; one is attached to its word, so it adds no piece
    ("max_symbol_word_ratio", 0.1, "a... " + "a " * 9, "a... " + "a " * 8),
    ("max_symbol_word_ratio", 0.1, "a… " + "a " * 9, "a… " + "a " * 8),
    # bulleted lines: 9/10, 10/11; one blank line in 10 is a line too
    ("max_bullet_line_frac", 0.9, "- a\n" * 9 + "a", "- a\n" * 10 + "a"),
    ("max_bullet_line_frac", 0.9, "\n" + "  • a\n" * 8 + "  • a", "\n" + "  • a\n" * 9 + "  • a"),
    # lines that trail off: 3/10, 4/10
    ("max_ellipsis_line_frac", 0.3, "a...\n" * 3 + "a\n" * 6 + "a", "a...\n" * 4 + "a\n" * 5 + "a"),
    ("max_ellipsis_line_frac", 0.3, "a…  \n" * 3 + "\n" * 6, "a…  \n" * 4 + "\n" * 5),
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
    found = GopherQuality().parameters()
    assert {name: found[name] for name in GopherQuality.decides} == {
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
    assert found["stop_words"] == ("the", "be", "to", "of", "and", "that", "have", "with")
    assert found["words"] == "pieces"


def test_gopher_quality_edges_cover_every_parameter_that_decides() -> None:
    assert {e[0] for e in EDGES} == set(GopherQuality.decides)


# Lines: "The cat #1 sat..." | "" | "  - 42% of it's …" | ""
MIXED = "The cat #1 sat...\n\n  - 42% of it's …\n"


def test_gopher_quality_mixed_text_measures_as_counted_by_hand(measure: Measure) -> None:
    found = measure(GopherQuality(), MIXED)
    # words: The cat 1 sat 42 of it's = 7, of 3+3+1+3+2+2+4 = 18 code points
    assert found["num_words"] == 7
    assert found["avg_word_len"] == 18 / 7
    # pieces: The cat #1 sat... - 42% of it's … = 9
    assert found["hash_word_ratio"] == 1 / 9
    assert found["ellipsis_word_ratio"] == 2 / 9
    assert found["bullet_line_frac"] == 1 / 4
    assert found["ellipsis_line_frac"] == 2 / 4
    assert found["alpha_word_frac"] == 5 / 9  # The cat sat... of it's
    assert found["num_stop_words"] == 1  # "of"; "The" is not "the"


def test_gopher_quality_words_tokens_counts_punctuation_as_units(measure: Measure) -> None:
    found = measure(GopherQuality(words="tokens"), MIXED)
    # tokens: The cat # 1 sat ... - 42 % of it's … = 12
    assert found["hash_word_ratio"] == 1 / 12
    assert found["ellipsis_word_ratio"] == 2 / 12
    assert found["alpha_word_frac"] == 5 / 12  # The cat sat of it's
    pieces = measure(GopherQuality(), MIXED)
    same = ("num_words", "avg_word_len", "bullet_line_frac", "ellipsis_line_frac", "num_stop_words")
    assert [found[column] for column in same] == [pieces[column] for column in same]


@pytest.mark.parametrize(
    ("text", "params", "pieces", "tokens"),
    [
        # 1 mark: of 9 pieces, of 10 tokens
        ("#a " + "a " * 8, {"max_symbol_word_ratio": 0.1}, "max_symbol_word_ratio", None),
        # with a letter: 4 of 4 pieces, 4 of 8 tokens
        ("a, b, c, d,", {"min_alpha_word_frac": 0.8}, None, "min_alpha_word_frac"),
    ],
)
def test_gopher_quality_words_decides_by_its_units(
    reason: Reason, text: str, params: dict[str, float], pieces: str | None, tokens: str | None
) -> None:
    assert reason(only(**params), text) == pieces
    assert reason(only(**params, words="tokens"), text) == tokens


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("##a", "hash_word_ratio", 2.0),  # two marks in one piece
        ("＃a", "hash_word_ratio", 0.0),  # the full-width form is another character
        ("a.. b", "ellipsis_word_ratio", 0.0),  # two dots are no ellipsis
        ("a..... b", "ellipsis_word_ratio", 0.5),  # five are one
        ("a...... b", "ellipsis_word_ratio", 1.0),  # six are two
        ("…… b", "ellipsis_word_ratio", 1.0),
        ("a. . . b", "ellipsis_word_ratio", 0.0),
        ("a.b.c...d", "ellipsis_word_ratio", 1.0),  # dots within words do not join the run
        ("été naïve", "avg_word_len", 4.0),  # code points, not bytes
        ("e\u0301te\u0301 a", "avg_word_len", 3.0),  # marks count: (5 + 1) / 2
        ("don't", "num_words", 1),
        ("don't", "avg_word_len", 5.0),
        ("3.14 1,000", "num_words", 2),
        ("中文字", "num_words", 3),
        ("中文字", "avg_word_len", 1.0),
        ("สวัสดี", "num_words", 4),  # ส วั ส ดี: a consonant and its marks
        ("한국어", "num_words", 1),
        ("مرحبا بكم", "avg_word_len", 4.0),  # (5 + 3) / 2
        ("👨\u200d👩 😀", "num_words", 0),
        ("👨\u200d👩 😀", "alpha_word_frac", 0.0),
        ("a\u2028b\u00a0c", "num_words", 3),  # both are white space
        ("a\u2028- b", "bullet_line_frac", 0.0),  # but no line ends there
        ("a\r\n- b\r\n", "bullet_line_frac", 1 / 3),  # the last line is empty
        ("a...\r\nb\r\n", "ellipsis_line_frac", 1 / 3),
        ("a...\u3000\nb", "ellipsis_line_frac", 1 / 2),
        ("a\x00b", "num_words", 2),
        ("a.\x00..b", "ellipsis_word_ratio", 0.0),
        ("-a\n--b\n–c\n—d", "bullet_line_frac", 3 / 4),  # an em dash is no bullet
        ("1. a\n2. b", "bullet_line_frac", 0.0),
        ("the to of and that have with be", "num_stop_words", 8),
        ("the. (to) of's of", "num_stop_words", 3),  # without the marks around them
        ("them tof andy The AND", "num_stop_words", 0),  # whole words, as they are written
        ("- \n\n", "bullet_line_frac", 1 / 3),  # blank lines count
        ("5 --- ab", "alpha_word_frac", 1 / 3),
        ("5a ---b c3", "alpha_word_frac", 1.0),
        ("", "num_words", 0),
        ("", "alpha_word_frac", 0.0),
        ("\n\n", "bullet_line_frac", 0.0),
    ],
)
def test_gopher_quality_short_text_measures_exactly(
    measure: Measure, text: str, column: str, value: float
) -> None:
    assert measure(GopherQuality(), text)[column] == value


def test_gopher_quality_a_line_of_a_million_words(measure: Measure) -> None:
    found = measure(GopherQuality(), "# the " * 1_000_000)
    assert (found["num_words"], found["avg_word_len"]) == (1_000_000, 3.0)
    assert (found["hash_word_ratio"], found["num_stop_words"]) == (0.5, 1)


def test_gopher_quality_a_million_lines(measure: Measure) -> None:
    found = measure(GopherQuality(), "- a...\n\n" * 500_000)
    assert found["bullet_line_frac"] == found["ellipsis_line_frac"] == 500_000 / 1_000_001


def test_gopher_quality_stop_words_of_another_language(measure: Measure) -> None:
    german = GopherQuality(stop_words=("der", "über", "für", "中", "l'été"))
    assert (
        measure(german, "der Hund über dem Zaun, the dog; fürs l'été 中文")["num_stop_words"] == 4
    )
    assert (
        measure(GopherQuality(stop_words=("the",) * 3, min_stop_words=1), "the")["num_stop_words"]
        == 1
    )


def test_gopher_quality_sixty_three_stop_words_are_told_apart(measure: Measure) -> None:
    words = tuple(f"word{i}" for i in range(63))
    stage = GopherQuality(stop_words=words)
    for count in (0, 1, 2, 62, 63):
        found = measure(stage, " ".join(words[63 - count :] * 2))
        assert found["num_stop_words"] == count


def test_gopher_quality_bullets_are_what_the_parameter_says(measure: Measure) -> None:
    text = "- a\n→ b\n· c\n• d"
    assert measure(GopherQuality(bullets=("→", "·", "→")), text)["bullet_line_frac"] == 2 / 4
    assert measure(GopherQuality(bullets=()), text)["bullet_line_frac"] == 0.0
    assert measure(GopherQuality(), text)["bullet_line_frac"] == 2 / 4


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"min_words": 11, "max_words": 10}, "'min_words' of gopher_quality is 11"),
        ({"min_avg_word_len": 11.0}, "'min_avg_word_len' of gopher_quality is 11.0"),
        ({"stop_words": tuple(map(str, range(64)))}, "at most 63, got 64"),
        ({"stop_words": ("the", "the")}, "above the number of 'stop_words', 1"),
        ({"min_stop_words": 9}, "above the number of 'stop_words', 8"),
        ({"bullets": ("--",)}, "single characters.*'--'"),
        ({"bullets": ("",)}, "single characters.*''"),
        ({"bullets": ("o",)}, "neither letters nor digits.*'o'"),
        ({"bullets": ("\t",)}, "nor white space"),
    ],
)
def test_gopher_quality_parameters_that_cannot_work_are_refused(
    params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        GopherQuality(**params)


def test_gopher_quality_several_rules_fail_first_in_order_is_the_reason(reason: Reason) -> None:
    # too few words, 6 a word of no letters, symbols, a bullet, an ellipsis, no stop words
    text = "- #ab...\n" * 9 + "• #abcdefghijklmnopqrstuvw…"
    failing = [
        "min_words",  # 10
        "min_avg_word_len",  # (9 * 2 + 23) / 10 = 4.1
        "max_symbol_word_ratio",
        "max_bullet_line_frac",
        "max_ellipsis_line_frac",
        "min_alpha_word_frac",  # 10 of 20 pieces
        "min_stop_words",
    ]
    limits: dict[str, Any] = {"min_avg_word_len": 4.2}
    for param in failing:
        assert reason(GopherQuality(**limits), text) == param
        limits[param] = None
    assert reason(GopherQuality(**limits), text) is None


def test_gopher_quality_ordinary_prose_stays(reason: Reason) -> None:
    text = "The farmer turned the soil and waited for the rain to come with patience. " * 4
    assert reason(GopherQuality(), text) is None


def test_gopher_quality_measurements_are_finite_without_words(measure: Measure) -> None:
    for text in ("", " ", "...", "\n", "#", "😀", "\x00", "\u3000"):
        assert all(map(math.isfinite, measure(GopherQuality(), text).values()))


def plain_rules(text: str, stage: GopherQuality) -> dict[str, float]:
    """The measurements in plain Python."""
    tokens = plain_tokens(text)
    words = [token.string for token in tokens if token.is_word]
    units = [token.string for token in tokens] if stage.words == "tokens" else text.split()
    lines = text.split("\n") if text else []
    bulleted = [line for line in lines if line.lstrip()[:1] in {*stage.bullets}]
    trailing = [line for line in lines if line.rstrip().endswith(("...", "…"))]
    num_units, num_lines = max(len(units), 1), max(len(lines), 1)
    return {
        "num_words": len(words),
        "avg_word_len": sum(map(len, words)) / max(len(words), 1),
        "hash_word_ratio": text.count("#") / num_units,
        "ellipsis_word_ratio": (text.count("...") + text.count("…")) / num_units,
        "bullet_line_frac": len(bulleted) / num_lines,
        "ellipsis_line_frac": len(trailing) / num_lines,
        "alpha_word_frac": sum(any(map(str.isalpha, unit)) for unit in units) / num_units,
        "num_stop_words": len({token.string for token in tokens} & {*stage.stop_words}),
    }


TEXTS = st.one_of(
    strings,
    st.lists(st.sampled_from([*FRAGMENTS, *STOP_WORDS, *BULLETS, "\n", "\n", " "])).map("".join),
)
STAGES = (
    GopherQuality(),
    GopherQuality(words="tokens"),
    GopherQuality(stop_words=("ab", "中", "’", "l’été", "…", "é"), bullets=("#", "…", "，")),
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(TEXTS, max_size=5), st.sampled_from(STAGES))
def test_gopher_quality_generated_texts_equal_plain_python(
    documents: Any, texts: list[str], stage: GopherQuality
) -> None:
    found = stage.measure(documents(texts))
    rows = [{name: values[i].as_py() for name, values in found.items()} for i in range(len(texts))]
    assert rows == [plain_rules(text, stage) for text in texts]
