"""What a classifier learns from and what is held out: no text, site or near-copy on both sides."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from curation.errors import UserError
from curation.scorers.splitting import HELD_OUT_FRAC, Split, split_samples
from tests.classes import advert, sample
from tests.corpora import prose


def split(positives: list[str], negatives: list[str]) -> Split:
    return split_samples({"positives": sample(positives), "negatives": sample(negatives)})


def texts(one: Split, side: str) -> tuple[set[str], set[str]]:
    """(positives, negatives) of one side."""
    chosen = getattr(one, side)
    every = np.array(chosen.texts.to_pylist(), object)
    return set(every[chosen.positive]), set(every[~chosen.positive])


GOOD, BAD = [prose(i) for i in range(100)], [advert(i) for i in range(300)]


def test_split_holds_out_a_tenth_of_each_class_and_loses_nothing() -> None:
    one = split(GOOD, BAD)
    for side, every in zip((0, 1), (GOOD, BAD), strict=True):
        train, held = texts(one, "train")[side], texts(one, "held_out")[side]
        assert train | held == set(every)
        assert not train & held
        assert len(held) == HELD_OUT_FRAC * len(every)


def test_split_counts_each_text_once() -> None:
    one = split(GOOD + GOOD[:50], BAD * 2)
    assert one.counts["positives"] == {
        "sampled": 150, "distinct": 100, "train": 90, "held_out": 10, "near_duplicates": 0
    }  # fmt: skip
    assert one.counts["negatives"]["distinct"] == 300
    assert len(one.train.texts) == len(set(one.train.texts.to_pylist())) == 360


def test_split_takes_a_text_of_both_classes_for_a_positive() -> None:
    one = split(GOOD, [*BAD, *GOOD[:7]])
    assert one.counts["shared"] == 7
    assert one.counts["negatives"]["distinct"] == 300
    negatives = texts(one, "train")[1] | texts(one, "held_out")[1]
    assert not negatives & set(GOOD)


def test_split_mixes_the_classes_evenly() -> None:
    train = split(GOOD, BAD).train
    share = train.positive[: len(train.positive) // 3].mean()
    assert share == pytest.approx(train.positive.mean(), abs=0.02)


def with_urls(documents: list[str], urls: list[str]) -> pa.Table:
    table = sample(documents)
    return table.set_column(table.column_names.index("url"), "url", pa.array(urls))


def test_split_keeps_a_site_on_one_side() -> None:
    urls = [f"https://site{i // 3}.example/{i}" for i in range(300)]
    one = split_samples({"positives": sample(GOOD), "negatives": with_urls(BAD, urls)})
    site = {text: i // 3 for i, text in enumerate(BAD)}
    held, train = ({site[text] for text in texts(one, side)[1]} for side in ("held_out", "train"))
    assert not held & train
    assert len(held) == 10


def test_split_parts_a_site_that_is_much_of_its_class() -> None:
    """All positives of one site would else be held out together."""
    urls = ["https://wiki.example/page"] * 100
    one = split_samples({"positives": with_urls(GOOD, urls), "negatives": sample(BAD)})
    assert one.counts["positives"]["held_out"] == 10


def test_split_leaves_out_near_duplicates_of_what_is_learned() -> None:
    original = prose(1, sentences=60)
    copies = [f"{original} {prose(1000 + i, sentences=4)}" for i in range(30)]
    one = split([*GOOD, *copies], BAD)
    assert one.counts["positives"]["near_duplicates"] >= 1
    assert not texts(one, "held_out")[0] & set(copies)


@pytest.mark.parametrize("count", [0, 1, 19])
def test_split_refuses_too_few_documents(count: int) -> None:
    with pytest.raises(UserError, match=f"positives hold {count} distinct.*at least 20"):
        split(GOOD[:count], BAD)
    with pytest.raises(UserError, match=f"negatives hold {count} distinct.*at least 20"):
        split(GOOD, BAD[:count])


def test_split_takes_as_many_as_are_needed() -> None:
    one = split(GOOD[:20], BAD[:20])
    assert one.counts["positives"]["held_out"] == one.counts["negatives"]["held_out"] == 2


def test_split_refuses_identical_classes_and_says_that_they_are() -> None:
    with pytest.raises(UserError, match="100 texts stand on both sides"):
        split(GOOD, GOOD)


def test_split_refuses_one_text_over_and_over() -> None:
    with pytest.raises(UserError, match="1 distinct documents: 500 were drawn"):
        split([GOOD[0]] * 500, BAD)


def test_split_refuses_a_class_of_near_copies() -> None:
    original = prose(1, sentences=60)
    with pytest.raises(UserError, match="near-duplicates of others"):
        split([f"{original} {i}" for i in range(50)], BAD)
