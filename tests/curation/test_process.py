"""The fused pass: kept and dropped, errors alone, deciding again without measuring."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from curation.dedup.exact import ExactDedup
from curation.document import DROP_FIELDS
from curation.errors import RunError, UserError
from curation.filters.c4_quality import C4Quality
from curation.filters.fineweb_quality import FinewebQuality
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.refinedweb_lines import RefinedwebLines
from curation.filters.text_stats import TextStats
from curation.process import (
    ERROR,
    REFUSED,
    ROW,
    PlannedStage,
    StageStats,
    drop_rows,
    process,
    shared_passes,
)
from curation.stage import Annotations, Filter, Modifier, Rule, Scorer
from tests.corpora import prose

MakeTable = Callable[..., pa.Table]


@dataclass(frozen=True, kw_only=True)
class Length(Filter):
    """Drops texts that are too short or too long; fails on the word `boom`."""

    min_chars: int | None = None
    max_chars: int | None = None
    among: tuple[str, ...] | None = None

    def columns(self) -> Annotations:
        return {"chars": pa.int64(), "first": pa.string(), "is_loud": pa.bool_()}

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        texts = table["text"].combine_chunks()
        if any("boom" in text for text in texts.to_pylist()):
            raise ValueError("boom")
        return {
            "chars": pc.utf8_length(texts).cast(pa.int64()),
            "first": pc.utf8_slice_codeunits(texts, 0, 1),
            "is_loud": pc.match_substring(texts, "!"),
        }

    def rules(self) -> tuple[Rule, ...]:
        return (
            Rule("min_chars", "chars", "min", self.min_chars),
            Rule("max_chars", "chars", "max", self.max_chars, when="is_loud"),
            Rule("among", "first", "in", self.among),
        )


@dataclass(frozen=True, kw_only=True)
class Replace(Modifier):
    """Edits text, and refuses or fails where the text says so."""

    old: str = "x"
    new: str = ""

    def edit(self, table: pa.Table) -> pa.Table:
        texts = table["text"].to_pylist()
        if any(text == "raise" for text in texts):
            raise ValueError("cannot edit")
        edited = [None if t == "null" else t.replace(self.old, self.new) for t in texts]
        place = table.column_names.index("text")
        table = table.set_column(place, "text", pa.array(edited, pa.string()))
        marks = ((ERROR, "bad"), (REFUSED, "ugly"))
        for mark, word in marks:
            why = [f"it is {word}" if t == word else None for t in texts]
            table = table.append_column(mark, pa.array(why, pa.string()))
        return table


@dataclass(frozen=True, kw_only=True)
class Raises(Scorer):
    """Measures nothing: raises as told."""

    error: Any = None

    def columns(self) -> Annotations:
        return {"n": pa.int64()}

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        raise self.error


def length(**params: Any) -> PlannedStage:
    return PlannedStage("length", Length(**params))


REPLACE = PlannedStage("replace", Replace())


def ends(kept: pa.Table, dropped: pa.Table) -> tuple[list[str], list[tuple[str, ...]]]:
    why = ("id", "drop_stage", "drop_reason", "drop_value", "drop_threshold")
    return kept["id"].to_pylist(), [tuple(r[k] for k in why) for r in dropped.to_pylist()]


def test_process_no_stages_keeps_all(documents: MakeTable) -> None:
    table = documents(["a", "b"])
    kept, dropped, stats = process(table, [])
    assert kept is table
    assert len(dropped) == 0
    assert set(DROP_FIELDS.names) <= set(dropped.column_names)
    assert stats == []


def test_process_first_failing_rule_is_the_reason(documents: MakeTable) -> None:
    table = documents(["abc", "b", "abcdef!", "cde!"])
    kept, dropped, _ = process(table, [length(min_chars=2, max_chars=5, among=("a",))])
    assert ends(kept, dropped) == (
        ["d0"],
        [
            ("d1", "length", "min_chars", "1", "2"),
            ("d2", "length", "max_chars", "7", "5"),
            ("d3", "length", "among", "c", "a"),
        ],
    )


def test_process_rule_equality_keeps(documents: MakeTable) -> None:
    kept, _, _ = process(documents(["ab!", "ab"]), [length(min_chars=2, max_chars=3)])
    assert kept["id"].to_pylist() == ["d0", "d1"]


def test_process_when_column_limits_a_rule_to_true_rows(documents: MakeTable) -> None:
    kept, dropped, _ = process(documents(["long one", "long one!"]), [length(max_chars=3)])
    assert ends(kept, dropped) == (["d0"], [("d1", "length", "max_chars", "9", "3")])


def test_process_rules_of_none_keep_all_and_still_measure(documents: MakeTable) -> None:
    kept, dropped, _ = process(documents(["a", "bb"]), [length()])
    assert kept["length.chars"].to_pylist() == [1, 2]
    assert len(dropped) == 0


@pytest.mark.parametrize(
    ("bound", "threshold", "values", "failing"),
    [
        ("min", 2, [1, 2, 3, None], [True, False, False, False]),
        ("max", 2, [1, 2, 3, None], [False, False, True, False]),
        ("in", (1, 3), [1, 2, 3, None], [False, True, False, False]),
        ("in", (), [1, None], [True, False]),
        ("min", None, [1, None], [False, False]),
        ("in", None, [1, None], [False, False]),
    ],
)
def test_rule_null_is_not_judged_and_equality_keeps(
    bound: Any, threshold: Any, values: list[int | None], failing: list[bool]
) -> None:
    table = pa.table({"v": pa.array(values, pa.int64())})
    assert Rule("p", "v", bound, threshold).fails(table).to_pylist() == failing


def test_rule_when_null_is_not_judged() -> None:
    table = pa.table({"v": [1, 1, 1], "w": pa.array([True, False, None])})
    fails = Rule("p", "v", "min", 2, when="w").fails(table)
    assert fails.to_pylist() == [True, False, False]


def test_process_failing_document_stands_alone(documents: MakeTable) -> None:
    texts = [f"text {i}" for i in range(37)]
    texts[5] = texts[30] = "boom"
    kept, dropped, stats = process(documents(texts), [length(min_chars=1)])
    assert kept["id"].to_pylist() == [f"d{i}" for i in range(37) if i not in (5, 30)]
    assert ends(kept, dropped)[1] == [
        (f"d{i}", "length", "error", "ValueError: boom", None) for i in (5, 30)
    ]
    assert stats[0].reasons == {"error": 2}


def test_process_all_documents_fail_leaves_an_empty_table_with_columns(
    documents: MakeTable,
) -> None:
    kept, dropped, _ = process(documents(["boom"] * 4), [length(), REPLACE])
    assert len(kept) == 0
    assert "length.chars" in kept.column_names
    assert dropped["id"].to_pylist() == ["d0", "d1", "d2", "d3"]


def test_process_long_error_message_is_cut(documents: MakeTable) -> None:
    stage = PlannedStage("raises", Raises(error=ValueError("x" * 10_000)))
    _, dropped, _ = process(documents(["a"]), [stage])
    assert len(dropped["drop_value"][0].as_py()) == 500


@pytest.mark.parametrize(
    "error", [UserError("wrong"), RunError("stop"), MemoryError(), OSError("disk full")]
)
def test_process_error_that_is_no_documents_fault_stops(
    documents: MakeTable, error: Exception
) -> None:
    with pytest.raises(type(error)):
        process(documents(["a", "b"]), [PlannedStage("raises", Raises(error=error))])


def test_process_modifier_marks_errors_refusals_and_empty_texts(documents: MakeTable) -> None:
    table = documents(["ok", "bad", "ugly", "xx", "null", "raise", " x \u2003", "axb"])
    kept, dropped, stats = process(table, [REPLACE])
    assert kept["text"].to_pylist() == ["ok", "ab"]
    found = {row[0]: row[1:] for row in ends(kept, dropped)[1]}
    assert found == {
        "d1": ("replace", "error", "it is bad", None),
        "d2": ("replace", "it is ugly", None, None),
        "d3": ("replace", "empty_text", None, None),
        "d4": ("replace", "empty_text", None, None),
        "d5": ("replace", "error", "ValueError: cannot edit", None),
        "d6": ("replace", "empty_text", None, None),
    }
    assert stats[0].removed_chars == 1
    assert not {ERROR, REFUSED} & {*kept.column_names, *dropped.column_names}


def test_process_modifier_that_adds_text_counts_negative(documents: MakeTable) -> None:
    stage = PlannedStage("grow", Replace(old="a", new="aé"))
    _, _, stats = process(documents(["aa", "b"]), [stage])
    assert stats[0].removed_chars == -2


def test_process_stages_run_in_order_and_each_sees_what_is_left(documents: MakeTable) -> None:
    stages = [length(min_chars=2), REPLACE, PlannedStage("again", Length(min_chars=2))]
    kept, dropped, stats = process(documents(["abc", "a", "ax", "bad"]), stages)
    assert kept["id"].to_pylist() == ["d0"]
    rows = [r[:3] for r in ends(kept, dropped)[1]]
    assert rows == [
        ("d1", "length", "min_chars"),
        ("d3", "replace", "error"),
        ("d2", "again", "min_chars"),
    ]
    assert [(s.documents_in, s.documents_out) for s in stats] == [(4, 3), (3, 2), (2, 1)]
    assert [(s.bytes_in, s.bytes_out) for s in stats] == [(9, 8), (8, 4), (4, 3)]


def test_process_measurements_of_one_version_of_the_text_stay(documents: MakeTable) -> None:
    kept, _, _ = process(documents(["axx"]), [length(), REPLACE, PlannedStage("after", Length())])
    assert (kept["length.chars"][0].as_py(), kept["after.chars"][0].as_py()) == (3, 1)


def test_process_global_stage_is_refused(documents: MakeTable) -> None:
    with pytest.raises(TypeError, match="dedup"):
        process(documents(["a"]), [PlannedStage("dedup", ExactDedup())])


TEXTS = ["abc", "b", "boom", "long enough!", "cd", "efg!"]


@pytest.mark.parametrize(
    ("before", "after"), [((2, 8), (3, 4)), ((3, 4), (2, 8)), ((None, None), (2, 3))]
)
def test_process_deciding_again_equals_fresh(
    documents: MakeTable, before: tuple[Any, Any], after: tuple[Any, Any]
) -> None:
    """As the runner does it: kept and this stage's drops together, by row, with measurements."""

    def stages(bounds: tuple[Any, Any]) -> list[PlannedStage]:
        second = PlannedStage("second", Length(max_chars=bounds[1], among=("a", "l", "c")))
        return [length(min_chars=bounds[0]), second]

    table = documents(TEXTS)
    kept, dropped, _ = process(table, stages(before))
    back = dropped.select(kept.column_names)
    again = pa.concat_tables([kept, back]).sort_by(ROW)
    found, fresh = process(again, stages(after)), process(table, stages(after))
    assert found[0].equals(fresh[0])
    columns = fresh[1].column_names
    assert found[1].sort_by(ROW).select(columns).equals(fresh[1].sort_by(ROW))


def test_process_already_measured_columns_are_taken_as_they_are(documents: MakeTable) -> None:
    table = documents(["abc", "abcd", "ab"])
    chars = pa.array([100, None, 7], pa.int64())
    table = table.append_column("length.chars", chars)
    table = table.append_column("length.first", pa.array(["q", None, "q"]))
    table = table.append_column("length.is_loud", pa.array([False, None, False]))
    kept, dropped, _ = process(table, [length(min_chars=5)])
    assert kept["length.chars"].to_pylist() == [100, 7]
    assert ends(kept, dropped)[1] == [("d1", "length", "min_chars", "4", "5")]


def test_process_mixed_measured_and_fresh_rows_keep_their_order(documents: MakeTable) -> None:
    table = documents(["a", "bb", "boom", "dddd", "eeeee"])
    table = table.append_column("length.chars", pa.array([None, 2, None, 4, None], pa.int64()))
    table = table.append_column("length.first", pa.array([None, "b", None, "d", None]))
    table = table.append_column("length.is_loud", pa.array([None, False, None, False, None]))
    kept, dropped, _ = process(table, [length()])
    assert kept["length.chars"].to_pylist() == [1, 2, 4, 5]
    assert dropped["id"].to_pylist() == ["d2"]


def test_planned_stage_columns_bear_the_label() -> None:
    assert list(length().columns()) == ["length.chars", "length.first", "length.is_loud"]
    assert [r.column for r in length().rules()] == ["length.chars", "length.chars", "length.first"]
    assert length().rules()[1].when == "length.is_loud"
    assert length().column("language") == "language"
    assert REPLACE.columns() == {}
    assert REPLACE.rules() == ()


def test_stage_stats_add_up_and_round_trip() -> None:
    one = StageStats(3, 2, 30, 20, 1, 0.5)
    one.reasons.update(["a", "b", "b"])
    other = StageStats(1, 0, 5, 0, -1, 0.25)
    other.reasons.update(["a", "a", "a"])
    one.add(other)
    assert one.to_dict() == {
        "documents_in": 4,
        "documents_out": 2,
        "bytes_in": 35,
        "bytes_out": 20,
        "removed_chars": 0,
        "seconds": 0.75,
        "reasons": {"a": 4, "b": 2},
    }
    assert StageStats.from_dict(one.to_dict()) == one


def test_drop_rows_fills_given_fields_and_leaves_others_null(documents: MakeTable) -> None:
    table = drop_rows(documents(["a", "b"]), drop_stage="s", drop_value=pa.array([1, 2]))
    assert table["drop_stage"].to_pylist() == ["s", "s"]
    assert table["drop_value"].to_pylist() == ["1", "2"]
    assert table["similarity"].null_count == 2
    assert [table.schema.field(f.name).type for f in DROP_FIELDS] == [f.type for f in DROP_FIELDS]


def test_process_drop_of_an_empty_list_shows_it_as_empty(documents: MakeTable) -> None:
    _, dropped, _ = process(documents(["a"]), [length(among=())])
    assert (dropped["drop_value"][0].as_py(), dropped["drop_threshold"][0].as_py()) == ("a", "")


# --- stages that are measured together


def grouped(*stages: PlannedStage) -> list[list[str]]:
    return [[planned.label for planned in group] for group in shared_passes(stages)]


QUALITY = PlannedStage("quality", GopherQuality(min_words=60))
REPETITION = PlannedStage("repetition", GopherRepetition())
FINEWEB = PlannedStage("fineweb", FinewebQuality(max_short_line_frac=None))
STATS = PlannedStage("stats", TextStats(max_chars=1500))
C4 = PlannedStage("c4", C4Quality())
REFINEDWEB = PlannedStage("refinedweb", RefinedwebLines(max_removed_word_frac=None))
AGAIN = PlannedStage("again", GopherQuality(min_words=100))


@pytest.mark.parametrize(
    ("stages", "groups"),
    [
        ([], []),
        ([QUALITY], [["quality"]]),
        ([QUALITY, REPETITION, STATS], [["quality", "repetition", "stats"]]),
        # another scorer, or a modifier, between
        ([QUALITY, length(), REPETITION], [["quality"], ["length"], ["repetition"]]),
        ([QUALITY, REPLACE, REPETITION], [["quality"], ["replace"], ["repetition"]]),
        ([length(), QUALITY, STATS], [["length"], ["quality", "stats"]]),
        # a filter that edits is measured with what precedes it; what follows sees other text
        ([QUALITY, C4, STATS], [["quality", "c4"], ["stats"]]),
        ([C4, REFINEDWEB, STATS], [["c4"], ["refinedweb"], ["stats"]]),
        # two of a family would fill the same columns
        ([QUALITY, AGAIN], [["quality"], ["again"]]),
        ([QUALITY, STATS, AGAIN, FINEWEB], [["quality", "stats"], ["again", "fineweb"]]),
    ],
)
def test_shared_passes_group_text_rules_of_different_families(
    stages: list[PlannedStage], groups: list[list[str]]
) -> None:
    assert grouped(*stages) == groups


def calls_of_measure(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[str]]]:
    """(texts, families) of every pass over texts from now on."""
    import curation.text_rules

    calls, measure = [], curation.text_rules.measure

    def counting(texts: pa.ChunkedArray, wanted: Any) -> Any:
        calls.append((len(texts), list(wanted)))
        return measure(texts, wanted)

    monkeypatch.setattr(curation.text_rules, "measure", counting)
    return calls


def test_process_measures_a_group_once(
    documents: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = calls_of_measure(monkeypatch)
    process(documents(CORPUS), [QUALITY, REPETITION, STATS, AGAIN, C4, FINEWEB])
    assert [families for _, families in calls] == [
        ["quality", "repetition", "characters"],
        ["quality", "c4"],
        ["fineweb"],
    ]
    assert [texts for texts, _ in calls] == [10, 6, 4]


CORPUS = [
    prose(1),
    prose(2, 3),  # too short
    prose(3),
    "and the rain comes to the garden again.\n" * 20,  # repeats itself
    prose(4, 30),  # too long
    f"{prose(5)}\nmenu\n{prose(6, 1)}",
    prose(7, 5),  # too short for the second
    prose(8) + " { }.",  # for C4
    f"{prose(9)}\nlorem",
    "",
]


def alone(table: pa.Table, stages: Sequence[PlannedStage]) -> tuple[pa.Table, list[pa.Table]]:
    """(kept, dropped by each stage), every stage in a pass of its own."""
    parts = []
    for planned in stages:
        table, dropped, _ = process(table, [planned])
        parts.append(dropped)
    return table, parts


def test_process_group_decides_as_its_stages_alone(documents: MakeTable) -> None:
    stages = [QUALITY, REPETITION, STATS, AGAIN, C4, FINEWEB]
    kept, dropped, stats = process(documents(CORPUS), stages)
    expected, parts = alone(documents(CORPUS), stages)
    assert kept.equals(expected)
    why = [ROW, "text", *DROP_FIELDS.names]
    assert dropped.select(why).equals(pa.concat_tables([part.select(why) for part in parts]))
    assert [s.documents_in - s.documents_out for s in stats] == [len(part) for part in parts]
    assert [len(part) for part in parts] == [2, 1, 1, 1, 1, 0]


def test_process_dropped_row_has_the_columns_measured_with_its_stage(documents: MakeTable) -> None:
    stages = [QUALITY, REPETITION, STATS, AGAIN, C4, FINEWEB]
    _, dropped, _ = process(documents(CORPUS), stages)
    groups = shared_passes(stages)
    seen = set()
    for row in dropped.to_pylist():
        last = next(
            i for i, group in enumerate(groups) if row["drop_stage"] in {p.label for p in group}
        )
        for i, group in enumerate(groups):
            for name in (name for planned in group for name in planned.columns()):
                assert (row.get(name) is not None) == (i <= last)
        seen.add(last)
    assert seen == {0, 1}


def test_process_filter_that_edits_ends_its_group_with_an_edit(documents: MakeTable) -> None:
    text = "\n".join(["menu", *prose(1).replace(". ", ".\n").split("\n")])
    kept, _, stats = process(documents([text]), [QUALITY, C4, STATS])
    assert kept["text"].to_pylist() == [text.removeprefix("menu\n")]
    assert kept["stats.num_chars"].to_pylist() == [len(text) - len("menu\n")]
    assert kept["quality.num_words"].to_pylist() == [1 + len(prose(1).split())]
    assert [s.removed_chars for s in stats] == [0, len("menu\n"), 0]


def test_process_filter_that_edits_leaves_the_text_of_what_it_drops(documents: MakeTable) -> None:
    _, dropped, _ = process(documents(["menu\nIt rained all day. \n"]), [C4])
    assert dropped["text"].to_pylist() == ["menu\nIt rained all day. \n"]
    assert dropped["c4.num_sentences"].to_pylist() == [1]


@dataclass(frozen=True, kw_only=True)
class Sharing(Length):
    """Is measured with whatever stands before it; fails on the word `boom`."""

    def shares_pass_with(self, others: Sequence[Scorer]) -> bool:
        return True


def test_process_document_that_fails_in_a_group_stands_alone(documents: MakeTable) -> None:
    texts = [f"text {i}" for i in range(37)]
    texts[5] = texts[30] = "boom"
    texts[7] = "t"
    stages = [
        PlannedStage("one", Sharing(min_chars=2)),
        PlannedStage("two", Sharing()),
        PlannedStage("three", Sharing(min_chars=7)),
    ]
    assert grouped(*stages) == [["one", "two", "three"]]
    kept, dropped, stats = process(documents(texts), stages)
    assert kept["id"].to_pylist() == [f"d{i}" for i in range(10, 37) if i != 30]
    assert dropped["drop_stage"].to_pylist() == ["one"] * 3 + ["three"] * 8
    for row in dropped.to_pylist():
        measured = {row[f"{planned.label}.chars"] for planned in stages}
        if row["text"] == "boom":
            assert (row["drop_reason"], row["drop_value"]) == ("error", "ValueError: boom")
            assert measured == {None}
        else:
            assert row["drop_reason"] == "min_chars"
            assert measured == {len(row["text"])}
    assert [dict(s.reasons) for s in stats] == [
        {"error": 2, "min_chars": 1},
        {},
        {"min_chars": 8},
    ]
    assert [(s.documents_in, s.documents_out) for s in stats] == [(37, 34), (34, 34), (34, 26)]


def test_process_all_documents_of_a_group_fail_leaves_all_columns(documents: MakeTable) -> None:
    stages = [PlannedStage("one", Sharing()), PlannedStage("two", Sharing(min_chars=1))]
    kept, dropped, _ = process(documents(["boom"] * 3), stages)
    assert len(kept) == 0
    assert {"one.chars", "two.chars", "two.is_loud"} <= {*kept.column_names}
    assert dropped["drop_stage"].to_pylist() == ["one"] * 3


def test_process_group_measures_rows_that_lack_columns_of_any_stage(
    documents: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, _, _ = process(documents(CORPUS), [QUALITY, STATS])
    lacking = fresh.set_column(
        fresh.column_names.index("stats.num_chars"),
        "stats.num_chars",
        pc.if_else(pc.equal(fresh[ROW], 2), None, fresh["stats.num_chars"]),
    )
    calls = calls_of_measure(monkeypatch)
    again, dropped, _ = process(lacking, [QUALITY, STATS])
    assert again.equals(fresh)
    assert len(dropped) == 0
    assert calls == [(1, ["quality", "characters"])]


@pytest.mark.parametrize("resume_at", range(5))
def test_process_resumed_decides_from_there_on_and_measures_as_before(
    documents: MakeTable, resume_at: int
) -> None:
    """Even where the stages from there on alone would be measured together."""
    stages = [QUALITY, REPETITION, AGAIN, STATS]
    table = documents(CORPUS)
    fresh = process(table, stages)
    labels = [planned.label for planned in stages]
    stays = pc.is_in(fresh[1]["drop_stage"], value_set=pa.array(labels[:resume_at], pa.string()))
    back = fresh[1].filter(pc.invert(stays)).select(fresh[0].column_names)
    again = pa.concat_tables([fresh[0], back]).sort_by(ROW)
    kept, dropped, stats = process(again, stages, resume_at)
    assert kept.equals(fresh[0])
    expected = fresh[1].filter(pc.invert(stays))
    assert dropped.select(expected.column_names).equals(expected)
    assert len(stats) == len(stages) - resume_at


@pytest.mark.parametrize(
    ("place", "params"),
    [(0, {"min_words": 20}), (1, {"max_dup_line_frac": None}), (2, {"max_chars": 900})],
)
def test_process_group_deciding_again_equals_fresh(
    documents: MakeTable, place: int, params: dict[str, Any]
) -> None:
    stages = [QUALITY, REPETITION, STATS]
    table = documents(CORPUS)
    kept, dropped, _ = process(table, stages)
    stage: Any = stages[place].stage
    stages[place] = PlannedStage(stages[place].label, replace(stage, **params))
    back = dropped.select(kept.column_names)
    found = process(pa.concat_tables([kept, back]).sort_by(ROW), stages)
    fresh = process(table, stages)
    assert found[0].equals(fresh[0])
    columns = fresh[1].column_names
    assert found[1].select(columns).equals(fresh[1])
    assert not (fresh[0].equals(kept) and fresh[1].equals(dropped))
