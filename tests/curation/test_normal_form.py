"""Normal form C is Python's, whichever texts are found to have it already."""

import unicodedata

import pyarrow as pa
import pytest

from curation.normal_form import nfc

TEXTS = [
    "",
    "plain ASCII, long enough for two blocks of bytes " * 3,
    "caf\u00e9 d\u00e9j\u00e0 \u2014 composed",
    "cafe\u0301 de\u0301ja\u0300",  # not composed
    "x" * 63 + "e\u0301",  # across the first block
    "x" * 64 + "\u0301" + "y" * 64,
    "a\u0323\u0307 a\u0307\u0323",  # marks in either order
    "\u212b \u2126 \u00c5",  # letters that have a canonical twin
    "\u1112\u1161\u11ab \ud55c",  # Hangul in parts, and composed
    "\u0958 \u0915\u093c",  # excluded from composition
    "\u0bc6\u0bbe",  # two starters that compose
    "日本語 と 한국어 и русский",
    "👩\u200d🌾 🏳️\u200d🌈",
    "\U0001d15e musical",
]


@pytest.mark.parametrize("text", TEXTS)
def test_nfc_of_one_text(text: str) -> None:
    assert nfc(pa.chunked_array([[text]])).to_pylist() == [unicodedata.normalize("NFC", text)]


def test_nfc_of_many_texts_and_nulls_in_chunks() -> None:
    texts = pa.chunked_array([[*TEXTS, None], [], TEXTS[::-1]], pa.string())
    expected = [*map(_python, TEXTS), None, *map(_python, TEXTS[::-1])]
    assert nfc(texts).to_pylist() == expected


def test_nfc_of_no_texts() -> None:
    assert nfc(pa.chunked_array([], pa.string())).to_pylist() == []


def test_nfc_leaves_texts_alone_that_have_it() -> None:
    texts = pa.chunked_array([["plain", "caf\u00e9", "日本語"]])
    assert nfc(texts) is texts


def test_nfc_of_every_character_behind_a_letter() -> None:
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = [f"a{chr(c)}" for c in codes]
    found = nfc(pa.chunked_array([texts])).to_pylist()
    differ = [hex(c) for c, t, f in zip(codes, texts, found, strict=True) if f != _python(t)]
    known = [c for c in differ if unicodedata.category(chr(int(c, 16))) != "Cn"]
    assert known == []  # characters newer than this Python's Unicode aside


def _python(text: str) -> str:
    return unicodedata.normalize("NFC", text)
