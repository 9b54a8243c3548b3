"""C4's rules: against hand counts, against the rules in plain Python, and what is left of texts."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.filters.c4_quality import C4Quality
from curation.process import PlannedStage, process
from curation.statistics.c4 import ABBREVIATIONS, COLUMNS, POLICIES
from curation.text import ALONE
from tests.curation.odd_texts import FRAGMENTS, strings
from tests.curation.segmentation import PlainToken, flags_of, plain_tokens

OFF: dict[str, Any] = dict.fromkeys(C4Quality.decides)
Measure = Callable[[C4Quality, str], dict[str, Any]]
Reason = Callable[[C4Quality, str], str | None]
Edit = Callable[[C4Quality, str], str]


def only(**params: Any) -> C4Quality:
    """All that decides off but these."""
    return C4Quality(**{**OFF, **params})


@pytest.fixture
def edit(documents: Any) -> Edit:
    """What is left of a text."""

    def run(stage: C4Quality, text: str) -> str:
        found = stage.edit(documents([text]))["text"]
        assert len(found) == 1
        left: str = found[0].as_py()
        return left

    return run


GOOD = "It rained all day."
LOREM, CURLY = "A lorem ipsum it is.", "A { stands here."

# (parameter, threshold, the last text that stays, the first that goes)
EDGES = [
    ("min_sentences", 5, "\n".join([GOOD] * 5), "\n".join([GOOD] * 4)),
    ("min_sentences", 5, " ".join([GOOD] * 5), " ".join([GOOD] * 4)),
    ("max_lorem_ipsum_lines", 0, GOOD, f"{GOOD}\n{LOREM}"),
    ("max_lorem_ipsum_lines", 1, f"{LOREM}\n{GOOD}", f"{LOREM}\n{LOREM}"),
    ("max_curly_bracket_lines", 0, GOOD, f"{GOOD}\n{CURLY}"),
    ("max_curly_bracket_lines", 1, f"{CURLY}\n{GOOD}", f"{CURLY}\n{CURLY}"),
]


@pytest.mark.parametrize(("param", "threshold", "inside", "outside"), EDGES)
def test_c4_quality_at_threshold_keeps_inside_and_drops_outside(
    reason: Reason, param: str, threshold: int, inside: str, outside: str
) -> None:
    stage = only(**{param: threshold})
    assert reason(stage, inside) is None
    assert reason(stage, outside) == param
    assert reason(only(), outside) is None


def test_c4_quality_defaults() -> None:
    assert C4Quality().parameters() == {
        "min_sentences": 5,
        "max_lorem_ipsum_lines": 0,
        "max_curly_bracket_lines": 0,
        "end_marks": ".?!\"'”’。？！",
        "min_words_per_line": 3,
        "max_word_chars": 1000,
        "cut_citations": True,
        "cut_javascript": True,
        "cut_policies": True,
    }


def test_c4_quality_rules_are_tried_in_the_order_of_datatrove(reason: Reason) -> None:
    text = f"{LOREM}\n{CURLY}"
    off: dict[str, Any] = {}
    for param in ("max_lorem_ipsum_lines", "max_curly_bracket_lines", "min_sentences"):
        assert reason(C4Quality(**off), text) == param
        off[param] = None
    assert reason(C4Quality(**off), text) is None


WORD_1000, WORD_1001 = "w" * 1000, "w" * 1001

# (parameters, the last line that stays, the first that goes)
LINES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "one two three.", "one two"),
    ({}, "one two three.", "one two."),
    ({"min_words_per_line": 1}, "one.", "one"),
    ({"min_words_per_line": None}, ".", "one two three"),
    ({"min_words_per_line": 5}, "a b c d e.", "a b c d."),
    ({}, f"a b {WORD_1000[1:]}.", f"a b {WORD_1000}."),  # the mark counts
    ({"max_word_chars": None}, f"a b {WORD_1001}.", f"a b {WORD_1001}"),
    ({"max_word_chars": 6}, "a b don’t’", "a b can’ts’"),
    ({"max_word_chars": 4}, "a b é中é.", "a b é中éé."),
    ({"end_marks": ";"}, "a b c;", "a b c."),
    ({"end_marks": ";…"}, "a b c…", "a b c..."),
    ({"end_marks": None, "min_words_per_line": 2}, "a b", "a"),
    ({"cut_javascript": False}, "Please enable JavaScript now.", "Please enable JavaScript now"),
    ({"cut_policies": False}, "Our privacy policy here.", "Our privacy policy here"),
    *[({}, f"a b c{mark}", f"a b c{mark})") for mark in ".?!\"'”’。？！"],
    *[({}, f"a b c {mark} d.", f"a b c {mark}") for mark in (",", ":", "…", ")", "»", "-", "।")],
    ({}, "a b c....'", "a b c...."),
    ({}, "a b c ..", "a b c ..."),
    ({}, "a b java script.", "a b javascript."),
    ({}, "a b java script.", "a b nonJaVaScRiPty."),
    *[({}, f"a b {phrase[:-1]}.", f"a b {phrase.upper()}.") for phrase in POLICIES],
    ({}, "Users cook ies.", "It uses cookies."),
    ({}, "a b c.\u3000", "a b c .\u200b"),
    ({}, "a b c.\u00a0\r", "a b c\r"),
    ({}, "a\u2028b\u0085c.", "a\u200bb\u200bc."),  # pieces stand between white space
]


@pytest.mark.parametrize(("params", "stays", "goes"), LINES)
def test_c4_quality_line_stays_or_goes(
    edit: Edit, measure: Measure, params: dict[str, Any], stays: str, goes: str
) -> None:
    stage = only(**params)
    assert edit(stage, f"{goes}\n{stays}\n{goes}") == stays.strip()
    assert edit(stage, goes) == ""
    assert measure(stage, f"{goes}\n{stays}\n{goes}")["kept_line_frac"] == 1 / 3


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Rain fell[1] in May.[2]", "Rain fell in May."),
        ("Rain fell in May. [12]", "Rain fell in May."),
        ("Rain fell in May.\u00a0[1]\u3000[2] ", "Rain fell in May."),
        ("[1] Rain fell in May.", "Rain fell in May."),
        ("[1]\u00a0[2]\t Rain fell in May.", "Rain fell in May."),
        ("Rain[] fell in[citation needed] May.[edit]", "Rain fell in May."),
        ("Rain [1] fell in May.", "Rain  fell in May."),
        (
            "Rain [Edit] fell [a] in [1 [-1] [1,2] May.",
            "Rain [Edit] fell [a] in [1 [-1] [1,2] May.",
        ),
        ("Rain fell in [[1]].", "Rain fell in []."),
        ("Rain fell in May [x]", ""),  # what is left ends in no mark
        ("Rain fell in [[1]]", ""),
        ("Rain fell in May[1]", ""),
        ("Rain fell[1][2][3][4]...[5]", ""),
        ("[1] [2] [3]", ""),
        ("[1] Go [2].", "Go ."),  # words are counted before citations go
        ("\x01Rain fell in May.", "\x01Rain fell in May."),  # no white space
        ("[1]\x00 Rain fell in May.[1]", "\x00 Rain fell in May."),
        ("Rain fell in May.\x00[1]", ""),
        ("  Rain fell in May. \t\n\tIt was wet.\r\n\n\n", "Rain fell in May.\nIt was wet."),
        ("menu\nRain fell in May.\n\nhome\nIt was wet.", "Rain fell in May.\nIt was wet."),
        ("“Regen fiel im Mai.”\nНастал тёплый май.", "“Regen fiel im Mai.”\nНастал тёплый май."),
        ("نزل المطر في مايو. [3]\nماذا بعد ذلك؟", "نزل المطر في مايو."),  # no Arabic question mark
        ("Re\u0301gen fiel im Mai.\u0301", ""),  # a mark follows the full stop
        ("😀 😀 😀!", "😀 😀 😀!"),
        ("雨 下 了。[1]\n雨下了。", "雨 下 了。"),  # words are counted by white space
        ("a b c.\x00", ""),
        ("", ""),
        (" \n\u3000\n", ""),
    ],
)
def test_c4_quality_edit_leaves_what_it_should(edit: Edit, text: str, left: str) -> None:
    assert edit(C4Quality(), text) == left


def test_c4_quality_edit_without_cutting_citations(edit: Edit) -> None:
    text = "[1] Rain fell[2] in May."
    assert edit(C4Quality(cut_citations=False), text) == text
    assert edit(C4Quality(cut_citations=False), "Rain fell in May.[1]") == ""


def test_c4_quality_lines_that_go_may_drop_the_page(measure: Measure) -> None:
    """In the order of the authors: short lines count for nothing, nor do those of javascript."""
    counted = ("num_lorem_ipsum_lines", "num_curly_bracket_lines")
    for text, expected in [
        (f"{LOREM}\n{CURLY}\n{GOOD}", (1, 1)),
        ("Lorem ipsum.\nLorem ipsum dolor sit amet\n{ }.\n{ x }", (0, 0)),
        ("LoReM IpSuM { in one.", (1, 1)),
        ("Use javascript { for lorem ipsum.", (1, 0)),
        ("We use cookies { for lorem ipsum.", (1, 1)),
        ("It is lorem  ipsum.\nIt is lorem\tipsum.", (0, 0)),
    ]:
        found = measure(C4Quality(), text)
        assert tuple(found[column] for column in counted) == expected
    assert (
        measure(C4Quality(cut_javascript=False), "Use javascript { for lorem ipsum.")[
            "num_curly_bracket_lines"
        ]
        == 1
    )


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("It rained all day.", 1),
        ("It rained. It poured.", 2),
        ("Did it rain? It poured! So it was.", 3),
        ("Did it rain?! It poured... So it was.", 2),  # an ellipsis ends none
        ("He said: “It rained.” She went out.", 2),
        ("It rained for 3.14 days.", 1),
        ("It rained on day 5. It poured.", 2),
        ("See www.example.org for it.", 1),
        ("Mr. Smith met Dr. J. Jones Jr. in the U.S. capital.", 1),
        ("It rained in Jan. and Feb. of 2020.", 1),
        ("mr. Smith came by.", 2),  # as they are written
        ("He saw it, i.e. the rain, at 5 p.m. and left.", 1),
        ("It was I. He left.", 1),  # a letter is taken for an initial
        ("It was Éva É. Nagy.", 1),
        ("A . B rained.", 2),  # a full stop that stands alone ends
        ("So ends plan B! It rained.", 2),
        ("It rained[1]. It poured.[2]", 2),
        ("It rained.[1] It poured. [2] [3]", 2),
        ("It rained. [citation needed]", 1),
        ("[4] It rained. It poured.", 2),
        ("It rained. 5 days it did.", 2),
        ("It rained. ... !!! .", 1),  # without a word, nothing begins
        ("Жил был кот. Ел рыбу.", 2),
        ("نزل المطر؟ هطل المطر. انتهى.", 3),
        ("雨 下 了。 我 走 了！ 他 来 了.", 3),
        ("雨 下 了. 我 走 了.", 2),  # letters that stand alone are words, no initials
        ("वर्षा हुई। सब भीग गए.", 2),
        ("It rained.\u2028It poured.", 2),
        ("It rained.\x00It poured.", 1),  # nor does a mark with no white space behind
        ("😀 😀. 😀 😀.", 1),
    ],
)
def test_c4_quality_sentences_of_a_line(measure: Measure, line: str, sentences: int) -> None:
    assert measure(C4Quality(), line)["num_sentences"] == sentences
    assert measure(C4Quality(), f"menu\n{line}\n{line}\n")["num_sentences"] == 2 * sentences


def test_c4_quality_counts_only_sentences_of_lines_that_stay(measure: Measure) -> None:
    text = "One. Two. Three\nGo. Go.\nIt rained. It poured.\nWe use cookies. So do they.\n"
    found = measure(C4Quality(), text)
    assert found == {
        "num_sentences": 2,
        "num_lorem_ipsum_lines": 0,
        "num_curly_bracket_lines": 0,
        "kept_line_frac": 1 / 4,
    }


def test_c4_quality_huge_line_and_a_million_lines(measure: Measure, edit: Edit) -> None:
    text = "It rained all day. " * 100_000
    assert measure(C4Quality(), text)["num_sentences"] == 100_000
    assert edit(C4Quality(), text) == text.strip()
    assert edit(C4Quality(), "x" * 1_000_000 + " a b.") == ""
    assert edit(C4Quality(), "\n" * 1_000_000) == ""
    assert edit(C4Quality(max_word_chars=None), "[1]" * 300_000 + " a b.") == "a b."
    assert edit(C4Quality(), "a b c." + "[1] " * 300_000) == "a b c."
    assert edit(C4Quality(), "[" * 500_000 + "]" * 500_000) == ""
    assert edit(C4Quality(), "menu\nIt was wet.\n" * 500_000) == "\n".join(
        ["It was wet."] * 500_000
    )


def test_c4_quality_pass_edits_what_it_keeps_and_leaves_what_it_drops(documents: Any) -> None:
    long = "Rain fell.[1] It poured. Menu came. We saw it. All was wet.\nhome"
    table = documents([long, "It rained. Home", f"{long}\nIt is lorem ipsum."])
    kept, dropped, stats = process(table, [PlannedStage("c4", C4Quality())])
    assert kept["text"].to_pylist() == [long.replace("[1]", "").replace("\nhome", "")]
    assert kept["c4.num_sentences"].to_pylist() == [5]
    assert kept["c4.kept_line_frac"].to_pylist() == [0.5]
    assert dropped["text"].to_pylist() == [f"{long}\nIt is lorem ipsum.", "It rained. Home"]
    why = ("drop_reason", "drop_value", "drop_threshold")
    assert [tuple(row[k] for k in why) for row in dropped.to_pylist()] == [
        ("max_lorem_ipsum_lines", "1", "0"),
        ("min_sentences", "0", "5"),
    ]
    assert stats[0].removed_chars == len("[1]") + len("\nhome")


def test_c4_quality_text_without_lines_left_is_dropped_as_empty(reason: Reason) -> None:
    assert reason(only(), "menu\nhome\nabout us") == "empty_text"
    assert reason(C4Quality(), "menu\nhome\nabout us") == "min_sentences"


CITATION = re.compile(r"\[[0-9]*]|\[edit]|\[citation needed]")


def plain_sentences(line: str, citations: bool) -> int:
    count, ended, apart, cited = 1, False, False, 0
    tokens = plain_tokens(line)
    for i, token in enumerate(tokens):
        found = CITATION.match(line, token.start) if citations else None
        cited = found.end() if found else cited
        if token.start < cited:
            continue
        apart = apart or token.begins_piece
        if token.is_word:
            count += ended and (apart or flags_of(token.string[0]) & ALONE != 0)
            ended = False
        elif token.is_terminal and ends(tokens, i):
            ended, apart = True, not token.string[0].isascii()
    return count


def ends(tokens: list[PlainToken], i: int) -> bool:
    mark = tokens[i].string
    if mark[0] != ".":
        return True
    after_word = i > 0 and not tokens[i].begins_piece
    return mark == "." and not (after_word and abbreviates(tokens[i - 1].string))


def abbreviates(token: str) -> bool:
    alone = flags_of(token[0]) & flags_of("中") == flags_of("中")
    letters = any(map(str.isalpha, token)) and not alone
    return token in ABBREVIATIONS or (
        letters and (len(token) == 1 or token.encode()[-2:-1] == b".")
    )


def plain_c4(text: str, stage: C4Quality) -> tuple[dict[str, float], str]:
    """(measurements, what is left) in plain Python."""
    found = dict.fromkeys(COLUMNS, 0.0)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    kept = []
    for line in lines:
        words = line.split()
        end = line
        while stage.cut_citations and (cited := re.search(rf"(?:{CITATION.pattern})\Z", end)):
            end = end[: cited.start()].rstrip()
        if stage.max_word_chars and max(map(len, words)) > stage.max_word_chars:
            continue
        if len(words) < (stage.min_words_per_line or 0) or not end:
            continue
        if stage.end_marks and (not end.endswith((*stage.end_marks,)) or end.endswith("...")):
            continue
        lower = end.encode().lower().decode()  # of ASCII only
        found["num_lorem_ipsum_lines"] += "lorem ipsum" in lower
        if stage.cut_javascript and "javascript" in lower:
            continue
        found["num_curly_bracket_lines"] += "{" in lower
        if stage.cut_policies and any(policy in lower for policy in POLICIES):
            continue
        found["num_sentences"] += plain_sentences(end, stage.cut_citations)
        kept.append((CITATION.sub("", end) if stage.cut_citations else end).strip())
    found["kept_line_frac"] = len(kept) / max(len(lines), 1)
    return found, "\n".join(kept)


PARTS = [
    "word", "two words", "He said:", "e.g.", "Mr.", "A.", "3.14", "1.", "It rained.", "Why?",
    "“No!”", "word[1]", "[2]", "[]", "[edit]", "[citation needed]", "[", "]", "lorem ipsum",
    "Lorem", "ipsum", "{", "}", "JavaScript", "java", "use cookies", "our privacy policy", "中文",
    "雨下了.", "😀", "...",
]  # fmt: skip
ENDS = [
    ".",
    ".",
    "?",
    "!”",
    "。",
    "...",
    "",
    ",",
    "]",
    ". [1]",
    ".[edit]",
    ".\u00a0[2] [3]",
    ".\r",
    "[4].",
]
LINES_OF_PARTS = st.tuples(st.lists(st.sampled_from(PARTS), max_size=8), st.sampled_from(ENDS)).map(
    lambda line: " ".join(line[0]) + line[1]
)
TEXTS = st.one_of(
    strings,
    st.lists(LINES_OF_PARTS, max_size=8).map("\n".join),
    st.lists(st.sampled_from([*FRAGMENTS, *PARTS, *ENDS]), max_size=60).map("".join),
)
STAGES = (
    C4Quality(),
    C4Quality(min_words_per_line=1, max_word_chars=9),
    C4Quality(end_marks=None, min_words_per_line=None, max_word_chars=None),
    C4Quality(cut_citations=False, min_words_per_line=2, end_marks=".]1"),
    C4Quality(cut_javascript=False, cut_policies=False, min_words_per_line=1),
)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.lists(TEXTS, max_size=5), st.sampled_from(STAGES))
@example(["[1] [2]\n\x01 \x02 \x03"], STAGES[2])
def test_c4_quality_generated_texts_equal_plain_python(
    documents: Any, texts: list[str], stage: C4Quality
) -> None:
    table = documents(texts)
    found = stage.measure(table)
    rows = [{name: values[i].as_py() for name, values in found.items()} for i in range(len(texts))]
    expected = [plain_c4(text, stage) for text in texts]
    assert rows == [measured for measured, _ in expected]
    assert stage.edit(table)["text"].to_pylist() == [left for _, left in expected]
