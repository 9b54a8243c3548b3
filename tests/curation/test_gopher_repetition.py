"""Gopher's repetition rules: against hand counts, and against the rules in plain Python."""

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.gopher_repetition import COLUMNS, DUP_N, TOP_N, GopherRepetition
from curation.process import PlannedStage, process

OFF: dict[str, Any] = dict.fromkeys(GopherRepetition.decides)
Measure = Callable[[GopherRepetition, str], dict[str, Any]]
Reason = Callable[[GopherRepetition, str], str | None]


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
    # An n-gram of n one-letter words, twice: n characters repeat, of the 4n of both with their
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
    assert GopherRepetition().parameters() == {param: value for param, value, _, _ in EDGES}


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


def test_gopher_repetition_no_ngram_occurs_twice_dup_shares_are_zero(measure: Measure) -> None:
    found = measure(GopherRepetition(), " ".join(f"w{i}" for i in range(200)))
    assert [found[f"dup_{n}_gram_char_frac"] for n in DUP_N] == [0.0] * len(DUP_N)


def test_gopher_repetition_token_borders_matter_in_ngrams(measure: Measure) -> None:
    """Joined without a separator, both halves would be the same five tokens."""
    found = measure(GopherRepetition(), "ab c d e f a bc d e f")
    assert found["dup_5_gram_char_frac"] == 0


def plain_tokens(text: str) -> list[str]:
    """Tokens of `curation.text` for scripts written with spaces."""

    def kind(char: str) -> str | None:
        if unicodedata.category(char)[0] in "LMN":
            return "word"
        return None if char.isspace() else char

    tokens: list[str] = []
    before = None
    for char in text:
        now = kind(char)
        if now is not None and now == before:
            tokens[-1] += char
        elif now is not None:
            tokens.append(char)
        before = now
    return tokens


def repeated(units: list[str]) -> tuple[float, int]:
    """(share of units, characters) that occurred before."""
    again = [unit for i, unit in enumerate(units) if unit in set(units[:i])]
    return len(again) / len(units), sum(map(len, again))


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
    if not text:
        return dict.fromkeys(COLUMNS, 0.0)
    found = dict.fromkeys(COLUMNS, 0.0)
    for unit, border in (("line", r"\n+"), ("para", r"\n{2,}")):
        units = re.split(border, text.strip())
        if text.strip():
            share, chars = repeated(units)
            found[f"dup_{unit}_frac"] = share
            found[f"dup_{unit}_char_frac"] = chars / len(text)
    tokens = plain_tokens(text)
    for n in TOP_N:
        found[f"top_{n}_gram_char_frac"] = top_chars(tokens, n) / len(text)
    for n in DUP_N:
        found[f"dup_{n}_gram_char_frac"] = dup_chars(tokens, n) / len(text)
    return found


WORDS = ["the", "soil", "was", "turned", "before", "rain", "and", "grain", "grew"]
PIECES = [
    "a",
    "b",
    "ab",
    "été",
    "e\u0301",
    "Ж",
    "٣",
    "...",
    "!",
    "?!",
    "😀",
    "#",
    ",",
    "_",
    "\u0085",
]
GLUE = ["", " ", "  ", "\n", "\n\n", "\n\n\n", "\t", "\r\n", "\u2028", "\u00a0"]


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GLUE)), max_size=60))
def test_gopher_repetition_generated_text_equals_plain_python(
    measure: Measure, pieces: list[tuple[str, str]]
) -> None:
    text = "".join(word + glue for word, glue in pieces)
    assert measure(GopherRepetition(), text) == plain_rules(text)


def test_gopher_repetition_batch_of_long_texts_equals_plain_python(documents: Any) -> None:
    """Many documents share one hash table, large and small ones in turn."""
    rng = random.Random(0)
    texts = []
    for i in range(60):
        words = rng.choices(
            ["the", "soil", "was", "turned", "before", "rain", "and", "grain", "grew"],
            k=40 * (i % 7),
        )
        texts.append(" ".join(w + rng.choice(["", "", ".", "\n", "\n\n"]) for w in words))
    found = GopherRepetition().measure(documents(texts))
    for row, text in enumerate(texts):
        assert {name: found[name][row].as_py() for name in COLUMNS} == plain_rules(text)


def test_gopher_repetition_drop_carries_value_and_threshold(documents: Any) -> None:
    stage = GopherRepetition()
    _, dropped, _ = process(documents(["x\n" * 10]), [PlannedStage("rep", stage)])
    row = dropped.to_pylist()[0]
    assert (row["drop_stage"], row["drop_reason"]) == ("rep", "max_dup_line_frac")
    assert (row["drop_value"], row["drop_threshold"]) == ("0.9", "0.3")
