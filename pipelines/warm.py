"""Compiles every kernel once, so that the first run does not wait: `python -m pipelines.warm`."""

from __future__ import annotations

import pyarrow as pa

from curation.filters.language import Language
from curation.hold_out import ngram_index, overlaps
from curation.ids import UniqueIds
from curation.stage import Scorer, stages
from train.config import preset
from train.numerics import choose_numerics

TEXT = "Warm up the kernels, then run.\n\n- Twice, twice, twice ...\n"


def warm() -> None:
    """Runs each compiled kernel on a small text; numba keeps the result beside the code."""
    texts = pa.chunked_array([[TEXT * 20, ""]])
    table = pa.table({"text": texts, "id": ["a", "b"]})
    overlaps(texts, ngram_index(texts))
    UniqueIds().evidence(table)
    Language().measure(table)
    for name in stages:
        cls = stages.get(name)
        if issubclass(cls, Scorer):
            cls().measure(table)
    choose_numerics(preset("xs").model)


if __name__ == "__main__":
    warm()
