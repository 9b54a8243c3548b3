"""Judging stored documents again: which leave and which enter under other thresholds.

The answer is exact at the end of a segment for every document that the segment's stages have
measured. Memory is bounded by the columns that rules read, of one shard per worker; `text` is
streamed for its length only, and only as far as documents move.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.dataset import Dataset
from curation.files import damaged
from curation.process import PlannedStage
from curation.stage import Modifier, Rule
from pipelines.what_if.changes import Segment, Variant, changed_rules

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

DROP = ["drop_stage", "drop_reason"]
NO_TEXT = -1  # as a length: the text was not kept
BATCH, _TEXT_BATCH = 65_536, 4_096
_WORKERS = 4  # shards at a time, each with its columns and a batch of texts in memory


@dataclass(frozen=True)
class Moves:
    """The documents of one shard that some variant treats otherwise than the dataset does."""

    file: Path
    rows: Ints  # their places in the shard, ascending
    table: pa.Table  # id, source and the columns that rules read
    now: Mask  # whether they pass the segment today
    passes: Mask  # (variants, documents): whether they would, as far as they were measured
    unmeasured: Mask  # (variants, documents): a stage that could still drop them never saw them
    num_bytes: Ints  # UTF-8 of the text as stored, or NO_TEXT


def shards(home: Path, which: str) -> list[Path]:
    """The files of `dataset` or `dropped` in a recipe folder, in corpus order."""
    dataset = Dataset(home / "dataset")
    if which == "dataset":
        return dataset.shards
    return [home / "dropped" / entry["file"] for entry in dataset.manifest["dropped"]["shards"]]


def rejudge(home: Path, segment: Segment, variants: Sequence[Variant]) -> Iterator[Moves]:
    """What moves in every shard of the dataset in `home`, in corpus order.

    Raises:
        RunError: a shard is damaged.
    """
    files = [*shards(home, "dataset"), *shards(home, "dropped")]
    with ThreadPoolExecutor(min(_WORKERS, os.cpu_count() or 1)) as pool:
        yield from pool.map(lambda file: _moves(file, segment, variants), files)


def _moves(file: Path, segment: Segment, variants: Sequence[Variant]) -> Moves:
    parts, first = [], 0
    names = schema_names(file)
    columns = _columns(segment, variants, dropped="drop_stage" in names)
    for batch in batches(file, columns, BATCH):
        parts.append(_moves_of_batch(file, first, batch, segment, variants))
        first += len(batch)
    rows = np.concatenate([part.rows for part in parts])
    return Moves(
        file,
        rows,
        pa.concat_tables([part.table for part in parts]),
        np.concatenate([part.now for part in parts]),
        np.concatenate([part.passes for part in parts], axis=1),
        np.concatenate([part.unmeasured for part in parts], axis=1),
        _text_bytes(file, rows),
    )


def _columns(segment: Segment, variants: Sequence[Variant], *, dropped: bool) -> list[str]:
    """What deciding needs: of documents that were kept, only what changed rules read."""
    wanted = ["id", "source", *(DROP if dropped else [])]
    for variant in variants:
        for old, new in zip(segment.stages, variant, strict=True):
            wanted += list(old.columns())[:1] if dropped else []
            for rule in new.rules() if dropped else changed_rules(old, new):
                wanted += rule.reads
    return list(dict.fromkeys(wanted))


def _moves_of_batch(
    file: Path, first: int, table: pa.Table, segment: Segment, variants: Sequence[Variant]
) -> Moves:
    reached, eligible = _reached(table, segment)
    now = reached > segment.end
    judged = [_judge(table, segment, variant, reached) for variant in variants]
    passes = np.stack([eligible & ~fails for fails, _ in judged])
    unmeasured = np.stack([missing for _, missing in judged])
    moved = (passes != now).any(axis=0)
    rows = np.flatnonzero(moved)
    table = table.filter(pa.array(moved))
    return Moves(
        file, rows + first, table, now[rows], passes[:, rows], unmeasured[:, rows], rows[:0]
    )


def _reached(table: pa.Table, segment: Segment) -> tuple[Ints, Mask]:
    """The place of the stage that dropped each document, and whether it may pass the segment.

    A place beyond the segment stands for documents that passed it. Those that one of its rules
    dropped may pass; those that an error, an empty text or an earlier stage ended may not.
    """
    if "drop_stage" not in table.column_names:
        beyond = np.full(len(table), len(segment.every), np.int64)
        return beyond, np.ones(len(table), bool)
    found = pc.index_in(table["drop_stage"], value_set=pa.array(segment.labels, pa.string()))
    reached = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    eligible = reached > segment.end
    for place, planned in enumerate(segment.stages, segment.start):
        params = pa.array([rule.param for rule in planned.rules()], pa.string())
        by_rule = _mask(pc.is_in(table["drop_reason"], value_set=params))
        eligible |= (reached == place) & by_rule
    return reached, eligible


def _judge(table: pa.Table, segment: Segment, variant: Variant, reached: Ints) -> tuple[Mask, Mask]:
    """(fails, unmeasured) of each document.

    A document that went on from a stage has passed the rules that have not changed; only its drop
    by one of them or a changed rule is judged again.
    """
    fails, unmeasured = np.zeros(len(table), bool), np.zeros(len(table), bool)
    stages = zip(segment.stages, variant, strict=True)
    for place, (old, new) in enumerate(stages, segment.start):
        measured = _measured(table, old, reached >= place)
        changed = changed_rules(old, new)
        active = [rule for rule in new.rules() if rule.threshold is not None]
        for rule in active:
            judged = measured if rule in changed else measured & (reached <= place)
            if judged.any():
                fails |= judged & _mask(rule.fails(table))
        if active:
            unmeasured |= ~measured
        if isinstance(new.stage, Modifier):  # its edit may leave a text empty, or fail
            unmeasured |= reached <= place
    return fails, unmeasured


def _measured(table: pa.Table, planned: PlannedStage, came_by: Mask) -> Mask:
    """Where the stage's columns hold what it measured, be it ahead of an earlier stage's drop."""
    own = list(planned.columns())
    if came_by.all() or not own:
        return came_by
    return came_by | _mask(pc.is_valid(table[own[0]]))


def first_failing(table: pa.Table, segment: Segment, variant: Variant) -> tuple[str, Rule]:
    """The stage and rule that drop the only document of `table`, which passes today."""
    for old, new in zip(segment.stages, variant, strict=True):
        for rule in changed_rules(old, new):
            if rule.fails(table)[0].as_py():
                return new.label, rule
    raise ValueError("no rule drops the document")


def _text_bytes(file: Path, rows: Ints) -> Ints:
    """The length of the texts at `rows`, ascending."""
    out = np.full(len(rows), NO_TEXT, np.int64)
    first = done = 0
    for batch in batches(file, ["text"], _TEXT_BATCH) if len(rows) else ():
        first += len(batch)
        end = int(np.searchsorted(rows, first))
        lengths = pc.fill_null(pc.binary_length(batch["text"]), NO_TEXT)
        out[done:end] = lengths.to_numpy()[rows[done:end] - (first - len(batch))]
        done = end
        if done == len(rows):
            break
    return out


def batches(file: Path, columns: Sequence[str], size: int) -> Iterator[pa.Table]:
    """The columns of a shard, `size` rows at a time.

    Raises:
        RunError: the shard is damaged.
    """
    try:
        with pq.ParquetFile(file) as shard:
            for batch in shard.iter_batches(batch_size=size, columns=list(columns)):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowInvalid, OSError) as error:
        raise damaged(file, error) from None


def schema_names(file: Path) -> list[str]:
    """The columns of a shard."""
    try:
        return list(pq.read_schema(file).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise damaged(file, error) from None


def _mask(values: pa.Array | pa.ChunkedArray) -> Mask:
    return np.asarray(values, bool)
