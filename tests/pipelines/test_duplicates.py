"""Where two texts differ, and the cluster that `explain` shows."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.duplicates import Cluster, cluster_of, cluster_text, differences


@pytest.mark.parametrize(
    ("gone", "stayed", "shown"),
    [
        ("a b c d e f", "a b X d e f", ["a b [-c-] {+X+} d e f"]),
        ("a b c", "a b c d", ["a b c {+d+}"]),
        ("z a b c", "a b c", ["[-z-] a b c"]),
        ("same", "same", []),
        ("", "", []),
    ],
)
def test_differences(gone: str, stayed: str, shown: list[str]) -> None:
    assert list(differences(gone, stayed)) == shown


def test_differences_clip_what_is_long() -> None:
    (shown,) = differences("a " + "x " * 100 + "b", "a b")
    assert shown == f"a [-{'x ' * 25}... 75 more-] b"


def write(home: Path) -> None:
    (home / "dataset").mkdir(parents=True)
    (home / "dropped").mkdir()
    pq.write_table(pa.table({"id": ["s"], "text": ["one two three"]}), home / "dataset/0.parquet")
    gone = {
        "id": ["a", "b", "late"],
        "text": ["one two four", "one two three", "later"],
        "survivor_id": ["s", "s", None],
        "similarity": [0.8, 1.0, None],
        "drop_stage": ["minhash_dedup", "minhash_dedup", "language"],
    }
    pq.write_table(pa.table(gone), home / "dropped/0.parquet")


def test_cluster_of_a_duplicate(tmp_path: Path) -> None:
    write(tmp_path)
    row = {"id": "a", "survivor_id": "s", "similarity": 0.8, "text": "one two four"}
    cluster = cluster_of(tmp_path, row, 20)
    assert cluster == Cluster("s", 0.8, "kept", 3, ["b"], ["one two [-four-] {+three+}"])
    shown = "\n".join(cluster_text(cluster))
    assert "duplicate of s (kept), similarity 0.800" in shown
    assert "with it went b" in shown


def test_cluster_whose_survivor_went_later_or_stands_in_an_index(tmp_path: Path) -> None:
    write(tmp_path)
    row = {"id": "x", "survivor_id": "late", "similarity": 0.9, "text": None}
    assert cluster_of(tmp_path, row, 20).outcome == "dropped later, by language"
    other = cluster_of(tmp_path, {**row, "survivor_id": "elsewhere"}, 20)
    assert "from the index" in other.outcome
    assert other.differences == []
