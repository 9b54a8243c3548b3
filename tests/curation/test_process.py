"""The fused pass: kept and dropped, errors alone, deciding again without measuring."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from curation.dedup.exact import ExactDedup
from curation.document import DROP_FIELDS
from curation.errors import RunError, UserError
from curation.process import ERROR, REFUSED, ROW, PlannedStage, StageStats, drop_rows, process
from curation.stage import Annotations, Filter, Modifier, Rule, Scorer

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
