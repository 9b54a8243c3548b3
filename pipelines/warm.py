"""Compiles every kernel once, so that the first run does not wait: `python -m pipelines.warm`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from curation.document import DOCUMENT_SCHEMA, text_bytes
from curation.embedding.stage import as_lists
from curation.hold_out import ngram_index, overlaps
from curation.ids import UniqueIds
from curation.process import ROW, drop_rows
from curation.rounds import DEFAULT_MEMORY, CorpusSlice, Rounds
from curation.slices import SliceStore
from curation.stage import GlobalStage, Modifier, Scorer, Stage, stages
from train.config import preset
from train.numerics import choose_numerics

TEXT = "Warm up the kernels, then run.\n\n- Twice, twice, twice ...\n"


def warm() -> None:
    """Runs each compiled kernel on a small text; numba keeps the result beside the code."""
    texts = pa.chunked_array([[TEXT * 20, "", f"{TEXT * 20} Almost."]])
    empty = pa.array([None] * 3, pa.string())
    values = {"id": pa.array(["a", "b", "c"]), "text": texts}
    table = pa.table({spec.name: values.get(spec.name, empty) for spec in DOCUMENT_SCHEMA})
    overlaps(texts, ngram_index(texts))
    UniqueIds().evidence(table)
    for name in stages:
        _warm_stage(stages.get(name), table)
    choose_numerics(preset("xs").model)


def _warm_stage(cls: type[Stage], table: pa.Table) -> None:
    """Runs a stage as its defaults make it; one that needs files compiles at its first use."""
    try:
        stage = cls()
    except (TypeError, ValueError):
        return
    if isinstance(stage, GlobalStage):
        _decide(stage, table)
    if isinstance(stage, Scorer):
        stage.measure(table)
    if isinstance(stage, Modifier) and not stage.extracts:
        stage.edit(table)


def _decide(stage: GlobalStage, table: pa.Table) -> None:
    with TemporaryDirectory() as name:
        rows = table.append_column(ROW, pa.array(range(len(table))))
        absent = [column for column in stage.reads if column not in rows.column_names]
        vectors = as_lists(np.eye(len(table), 8, dtype=np.float32))  # what earlier stages measure
        for column in absent:
            rows = rows.append_column(column, vectors)
        store = SliceStore(Path(name), dict.fromkeys(absent, vectors.type), {}, "warm")
        store.write("0", "warm", rows, drop_rows(rows[:0]), [], [])
        size = text_bytes(table["text"])
        slices = (CorpusSlice(0, "warm", store, "0", len(table), size),)
        stage.decide(Rounds(slices, Path(name), 1, DEFAULT_MEMORY, _in_order))


def _in_order(label: str, function: Any, jobs: Sequence[Any], num_bytes: int) -> list[Any]:
    return [function(job) for job in jobs]


if __name__ == "__main__":
    warm()
