"""Gopher's repetition rules: against hand counts, and against the rules in plain Python."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.filters.gopher_repetition import GopherRepetition
from curation.process import PlannedStage, process
from curation.statistics.repetition import COLUMNS
from tests.curation.odd_texts import strings
from tests.curation.segmentation import plain_tokens

OFF: dict[str, Any] = dict.fromkeys(GopherRepetition.decides)
Measure = Callable[[GopherRepetition, str], dict[str, Any]]
Reason = Callable[[GopherRepetition, str], str | None]
TOP_N, DUP_N = (2, 3, 4), (5, 6, 7, 8, 9, 10)
CHECKED = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def only(**params: Any) -> GopherRepetition:
    """All rules off but these."""
    return GopherRepetition(**{**OFF, **params})


def letters(count: int) -> list[str]:
    """Distinct one-letter words, none of them `x` to `z`."""
    return [chr(0x3B1 + i) for i in range(count)]


def filler(chars: int) -> str:
    """One word of so many characters."""
    return "q" * chars


# Each pair differs in the length of one word, which moves the share across the threshold.
EDGES: list[tuple[str, float, str, str]] = [
    # repeated lines: 3/10, 4/10
    (
        "max_dup_line_frac",
        0.3,
        "\n".join(["x"] * 4 + list("abcdef")),
        "\n".join(["x"] * 5 + list("abcde")),
    ),
    # repeated paragraphs: 3/10, 4/7
    ("max_dup_para_frac", 0.3, "x\n\n" * 4 + "a\n\nb\n\nc\n\nd\n\ne\n\nf", "x\n\n" * 5 + "a\n\nb"),
    # "xx" again: 2 of 10 characters, 2 of 9
    ("max_dup_line_char_frac", 0.2, "xx\nxx\nabcd", "xx\nxx\nabc"),
    # 2 of 10, 2 of 9 characters
    ("max_dup_para_char_frac", 0.2, "xx\n\nxx\n\nab", "xx\n\nxx\n\na"),
    # top 2-gram "x y", twice: 6 of 30, 6 of 29 characters ("x y", " ", "x y", " ", filler)
    ("max_top_2_gram_char_frac", 0.2, "x y x y " + filler(22), "x y x y " + filler(21)),
    # "x y z", twice: 10 of 56 (0.179), 10 of 55 (0.182)
    ("max_top_3_gram_char_frac", 0.18, "x y z x y z " + filler(44), "x y z x y z " + filler(43)),
    # "x y z w", twice: 14 of 88 (0.159), 14 of 87 (0.161)
    (
        "max_top_4_gram_char_frac",
        0.16,
        "x y z w x y z w " + filler(72),
        "x y z w x y z w " + filler(71),
    ),
]
for n, threshold in zip(DUP_N, (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), strict=True):
    # n one-letter words, twice, then a filler: n characters repeat.
    head = " ".join([*letters(n), *letters(n)]) + " "
    last_kept = next(size for size in range(len(head), 999) if n / size <= threshold)
    texts = [head + filler(size - len(head)) for size in (last_kept, last_kept - 1)]
    EDGES.append((f"max_dup_{n}_gram_char_frac", threshold, *texts))


@pytest.mark.parametrize(("param", "threshold", "inside", "outside"), EDGES)
def test_gopher_repetition_at_threshold_keeps_inside_and_drops_outside(
    reason: Reason, param: str, threshold: float, inside: str, outside: str
) -> None:
    stage = only(**{param: threshold})
    assert reason(stage, inside) is None
    assert reason(stage, outside) == param


@pytest.mark.parametrize("outside", [e[3] for e in EDGES])
def test_gopher_repetition_rules_set_to_none_are_off(reason: Reason, outside: str) -> None:
    assert reason(only(), outside) is None


def test_gopher_repetition_defaults_are_those_of_the_paper() -> None:
    expected: dict[str, Any] = {param: value for param, value, _, _ in EDGES}
    assert GopherRepetition().parameters() == {**expected, "words": "tokens"}


def test_gopher_repetition_rules_are_tried_in_the_order_of_the_table(reason: Reason) -> None:
    text = "x y x y x y x y x y\n\n" * 9  # everything repeats
    off: dict[str, Any] = {}
    for param in GopherRepetition.decides:
        assert reason(GopherRepetition(**off), text) == param
        off[param] = None


def test_gopher_repetition_three_lines_measure_as_counted_by_hand(measure: Measure) -> None:
    # 3 lines, 1 paragraph, 17 characters, 6 tokens
    found = measure(GopherRepetition(), "a bb\na bb\nccc ddd")
    assert found["dup_line_frac"] == 1 / 3
    assert found["dup_line_char_frac"] == 4 / 17
    assert found["dup_para_frac"] == 0
    assert found["top_2_gram_char_frac"] == 2 * 4 / 17  # "a bb", twice
    assert found["top_3_gram_char_frac"] == 6 / 17  # "a bb a", once as all: the first of equals
    assert found["top_4_gram_char_frac"] == 9 / 17  # "a bb a bb"
    assert found["dup_5_gram_char_frac"] == 0


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        # "a b c d e" again, without the space between: 5 of 19 characters
        ("a b c d e a b c d e", "dup_5_gram_char_frac", 5 / 19),
        # 12 tokens of 2 kinds: 5-grams at 0 and 1 are new, that at 2 repeats the first and ends
        # at 7, that at 7 repeats the second and ends at 12: 10 of 23 characters
        ("a b a b a b a b a b a b", "dup_5_gram_char_frac", 10 / 23),
        # the most frequent 2-gram of "a b a b a" is "a b", before "b a": 2 * 3 of 9
        ("a b a b a", "top_2_gram_char_frac", 6 / 9),
        # occurrences may overlap: "x x" stands at 0, 1 and 2; 3 * 3 of 7
        ("x x x x", "top_2_gram_char_frac", 9 / 7),
        ("a b c", "top_4_gram_char_frac", 0.0),  # there is none
        ("a", "top_2_gram_char_frac", 0.0),
        # symbols are tokens: "don't ." twice, with a space between: 2 * 7 of 13
        ("don't. don't.", "top_2_gram_char_frac", 14 / 13),
        ("A a a A", "top_2_gram_char_frac", 3 / 7),  # case matters: all once
        # code points, not bytes
        ("éé\néé", "dup_line_char_frac", 2 / 5),
        ("中文\n\n中文", "dup_para_char_frac", 2 / 6),
        # lines are compared as they are, but for white space at the ends of the text
        ("a\n a\na ", "dup_line_frac", 1 / 3),
        ("  a\na\n", "dup_line_frac", 1 / 2),
        # blank lines are none, whatever white space they hold
        ("a\n\n\nb\n \n\t\nc\n \nd", "dup_line_frac", 0.0),
        ("a\r\n\r\nb\r\n\r\nc\r\n\r\nd", "dup_line_frac", 0.0),
        ("a\r\n\r\nb\r\n\r\na\r\n\r\nb\r\n", "dup_para_frac", 1 / 4),  # the last is "b"
        ("a\nb\n\na\nb\n\n\nb\na", "dup_para_frac", 1 / 3),  # two lines each
        ("a\nb\n\na\nb\n\n\nb\na", "dup_line_frac", 4 / 6),
        ("a\u2028a\u2028a", "dup_line_frac", 0.0),  # no line ends there
        ("\x00\n\x00", "dup_line_frac", 1 / 2),
        # lines that only length tells apart
        ("\x0f" * 8 + "\n" + "\x0f" * 7, "dup_line_frac", 0.0),
        (" \n\u3000\n", "dup_line_frac", 0.0),
        ("", "dup_line_frac", 0.0),
    ],
)
def test_gopher_repetition_short_text_measures_exactly(
    measure: Measure, text: str, column: str, value: float
) -> None:
    assert measure(GopherRepetition(), text)[column] == value


def test_gopher_repetition_no_ngram_occurs_twice_dup_shares_are_zero(measure: Measure) -> None:
    found = measure(GopherRepetition(), " ".join(f"w{i}" for i in range(200)))
    assert [found[f"dup_{n}_gram_char_frac"] for n in DUP_N] == [0.0] * len(DUP_N)


def test_gopher_repetition_token_borders_matter_in_ngrams(measure: Measure) -> None:
    """Joined without a separator, both halves would be the same five tokens."""
    found = measure(GopherRepetition(), "ab c d e f a bc d e f")
    assert found["dup_5_gram_char_frac"] == 0


def test_gopher_repetition_prose_of_windows_lines_stays(reason: Reason) -> None:
    paragraphs = [f"{name} turned the soil and waited." for name in ("Ada", "Bo", "Cy", "Di", "Ed")]
    stage = only(max_dup_line_frac=0.3, max_dup_para_frac=0.3)
    assert reason(stage, "\r\n\r\n".join(paragraphs)) is None
    assert reason(stage, "\r\n\r\n".join(paragraphs[:3] * 2)) == "max_dup_line_frac"


def plain_units(text: str) -> tuple[list[str], list[str]]:
    """Lines that are not blank, and runs of them."""
    lines: list[str] = []
    paragraphs: list[list[str]] = [[]]
    for line in text.strip().split("\n"):
        if line.strip():
            lines.append(line)
            paragraphs[-1].append(line)
        else:
            paragraphs.append([])
    return lines, ["\n".join(each) for each in paragraphs if each]


def repeated(units: list[str]) -> tuple[float, int]:
    """(share of units, characters) that occurred before."""
    seen: set[str] = set()
    again = [unit for unit in units if unit in seen or seen.add(unit)]  # type: ignore[func-returns-value]
    return len(again) / max(len(units), 1), sum(map(len, again))


def top_chars(tokens: list[str], n: int) -> int:
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    if not grams:
        return 0
    gram, count = Counter(grams).most_common(1)[0]
    return count * len(" ".join(gram))


def dup_chars(tokens: list[str], n: int) -> int:
    seen, chars, at = set(), 0, 0
    while at + n <= len(tokens):
        gram = tuple(tokens[at : at + n])
        if gram in seen:
            chars += len("".join(gram))
            at += n
        else:
            seen.add(gram)
            at += 1
    return chars


def plain_rules(text: str) -> dict[str, float]:
    """The measurements in plain Python."""
    found = dict.fromkeys(COLUMNS, 0.0)
    for unit, units in zip(("line", "para"), plain_units(text), strict=True):
        share, chars = repeated(units)
        found[f"dup_{unit}_frac"] = share
        found[f"dup_{unit}_char_frac"] = chars / max(len(text), 1)
    tokens = [token.string for token in plain_tokens(text)]
    for n in TOP_N:
        found[f"top_{n}_gram_char_frac"] = top_chars(tokens, n) / max(len(text), 1)
    for n in DUP_N:
        found[f"dup_{n}_gram_char_frac"] = dup_chars(tokens, n) / max(len(text), 1)
    return found


def check(documents: Any, texts: list[str]) -> None:
    found = GopherRepetition().measure(documents(texts))
    rows = [{name: found[name][i].as_py() for name in COLUMNS} for i in range(len(texts))]
    assert rows == [plain_rules(text) for text in texts]


PIECES = ["a", "b", "ab", "été", "e\u0301", "Ж", "٣", "...", "!", "?!", "😀", "#", ",", "_", "中文"]
GLUE = [
    "",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\n\n\n",
    "\t",
    "\r\n",
    "\r\n\r\n",
    "\n \n",
    "\u2028",
    "\u00a0",
]
LOOSE = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GLUE)), max_size=60)
loose = LOOSE.map(lambda parts: "".join(word + glue for word, glue in parts))


@CHECKED
@given(st.lists(st.one_of(loose, strings), max_size=4))
def test_gopher_repetition_generated_texts_equal_plain_python(
    documents: Any, texts: list[str]
) -> None:
    check(documents, texts)


# Texts of repeated phrases, some of them parts of others: n-grams of every length repeat, or stop
# to repeat at any length.
WORDS = st.sampled_from(["a", "b", "c", "dd", "e", "."])
PHRASES = st.lists(st.lists(WORDS, min_size=1, max_size=12), min_size=1, max_size=4)


@st.composite
def repetitive(draw: st.DrawFn) -> str:
    phrases = draw(PHRASES)
    order = draw(st.lists(st.integers(0, len(phrases) - 1), max_size=30))
    cuts = draw(st.lists(st.integers(1, 12), min_size=len(order), max_size=len(order)))
    words = [word for i, cut in zip(order, cuts, strict=True) for word in phrases[i][:cut]]
    return draw(st.sampled_from([" ", "\n", "\n\n"])).join(words)


@CHECKED
@given(st.lists(repetitive(), min_size=1, max_size=4))
@example([" ".join("a" * 50)])
@example([" ".join("ab" * 50)])
@example([" ".join(f"w{i % 11}" for i in range(200))])
@example([" ".join([*"abcdefghij", "x", *"abcdefghij", "y", *"bcdefghij"])])
@example([" ".join([*"abcdefghi", "x", *"abcdefghi"])])  # 9-grams repeat, 10-grams do not
def test_gopher_repetition_of_texts_that_repeat_equals_plain_python(
    documents: Any, texts: list[str]
) -> None:
    check(documents, texts)


def test_gopher_repetition_batch_of_long_texts_equals_plain_python(documents: Any) -> None:
    """Many documents share one hash table, large and small ones in turn."""
    rng = random.Random(0)
    texts = []
    for i in range(60):
        words = ["the", "soil", "was", "turned", "before", "rain", "and", "grain", "grew"]
        words = rng.choices(words[: 2 + i % 8], k=40 * (i % 7) ** 2)
        texts.append(" ".join(w + rng.choice(["", "", ".", "\n", "\n\n"]) for w in words))
    check(documents, texts)


def test_gopher_repetition_long_text_of_few_repeats_equals_plain_python(documents: Any) -> None:
    rng = random.Random(1)
    words = [f"w{rng.randrange(3000)}" for _ in range(20_000)]
    for _ in range(40):  # copies of passages, of all lengths up to 20 words
        source, target, length = rng.randrange(19_000), rng.randrange(19_000), rng.randrange(20)
        words[target : target + length] = words[source : source + length]
    check(documents, [" ".join(words), "", "\n".join(words)])


def test_gopher_repetition_a_million_empty_lines(measure: Measure) -> None:
    found = measure(GopherRepetition(), "\n" * 1_000_000)
    assert set(found.values()) == {0.0}
    found = measure(GopherRepetition(), "x\n" * 500_000)
    assert found["dup_line_frac"] == 499_999 / 500_000
    assert found["dup_line_char_frac"] == 499_999 / 1_000_000
    assert found["dup_para_frac"] == 0.0


def test_gopher_repetition_drop_carries_value_and_threshold(documents: Any) -> None:
    stage = GopherRepetition()
    _, dropped, _ = process(documents(["x\n" * 10]), [PlannedStage("rep", stage)])
    row = dropped.to_pylist()[0]
    assert (row["drop_stage"], row["drop_reason"]) == ("rep", "max_dup_line_frac")
    assert (row["drop_value"], row["drop_threshold"]) == ("0.9", "0.3")
