"""Which splits one task reads."""

from __future__ import annotations

from curation.reading import GROUP_BYTES, group_splits
from curation.sources.inputs import InputFile, Split


def _files(*sizes: int) -> list[Split]:
    return [Split(InputFile(f"/d/{i}", f"{i}", size)) for i, size in enumerate(sizes)]


def _sizes(splits: list[Split]) -> list[list[int]]:
    return [[split.file.size for split in group] for group in group_splits(splits)]


def test_group_splits_small_files_share_a_task() -> None:
    assert _sizes(_files(*[100] * 5)) == [[100] * 5]


def test_group_splits_bound_is_kept_and_order_too() -> None:
    half = GROUP_BYTES // 2
    assert _sizes(_files(half, half, 1, GROUP_BYTES, 2, 3)) == [
        [half, half],
        [1],
        [GROUP_BYTES],
        [2, 3],
    ]


def test_group_splits_parts_of_a_large_file_and_unknown_sizes_stand_alone() -> None:
    file = InputFile("/d/a", "a", 10)
    parts = [Split(file, 0, 5), Split(file, 5, None)]
    assert [len(g) for g in group_splits([*parts, *_files(0, 0, 7)])] == [1, 1, 1, 1, 1]


def test_group_splits_nothing_is_no_group() -> None:
    assert list(group_splits([])) == []
