"""Signatures, against the S-curve and multisets in plain Python."""

import random
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup.near.signatures import Banding, Signatures, sign
from curation.shingling.shingles import Shingles
from tests.corpora import prose
from tests.curation.dedup.plain_shingles import jaccard, plain_shingles, split_shingles
from tests.curation.odd_texts import strings

DEFAULT = Banding(22, 5)
CHECKED = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def signed(texts: Sequence[str | None], banding: Banding = DEFAULT, n_gram: int = 5) -> Signatures:
    return sign(pa.array(texts, pa.string()), Shingles("word", n_gram), banding)


def rows(found: Signatures, at: slice) -> Signatures:
    return Signatures(found.bands[at], found.multiset[at], found.counts[at])


def equal(a: Signatures, b: Signatures) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_banding_probability_is_the_s_curve() -> None:
    """The published values of FineWeb's 14 bands of 8 rows."""
    fineweb = Banding(14, 8)
    given = [round(fineweb.probability(s), 3) for s in (0.5, 0.6, 0.7, 0.8)]
    assert given == [0.053, 0.211, 0.565, 0.924]
    assert (fineweb.probability(0), fineweb.probability(1)) == (0, 1)


@pytest.mark.parametrize(("bands", "rows"), [(22, 5), (14, 8), (26, 11), (1, 1)])
def test_banding_threshold_has_probability_one_half(bands: int, rows: int) -> None:
    banding = Banding(bands, rows)
    assert banding.probability(banding.threshold) == pytest.approx(0.5)


@pytest.mark.parametrize(("bands", "rows", "name"), [(0, 5, "bands"), (5, 0, "rows")])
def test_banding_refuses_none(bands: int, rows: int, name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' of signatures must be at least 1. Got 0"):
        Banding(bands, rows)


@CHECKED
@given(st.lists(strings, min_size=1, max_size=5), st.integers(1, 4), st.randoms())
def test_signatures_multisets_are_equal_where_counters_are(
    texts: list[str], n_gram: int, draw: random.Random
) -> None:
    texts = [*texts, texts[0] + " " + texts[0], texts[0].upper(), "a b a b", "b a b a", "a a b b"]
    draw.shuffle(texts)
    plain = [Counter(plain_shingles(text, n_gram)) for text in texts]
    found = signed(texts, n_gram=n_gram)
    assert found.counts.tolist() == [one.total() for one in plain]
    for i, one in enumerate(plain):
        for j, other in enumerate(plain):
            assert (found.multiset[i].tolist() == found.multiset[j].tolist()) == (one == other)


def test_signatures_keys_take_sets_and_multisets_repeats() -> None:
    once, twice = "a b c d e f g", "a b c d e f g a b c d e f g"
    loop = "a b c d e f g " * 3
    found = signed([once, twice, loop])
    assert found.counts.tolist() == [3, 10, 17]
    assert (found.bands[1] == found.bands[2]).all()  # the same set of shingles
    assert (found.multiset[1] != found.multiset[2]).all()
    assert (found.bands[0] != found.bands[1]).any()


def test_signatures_shapes() -> None:
    for bands, rows in ((1, 1), (3, 1), (1, 40), (22, 5), (26, 11)):
        found = signed([prose(1), "", None, "one"], Banding(bands, rows))
        assert found.bands.shape == (4, bands)
        assert {found.bands.dtype.name, found.multiset.dtype.name} == {"uint64"}
        assert found.multiset.shape == (4, 2)
        assert found.counts.tolist()[1:] == [0, 0, 1]
    assert signed([]).bands.shape == (0, 22)


def test_signatures_depend_on_their_text_alone() -> None:
    texts = ["", "tail", None, "土壌は雨を吸う。", *map(prose, range(5)), "é", "a中" * 50]
    every, array = signed(texts), pa.array(texts, pa.string())
    assert equal(every, signed(texts))
    for i, text in enumerate(texts):
        assert equal(rows(every, slice(i, i + 1)), signed([text]))
    chunks = pa.chunked_array([array[2:4], array[4:]])
    for part in (array[2:], chunks, array.cast(pa.large_string())[2:]):
        found = sign(part, Shingles(), DEFAULT)
        assert equal(found, rows(every, slice(2, None)))


@pytest.mark.parametrize("hash_bits", [32, 64])
def test_signatures_of_other_seeds_bands_and_widths_differ(hash_bits: int) -> None:
    texts = [prose(seed) for seed in range(20)]
    one = signed(texts, Banding(22, 5, hash_bits))  # type: ignore[arg-type]
    assert len(np.unique(one.bands)) == one.bands.size  # of bands, too
    for other in (Banding(22, 5, hash_bits, seed=2), Banding(22, 5, 96 - hash_bits)):  # type: ignore[arg-type]
        two = signed(texts, other)
        assert not np.isin(two.bands, one.bands).any()
        assert np.array_equal(one.multiset, two.multiset)


def test_signatures_keys_spread_over_their_top_bits() -> None:
    keys = signed([prose(seed, 3) for seed in range(2000)]).bands
    shares = np.bincount((keys >> np.uint64(60)).ravel().astype(np.int64), minlength=16) / keys.size
    assert np.abs(shares - 1 / 16).max() < 0.006  # five standard errors
    assert len(np.unique(keys)) == keys.size


def test_signatures_of_a_huge_text() -> None:
    text = " ".join(prose(seed, 100) for seed in range(700)).replace(".", "")
    assert len(text) > 5_000_000
    found = signed([text, "a" * 5_000_000, text])
    assert found.counts.tolist() == [len(text.split()) - 4, 1, found.counts[0]]
    assert np.array_equal(found.bands[0], found.bands[2])


Edit = Callable[[list[str], random.Random], list[str]]


def _replace_words(words: list[str], draw: random.Random) -> list[str]:
    out = list(words)
    for _ in range(int(draw.random() ** 2 * len(words) / 4) + 1):
        out[draw.randrange(len(out))] = f"new{draw.randrange(10**9)}"
    return out


def _truncate(words: list[str], draw: random.Random) -> list[str]:
    stop = draw.randint(5, len(words))
    return words[:stop] if draw.random() < 0.5 else words[-stop:]


def _replace_end(words: list[str], draw: random.Random) -> list[str]:
    start = draw.randint(5, len(words))
    return words[:start] + [f"new{draw.randrange(10**9)}" for _ in words[start:]]


def _pairs(edit: Edit, sizes: tuple[int, int], n: int, draw: random.Random) -> list[str]:
    vocabulary = prose(1, 60).lower().replace(".", "").split()
    texts = []
    for _ in range(n):
        words = [draw.choice(vocabulary) for _ in range(draw.randint(*sizes))]
        texts += [" ".join(words), " ".join(edit(words, draw))]
    return texts


@pytest.mark.parametrize("edit", [_replace_words, _truncate, _replace_end])
@pytest.mark.parametrize("sizes", [(30, 100), (100, 300)])
def test_signatures_link_pairs_as_the_s_curve_says(edit: Edit, sizes: tuple[int, int]) -> None:
    """Per bin of true similarity, within what 4.5 standard errors allow; the draw is fixed."""
    texts = _pairs(edit, sizes, 3000, random.Random(11))
    sets = [set(split_shingles(text)) for text in texts]
    true = np.array([jaccard(a, b) for a, b in zip(sets[::2], sets[1::2], strict=True)])
    for banding in (Banding(22, 5), Banding(14, 8, 32), Banding(26, 11, seed=5)):
        keys = signed(texts, banding).bands
        linked = (keys[::2] == keys[1::2]).any(1)
        expected = np.array([banding.probability(similarity) for similarity in true])
        for low in np.arange(0, 1, 0.1):
            inside = (true >= low) & (true < low + 0.1)
            error = np.sqrt((expected * (1 - expected))[inside].sum())
            assert abs(linked[inside].sum() - expected[inside].sum()) <= 4.5 * error + 1
        assert linked[true == 1].all()


def test_signatures_minima_are_independent_of_each_other() -> None:
    """How many of 110 minima agree varies between pairs as if each were drawn by itself."""
    texts = _pairs(_replace_words, (60, 120), 3000, random.Random(7))
    sets = [set(split_shingles(text)) for text in texts]
    true = np.array([jaccard(a, b) for a, b in zip(sets[::2], sets[1::2], strict=True)])
    keys = signed(texts, Banding(110, 1)).bands
    agreeing = (keys[::2] == keys[1::2]).sum(1)
    some = (true > 0.05) & (true < 0.95)
    z = (agreeing - 110 * true)[some] / np.sqrt(110 * true * (1 - true))[some]
    assert abs(z.mean()) < 0.08  # four standard errors of 2500 pairs
    assert z.std() == pytest.approx(1, abs=0.06)
