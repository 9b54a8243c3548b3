"""Random samples of the documents that stages learn from, the same for any slices and workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation import text
from curation.errors import UserError
from curation.files import write_parquet
from curation.parts import Part
from curation.slices import SliceStore
from curation.stage import Trained
from curation.workshop import Pass, Workshop

SAMPLE_COLUMNS = ("id", "text", "url", "source")
DRAWN = "draw-"  # begins the names of files of drawn documents
DRAW = "_draw"  # uint64: documents are taken in its order
SPARE = 6  # standard deviations by which more are drawn than are wanted


@dataclass(frozen=True)
class Pool:
    """The finished documents that a part is drawn from."""

    role: str
    part: Part
    of: Pass

    def slices(self) -> Iterator[str]:
        """The keys of the slices that hold documents of the part's source."""
        for record in self.of.slices:
            if record["source"] == self.part.name and record["kept"]["rows"]:
                yield record["key"]


@dataclass(frozen=True)
class DrawJob:
    """Counts the documents of a part in one slice, or draws some of them."""

    part: Part
    store: SliceStore
    key: str
    seed: int = 0
    below: int = 0  # documents are drawn whose draw is below
    max_chars: int | None = None
    extra: tuple[str, ...] = ()  # columns besides `SAMPLE_COLUMNS`
    path: Path = field(default_factory=Path)


def draw_samples(
    workshop: Workshop,
    label: str,
    stage: Trained,
    pools: Sequence[Pool],
    sizes: Sequence[int],
    seed: int,
    folder: Path,
) -> dict[str, tuple[Path, ...]]:
    """Role to files in `folder` that hold, together, what `read_sample` cuts to the sample."""
    drawn: dict[str, tuple[Path, ...]] = {}
    for number, pool in enumerate(pools):
        total = sum(n for p, n in zip(pools, sizes, strict=True) if p.role == pool.role)
        below = limit(stage.wanted(pool.role), total)
        file = f"{DRAWN}{number:03d}"
        jobs = [
            DrawJob(
                pool.part,
                pool.of.store,
                key,
                seed,
                below,
                stage.max_chars,
                stage.sample_columns,
                folder / f"{file}-{i:06d}.parquet",
            )
            for i, key in enumerate(pool.slices())
        ]
        found = workshop.run(f"{label}: draw {pool.part.name}", draw, jobs, pool.of.text_bytes)
        drawn[pool.role] = (*drawn.get(pool.role, ()), *sorted(found))
    return drawn


def pool_size(workshop: Workshop, label: str, pool: Pool) -> int:
    """The documents of a part.

    Raises:
        UserError: there are none.
    """
    rows: int = sum(r["kept"]["rows"] for r in pool.of.slices if r["source"] == pool.part.name)
    size = rows
    if pool.part.where:
        jobs = [DrawJob(pool.part, pool.of.store, key) for key in pool.slices()]
        size = sum(workshop.run(f"{label}: count {pool.part.name}", count, jobs, rows * 100))
    if not size:
        what = f"part {pool.part} of {pool.role} holds no document"
        hint = f"{rows:,} documents of '{pool.part.name}' reach this stage"
        raise UserError(what, hint=f"{hint}; none meets the conditions" if rows else hint)
    return size


def limit(wanted: int, total: int) -> int:
    """The draw below which about `wanted` of `total` documents lie, and hardly ever fewer."""
    more = wanted + SPARE * (wanted**0.5) + SPARE**2
    return 2**64 if more >= total else int(more / total * 2**64)


def count(job: DrawJob) -> int:
    """How many documents of a slice belong to the part."""
    table = job.store.read(job.key, columns=list(job.part.columns()))
    return int(pc.sum(job.part.matches(table)).as_py() or 0)


def draw(job: DrawJob) -> Path:
    """Writes the documents of a slice that are drawn, with their draw."""
    columns = dict.fromkeys([*SAMPLE_COLUMNS, *job.extra, *job.part.columns()])
    table = job.store.read(job.key, columns=list(columns))
    drawn = draws(table, job.seed)
    lucky = pa.array(drawn <= np.uint64(job.below - 1))
    filled = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(table["text"])), 0)
    table = table.append_column(DRAW, pa.array(drawn))
    table = table.filter(
        pc.and_(pc.and_(lucky, pc.fill_null(filled, False)), job.part.matches(table))
    )
    table = table.select([*SAMPLE_COLUMNS, *job.extra, DRAW])
    if job.max_chars is not None:
        place = table.column_names.index("text")
        cut = pc.utf8_slice_codeunits(table["text"], 0, job.max_chars)
        table = table.set_column(place, "text", cut)
    write_parquet(job.path, table)
    return job.path


def draws(table: pa.Table, seed: int) -> text.Hashes:
    """A number per document that depends on its source, its id and the seed only."""
    named = pc.binary_join_element_wise(str(seed), table["source"], table["id"], "\0")
    return text.hash_rows(*text.buffers(named))


def read_sample(files: Sequence[Path], count: int) -> pa.Table:
    """At most `count` documents, in the order of their draw."""
    table = pa.concat_tables([pq.read_table(file) for file in files])
    order = [(name, "ascending") for name in (DRAW, "source", "id")]
    return table.sort_by(order)[:count].drop_columns(DRAW)
