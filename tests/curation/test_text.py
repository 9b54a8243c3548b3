"""The only segmentation in tilth, character by character."""

import itertools
import random
import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from curation import text
from curation.text import ALONE, ALPHA, MARK, SPACE, WORD, buffers, character_table, ngram_hashes


def tokens(string: str) -> list[tuple[str, int]]:
    """(token, its length in code points), as `next_token` finds them."""
    data, offsets = buffers(pa.array([string]))
    found, at, end = [], int(offsets[0]), int(offsets[1])
    while True:
        start, at, length, _ = text.next_token(data, at, end, character_table())
        if start == at:
            return found
        found.append((bytes(data[start:at]).decode(), int(length)))


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("", []),
        (" \n\t", []),
        ("a", ["a"]),
        ("the  soil", ["the", "soil"]),
        ("it's", ["it", "'", "s"]),
        ("e-mail", ["e", "-", "mail"]),
        ("wait...", ["wait", "..."]),
        ("what?!", ["what", "?", "!"]),
        ("a__b", ["a", "__", "b"]),
        ("3.14 x²", ["3", ".", "14", "x²"]),
        ("été", ["été"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("中文 字", ["中", "文", "字"]),
        ("中a", ["中", "a"]),
        ("a中", ["a", "中"]),
        ("ですか", ["で", "す", "か"]),
        ("が", ["が"]),
        ("か\u3099", ["か\u3099"]),  # a mark joins the kana before it
        ("ที่ดี", ["ที่", "ดี"]),
        ("한국어", ["한국어"]),  # Korean has spaces
        ("नमस्ते", ["नमस्ते"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("a\u200db", ["a", "\u200d", "b"]),
        ("👨\u200d👩", ["👨", "\u200d", "👩"]),
        ("😀😀", ["😀😀"]),
        ("a\u2028b\u0085c\u00a0d", ["a", "b", "c", "d"]),
        ("a\x01\x01b", ["a", "\x01\x01", "b"]),
        ("a\r\nb", ["a", "b"]),
    ],
)
def test_text_tokens_are_words_and_symbols(string: str, expected: list[str]) -> None:
    assert tokens(string) == [(token, len(token)) for token in expected]


def test_text_tokens_leave_out_white_space_only() -> None:
    rng = random.Random(0)
    alphabet = "ab é中かのก็ \n\t.,!?#…😀\u0301\u200d\u2028Ж٣𠀀"
    for _ in range(300):
        string = "".join(rng.choices(alphabet, k=rng.randrange(40)))
        joined = "".join(token for token, _ in tokens(string))
        assert joined == "".join(c for c in string if not c.isspace())


def test_text_character_table_agrees_with_unicodedata() -> None:
    table = character_table()
    for code in [*range(0x3000), *range(0x10000, 0x10400), 0x4E00, 0xAC00, 0x1F600, 0x10FFFF]:
        char = chr(code)
        category = unicodedata.category(char)
        assert bool(table[code] & WORD) == (category[0] in "LMN")
        assert bool(table[code] & ALPHA) == (category[0] == "L")
        assert bool(table[code] & MARK) == (category[0] == "M")
        assert bool(table[code] & SPACE) == (char.isspace() and category[0] not in "LMN")


@pytest.mark.parametrize("char", ["中", "㐀", "𠀀", "か", "カ", "ก", "ກ", "ក", "က", "々"])
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


def test_text_hash_bytes_is_stable() -> None:
    """Ids of evidence on disk hang on it: a change must bump the stages' versions."""
    data = np.frombuffer(b"tilth", np.uint8)
    value = 0xCBF29CE484222325
    for byte in b"tilth":
        value = (value ^ byte) * 0x100000001B3 % 2**64
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor % 2**64
    assert text.hash_bytes(data, 0, len(data)) == value ^ value >> 33


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
