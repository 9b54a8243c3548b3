"""Alarms: just inside and just outside of every limit, and what is too little to be news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from curation.alarms import (
    FEW,
    MANY,
    MANY_BYTES,
    Band,
    Policy,
    find_alarms,
    read_bands,
    static_alarms,
)
from curation.errors import UserError
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.language import Language
from curation.modifiers.html_text import HtmlText
from curation.process import PlannedStage
from curation.stage import Annotations, Filter, Rule

QUALITY = PlannedStage("quality", GopherQuality())


def row(
    *, reasons: dict[str, int] | None = None, num_bytes: int = 0, **sources: tuple[int, int]
) -> dict[str, Any]:
    """A funnel row of the stage `quality`: (documents in, documents out) by source."""
    parts = {s: {"documents_in": a, "documents_out": b} for s, (a, b) in sources.items()}
    whole = {k: sum(p[k] for p in parts.values()) for k in ("documents_in", "documents_out")}
    more = {"reasons": reasons or {"min_words": 1}, "bytes_in": num_bytes}
    return {"stage": "quality", **whole, **more, "by_source": parts}


def kinds(
    funnel_row: dict[str, Any], policy: Policy | None = None, stage: PlannedStage = QUALITY
) -> list[tuple[str, str | None]]:
    found = find_alarms([stage], [funnel_row], policy or Policy())
    return [(alarm.kind, alarm.source) for alarm in found]


def bands(**expect: Any) -> Policy:
    return Policy(bands=read_bands(expect, ["quality"], ["a", "b"], "r.yaml: expect"))


@pytest.mark.parametrize(
    ("kept", "outside"), [(29, True), (30, False), (60, False), (61, True), (0, True)]
)
def test_band_keeps_its_ends(kept: int, outside: bool) -> None:
    found = kinds(row(a=(50, kept), b=(50, 0)), bands(quality=[0.3, 0.6]))
    assert (("outside_band", None) in found) == outside


def test_band_of_a_source_judges_that_source_alone() -> None:
    policy = bands(quality={"sources": {"a": [0.5, 1]}})
    assert kinds(row(a=(10, 5), b=(10, 1)), policy) == []
    assert kinds(row(a=(10, 4), b=(10, 10)), policy) == [("outside_band", "a")]
    assert kinds(row(b=(10, 4)), policy) == []
    assert kinds(row(a=(0, 0), b=(10, 4)), policy) == []  # nothing came: nothing to judge


def test_band_alarm_tells_share_band_and_counts() -> None:
    policy = bands(quality={"min": 0.5, "max": 0.95, "sources": {"a": {"max": 0.2}}})
    found = find_alarms([QUALITY], [row(a=(100, 25), b=(100, 50))], policy)
    assert [alarm.message for alarm in found] == [
        "quality kept 37.5%, outside [0.5, 0.95]: 75 of 200 documents",
        "quality kept 25.0% of source 'a', outside [0, 0.2]: 25 of 100 documents",
    ]


@pytest.mark.parametrize(
    ("before", "after", "loud"),
    [
        (1000, 50, False),  # exactly 95 %
        (1000, 49, True),
        (FEW, 1, False),
        (FEW, 0, True),
        (FEW - 1, 0, False),  # too few to be news
    ],
)
def test_nearly_all_of_a_source(before: int, after: int, loud: bool) -> None:
    found = kinds(row(a=(before, after), b=(1000, 900)))
    assert found == ([("dropped_nearly_all", "a")] if loud else [])


def test_nearly_all_takes_the_share_of_the_recipe() -> None:
    gone_half = row(a=(100, 49), b=(100, 100))
    assert kinds(gone_half, Policy(max_drop_frac=0.5)) == [("dropped_nearly_all", "a")]
    assert kinds(gone_half, Policy(max_drop_frac=0.51)) == []
    assert kinds(row(a=(100, 0), b=(100, 100)), Policy(max_drop_frac=1.0)) == []


def test_nearly_all_is_no_news_of_a_source_with_a_band() -> None:
    policy = bands(quality={"sources": {"a": [0, 0.1]}})
    assert kinds(row(a=(100, 1), b=(100, 90)), policy) == []
    assert kinds(row(a=(100, 1)), bands(quality=[0, 0.1])) == []  # the only source is all
    assert kinds(row(a=(100, 1), b=(100, 9)), bands(quality=[0, 0.1])) == [
        ("dropped_nearly_all", "a")
    ]


def test_stage_that_leaves_nothing_is_loud_however_little_came() -> None:
    assert kinds(row(a=(2, 0))) == [("dropped_nearly_all", "a")]
    assert kinds(row(a=(2, 0)), Policy(max_drop_frac=1.0)) == [("dropped_nearly_all", "a")]
    assert kinds(row(a=(2, 0)), bands(quality=[0, 1])) == [("dropped_nearly_all", "a")]


@pytest.mark.parametrize(
    ("documents", "num_bytes", "reasons", "loud"),
    [
        (MANY, MANY_BYTES, {"error": 2}, True),
        (MANY - 1, MANY_BYTES, {"error": 2}, False),
        (MANY, MANY_BYTES - 1, {"error": 2}, False),
        (MANY, MANY_BYTES, {"min_words": 1}, False),
    ],
)
def test_filter_that_matched_nothing(
    documents: int, num_bytes: int, reasons: dict[str, int], loud: bool
) -> None:
    found = row(a=(documents, documents), num_bytes=num_bytes, reasons=reasons)
    assert kinds(found) == ([("matched_nothing", None)] if loud else [])


def test_matched_nothing_is_no_news_with_a_band_without_rules_or_of_a_modifier() -> None:
    found = row(a=(MANY, MANY), num_bytes=MANY_BYTES, reasons={"error": 1})
    assert kinds(found, bands(quality=[0.9, 1])) == []
    off = PlannedStage("quality", Language(keep=None, min_score=None))
    assert kinds(found, stage=off) == []
    assert kinds(found, stage=PlannedStage("quality", HtmlText())) == []


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (GopherQuality(min_words=0), "num_words is never below 0"),
        (GopherQuality(min_words=1), None),
        (GopherQuality(min_avg_word_len=0.0), "avg_word_len is never below 0"),
        (GopherQuality(min_alpha_word_frac=0.0), "alpha_word_frac is never below 0"),
        (GopherQuality(max_bullet_line_frac=1.0), "bullet_line_frac is never above 1"),
        (GopherQuality(max_bullet_line_frac=0.999), None),
        (GopherQuality(max_symbol_word_ratio=1.0), None),  # a ratio may be above 1
        (GopherRepetition(max_dup_line_frac=2.0), "dup_line_frac is never above 1"),
        (Language(min_score=0.0), None),  # nothing is known of the range of a score
        (GopherQuality(min_words=None, max_bullet_line_frac=None), None),
    ],
)
def test_threshold_at_the_end_of_the_range_can_never_fire(stage: Filter, why: str | None) -> None:
    found = static_alarms([PlannedStage("one", stage)])
    assert [a.kind for a in found] == (["never_fires"] if why else [])
    if why:
        assert why in found[0].message
        assert found[0].message.startswith("one.m")


@dataclass(frozen=True, kw_only=True)
class Rules(Filter):
    """A filter of such rules."""

    made: tuple[Rule, ...] = ()

    def columns(self) -> Annotations:
        return {"x": pa.float64(), "y": pa.float64(), "s": pa.string(), "b": pa.bool_()}

    def rules(self) -> tuple[Rule, ...]:
        return self.made


@pytest.mark.parametrize(
    ("first", "second", "shadowed"),
    [
        (("x", "max", 0.5), ("x", "max", 0.6), True),
        (("x", "max", 0.5), ("x", "max", 0.5), True),
        (("x", "max", 0.5), ("x", "max", 0.4), False),
        (("x", "min", 0.5), ("x", "min", 0.4), True),
        (("x", "min", 0.5), ("x", "min", 0.6), False),
        (("x", "max", 0.5), ("y", "max", 0.6), False),
        (("x", "min", 0.5), ("x", "max", 0.6), False),
        (("s", "in", ("a", "b")), ("s", "in", ("b", "a", "c")), True),
        (("s", "in", ("a", "b")), ("s", "in", ("a",)), False),
        (("x", "max", None), ("x", "max", 0.6), False),
        (("x", "max", 0.5), ("x", "max", 0.6, "b"), True),
        (("x", "max", 0.5, "b"), ("x", "max", 0.6), False),
        (("x", "max", 0.5, "b"), ("x", "max", 0.6, "b"), True),
    ],
)
def test_rule_behind_a_stricter_one_can_never_fire(
    first: tuple[Any, ...], second: tuple[Any, ...], shadowed: bool
) -> None:
    planned = PlannedStage("two", Rules(made=(Rule("p", *first), Rule("q", *second))))
    found = static_alarms([planned])
    assert [alarm.stage for alarm in found] == (["two"] if shadowed else [])
    if shadowed:
        assert "two.q" in found[0].message
        assert "p " in found[0].message


def test_bands_are_read_in_both_spellings() -> None:
    expect = {"quality": [0.5, 1], "language": {"max": 0.9, "sources": {"a": [0, 0.5]}}}
    found = read_bands(expect, ["quality", "language"], ["a"], "r.yaml: expect")
    assert {key: (band.min, band.max) for key, band in found.items()} == {
        ("quality", None): (0.5, 1.0),
        ("language", None): (0.0, 0.9),
        ("language", "a"): (0.0, 0.5),
    }


@pytest.mark.parametrize(
    ("expect", "names"),
    [
        ({"qality": [0, 1]}, ["qality", "'quality'", "expect.qality"]),
        ({"quality": {"sources": {"c": [0, 1]}}}, ["source 'c'", "a, b", "quality.sources.c"]),
        ({"quality": [0.6, 0.5]}, ["min <= max", "0.6", "expect.quality"]),
        ({"quality": [0, 1.5]}, ["1.5"]),
        ({"quality": [-0.1, 1]}, ["-0.1"]),
        ({"quality": [0.5]}, ["[min, max]"]),
        ({"quality": 0.5}, ["0.5", "[min, max]"]),
        ({"quality": ["low", 1]}, ["float", "low"]),
        ({"quality": {"mn": 0.5}}, ["mn", "'min'"]),
        ({"quality": {"sources": {"a": [0.9, 0.1]}}}, ["sources.a", "min <= max"]),
        ({"quality": {"sources": {"a": {"sources": {}}}}}, ["sources", "It takes: min, max"]),
    ],
)
def test_impossible_bands_are_named(expect: dict[str, Any], names: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        read_bands(expect, ["quality"], ["a", "b"], "r.yaml: expect")
    assert all(name in str(caught.value) for name in names), str(caught.value)


def test_band_of_everything_is_open_at_both_ends() -> None:
    assert (Band().min, Band().max) == (0.0, 1.0)
