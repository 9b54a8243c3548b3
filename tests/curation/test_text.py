"""The only segmentation in tilth, character by character."""

import itertools
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation import text
from curation.text import ALONE, ALPHA, MARK, SPACE, WORD, buffers, character_table, ngram_hashes
from tests.curation.odd_texts import strings
from tests.curation.segmentation import PlainToken, flags_of, plain_hash, plain_tokens

CHECKED = settings(max_examples=400, deadline=None, derandomize=True, database=None)


def tokens_of(data: bytes, start: int, stop: int) -> tuple[list[PlainToken], list[int]]:
    """What `find_tokens` finds in data[start:stop], and the hashes; places in code points."""
    array = np.frombuffer(data, np.uint8)
    room = text.token_room(np.array([start, stop]))
    count = text.find_tokens(array, start, stop, text.characters(), room)
    found = []
    for first, last, flags in zip(room.start, room.stop, room.flags[:count], strict=False):
        string, at = data[first:last].decode(), len(data[start:first].decode())
        found.append(PlainToken(string, at, at + len(string), int(flags)))
    assert room.chars[:count].tolist() == [len(token.string) for token in found]
    return found, room.hash[:count].tolist()


def tokens(string: str) -> list[str]:
    """The tokens of a text that is a table of its own."""
    data, offsets = buffers(pa.array([string]))
    return [token.string for token in tokens_of(data.tobytes(), *offsets.tolist())[0]]


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("", []),
        (" \n\t", []),
        ("a", ["a"]),
        ("the  soil", ["the", "soil"]),
        ("e-mail", ["e", "-", "mail"]),
        ("wait...", ["wait", "..."]),
        ("what?!", ["what", "?", "!"]),
        ("x²", ["x²"]),
        # apostrophes stand between letters
        ("don't", ["don't"]),
        ("don’t", ["don’t"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("l'été d’Éva", ["l'été", "d’Éva"]),
        ("'tis the farmers' o''clock", ["'", "tis", "the", "farmers", "'", "o", "''", "clock"]),
        ("’tis a’’b c’", ["’", "tis", "a", "’’", "b", "c", "’"]),
        ("1'000 5’6 x'1 1’x", ["1", "'", "000", "5", "’", "6", "x", "'", "1", "1", "’", "x"]),
        # full stops between letters or between digits, commas between digits
        ("e.g. U.S. a.b.c", ["e.g", ".", "U.S", ".", "a.b.c"]),
        ("3.14 1,000,000.5", ["3.14", "1,000,000.5"]),
        ("a.1 1.a a,b a,1", ["a", ".", "1", "1", ".", "a", "a", ",", "b", "a", ",", "1"]),
        (".5 5. 1..2 1,,2", [".", "5", "5", ".", "1", "..", "2", "1", ",,", "2"]),
        ("é.à ٣.٤ Ж.5", ["é.à", "٣.٤", "Ж", ".", "5"]),
        ("a.'b", ["a", ".", "'", "b"]),
        # low lines between letters and digits
        ("snake_case x_1 1_x 1_000", ["snake_case", "x_1", "1_x", "1_000"]),
        ("_a a_ a__b _", ["_", "a", "a", "_", "a", "__", "b", "_"]),
        # marks belong to what they follow and count as letters
        ("été", ["été"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("e\u0301'a", ["e\u0301'a"]),
        ("a’\u0301b", ["a’\u0301b"]),
        ("5\u0301.6 5\u0301.a", ["5\u0301", ".", "6", "5\u0301.a"]),
        ("\u0301 !\u0301", ["\u0301", "!", "\u0301"]),
        # scripts without spaces
        ("中文 字", ["中", "文", "字"]),
        ("中a", ["中", "a"]),
        ("a中", ["a", "中"]),
        ("中.中 a.中 中'a 中_1", ["中", ".", "中", "a", ".", "中", "中", "'", "a", "中", "_", "1"]),
        ("ですか", ["で", "す", "か"]),
        ("カー", ["カ", "ー"]),
        ("ﾊﾝ", ["ﾊ", "ﾝ"]),
        ("が", ["が"]),
        ("か\u3099", ["か\u3099"]),
        ("か\u3099'a", ["か\u3099", "'", "a"]),
        ("中\u0301中\u0301", ["中\u0301", "中\u0301"]),
        ("ที่ดี", ["ที่", "ดี"]),
        ("5中٥", ["5", "中", "٥"]),
        ("𠀀𠀀𠀀", ["𠀀", "𠀀", "𠀀"]),
        # scripts with spaces
        ("한국어", ["한국어"]),
        ("नमस्ते", ["नमस्ते"]),
        ("שלום עולם", ["שלום", "עולם"]),
        # symbols
        ("a\u200db", ["a", "\u200d", "b"]),
        ("👨\u200d👩", ["👨", "\u200d", "👩"]),
        ("😀😀", ["😀😀"]),
        ("😀😁😀😁😁", ["😀", "😁", "😀", "😁😁"]),
        ("…...…", ["…", "...", "…"]),
        ("a\x01\x01b", ["a", "\x01\x01", "b"]),
        ("\x02\x03\x04\x05\x05", ["\x02", "\x03", "\x04", "\x05\x05"]),
        ("\x00a\x00\x00", ["\x00", "a", "\x00\x00"]),
        # white space
        ("a\u2028b\u0085c\u00a0d\u3000e", ["a", "b", "c", "d", "e"]),
        ("a\r\nb", ["a", "b"]),
        ("a\x1cb\x1fc", ["a", "b", "c"]),
        ("a\u200bb", ["a", "\u200b", "b"]),  # a zero-width space is none
    ],
)
def test_text_tokens_are_words_and_symbols(string: str, expected: list[str]) -> None:
    assert tokens(string) == expected
    assert [token.string for token in plain_tokens(string)] == expected


@CHECKED
@given(strings)
@example("a" * 5000 + "’" + "b" * 5000)
@example("中" * 3000)
@example(".a" * 3000)
@example("😀" * 3000)
def test_text_tokens_of_generated_text_equal_plain_python(string: str) -> None:
    found, hashes = tokens_of(string.encode().ljust(8), 0, len(string.encode()))
    assert found == plain_tokens(string)
    assert hashes == [plain_hash(token.string) for token in found]


@CHECKED
@given(strings, st.binary(max_size=20), st.binary(max_size=20))
def test_text_tokens_do_not_depend_on_the_bytes_around(
    string: str, before: bytes, after: bytes
) -> None:
    """Be it the end of the buffer, or bytes that would continue the text."""
    data, before = string.encode(), before.rjust(8, b"a")
    expected = tokens_of(data.ljust(8), 0, len(data))
    for tail in (b"", after, b"a", b"'a", b"\xcc\x81", data):
        assert tokens_of(before + data + tail, len(before), len(before) + len(data)) == expected
    assert tokens_of(data.ljust(8) + after, 0, len(data)) == expected


@pytest.mark.parametrize("string", ["", "a", "é", "中", "a b", "don't", "1234567", "ab cd ef"])
def test_text_tokens_of_a_tiny_table_equal_plain_python(string: str) -> None:
    """Hashes load eight bytes, which shorter buffers do not have."""
    data, offsets = buffers(pa.array([string]))
    found = tokens_of(data.tobytes(), *offsets.tolist())
    plain = plain_tokens(string)
    assert found == (plain, [plain_hash(token.string) for token in plain])


def test_text_room_serves_texts_of_any_length_in_turn() -> None:
    texts = ["", "soil " * 50, "a", "中" * 40, "", "x_1 don't"]
    data, offsets = buffers(pa.array(texts))
    room = text.token_room(offsets)
    for string, start, stop in zip(texts, offsets, offsets[1:], strict=False):
        count = text.find_tokens(data, start, stop, text.characters(), room)
        found = zip(room.start[:count], room.stop[:count], strict=True)
        plain = [token.string for token in plain_tokens(string)]
        assert [bytes(data[a:b]).decode() for a, b in found] == plain


@CHECKED
@given(strings)
def test_text_tokens_leave_out_white_space_only(string: str) -> None:
    assert "".join(tokens(string)) == "".join(c for c in string if not c.isspace())


@CHECKED
@given(st.lists(strings, max_size=5))
def test_text_count_tokens_of_many_texts_equals_plain_python(texts: list[str]) -> None:
    counts = text.count_tokens(pa.array(texts, pa.string())).to_pylist()
    assert counts == [len(plain_tokens(string)) for string in texts]


CODES = [*range(0x3400), *range(0xA000, 0xAC01), *range(0xF900, 0x10400), *range(0x16FE0, 0x17000)]
CODES += [*range(0x1AFE0, 0x1B180), *range(0x1D400, 0x1D800), *range(0x1F000, 0x1FB00)]
CODES += [0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0xD7A3, 0x20000, 0x30000, 0x3134A, 0xE0100, 0x10FFFF]


def test_text_character_table_agrees_with_unicodedata() -> None:
    table = character_table()
    for code in CODES:
        category = unicodedata.category(chr(code))
        assert bool(table[code] & WORD) == (category[0] in "LMN")
        assert bool(table[code] & ALPHA) == (category[0] == "L")
        assert bool(table[code] & MARK) == (category[0] == "M")
        assert bool(table[code] & SPACE) == (chr(code).isspace() and category[0] not in "LMN")
        assert int(table[code]) & ~SPACE == flags_of(chr(code))


def test_text_character_kinds_agree_with_unicodedata() -> None:
    kinds = text.characters().kinds
    for code in CODES:
        category = unicodedata.category(chr(code))
        assert bool(kinds[code] & text.UPPER) == (category in ("Lu", "Lt"))
        assert bool(kinds[code] & text.DIGIT) == (category == "Nd")
        assert bool(kinds[code] & text.SYMBOL) == (category[0] in "PS")


@pytest.mark.parametrize(
    "char", ["中", "㐀", "𠀀", "か", "カ", "ー", "ﾊ", "ก", "ກ", "ក", "က", "ꧠ", "々", "〆", "𛀀"]
)
def test_text_scripts_without_spaces_stand_alone(char: str) -> None:
    assert character_table()[ord(char)] & ALONE


@pytest.mark.parametrize("char", ["a", "é", "한", "न", "א", "ع", "5", "\u0e48", "1", "\uff10"])
def test_text_other_characters_do_not_stand_alone(char: str) -> None:
    assert not character_table()[ord(char)] & ALONE


@pytest.mark.parametrize(
    "char", ["a", "\x7f", "é", "\u07ff", "\u0800", "中", "\uffff", "😀", "\U0010ffff"]
)
def test_text_decode_gives_code_point_and_length(char: str) -> None:
    data = np.frombuffer(char.encode(), np.uint8)
    assert text.decode(data, 0) == (ord(char), len(data))


def strings_of(array: pa.Array | pa.ChunkedArray) -> list[str]:
    data, offsets = buffers(array)
    return [bytes(data[a:b]).decode() for a, b in itertools.pairwise(offsets)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_text_buffers_of_slices_chunks_and_nulls_are_the_strings(kind: pa.DataType) -> None:
    values = ["é", None, "", "soil", "中"]
    plain = ["é", "", "", "soil", "中"]
    array = pa.array(values, kind)
    assert strings_of(array) == plain
    assert strings_of(array[2:]) == plain[2:]
    assert strings_of(pa.chunked_array([array[3:], array[:1], array[:0]])) == ["soil", "中", "é"]
    assert strings_of(array[:0]) == []
    assert strings_of(pa.chunked_array([], kind)) == []
    assert strings_of(pa.array([None, None], kind)) == ["", ""]


HASHES = {  # of `plain_hash`, an implementation of its own
    "a": 0xD92180E5C4D3FE70,
    "tilth": 0xF83CF7668545D27F,
    "soil's": 0x9AEB8C7D292A1109,
    "é": 0x4F00E13CF29FF53C,
    "1234567": 0x13D7A2F1A9C44A17,
    "12345678": 0xF3FFAF29839B0720,
    "123456789": 0xE0A3809952A5DA05,
    "中文字": 0x8FF0DEBD52BB7FA0,
    "the rain\x00": 0xD65053134E11DA45,
    "xxxxxxxxxxxxxxxx": 0x972080EB041F1BFC,
    "xxxxxxxxxxxxxxxxx": 0x0F5CD1CF2655C84A,
    "The farmer waited for the rain.": 0xDC0317104B4FCBA2,
}


@pytest.mark.parametrize("string", HASHES)
def test_text_hash_is_stable(string: str) -> None:
    """Features of trained models and evidence on disk hang on it: a change must bump versions."""
    data = string.encode()
    array = np.frombuffer(data.ljust(8), np.uint8)
    assert text.hash_bytes(array, 0, len(data)) == HASHES[string] == plain_hash(string)


@CHECKED
@given(st.binary(min_size=1, max_size=40), st.binary(max_size=9), st.binary(max_size=9))
def test_text_hash_does_not_depend_on_the_bytes_around(
    data: bytes, before: bytes, after: bytes
) -> None:
    alone = np.frombuffer(data.ljust(8, b"x"), np.uint8)
    within = np.frombuffer(before + data + after.ljust(8, b"y"), np.uint8)
    at_end = np.frombuffer(b"12345678" + data, np.uint8)
    expected = text.hash_bytes(alone, 0, len(data))
    assert text.hash_bytes(within, len(before), len(before) + len(data)) == expected
    assert text.hash_bytes(at_end, 8, 8 + len(data)) == expected


@pytest.mark.parametrize("char", ["\x00", "\x0e", "\x0f", "a", "\x7f", "é", "中", "😀"])
def test_text_hash_tells_runs_of_one_character_apart(char: str) -> None:
    lengths = range(1, 200)
    data = np.frombuffer((char * 200).encode(), np.uint8)
    hashes = {int(text.hash_bytes(data, 0, n * len(char.encode()))) for n in lengths}
    assert len(hashes) == len(lengths)


def test_text_hash_tells_short_strings_apart() -> None:
    """All of up to three of these; leading NUL must not vanish."""
    parts = ["\x00", "\x01", "\x07", "\x0f", "a", "b", " ", "é", "中文", "abcdefg", "12345678"]
    combinations = (itertools.product(parts, repeat=n) for n in (1, 2, 3))
    every = sorted({"".join(c) for some in combinations for c in some})
    hashes = text.hash_rows(*buffers(pa.array(every)))
    assert len(set(hashes.tolist())) == len(every)


def test_text_hash_rows_equal_where_texts_are() -> None:
    data, offsets = buffers(pa.array(["soil", "rain", "soil", "", ""]))
    hashes = text.hash_rows(data, offsets)
    assert hashes[0] == hashes[2]
    assert hashes[3] == hashes[4]
    assert len(set(hashes.tolist())) == 3


def grams(string: str, n: int) -> list[int]:
    hashes, offsets = ngram_hashes(pa.chunked_array([[string]], pa.string()), n)
    assert offsets.tolist() == [0, len(hashes)]
    return hashes.tolist()


def test_text_ngrams_count_is_words_minus_n_plus_one() -> None:
    assert [len(grams("a b c d e", n)) for n in (1, 2, 5)] == [5, 4, 1]


def test_text_ngrams_of_a_shorter_text_are_all_its_words() -> None:
    assert len(grams("a b", 8)) == 1
    assert grams("a b", 8) == grams("a b", 2)
    assert grams("... !", 8) == []
    assert grams("", 8) == []


def test_text_ngrams_ignore_case_and_symbols() -> None:
    assert grams("The soil, the RAIN!", 2) == grams("the soil the rain", 2)


def test_text_ngrams_depend_on_order_and_borders() -> None:
    assert grams("a b", 2) != grams("b a", 2)
    assert grams("ab c", 2) != grams("a bc", 2)


def test_text_ngrams_of_many_texts_equal_those_of_each() -> None:
    """Unspaced scripts between ASCII need more room than one word per two bytes."""
    texts = ["", "a中" * 50, "soil", "1 2 3", "か" * 9, "x y " * 40, "!"]
    hashes, offsets = ngram_hashes(pa.chunked_array([texts[:3], texts[3:]]), 3)
    parts = [hashes[a:b].tolist() for a, b in itertools.pairwise(offsets)]
    assert parts == [grams(one, 3) for one in texts]
