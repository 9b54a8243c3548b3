"""Lines are what newlines separate, with the tokens that stand in them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from curation.statistics.lines import find_lines, line_room
from curation.text import characters, find_tokens, token_room
from tests.curation.odd_texts import strings
from tests.curation.segmentation import plain_tokens


def lines_of(text: str, before: str = "", after: str = "") -> list[tuple[str, list[str]]]:
    """(line, its tokens) of a text that stands between others."""
    data = np.frombuffer((before + text + after).encode().ljust(8), np.uint8)
    start = len(before.encode())
    end = start + len(text.encode())
    offsets = np.array([0, len(data)])
    tokens, lines = token_room(offsets), line_room(offsets)
    num_tokens = find_tokens(data, start, end, characters(), tokens)
    count = find_lines(data, start, end, tokens, num_tokens, lines)

    def string(first: int, last: int) -> str:
        return bytes(data[first:last]).decode()

    found = []
    for i in range(count):
        inside = range(lines.first[i], lines.first[i + 1])
        words = [string(tokens.start[t], tokens.stop[t]) for t in inside]
        found.append((string(lines.start[i], lines.stop[i]), words))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a", [("a", ["a"])]),
        ("\n", [("", []), ("", [])]),
        ("a b\n\n c\n", [("a b", ["a", "b"]), ("", []), (" c", ["c"]), ("", [])]),
        ("a\r\nb\u2028c\x0bd", [("a\r", ["a"]), ("b\u2028c\x0bd", ["b", "c", "d"])]),
        ("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\n", [("\x0b" * 7, []), ("", [])]),
        ("ЊЊЊЊ\nЊ", [("ЊЊЊЊ", ["ЊЊЊЊ"]), ("Њ", ["Њ"])]),  # U+040A ends in byte 0x8A
    ],
)
def test_find_lines(text: str, expected: list[tuple[str, list[str]]]) -> None:
    assert lines_of(text) == expected


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(strings, strings, strings)
def test_find_lines_equals_plain_python_wherever_the_text_lies(
    text: str, before: str, after: str
) -> None:
    lines = text.split("\n") if text else []
    expected = [(line, [token.string for token in plain_tokens(line)]) for line in lines]
    assert lines_of(text, before, after) == expected


@pytest.mark.parametrize("gap", range(40))
def test_find_lines_newline_at_any_distance(gap: int) -> None:
    """Eight bytes are looked at in one go."""
    text = "x" * gap + "\n" + "\x0b" * gap + "\n"
    assert [line for line, _ in lines_of(text)] == text.split("\n")


def test_line_room_fits_a_text_of_newlines() -> None:
    room = line_room(np.array([0, 3, 1003]))
    assert len(room.first) >= 1002
    assert len(lines_of("\n" * 1000)) == 1001


def test_find_lines_of_slices_of_an_array() -> None:
    """Offsets need not begin at 0."""
    from curation.text import buffers

    array = pa.array(["first\n", "a\nb", "last"])[1:2]
    data, offsets = buffers(array)
    tokens, lines = token_room(offsets), line_room(offsets)
    num_tokens = find_tokens(data, offsets[0], offsets[1], characters(), tokens)
    assert find_lines(data, offsets[0], offsets[1], tokens, num_tokens, lines) == 2
    assert lines.first[:3].tolist() == [0, 1, 2]
