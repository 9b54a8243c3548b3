"""Groups set apart for panels, and copies of panel text."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from curation.hold_out import N_GRAM, group_of, is_held_out, ngram_index, overlaps

GROUPS = [f"site-{i}.example" for i in range(20_000)]


@pytest.mark.parametrize("frac", [0.01, 0.1, 0.5, 0.9])
def test_hold_out_share_of_groups_is_near_frac(frac: float) -> None:
    share = sum(is_held_out(group, frac) for group in GROUPS) / len(GROUPS)
    assert share == pytest.approx(frac, abs=4 * (frac * (1 - frac) / len(GROUPS)) ** 0.5)


def test_hold_out_larger_frac_holds_out_a_superset() -> None:
    fracs = [0.0, 0.001, 0.01, 0.2, 0.7, 1.0]
    chosen = [{g for g in GROUPS if is_held_out(g, frac)} for frac in fracs]
    assert chosen[0] == set()
    assert chosen[-1] == set(GROUPS)
    assert all(a <= b for a, b in itertools.pairwise(chosen))


def test_hold_out_choice_is_the_same_on_every_machine() -> None:
    chosen = [i for i, group in enumerate(GROUPS[:300]) if is_held_out(group, 0.02)]
    assert chosen == [54, 70, 199, 213, 216, 244]


@pytest.mark.parametrize(
    ("url", "group"),
    [
        ("https://example.org/a?b=c#d", "example.org"),
        ("http://www.example.org:8080/", "example.org"),
        ("HTTP://WWW.Example.ORG/Path", "example.org"),
        ("https://user:pass@blog.example.org/", "blog.example.org"),
        ("https://wwwx.example.org/", "wwwx.example.org"),
        ("http://192.168.0.1/x", "192.168.0.1"),
        ("http://[2001:db8::1]:80/x", "2001:db8::1"),
        ("https://пример.рф/стр", "пример.рф"),
        ("//example.org/a", "example.org"),
        ("ftp://files.example.org", "files.example.org"),
        ("http://[::1", "record-7"),
        ("http://", "record-7"),
        ("not a url", "record-7"),
        ("mailto:a@example.org", "record-7"),
        ("/relative/path", "record-7"),
        ("http://www./", "record-7"),
        ("", "record-7"),
        (None, "record-7"),
    ],
)
def test_hold_out_group_is_the_site_else_the_record(url: str | None, group: str) -> None:
    assert group_of(url, "record-7") == group


def chunked(*texts: str) -> pa.ChunkedArray:
    return pa.chunked_array([list(texts)], pa.string())


def words(first: int, last: int) -> str:
    return " ".join(f"w{i}" for i in range(first, last))


PANEL = words(0, 20)  # 13 8-grams: w0..w7 to w12..w19


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (PANEL, 1.0),
        (PANEL.upper().replace(" ", ",  "), 1.0),  # case, white space and marks do not matter
        (words(5, 15), 1.0),  # 3 of 3
        (words(10, 30), 3 / 13),  # w10..w17, w11.., w12..w19 of 13
        (words(0, 20) + " " + words(100, 120), 13 / 33),
        (words(100, 130), 0.0),
        (words(13, 20), 0.0),  # 7 words: one short n-gram, which the panel has not
        ("", 0.0),
        ("... !", 0.0),
    ],
)
def test_hold_out_overlap_is_the_share_of_ngrams_in_the_panel(text: str, share: float) -> None:
    assert N_GRAM == 8
    assert overlaps(chunked(text), ngram_index(chunked(PANEL)))[0] == pytest.approx(share)


def test_hold_out_overlaps_of_many_texts_equal_those_of_each() -> None:
    index = ngram_index(chunked(PANEL, words(200, 240)))
    texts = ["", PANEL, words(100, 150), words(190, 230), "!", words(5, 300)]
    whole = overlaps(pa.chunked_array([texts[:2], texts[2:]]), index)
    assert whole.tolist() == [overlaps(chunked(text), index)[0] for text in texts]


def test_hold_out_short_panel_text_matches_only_its_equal() -> None:
    index = ngram_index(chunked("three short words"))
    found = overlaps(chunked("Three short words!", "three short words more", "short words"), index)
    assert found.tolist() == [1.0, 0.0, 0.0]


def test_hold_out_without_panel_text_nothing_overlaps() -> None:
    index = ngram_index(chunked())
    assert len(index) == 0
    assert overlaps(chunked(PANEL, ""), index).tolist() == [0.0, 0.0]
    assert overlaps(chunked(), ngram_index(chunked(PANEL))).tolist() == []


def test_hold_out_index_is_sorted_and_distinct() -> None:
    index = ngram_index(chunked(PANEL, PANEL, PANEL))
    assert len(index) == 13
    assert np.all(index[:-1] < index[1:])
