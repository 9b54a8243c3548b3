"""Tables of documents as a pass sees them."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest

from curation.document import DOCUMENT_SCHEMA
from curation.process import ROW, PlannedStage, process
from curation.stage import Filter

MakeTable = Callable[..., pa.Table]


def make_documents(texts: Sequence[str | None], **columns: Any) -> pa.Table:
    values = {
        "id": [f"d{i}" for i in range(len(texts))],
        "text": list(texts),
        "source": ["s"] * len(texts),
        **columns,
    }
    empty = [None] * len(texts)
    arrays = [pa.array(values.get(f.name, empty), f.type) for f in DOCUMENT_SCHEMA]
    table = pa.Table.from_arrays(arrays, schema=DOCUMENT_SCHEMA)
    return table.append_column(ROW, pa.array(range(len(texts)), pa.int64()))


@pytest.fixture(scope="session")
def documents() -> MakeTable:
    """Makes documents of texts; other columns by name."""
    return make_documents


@pytest.fixture(scope="session")
def measure() -> Callable[[Filter, str], dict[str, Any]]:
    """What a filter measures on one text."""

    def run(stage: Filter, text: str) -> dict[str, Any]:
        return {k: v[0].as_py() for k, v in stage.measure(make_documents([text])).items()}

    return run


@pytest.fixture(scope="session")
def reason() -> Callable[[Filter, str], str | None]:
    """Why a filter drops a text; None if it stays."""

    def run(stage: Filter, text: str) -> str | None:
        kept, dropped, _ = process(make_documents([text]), [PlannedStage(stage.name, stage)])
        assert len(kept) + len(dropped) == 1
        return None if len(kept) else dropped["drop_reason"][0].as_py()

    return run
