"""Domains of a dataset: what a mixture weighs, read from a column of its documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curation.errors import UserError, closest

SOURCE = "source"  # the column that every dataset has, and the default
NO_VALUE = "none"  # the domain of documents that have no value in the column
MAX_DOMAINS = 10_000  # a column of more values names documents, not domains
BATCH_ROWS = 512  # documents read at a time; bounds memory, never changes a byte


def read_domains(
    files: Sequence[Path], by: str, column: str | None = None
) -> Iterator[tuple[list[str], list[str], pa.Array | None]]:
    """Batches of (texts, domains, values of `column`), in the order of the files.

    Args:
        files: Parquet files of a dataset.
        by: the column whose values are the domains: text, whole numbers or booleans. A document
            without a value is of the domain `none`; one without a source is a mistake.
        column: read beside them, if any.

    Raises:
        UserError: a file lacks a column, `by` holds something else, a text or source is null, or
            there are more than 10,000 domains.
    """
    wanted = list(dict.fromkeys(["text", by, *([column] if column else [])]))
    known: set[str] = set()
    for path in files:
        with pq.ParquetFile(path) as parquet:
            _check(parquet.schema_arrow, by, path)
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=wanted):
                texts, domains = batch.column("text"), batch.column(by)
                if texts.null_count or (by == SOURCE and domains.null_count):
                    raise UserError("a document has a null text or source", where=str(path))
                names = domains.cast(pa.string()).fill_null(NO_VALUE).to_pylist()
                known.update(names)
                _check_count(known, by)
                yield texts.to_pylist(), names, batch.column(column) if column else None


def names_domains(kind: pa.DataType) -> bool:
    """Whether a column of this type can hold the names of domains."""
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean)
    return any(test(value) for test in tests)


def _check(schema: pa.Schema, by: str, path: Path) -> None:
    for name in ("text", by):
        if name not in schema.names:
            raise UserError(
                f"the file has no column '{name}'.{closest(name, schema.names)}",
                where=str(path),
                hint=f"It has: {', '.join(schema.names)}",
            )
    kind = schema.field(by).type
    if not names_domains(kind):
        raise UserError(
            f"'{by}' holds {kind}, whose values are no domains",
            where=str(path),
            hint="Take a column of text, whole numbers or booleans, such as a label.",
        )


def _check_count(known: set[str], by: str) -> None:
    if len(known) > MAX_DOMAINS:
        raise UserError(
            f"the column '{by}' has more than {MAX_DOMAINS:,} values",
            where="mixture.by",
            hint="Take a column that puts many documents into each domain.",
        )
