"""Normal forms, against plain Python."""

import itertools
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation import text
from curation.dedup.forms import Normal, form_room, hash_forms, normal, normalise
from curation.hash128 import hash_rows128
from curation.jit import kernel
from curation.text import Bytes, Offsets
from tests.curation.dedup.plain_lines import plain_form
from tests.curation.odd_texts import strings

FORMS = ["none", "whitespace", "case", "alphanumeric", "digits"]


@kernel
def _normalised(data: Bytes, offsets: Offsets, form: Normal) -> tuple[Bytes, Offsets]:
    out, ends = np.zeros(0, np.uint8), np.zeros(len(offsets), np.int64)
    for row in range(len(offsets) - 1):
        room = form_room(offsets)
        size = normalise(data, offsets[row], offsets[row + 1], form, room)
        out = np.concatenate((out, room[:size]))
        ends[row + 1] = len(out)
    return out, ends


def formed(texts: list[str], form: str) -> list[str]:
    out, ends = _normalised(*text.buffers(pa.array(texts, pa.string())), normal(form))  # type: ignore[arg-type]
    return [bytes(out[a:b]).decode() for a, b in itertools.pairwise(ends)]


@pytest.mark.parametrize("form", FORMS[1:])
@settings(deadline=None)  # the first call compiles
@given(st.lists(strings, max_size=4))
def test_forms_are_what_plain_python_makes(form: str, texts: list[str]) -> None:
    texts = [string.encode("utf-8", "replace").decode() for string in texts]
    assert formed(texts, form) == [plain_form(string, form) for string in texts]


@pytest.mark.parametrize("form", FORMS[1:])
def test_forms_of_every_character(form: str) -> None:
    codes = [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]
    texts = ["".join(map(chr, codes[i : i + 4096])) for i in range(0, len(codes), 4096)]
    assert formed(texts, form) == [plain_form(string, form) for string in texts]


@pytest.mark.parametrize("form", FORMS[1:])
def test_forms_of_white_space_at_any_place_of_eight_bytes(form: str) -> None:
    texts = [
        lead + "A" * i + gap + "Bé9z" * j + tail
        for lead in ("", " ", "\n\t")
        for i in range(10)
        for gap in (" ", "  ", "\n", "\t \u2003", "!", "\x00", "\x7f")
        for j in range(4)
        for tail in ("", " ", "   \r\n")
    ]
    assert formed(texts, form) == [plain_form(string, form) for string in texts]


@pytest.mark.parametrize("form", FORMS)
def test_hash_forms_are_hashes_of_the_form(form: str) -> None:
    texts = ["", " ", "One  Two,\n3", "ÉTÉ", "x" * 1000, "ȺȾ" * 50]
    expected = [plain_form(string, form) for string in texts]
    hashes = hash_forms(pa.array([*texts, None]), form)  # type: ignore[arg-type]
    plain = hash_rows128(*text.buffers(pa.array([*expected, ""])))
    assert hashes.tolist() == plain.tolist()
