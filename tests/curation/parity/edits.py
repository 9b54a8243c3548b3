"""Edits that move a real document across a threshold.

Each takes a text and a place from 0 to 1, well inside and well outside of the threshold, and moves
the statistic from one to the other, whichever way words and lines are counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
Edit = Callable[[str, float], str]


def between(low: float, high: float, place: float) -> float:
    return low + (high - low) * place


def pieces(text: str) -> list[str]:
    return text.split()


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+", " ".join(text.split()))


def lines_of_words(text: str, words: int) -> list[str]:
    """The text in lines of so many pieces."""
    every = pieces(text)
    return [" ".join(every[i : i + words]) for i in range(0, len(every), words)]


def first_words(low: float, high: float) -> Edit:
    """Cuts after so many pieces, white space as it is."""

    def edit(text: str, place: float) -> str:
        found = list(re.finditer(r"\S+", text))
        last = round(between(low, high, place))
        return text[: found[min(last, len(found)) - 1].end()]

    return edit


def of_words_of_length(low: float, high: float, longest_first: bool) -> Edit:
    """Takes the longest, or the shortest, words out until the others have a certain mean length."""

    def edit(text: str, place: float) -> str:
        kept = pieces(text)
        letters = [len(re.sub(r"\W", "", word)) for word in kept]
        goal, order = between(low, high, place), sorted(range(len(kept)), key=letters.__getitem__)
        if longest_first:
            order.reverse()
        total, left = sum(letters), len(kept)
        gone = set()
        for i in order:
            if left < 20 or (total / left <= goal if longest_first else total / left >= goal):
                break
            total, left = total - letters[i], left - 1
            gone.add(i)
        return " ".join(word for i, word in enumerate(kept) if i not in gone)

    return edit


def mark_words(before: str, after: str, low: float, high: float) -> Edit:
    """Puts marks around a share of the pieces."""

    def edit(text: str, place: float) -> str:
        share, every = between(low, high, place), pieces(text)
        marked = [int(i * share) != int((i + 1) * share) for i in range(len(every))]
        return " ".join(before + w + after if m else w for w, m in zip(every, marked, strict=True))

    return edit


def mark_lines(before: str, after: str, low: float, high: float) -> Edit:
    """Breaks the text into lines of six words and puts marks around a share of them."""

    def edit(text: str, place: float) -> str:
        lines = lines_of_words(text, 6)
        count = round(between(low, high, place) * len(lines))
        return "\n".join([before + x + after for x in lines[:count]] + lines[count:])

    return edit


def without_stop_words(text: str, place: float) -> str:
    """Takes out all stop words but those of up to four kinds."""
    gone = STOP_WORDS[round(between(0, 4, place)) :]
    return " ".join(w for w in pieces(text) if w.strip(".,;:()\"'").lower() not in gone)


def repeat_lines(between_lines: str, words: int, low: float, high: float) -> Edit:
    """Repeats lines until they are a share of all; between them a newline, or two."""

    def edit(text: str, place: float) -> str:
        lines = lines_of_words(text, words)[:40]
        share = between(low, high, place)
        copies = round(len(lines) * share / (1 - share))
        return between_lines.join(lines + [lines[i % len(lines)] for i in range(copies)])

    return edit


def repeat_phrase(words: int, low: float, high: float) -> Edit:
    """Puts a phrase of so many pieces in again and again, up to a share of the characters."""

    def edit(text: str, place: float) -> str:
        every = pieces(text)[:200]
        phrase, rest = every[:words], every[words:]
        share, size = between(low, high, place), len(" ".join(phrase))
        times = max(1, round(share * len(" ".join(rest)) / (size * (1 - share))))
        step = max(1, len(rest) // times)
        parts = [phrase + rest[i : i + step] for i in range(0, len(rest), step)]
        return " ".join(word for part in parts for word in part)

    return edit


def repeat_passage(low: float, high: float) -> Edit:
    """Puts a passage from the middle at the end again, as a share of the characters."""

    def edit(text: str, place: float) -> str:
        every = pieces(text)
        share = between(low, high, place)
        count = round(len(every) * share / (1 - share))
        return " ".join(every + every[len(every) // 3 :][:count])

    return edit


def first_sentences(separator: str) -> Edit:
    """Cuts after one to eight sentences."""

    def edit(text: str, place: float) -> str:
        return separator.join(sentences(text)[: round(between(1, 8, place))])

    return edit


def insert(inserted: str, harmless: str) -> Edit:
    """Puts one of two strings in, between words."""

    def edit(text: str, place: float) -> str:
        every = pieces(text)
        at = round(len(every) * place)
        string = inserted if round(place * 1000) % 2 else harmless
        return " ".join([*every[:at], string, *every[at:]])

    return edit


def end_lines(low: float, high: float) -> Edit:
    """One line a sentence, and only a share of them ends in punctuation."""

    def edit(text: str, place: float) -> str:
        lines = [line.rstrip(".?!\"'”’)") for line in lines_of_words(text, 8)]
        count = round(between(low, high, place) * len(lines))
        return "\n".join([f"{line}." for line in lines[:count]] + lines[count:])

    return edit


def shorten_lines(low: float, high: float) -> Edit:
    """A share of the lines has three words, the others have twenty."""

    def edit(text: str, place: float) -> str:
        every, lines = pieces(text), []
        share = between(low, high, place)
        while every:
            short = int((len(lines) + 1) * share) > int(len(lines) * share)
            count = 3 if short else 20
            lines.append(" ".join(every[:count]))
            every = every[count:]
        return "\n".join(lines)

    return edit


def repeat_line(low: float, high: float) -> Edit:
    """Repeats one line, which has a share of the characters."""

    def edit(text: str, place: float) -> str:
        lines = lines_of_words(text, 12)
        size = max(1, round(between(low, high, place) * len(text)))
        return "\n".join([text[:size].replace("\n", " "), *lines, text[:size].replace("\n", " ")])

    return edit


def break_lines(low: float, high: float) -> Edit:
    """So many newlines per piece."""

    def edit(text: str, place: float) -> str:
        share, every = between(low, high, place), pieces(text)
        broken = [int(i * share) != int((i + 1) * share) for i in range(len(every))]
        return "".join(w + ("\n" if b else " ") for w, b in zip(every, broken, strict=True))

    return edit


EDITS: tuple[Edit, ...] = (
    first_words(35, 65),
    first_words(220, 380),
    of_words_of_length(2.7, 3.3, longest_first=True),
    of_words_of_length(9.0, 11.0, longest_first=False),
    mark_words("#", "", 0.06, 0.16),
    mark_words("", "...", 0.06, 0.16),
    mark_words("", "…", 0.06, 0.16),
    mark_lines("- ", "", 0.8, 1.0),
    mark_lines("  • ", "", 0.8, 1.0),
    mark_lines("", "...", 0.15, 0.45),
    mark_lines("", "…", 0.15, 0.45),
    without_stop_words,
    repeat_lines("\n", 8, 0.1, 0.4),
    repeat_lines("\n\n", 8, 0.1, 0.4),
    *(repeat_phrase(n, 0.1, 0.26) for n in (2, 3, 4)),
    repeat_passage(0.04, 0.2),
    repeat_passage(0.06, 0.17),
    first_sentences(" "),
    first_sentences("\n"),
    insert("lorem ipsum", "lorem and ipsum"),
    insert("Lorem Ipsum", "ipsum lorem"),
    insert("{", "("),
    end_lines(0.04, 0.24),
    shorten_lines(0.5, 0.85),
    repeat_line(0.002, 0.02),
    break_lines(0.2, 0.5),
)


def long_word(line: str, place: float) -> str:
    """Lengthens the last word to about a thousand characters."""
    stem = line.rstrip(".?!\"'")
    return stem + "x" * (round(between(980, 1020, place)) - len(stem.split()[-1])) + "."


def cited(line: str, place: float) -> str:
    """Puts citation marks, or what looks like them, into a line and at its end."""
    marks = ("[1]", "[]", "[edit]", "[citation needed]", "[a]", "[1,2]", "[Edit]", " [12]")
    every = line.split()
    mark = marks[round(place * 1000) % len(marks)]
    at = round(place * len(every))
    return " ".join([*every[:at], mark, *every[at:]]) + mark


POLICIES = ("Terms of Use", "privacy policy", "cookie policy", "uses cookies", "use of cookies")
LINE_EDITS: tuple[Edit, ...] = (
    long_word,
    cited,
    first_words(1, 5),
    insert("JavaScript", "Java script"),
    insert("(javascript)", "type script"),
    *(insert(phrase, phrase.replace("e", "a")) for phrase in POLICIES),
)
