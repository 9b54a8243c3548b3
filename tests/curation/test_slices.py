"""Slices: where they end, and how they are stored."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from curation.document import RECORD_SCHEMA
from curation.process import ROW, StageStats, drop_rows
from curation.slices import SLICE_BYTES, SLICE_ROWS, SliceStore, cut


def records(sizes: list[int], raw: bool = False) -> pa.Table:
    values = ["x" * size for size in sizes]
    columns = {
        "id": [str(i) for i in range(len(sizes))],
        "raw" if raw else "text": [v.encode() for v in values] if raw else values,
    }
    empty = [None] * len(sizes)
    arrays = [pa.array(columns.get(f.name, empty), f.type) for f in RECORD_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=RECORD_SCHEMA)


def chop(table: pa.Table, lengths: list[int]) -> list[pa.Table]:
    """The table in pieces of these lengths, then the rest."""
    parts, start = [], 0
    for length in lengths:
        parts.append(table[start : start + length])
        start += length
    return [*parts, table[start:]]


def ids(tables: list[pa.Table]) -> list[list[str]]:
    return [slice_["id"].to_pylist() for slice_ in cut(tables)]


MIB = 1 << 20
MIXED = [random.Random(0).choice([0, 10, 1000, MIB, 3 * MIB]) for _ in range(60)]


@pytest.mark.parametrize("raw", [False, True])
def test_slices_do_not_depend_on_how_rows_arrive(raw: bool) -> None:
    table = records(MIXED, raw)
    whole = ids([table])
    assert [i for part in whole for i in part] == table["id"].to_pylist()
    assert len(whole) > 3
    assert ids([table[i : i + 1] for i in range(len(table))]) == whole
    rng = random.Random(1)
    for _ in range(5):
        assert ids(chop(table, [rng.randrange(12) for _ in range(8)])) == whole


def test_slices_stay_within_bytes_and_are_as_full_as_they_can() -> None:
    parts = [part["text"].to_pylist() for part in cut([records(MIXED)])]
    sizes = [[len(text) for text in part] for part in parts]
    assert all(sum(size) <= SLICE_BYTES for size in sizes)
    for now, following in itertools.pairwise(sizes):
        assert sum(now) + following[0] > SLICE_BYTES


def test_slices_exact_fit_stays_together() -> None:
    half = SLICE_BYTES // 2
    assert ids([records([half, half, 1])]) == [["0", "1"], ["2"]]
    assert ids([records([half, half + 1, 1])]) == [["0"], ["1", "2"]]


def test_slices_huge_row_stands_alone() -> None:
    big = SLICE_BYTES + 1
    assert ids([records([5, big, 5, 5])]) == [["0"], ["1"], ["2", "3"]]
    assert ids([records([big, big])]) == [["0"], ["1"]]
    assert ids([records([big])]) == [["0"]]


def test_slices_have_at_most_so_many_rows() -> None:
    table = records([1] * (2 * SLICE_ROWS + 5))
    assert [len(part) for part in cut([table])] == [SLICE_ROWS, SLICE_ROWS, 5]
    exact = records([0] * SLICE_ROWS)
    assert [len(part) for part in cut([exact])] == [SLICE_ROWS]


def test_slices_of_nothing_are_none() -> None:
    assert ids([]) == []
    assert ids([records([]), records([])]) == []


def test_slices_are_cut_while_rows_arrive() -> None:
    """Memory is bounded by a slice, not by the source."""
    taken = 0

    def tables() -> object:
        nonlocal taken
        for _ in range(20):
            taken += 1
            yield records([SLICE_BYTES // 2])

    next(iter(cut(tables())))  # type: ignore[arg-type]
    assert taken == 3


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., SliceStore]:
    def make(keep_dropped_text: bool = True) -> SliceStore:
        (tmp_path / "work").mkdir(exist_ok=True)
        annotations = {"s.n": pa.int64()}
        return SliceStore(tmp_path / "work", annotations, {}, "run-1", keep_dropped_text)

    return make


def test_slice_store_round_trips_rows_and_record(
    store: Callable[..., SliceStore], documents: Callable[..., pa.Table]
) -> None:
    slices = store()
    table = documents(["keep é", "go"]).append_column("s.n", pa.array([1, 2]))
    dropped = drop_rows(table[1:], drop_stage="s", drop_reason="min_n")
    assert slices.finished("000000") is None
    record = slices.write("000000", "web", table[:1], dropped, [StageStats(2, 1)], [])
    assert slices.finished("000000") == record
    assert (record["kept"]["rows"], record["kept"]["text_bytes"]) == (1, 7)
    assert (record["dropped"]["rows"], record["source"], record["run"]) == (1, "web", "run-1")
    kept = slices.read("000000")
    assert kept.select(table.column_names).to_pylist() == table[:1].to_pylist()
    assert slices.read("000000", "dropped")["text"].to_pylist() == ["go"]
    assert slices.read("000000", columns=["id"]).column_names == ["id"]


def test_slice_store_can_leave_out_dropped_text(
    store: Callable[..., SliceStore], documents: Callable[..., pa.Table]
) -> None:
    slices = store(keep_dropped_text=False)
    table = documents(["keep", "secret"])
    slices.write("0", "web", table[:1], drop_rows(table[1:], drop_stage="s"), [], [])
    assert slices.read("0")["text"].to_pylist() == ["keep"]
    assert slices.read("0", "dropped")["text"].to_pylist() == [None]
    assert b"secret" not in slices.path("0", "dropped").read_bytes()


def test_slice_store_missing_columns_become_null_and_others_go(
    store: Callable[..., SliceStore], documents: Callable[..., pa.Table]
) -> None:
    slices = store()
    table = documents(["a"]).append_column("other", pa.array([1]))
    slices.write("0", "web", table, drop_rows(table[:0]), [], [])
    found = slices.read("0")
    assert found["s.n"].to_pylist() == [None]
    assert "other" not in found.column_names
    assert found[ROW].to_pylist() == [0]


def test_slice_store_same_rows_make_the_same_bytes(
    store: Callable[..., SliceStore], documents: Callable[..., pa.Table]
) -> None:
    slices = store()
    table = documents(["a", "b", "c"])
    chunked = pa.concat_tables([table[:1], table[1:]])
    one = slices.write("0", "web", table, drop_rows(table[:0]), [], [])
    two = slices.write("1", "web", chunked, drop_rows(table[:0]), [], [])
    assert one["kept"]["sha256"] == two["kept"]["sha256"]
