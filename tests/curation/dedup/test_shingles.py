"""Sets of shingles, against sets of tuples in plain Python."""

import itertools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.jit import kernel
from curation.shingling.hashing import find_words, room_for
from curation.shingling.shingles import EMPTY, Shingles, _distinct, _slots, shared, shingle_sets
from curation.shingling.word_bounds import Characters, characters
from curation.text import Bytes, Hashes, Offsets, buffers
from tests.corpora import prose
from tests.curation.dedup.plain_shingles import (
    jaccard,
    plain_shingles,
    plain_words,
    split_shingles,
)
from tests.curation.odd_texts import strings

ENGLISH = "The soil, the RAIN and the soil: the rain and the Soil. Don't mix 3.14 with x_1!"
WORDS = Shingles()
CHECKED = settings(max_examples=100, deadline=None, derandomize=True, database=None)
CJK = "土壌は雨を吸う。土壌は雨を吸う。tilth 123 土"


@kernel
def _words(data: Bytes, offsets: Offsets, known: Characters) -> Hashes:
    """The hashes of the words of the first text."""
    room = room_for(offsets)
    return room.units[: find_words(data, offsets[0], offsets[1], known, room)].copy()


def words(text: str) -> list[int]:
    found: list[int] = _words(*buffers(pa.array([text])), characters()).tolist()
    return found


def sets(texts: Sequence[str | None], shingles: Shingles = WORDS) -> list[list[int]]:
    hashes, offsets = shingle_sets(pa.array(texts, pa.string()), shingles)
    assert (hashes.dtype.name, offsets.dtype.name) == ("uint64", "int64")
    assert offsets[-1] == len(hashes)
    return [hashes[a:b].tolist() for a, b in itertools.pairwise(offsets.tolist())]


def overlap(a: list[int], b: list[int]) -> int:
    one, two = np.array(a, np.uint64), np.array(b, np.uint64)
    return shared(one, 0, len(one), two, 0, len(two))


@CHECKED
@given(st.lists(strings, max_size=6))
def test_shingles_words_are_those_of_the_segmentation(texts: list[str]) -> None:
    strings, hashes = [], []
    for text in texts:
        strings += plain_words(text)
        hashes += words(text)
        assert len(hashes) == len(strings)
    assert len(set(hashes)) == len(set(strings)) == len(set(zip(hashes, strings, strict=True)))


@pytest.mark.parametrize("length", [1, 7, 8, 9, 15, 16, 17, 24, 25, 63, 64, 65, 127, 128, 129])
def test_shingles_words_of_every_length_at_every_place(length: int) -> None:
    word = ("abcdefghijklmnopqrstuvwxyz0123456789" * 4)[:length]
    for before in (0, 1, 60, 63, 64):
        text = " " * before + word
        assert words(text) == words(word), before
        assert words(text.upper() + " x") == [*words(word), *words("x")]
        changed = {tuple(words(word[:i] + "_" + word[i + 1 :])) for i in range(1, length - 1)}
        assert len(changed) == max(length - 2, 0)


@pytest.mark.parametrize("joiner", ["'", ".", ",", "_", "’", "é", "́", "中", "-"])
def test_shingles_words_that_cross_blocks(joiner: str) -> None:
    for before, middle in itertools.product(range(56, 70), ("ab", "12", "a1")):
        text = " " * before + f"{middle[0]}{joiner}{middle[1]} x{joiner}"
        assert len(words(text)) == len(plain_words(text)), text


def test_shingles_case_of_all_letters_is_folded() -> None:
    assert words("ÉCOLE ΣΊΣΥΦΟΣ ДОМ") == words("école σίσυφοσ дом")
    assert words("\u212aelvin") == words("kelvin")  # its small letter is ASCII
    assert words("Ⱥ") == words("ⱥ")  # three bytes for two
    assert words("@ [ `") == words("{ |")  # symbols that differ as case does are no words


def test_shingles_small_letters_are_of_the_same_kind() -> None:
    known = characters()
    assert (known.kinds[known.lower] == known.kinds).all()


@pytest.mark.parametrize("unit", ["word", "char"])
@pytest.mark.parametrize("n_gram", [1, 2, 5, 13])
@CHECKED
@given(st.lists(strings, min_size=2, max_size=4))
def test_shingles_sets_share_what_tuples_do(unit, n_gram, texts: list[str]) -> None:  # type: ignore[no-untyped-def]
    texts = [*texts, texts[0] + " " + texts[1], ENGLISH, CJK]
    found = sets(texts, Shingles(unit, n_gram))
    plain = [set(plain_shingles(text, n_gram, unit)) for text in texts]
    assert [len(one) for one in found] == [len(one) for one in plain]
    for (a, x), (b, y) in itertools.combinations(zip(found, plain, strict=True), 2):
        assert a == sorted(set(a))
        common = overlap(a, b)
        assert common == len(x & y)
        if x | y:
            assert common / (len(a) + len(b) - common) == jaccard(x, y)


def test_shingles_of_prose_have_the_jaccard_of_their_tuples() -> None:
    texts = [prose(seed) for seed in range(8)]
    texts += [text[: len(text) // 2] + text[len(text) // 4 :] for text in texts]
    found, plain = sets(texts), [set(plain_shingles(text, 5)) for text in texts]
    for i, j in itertools.combinations(range(len(texts)), 2):
        assert overlap(found[i], found[j]) == len(plain[i] & plain[j])


def test_shingles_of_fewer_words_than_n_gram_are_all_of_them() -> None:
    assert [len(one) for one in sets(["a", "a b", "a b c d", "a b c d e", "a b c d e f"])] == [
        1, 1, 1, 1, 2,
    ]  # fmt: skip
    assert sets(["a b", "b a", "A, b!", "a"])[0] == sets(["A, b!"])[0]
    assert len({tuple(one) for one in sets(["a b", "b a", "a", "b"])}) == 4


def test_shingles_of_nothing() -> None:
    assert sets(["", None, "...", " \n"]) == [[], [], [], []]
    assert sets(["", None, " \n\u3000"], Shingles("char", 3)) == [[], [], []]
    assert sets([]) == []


def test_shingles_of_characters_take_white_space_as_one_space() -> None:
    one, two, three = sets([" Ab  c\n", "ab c", "abc"], Shingles("char", 3))
    assert one == two
    assert (len(one), len(three)) == (2, 1)


def test_shingles_depend_on_their_text_alone() -> None:
    texts = ["", "tail", ENGLISH, None, CJK, prose(1), "a中" * 50, "é", prose(2)]
    every, array = sets(texts), pa.array(texts, pa.string())
    assert every == [one for text in texts for one in sets([text])]
    for split in (
        array[3:],
        pa.chunked_array([array[3:5], array[5:]]),
        array.cast("large_string")[3:],
    ):
        hashes, offsets = shingle_sets(split, Shingles())
        assert [hashes[a:b].tolist() for a, b in itertools.pairwise(offsets)] == every[3:]


def test_shingles_of_a_huge_text() -> None:
    text = " ".join(f"w{i * i % 1_000_003:x}" for i in range(750_000))
    assert len(text) > 5_000_000
    (found,) = sets([text])
    assert len(found) == len(set(split_shingles(text)))
    assert len(sets(["soil rain " * 500_000])[0]) == 2


@kernel
def _distinct_of(hashes: Hashes, size: int) -> Hashes:
    slots, out = np.full(size, EMPTY, np.uint64), np.empty(len(hashes), np.uint64)
    _distinct(hashes, len(hashes), slots, out, 0)
    found = _distinct(hashes, len(hashes), slots, out, 0)  # the slots must be as they were
    return out[:found]


def test_shingles_distinct_of_hashes_that_crowd() -> None:
    top = 2**64 - 1
    cases = [
        [top - 1 - i for i in range(40)] * 2, list(range(40)), [5] * 30, [top - 1, 0, top - 1, 1],
        [(i * 0x9E3779B97F4A7C15) % 2**64 for i in range(1000)] * 3,
        [2**63 + i for i in range(100)][::-1],
    ]  # fmt: skip
    for case in cases:
        hashes = np.array(case, np.uint64)
        assert _distinct_of(hashes, 2 * _slots(len(case))).tolist() == sorted(set(case))
    assert _distinct_of(np.array([top], np.uint64), 64).tolist() == [top - 1]


def test_shingles_shared_counts_within_the_ranges() -> None:
    a, b = np.array([1, 3, 5, 7, 9], np.uint64), np.array([2, 3, 4, 7, 2**64 - 1], np.uint64)
    assert shared(a, 0, 5, b, 0, 5) == 2
    assert shared(a, 2, 5, b, 0, 5) == 1
    assert shared(a, 2, 5, b, 0, 3) == 0
    assert shared(a, 0, 0, b, 0, 5) == 0


def test_shingles_refuses_no_words() -> None:
    with pytest.raises(ValueError, match=r"'n_gram' of shingles must be at least 1\. Got 0"):
        Shingles("word", 0)
