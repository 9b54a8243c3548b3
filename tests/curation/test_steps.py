"""A slice decided again under other thresholds equals that of a fresh run, byte for byte."""

import dataclasses
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curation.filters.c4_quality import C4Quality
from curation.filters.compression import Compression
from curation.filters.fineweb_quality import FinewebQuality
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.language import Language
from curation.filters.text_stats import TextStats
from curation.process import PlannedStage, drop_rows
from curation.slices import SliceStore
from curation.steps import LocalJob, Reuse, run_slice
from tests.corpora import prose

Stages = list[PlannedStage]


def lines(seed: int, count: int) -> str:
    return prose(seed, count).replace(". ", ".\n")


TEXTS = [
    *(lines(seed, 12) for seed in range(6)),
    *(f"menu\n{lines(seed, 6)}\nhome\n[1] {prose(seed + 100, 3)}[2]" for seed in range(6, 10)),
    *(lines(seed, 2) for seed in range(10, 13)),
    "and the rain comes to the garden again.\n" * 20,
    f"{prose(13)}\nlorem ipsum dolor it is.",
    "# the # to # of # and #" * 9,
    "menu\nhome\nabout us\n" * 9,
    "",
]


def run(folder: Path, documents: Any, stages: Stages, reuse: Reuse | None = None) -> LocalJob:
    """Runs one slice of TEXTS."""
    parent = SliceStore(folder / "parent", {}, {}, "run")
    table = documents(TEXTS)
    parent.write("0", "s", table, drop_rows(table[:0]), [], [])
    columns = {k: v for planned in stages for k, v in planned.columns().items()}
    store = SliceStore(folder / "out", columns, {}, "run")
    job = LocalJob(0, "s", parent, "0", tuple(stages), store, reuse=reuse)
    record = run_slice(job)
    assert record["kept"]["rows"] + record["dropped"]["rows"] == len(TEXTS)
    assert not record["failed"]
    return job


def change(stages: Stages, label: str, **params: Any) -> tuple[Stages, int]:
    """The stages with one changed, and its place."""
    place = [planned.label for planned in stages].index(label)
    stage: Any = dataclasses.replace(stages[place].stage, **params)  # type: ignore[type-var]
    return [*stages[:place], PlannedStage(label, stage), *stages[place + 1 :]], place


QUALITY = PlannedStage("quality", GopherQuality())
REPETITION = PlannedStage("repetition", GopherRepetition())
FINEWEB = PlannedStage("fineweb", FinewebQuality(max_short_line_frac=0.7))
STATS = PlannedStage("stats", TextStats(max_upper_frac=0.0135))
AGAIN = PlannedStage("again", GopherQuality(min_words=120))
C4 = PlannedStage("c4", C4Quality(max_lorem_ipsum_lines=None))
RATIO = PlannedStage("ratio", Compression(max_ratio=3.0))
LANGUAGE = PlannedStage("language", Language(keep=("en",), min_score=0.5))

CHANGES: list[tuple[Stages, str, dict[str, Any]]] = [
    # the first, one in the middle and the last of a group
    ([QUALITY, REPETITION, STATS], "quality", {"min_words": 170}),
    ([QUALITY, REPETITION, STATS], "quality", {"min_words": None, "max_symbol_word_ratio": None}),
    ([QUALITY, REPETITION, STATS], "repetition", {"max_dup_line_frac": None}),
    ([QUALITY, REPETITION, STATS], "stats", {"max_upper_frac": 0.013, "min_chars": 700}),
    ([QUALITY, FINEWEB, STATS], "fineweb", {"min_line_punct_frac": 0.95}),
    # the second of a group whose first family comes again in a group of its own
    ([QUALITY, REPETITION, AGAIN], "repetition", {"max_dup_line_frac": None}),
    ([QUALITY, REPETITION, AGAIN, STATS], "repetition", {"max_top_2_gram_char_frac": 0.03}),
    # in the second of two groups
    ([QUALITY, REPETITION, AGAIN, STATS], "again", {"min_words": 165}),
    ([QUALITY, REPETITION, AGAIN, STATS], "stats", {"max_upper_frac": None}),
    # a stage of its own between groups
    ([QUALITY, RATIO, REPETITION, STATS], "quality", {"min_stop_words": 7}),
    ([QUALITY, RATIO, REPETITION, STATS], "ratio", {"max_ratio": 2.0}),
    ([QUALITY, RATIO, REPETITION, STATS], "repetition", {"max_top_2_gram_char_frac": 0.03}),
    # after an edit, which ends a group
    ([QUALITY, C4, STATS, REPETITION], "stats", {"max_upper_frac": 0.014, "max_chars": 900}),
    ([QUALITY, C4, STATS, REPETITION], "repetition", {"max_dup_line_frac": None}),
    ([C4, QUALITY, STATS], "quality", {"min_words": 120}),
    # a stage that fills a field of the document, before
    ([LANGUAGE, QUALITY, REPETITION], "repetition", {"max_dup_line_frac": None}),
]


@pytest.mark.parametrize(("stages", "label", "params"), CHANGES)
def test_slice_decided_again_equals_a_fresh_one(
    documents: Any, tmp_path: Path, stages: Stages, label: str, params: dict[str, Any]
) -> None:
    changed, place = change(stages, label, **params)
    old = run(tmp_path / "old", documents, stages)
    again = run(tmp_path / "again", documents, changed, Reuse(old.store, place))
    fresh = run(tmp_path / "fresh", documents, changed)
    for which in ("kept", "dropped"):
        found, expected = again.store.read("000000", which), fresh.store.read("000000", which)
        assert found.equals(expected)
        files = [job.store.path("000000", which) for job in (again, fresh, old)]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes() != files[2].read_bytes()  # or the change would change nothing
    records = [job.store.finished("000000") for job in (again, fresh)]
    for record in records:
        assert record is not None
        for stats in record["stats"]:
            del stats["seconds"]
    assert records[0] == records[1]


def test_slice_decided_again_measures_nothing_that_is_known(
    documents: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import curation.text_rules

    stages = [QUALITY, REPETITION, STATS]
    old = run(tmp_path / "old", documents, stages)
    calls: list[int] = []

    def measure(texts: pa.ChunkedArray, wanted: Any) -> Any:
        calls.append(len(texts))
        raise AssertionError("it is known")

    monkeypatch.setattr(curation.text_rules, "measure", measure)
    changed, place = change(stages, "repetition", max_dup_line_frac=None)
    run(tmp_path / "again", documents, changed, Reuse(old.store, place))
    assert calls == []
