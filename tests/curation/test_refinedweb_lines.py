"""RefinedWeb's corrections: against hand counts and plain Python, and what is left of texts."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.refinedweb_lines import RefinedwebLines
from curation.process import PlannedStage, process
from curation.statistics.refinedweb import COUNTED
from tests.curation.odd_texts import FRAGMENTS, strings
from tests.curation.segmentation import plain_tokens

Measure = Callable[[RefinedwebLines, str], dict[str, Any]]
Reason = Callable[[RefinedwebLines, str], str | None]
Edit = Callable[[RefinedwebLines, str], str]


@pytest.fixture
def edit(documents: Any) -> Edit:
    """What is left of a text."""

    def run(stage: RefinedwebLines, text: str) -> str:
        found = stage.edit(documents([text]))["text"]
        assert len(found) == 1
        left: str = found[0].as_py()
        return left

    return run


def test_refinedweb_lines_at_threshold_keeps_inside_and_drops_outside(reason: Reason) -> None:
    stage = RefinedwebLines()
    # the piece "menu": 1 of 20, 1 of 19
    assert reason(stage, "menu\n" + "rain fell " * 9 + "today") is None
    assert reason(stage, "menu\n" + "rain fell " * 9) == "max_removed_word_frac"
    off = RefinedwebLines(max_removed_word_frac=None)
    assert reason(off, "menu\n" + "rain fell " * 9) is None


def test_refinedweb_lines_defaults() -> None:
    assert RefinedwebLines().parameters() == {
        "max_removed_word_frac": 0.05,
        "max_upper_char_frac": 0.5,
        "max_digit_char_frac": 0.999999,
        "min_words_per_line": 2,
        "max_phrase_words": 10,
    }


# (parameters, the last line that stays, the first that goes)
LINES: list[tuple[dict[str, Any], str, str]] = [
    # pieces: 2, 1
    ({}, "rain fell", "rain"),
    ({}, "x -", "x"),
    ({"min_words_per_line": 3}, "rain fell down", "rain fell"),
    ({"min_words_per_line": None}, "rain", "RAIN"),
    # capitals: 2 of 4, 3 of 5
    ({}, "AB cd", "ABC de"),
    ({}, "ÉÀ cd", "ÉÀǅ de"),  # capitals and title case, of any script
    ({}, "ЖЖ жж", "ЖЖЖ жж"),
    ({}, "AB \u3000\x1f\u00a0 cd", "ABC \u3000 de"),  # white space does not count
    ({}, "AB c\x01", "AB c\u2003"),  # a control character does: 2 of 4, 2 of 3
    ({"max_upper_char_frac": 0.25}, "Ab cd", "Ab c"),
    ({"max_upper_char_frac": None}, "RAIN FELL", "RAIN"),
    ({"max_upper_char_frac": 0.0}, "rain fell", "Rain fell"),
    # digits
    ({}, "12 34a", "12 34"),
    ({}, "١٢ ٣٤.", "١٢ ٣٤"),
    ({}, "Ⅷ ½²", "12 ٣٤ ５"),  # numbers that are no digits
    ({"max_digit_char_frac": 0.5}, "12 ab", "12 a"),
    ({"max_digit_char_frac": None}, "12 34", "12"),
    # a number, and what is counted
    ({}, "about 3 likes", "3 likes"),
    ({}, "likes 3", "3 Likes"),
    ({}, "3 likely", "1 like"),
    ({}, "three likes", "1,234 followers!"),
    ({}, "x3 likes", "→ 1.2k views ←"),
    ({}, "3 likes, 4 shares", "3: shares."),
    ({}, "٣ likes", "0 comments"),
    *[({}, f"{word} 5", f"5 {word}") for word in COUNTED],
    # phrases
    ({}, "items in the cart", "2 items in cart"),
    ({}, "items in  cart", "no ITEMS IN CARTS"),
    ({}, "a items in cart " + "x " * 6 + "y", "a items in cart " + "x " * 5 + "y"),
    ({"max_phrase_words": 3}, "2 items in cart", "items in cart"),
    ({"max_phrase_words": 0}, "items in cart", "3 likes"),
    ({}, "sign in here", "Sign-in Read more..."),
]


@pytest.mark.parametrize(("params", "stays", "goes"), LINES)
def test_refinedweb_lines_line_stays_or_goes(
    edit: Edit, measure: Measure, params: dict[str, Any], stays: str, goes: str
) -> None:
    stage = RefinedwebLines(**params)
    assert edit(stage, f"{goes}\n{stays}\n{goes}") == stays
    assert edit(stage, goes) == ""
    assert edit(stage, stays) == stays
    removed, left = 2 * len(goes.split()), len(stays.split())
    assert measure(stage, f"{goes}\n{stays}\n{goes}")["removed_word_frac"] == removed / (
        removed + left
    )


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Sign-in to see it", "to see it"),
        ("  SIGN-IN \u00a0\tto see it  ", "to see it  "),
        ("Sign-in/Register to see it", "/Register to see it"),
        ("Sign-ins are rare", "s are rare"),
        ("Please sign-in here", "Please sign-in here"),
        ("sign-in sign-in to see", "sign-in to see"),
        ("Rain fell all day. Read more...", "Rain fell all day."),
        ("\tRain fell.\u3000\u3000READ More...  ", "\tRain fell."),
        ("Rain fell.Read more...", "Rain fell."),
        ("Read more... or not", "Read more... or not"),
        ("Rain fell. Read more....", "Rain fell. Read more...."),
        ("Rain fell. Read more…", "Rain fell. Read more…"),
        ("Sign-in for rain. Read more...", "for rain."),
        ("a b c d e f g h Read more...", "a b c d e f g h"),  # 10 pieces
        ("a b c d e f g h i Read more...", "a b c d e f g h i Read more..."),
        ("Sign-in b c d e f g h i j", "b c d e f g h i j"),
        ("Sign-in b c d e f g h i j k", "Sign-in b c d e f g h i j k"),
        ("دخول Read more...", "دخول"),
        ("雨 下 了 Read more...", "雨 下 了"),
    ],
)
def test_refinedweb_lines_short_line_loses_its_phrase(
    edit: Edit, measure: Measure, line: str, left: str
) -> None:
    text = f"It rained\n{line}\nAll day"
    assert edit(RefinedwebLines(), text) == f"It rained\n{left}\nAll day"
    words = len(text.split())
    removed = len(line.split()) - len(left.split())
    assert measure(RefinedwebLines(), text)["removed_word_frac"] == removed / words


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("rain fell\nmenu", "rain fell"),
        ("menu\nrain fell\n", "rain fell\n"),
        ("menu\n\n  rain fell\r\n \n\nhome\nall day\t\n", "\n  rain fell\r\n \n\nall day\t\n"),
        ("\n\nrain fell", "\n\nrain fell"),
        ("rain\u2028fell", "rain\u2028fell"),  # one line of two pieces
        ("\x00 \x00\n\x00", "\x00 \x00"),
        ("e\u0301 e\u0301\ne\u0301e\u0301", "e\u0301 e\u0301"),
        ("👨\u200d👩 😀\n😀", "👨\u200d👩 😀"),
        ("雨下了\n雨 下了", "雨 下了"),
        ("نزل المطر\nالرئيسية", "نزل المطر"),
        ("menu\n\nhome", ""),
        ("menu", ""),
        ("\n \n", "\n \n"),
        ("", ""),
    ],
)
def test_refinedweb_lines_edit_leaves_what_it_should(edit: Edit, text: str, left: str) -> None:
    assert edit(RefinedwebLines(), text) == left


def test_refinedweb_lines_mixed_text_measures_as_counted_by_hand(measure: Measure) -> None:
    # pieces: 1 (goes), 4 (2 go), 2 (go), 2 (go), 3
    text = "Menu\nRain fell. Read more...\nNEWS Now\n 3 likes\n\nIt was wet\n"
    assert measure(RefinedwebLines(), text)["removed_word_frac"] == (1 + 2 + 2 + 2) / 12


@pytest.mark.parametrize("text", ["", " \n\u3000", "\n" * 1_000_000])
def test_refinedweb_lines_text_without_pieces_has_none_removed(
    measure: Measure, edit: Edit, text: str
) -> None:
    assert measure(RefinedwebLines(), text)["removed_word_frac"] == 0.0
    assert edit(RefinedwebLines(), text) == text


def test_refinedweb_lines_huge_line_and_a_million_lines(measure: Measure, edit: Edit) -> None:
    for text, left, share in [
        ("rain fell " * 200_000, "rain fell " * 200_000, 0.0),
        ("x" * 1_000_000, "", 1.0),
        ("menu\nrain fell\n" * 300_000, "rain fell\n" * 300_000, 1 / 3),
        ("items in cart " * 100_000, "items in cart " * 100_000, 0.0),
    ]:
        assert edit(RefinedwebLines(), text) == left
        assert measure(RefinedwebLines(), text)["removed_word_frac"] == share


def test_refinedweb_lines_pass_edits_what_it_keeps_and_leaves_what_it_drops(
    documents: Any,
) -> None:
    kept_text = "menu\n" + "rain fell " * 10
    table = documents([kept_text, "menu\nrain fell", "menu"])
    kept, dropped, stats = process(table, [PlannedStage("rw", RefinedwebLines())])
    assert kept["text"].to_pylist() == ["rain fell " * 10]
    assert kept["rw.removed_word_frac"].to_pylist() == [1 / 21]
    assert dropped["text"].to_pylist() == ["menu\nrain fell", "menu"]
    assert dropped["drop_reason"].to_pylist() == ["max_removed_word_frac"] * 2
    assert stats[0].removed_chars == len("menu\n")


def test_refinedweb_lines_text_of_menus_is_dropped_as_empty(reason: Reason) -> None:
    assert reason(RefinedwebLines(max_removed_word_frac=None), "menu\nhome") == "empty_text"


def lower(text: str) -> str:
    return text.encode().lower().decode()  # of ASCII only


def counts(content: str) -> bool:
    words = [token.string for token in plain_tokens(content) if token.is_word]
    forms = {form for word in COUNTED for form in (word, word.capitalize(), word[:-1])}
    return len(words) == 2 and words[0][0] in "0123456789" and words[1] in forms


def plain_line(line: str, stage: RefinedwebLines) -> str | None:
    """What is left of a line that is not blank, None if it goes."""
    content = line.strip()
    pieces = content.split()
    if len(pieces) < (stage.min_words_per_line or 0) or counts(content):
        return None
    kinds = [unicodedata.category(char) for piece in pieces for char in piece]
    uppers, digits = kinds.count("Lu") + kinds.count("Lt"), kinds.count("Nd")
    most = (stage.max_upper_char_frac, stage.max_digit_char_frac)
    for found, limit in zip((uppers, digits), most, strict=True):
        if limit is not None and found > limit * len(kinds):
            return None
    if len(pieces) > stage.max_phrase_words:
        return line
    if "items in cart" in lower(content):
        return None
    before, after = line[: line.index(content)], line[line.index(content) + len(content) :]
    if lower(content).startswith("sign-in"):
        before, content = "", content[len("sign-in") :].lstrip()
    if lower(content).endswith("read more..."):
        content, after = content[: -len("read more...")].rstrip(), ""
    return before + content + after if content else None


def plain_rules(text: str, stage: RefinedwebLines) -> tuple[float, str]:
    """(share of pieces removed, what is left) in plain Python."""
    lines = text.split("\n")
    left = [plain_line(line, stage) if line.strip() else line for line in lines]
    kept = "\n".join(line for line in left if line is not None)
    num = len(text.split())
    removed = sum(len(a.split()) - len((b or "").split()) for a, b in zip(lines, left, strict=True))
    return removed / max(num, 1), kept


PARTS = [
    "rain", "fell", "Rain", "RAIN", "É", "3", "12", "1.2k", "٣", "likes", "Views", "share", "LIKES",
    "3 likes", "5 Views!", "Sign-in", "sign-in", "Read more...", "read more...", "Read", "more",
    "items in cart", "items", "in cart", "中文", "😀", "\x01", ",", "-", "  ", "\t", "\u00a0", "\r",
]  # fmt: skip
MANY = st.lists(st.sampled_from(PARTS), max_size=13)
FEW = st.lists(st.sampled_from(PARTS), max_size=3)
GLUE = st.sampled_from([" ", " ", "\u3000", ""])
LINES_OF_PARTS = st.tuples(st.one_of(MANY, FEW), GLUE).map(lambda line: line[1].join(line[0]))
TEXTS = st.one_of(
    strings,
    st.lists(LINES_OF_PARTS, max_size=8).map("\n".join),
    st.lists(st.sampled_from([*FRAGMENTS, *PARTS]), max_size=60).map("".join),
)
STAGES = (
    RefinedwebLines(),
    RefinedwebLines(min_words_per_line=None, max_upper_char_frac=0.25, max_digit_char_frac=0.5),
    RefinedwebLines(min_words_per_line=3, max_upper_char_frac=None, max_digit_char_frac=None),
    RefinedwebLines(min_words_per_line=None, max_phrase_words=3),
)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.lists(TEXTS, max_size=5), st.sampled_from(STAGES))
def test_refinedweb_lines_generated_texts_equal_plain_python(
    documents: Any, texts: list[str], stage: RefinedwebLines
) -> None:
    table = documents(texts)
    expected = [plain_rules(text, stage) for text in texts]
    found = stage.measure(table)["removed_word_frac"].to_pylist()
    assert found == [share for share, _ in expected]
    assert stage.edit(table)["text"].to_pylist() == [left for _, left in expected]
