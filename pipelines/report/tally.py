"""Counts of annotation values, kept against dropped, in one streamed pass over the shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.report.measures import Bins, Counts, Floats, Measure, make_bins
from pipelines.report.results import RecipeResult

KEPT, HERE, ELSEWHERE = range(3)  # outcomes: kept, dropped by this column's rules, by others
_BATCH = 65_536
_PREVIEW_FILES, _PREVIEW_ROWS = 24, 8_192


@dataclass(frozen=True)
class Histogram:
    """Documents per bin of a numeric column; `counts` has a row per outcome."""

    measure: Measure
    bins: Bins
    counts: Counts


@dataclass(frozen=True)
class Categories:
    """Documents per value of any other column; a counter per outcome."""

    measure: Measure
    counts: tuple[Counter[str], Counter[str], Counter[str]]


def tally(recipe: RecipeResult, wanted: Sequence[Measure]) -> list[Histogram | Categories]:
    """A histogram of every measure that has a value in the recipe's shards."""
    files = [*recipe.dataset_files, *recipe.dropped_files]
    empty = [_empty(measure, files) for measure in wanted]
    charts = [chart for chart in empty if chart is not None]
    columns = list(dict.fromkeys(chart.measure.column for chart in charts))
    if charts:
        for batch in batches(recipe.dataset_files, columns):
            for chart in charts:
                _add(chart, batch, dropped=False)
        for batch in batches(recipe.dropped_files, [*columns, "drop_stage", "drop_reason"]):
            for chart in charts:
                _add(chart, batch, dropped=True)
    return [chart for chart in charts if _total(chart)]


def _empty(measure: Measure, files: Sequence[Path]) -> Histogram | Categories | None:
    """A chart without counts; its bins come from a bounded look at evenly spaced shards."""
    stride = -(-len(files) // _PREVIEW_FILES) or 1
    looks = [_preview(file, measure.column) for file in files[::stride]]
    kinds = {str(look.type): look for look in looks if len(look)}
    if not kinds:
        return None
    kind = next(iter(kinds.values())).type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return Categories(measure, (Counter(), Counter(), Counter()))
    values = np.concatenate([_floats(look) for look in looks])
    bins = make_bins(values, measure.rules, integers=pa.types.is_integer(kind))
    if bins is None:
        return None
    return Histogram(measure, bins, np.zeros((3, len(bins.edges) - 1), np.int64))


def _preview(file: Path, column: str) -> Any:
    """The first values of a column in one shard that are not null."""
    for batch in batches([file], [column], _PREVIEW_ROWS):
        if column in batch.schema.names:
            return batch.column(column).drop_null()
        break
    return pa.nulls(0)


def batches(files: Sequence[Path], columns: Sequence[str], rows: int = _BATCH) -> Iterator[Any]:
    """Batches with those of `columns` that a file has."""
    for file in files:
        with pq.ParquetFile(file) as shard:
            present = [name for name in columns if name in shard.schema_arrow.names]
            yield from shard.iter_batches(batch_size=rows, columns=present)


def _add(chart: Histogram | Categories, batch: Any, *, dropped: bool) -> None:
    if chart.measure.column not in batch.schema.names:
        return
    values = batch.column(chart.measure.column)
    for outcome, mask in _outcomes(chart.measure, batch, dropped):
        chosen = values if mask is None else values.filter(mask)
        if isinstance(chart, Histogram):
            chart.counts[outcome] += chart.bins.count(_floats(chosen))
        else:
            _count_values(chart.counts[outcome], chosen)


def _outcomes(measure: Measure, batch: Any, dropped: bool) -> list[tuple[int, Any]]:
    """Which rows of the batch had which outcome; None stands for all of them."""
    if not dropped:
        return [(KEPT, None)]
    stage = pc.equal(batch.column("drop_stage"), measure.stage)
    reason = pc.is_in(batch.column("drop_reason"), value_set=pa.array(measure.params, pa.string()))
    here = pc.fill_null(pc.and_(stage, reason), False)
    return [(HERE, here), (ELSEWHERE, pc.invert(here))]


def _count_values(counter: Counter[str], values: Any) -> None:
    for entry in pc.value_counts(values.drop_null()).to_pylist():
        counter[str(entry["values"])] += entry["counts"]


def _floats(values: Any) -> Floats:
    """Values as float64, null as NaN."""
    floats: Floats = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return floats


def _total(chart: Histogram | Categories) -> int:
    if isinstance(chart, Histogram):
        return int(chart.counts.sum())
    return sum(counter.total() for counter in chart.counts)
