"""The sample of dropped documents: bounded, by id alone, with the head of the text."""

import pyarrow as pa
import pyarrow.parquet as pq

from curation.document import conform, dropped_schema
from pipelines.report.sampling import TEXT_CHARS, sample_dropped


def write(folder, rows, per_shard, **options):
    folder.mkdir()
    schema = dropped_schema({})
    for i in range(0, len(rows), per_shard):
        part = rows[i : i + per_shard]
        columns = {name: pa.array([row.get(name) for row in part]) for name in schema.names}
        table = conform(pa.table(columns), schema)
        pq.write_table(table, folder / f"{i:05d}.parquet", **options)
    return sorted(folder.glob("*.parquet"))


def rows(n):
    return [
        {"id": f"d{i}", "text": f"text {i}", "drop_stage": "s", "drop_reason": f"r{i % 4}"}
        for i in range(n)
    ]


def test_sample_is_bounded_per_reason(tmp_path):
    found = sample_dropped(write(tmp_path / "a", rows(100), 30), per_reason=2)
    assert sorted(row["drop_reason"] for row in found) == [f"r{i}" for i in range(4) for _ in "ab"]
    assert all(row["text"] == f"text {row['id'][1:]}" for row in found)


def test_sample_does_not_depend_on_shards_row_groups_or_order(tmp_path):
    one = sample_dropped(write(tmp_path / "a", rows(100), 100, row_group_size=7))
    many = sample_dropped(write(tmp_path / "b", rows(100)[::-1], 9))
    assert {row["id"] for row in one} == {row["id"] for row in many}
    assert len(one) == 12


def test_sample_cuts_long_texts_and_counts_their_characters(tmp_path):
    long = {"id": "x", "text": "ü" * 5_000, "drop_stage": "s", "drop_reason": "r"}
    (row,) = sample_dropped(write(tmp_path / "a", [long], 1))
    assert row["text"] == "ü" * TEXT_CHARS
    assert row["num_chars"] == 5_000


def test_sample_takes_missing_text_and_reason(tmp_path):
    (row,) = sample_dropped(write(tmp_path / "a", [{"id": "x", "drop_stage": "s"}], 1))
    assert row["text"] is None
    assert row["drop_reason"] is None


def test_sample_of_nothing_is_empty(tmp_path):
    assert sample_dropped([]) == []
