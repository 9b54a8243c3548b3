"""The best documents up to a share of all tokens: exactly, in any partitions, ties by id."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curation import text
from curation.errors import UserError
from curation.filters.keep_top import KeepTop
from curation.ranking import running, tally
from curation.stage import DECISION_SCHEMA

Row = dict[str, Any]


def corpus(seed: int, count: int = 300, distinct: int = 20) -> list[Row]:
    """Documents with few distinct scores, so that many tie, and tokens of any size."""
    draw = random.Random(seed)
    ids = [f"d{i:04d}" for i in range(count)]
    draw.shuffle(ids)
    return [
        {
            "id": name,
            "source": draw.choice("abc"),
            "s.score": draw.randrange(distinct) / distinct - 0.2,
            "s.num_tokens": draw.choice([0, 1, 7, 1000]),
        }
        for name in ids
    ]


def evidence(stage: KeepTop, rows: list[Row]) -> pa.Table:
    table = pa.Table.from_pylist(rows).select(["id", *stage.reads])
    found = stage.evidence(table)
    found = found.append_column("id", table["id"].take(found["row"]))
    return found.append_column("slice", pa.array([0] * len(found), pa.int64()))


def kept(stage: KeepTop, rows: list[Row], partitions: int = 1) -> set[str]:
    """Ids that stay, with the evidence in so many ranges of its key."""
    found = evidence(stage, rows)
    key = found["key"].to_numpy()
    cuts_at = np.sort(key)[np.linspace(0, len(key) - 1, partitions + 1).astype(int)[1:-1]]
    place = np.searchsorted(cuts_at, key, "left")
    parts = [found.filter(pa.array(place == i)) for i in range(partitions)]
    *above, total = running([tally(part) for part in parts])
    cuts: dict[str, Any] = {}
    for part, before in zip(parts, above, strict=True):
        cuts |= stage.cuts(part, before, total)
    gone = pa.concat_tables([stage.hold_against(part, cuts) for part in parts])
    assert gone.schema == DECISION_SCHEMA
    assert set(gone["drop_reason"].to_pylist()) <= {"keep_frac"}
    lost = gone["row"].to_pylist()
    assert len(set(lost)) == len(lost)
    return {row["id"] for i, row in enumerate(rows) if i not in set(lost)}


def by_hand(rows: list[Row], frac: str, *, highest: bool = True) -> set[str]:
    """The definition, one document after another."""
    sign = -1 if highest else 1
    ranked = sorted(rows, key=lambda row: (sign * row["s.score"], row["id"]))
    budget = Fraction(frac) * sum(row["s.num_tokens"] for row in rows)
    taken, used = [], 0
    for row in ranked:
        used += row["s.num_tokens"]
        if used > budget and taken:
            break
        taken.append(row["id"])
    return set(taken)


def stage(**changes: Any) -> KeepTop:
    given = {"column": "s.score", "tokens": "s.num_tokens", "keep_frac": 0.1}
    return KeepTop(**(given | changes))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("frac", ["0.001", "0.1", "0.37", "0.9", "1"])
def test_keep_top_is_the_longest_run_within_the_budget(seed: int, frac: str) -> None:
    rows = corpus(seed)
    assert kept(stage(keep_frac=float(frac)), rows) == by_hand(rows, frac)


@pytest.mark.parametrize("partitions", [2, 3, 17])
@pytest.mark.parametrize("by", ["all", "source"])
def test_keep_top_does_not_depend_on_partitions(by: str, partitions: int) -> None:
    rows = corpus(9)
    one = stage(keep_frac=0.3, keep_by=by)
    assert kept(one, rows, partitions) == kept(one, rows)


def test_keep_top_by_source_is_each_source_alone() -> None:
    rows = corpus(4)
    alone = [by_hand([r for r in rows if r["source"] == s], "0.25") for s in "abc"]
    assert kept(stage(keep_frac=0.25, keep_by="source"), rows) == set.union(*alone)


def test_keep_top_of_the_lowest_takes_the_other_end() -> None:
    rows = corpus(5)
    assert kept(stage(keep_frac=0.3, best="lowest"), rows) == by_hand(rows, "0.3", highest=False)


def documents(*values: tuple[float | None, int]) -> list[Row]:
    return [
        {"id": f"d{i}", "source": "a", "s.score": score, "s.num_tokens": tokens}
        for i, (score, tokens) in enumerate(values)
    ]


def test_keep_top_takes_a_budget_that_is_met_exactly() -> None:
    rows = documents((0.9, 1), (0.8, 2), (0.7, 7))
    assert kept(stage(keep_frac=0.3), rows) == {"d0", "d1"}  # 0.3 x 10, which is no float
    assert kept(stage(keep_frac=0.29999), rows) == {"d0"}


def test_keep_top_keeps_the_best_document_even_if_it_is_over_the_budget() -> None:
    assert kept(stage(keep_frac=0.1), documents((0.9, 100), (0.8, 1), (0.7, 1))) == {"d0"}


def test_keep_top_does_not_skip_a_large_document_for_a_smaller_one() -> None:
    assert kept(stage(keep_frac=0.5), documents((0.9, 2), (0.8, 90), (0.7, 8))) == {"d0"}


def test_keep_top_breaks_ties_by_id_and_takes_both_zeros_for_one() -> None:
    rows = documents((0.0, 1), (-0.0, 1), (0.0, 1), (-0.0, 1))
    assert kept(stage(keep_frac=0.5), rows[::-1]) == {"d0", "d1"}


def test_keep_top_takes_a_document_without_a_score_for_the_worst() -> None:
    rows = documents((None, 1), (-5.0, 1), (float("nan"), 1))
    assert kept(stage(keep_frac=0.4), rows) == {"d1"}


def test_keep_top_drops_name_the_score_and_that_of_the_last_kept() -> None:
    gone = stage(keep_frac=0.5).resolve(
        evidence(stage(), documents((0.5, 1), (0.25, 1), (0.75, 1), (0.125, 1)))
    )
    assert sorted(gone["drop_value"].to_pylist()) == ["0.125", "0.25"]
    assert set(gone["drop_threshold"].to_pylist()) == {"0.5"}


def test_keep_top_counts_tokens_itself_where_no_column_has_them() -> None:
    rows = [{"id": f"d{i}", "text": "word " * n, "s.score": -n} for i, n in enumerate([1, 2, 7])]
    one = KeepTop(column="s.score", keep_frac=0.3)
    assert one.reads == ("s.score", "text")
    assert kept(one, rows) == {"d0", "d1"}


def test_keep_top_ranks_whole_numbers_too() -> None:
    rows = [{"id": str(i), "text": "x", "q.num_words": i} for i in range(10)]
    assert kept(KeepTop(column="q.num_words", keep_frac=0.2), rows) == {"8", "9"}


@pytest.mark.parametrize("frac", [0, -0.1, 1.01])
def test_keep_top_refuses_an_impossible_share(frac: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        stage(keep_frac=frac)


def test_keep_top_check_wants_columns_that_are_numbers() -> None:
    known = {"s.score": pa.float64(), "s.num_tokens": pa.int64(), "text": pa.string()}
    stage().check_columns(known)
    with pytest.raises(UserError, match=r"Did you mean 's.score'"):
        stage(column="s.scores").check_columns(known)
    with pytest.raises(UserError, match="needs a number"):
        stage(column="text").check_columns(known)


def test_count_tokens_counts_words_and_symbols() -> None:
    texts = pa.array(["Hello, world!!", "", None, "农民 ..."])
    assert text.count_tokens(texts).to_pylist() == [4, 0, 0, 3]
