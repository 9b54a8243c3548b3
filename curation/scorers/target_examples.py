"""Target sets: examples of benchmarks, as many of each, from references or from evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from curation import text
from curation.decontaminate.evidence import ANSWERS, QUESTIONS, read_evidence
from curation.errors import UserError, closest

MIN_EXAMPLES = 10  # of a benchmark: fewer tell one topic, and bring all others down to as many


@dataclass(frozen=True)
class Benchmark:
    """Distinct examples of one benchmark, in a random order."""

    name: str
    examples: pa.Table  # `text`, and what else the rows hold


def from_documents(name: str, table: pa.Table) -> Benchmark:
    """The benchmark whose examples are documents, in a random order already."""
    return Benchmark(name, table.take(pa.array(first_of_each(table["text"]))))


def from_evidence(files: Sequence[Path], suites: Sequence[str], seed: int) -> list[Benchmark]:
    """The suites in files of evidence, in the order of their names.

    Args:
        files: see `curation.decontaminate.evidence`.
        suites: those that are wanted; all if empty.
        seed: of the order of examples.

    Raises:
        UserError: there is no such suite, or a file is no evidence.
    """
    items = examples_of(read_evidence(files), suites)
    order = text.hash_rows(*text.buffers(_named(items, seed)))
    items = items.take(pa.array(np.argsort(order, kind="stable")))
    names = sorted(set(items["suite"].to_pylist()))
    return [_of_suite(items, name) for name in names]


def equal_counts(benchmarks: Sequence[Benchmark], max_examples: int) -> list[Benchmark]:
    """The first examples of each, as many of each as the smallest has, at most `max_examples`.

    Raises:
        UserError: there are none, or a benchmark has too few.
    """
    if not benchmarks:
        raise UserError("there is no target set", hint="Name 'targets' or 'evidence'")
    for one in benchmarks:
        if len(one.examples) < MIN_EXAMPLES:
            what = f"target set '{one.name}' has {len(one.examples)} distinct examples to rank by"
            hint = "Every target set counts with as many examples as the smallest: "
            hint += "leave it out, or give it more"
            raise UserError(f"{what}, at least {MIN_EXAMPLES} are needed", hint=hint)
    count = min(max_examples, *(len(one.examples) for one in benchmarks))
    return [Benchmark(one.name, one.examples[:count]) for one in benchmarks]


def examples_of(evidence: pa.Table, suites: Iterable[str] = ()) -> pa.Table:
    """suite, item and text of each item: its question and right answer, line by line.

    Wrong choices are no part of it.

    Args:
        evidence: of `EVIDENCE_SCHEMA`.
        suites: those that are wanted; all if empty.

    Raises:
        UserError: there is no such suite.
    """
    known = sorted(set(evidence["suite"].to_pylist()))
    for name in suites:
        if name not in known:
            what = f"there is no suite '{name}' in the evidence.{closest(name, known)}"
            raise UserError(what, where="suites", hint=f"It holds: {', '.join(known)}")
    wanted = set(suites) or set(known)
    lines: dict[tuple[str, str], list[str]] = {}
    for row in _rows(evidence):
        if row["suite"] in wanted and row["field"] in (*QUESTIONS, *ANSWERS):
            lines.setdefault((row["suite"], row["item"]), []).append(row["text"].strip())
    columns: dict[str, list[Any]] = {"suite": [], "item": [], "text": []}
    for (suite, item), parts in lines.items():
        joined = "\n".join(part for part in dict.fromkeys(parts) if part)
        if joined:
            for name, value in zip(columns, (suite, item, joined), strict=True):
                columns[name].append(value)
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def first_of_each(texts: pa.ChunkedArray) -> np.ndarray:
    """The rows of the first document of each text, ascending."""
    _, first = np.unique(text.hash_rows(*text.buffers(texts)), return_index=True)
    return np.sort(first)


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches():
        yield from batch.to_pylist()


def _named(items: pa.Table, seed: int) -> pa.ChunkedArray:
    return pa.compute.binary_join_element_wise(str(seed), items["suite"], items["item"], "\0")


def _of_suite(items: pa.Table, name: str) -> Benchmark:
    return from_documents(name, items.filter(pa.compute.equal(items["suite"], name)))
