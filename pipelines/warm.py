"""Compiles every kernel once, so that the first run does not wait: `python -m pipelines.warm`."""

from __future__ import annotations

import pyarrow as pa

from curation.document import DOCUMENT_SCHEMA
from curation.hold_out import ngram_index, overlaps
from curation.ids import UniqueIds
from curation.stage import Modifier, Scorer, Stage, stages
from train.config import preset
from train.numerics import choose_numerics

TEXT = "Warm up the kernels, then run.\n\n- Twice, twice, twice ...\n"


def warm() -> None:
    """Runs each compiled kernel on a small text; numba keeps the result beside the code."""
    texts = pa.chunked_array([[TEXT * 20, ""]])
    empty = pa.array([None, None], pa.string())
    values = {"id": pa.array(["a", "b"]), "text": texts}
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
    if isinstance(stage, Scorer):
        stage.measure(table)
    if isinstance(stage, Modifier) and not stage.extracts:
        stage.edit(table)


if __name__ == "__main__":
    warm()
