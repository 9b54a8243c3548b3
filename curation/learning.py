"""The step before a trained stage: its samples drawn from finished passes, its model fitted once.

`work/fit-<fingerprint>/` holds the model, `metrics.json` with where it comes from, and, written
last, `manifest.json`.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation import text
from curation.document import text_bytes
from curation.errors import UserError
from curation.files import read_json, sha256, write_json, write_parquet
from curation.fingerprint import fingerprint
from curation.parts import Part
from curation.process import PlannedStage
from curation.slices import SliceStore
from curation.stage import Trained
from curation.workshop import Pass, Workshop

SAMPLE_COLUMNS = ("id", "text", "url", "source")
DRAW = "_draw"  # uint64: documents are taken in its order
SPARE = 6  # standard deviations by which more are drawn than are wanted
LIBRARIES = ("fasttext", "scikit-learn", "numpy")  # what a model's bytes depend on


@dataclass(frozen=True)
class Learned:
    """A stage with the model it has learned, and the folder of the model and its metrics."""

    planned: PlannedStage
    fingerprint: str
    folder: Path


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
    path: Path = field(default_factory=Path)


@dataclass(frozen=True)
class FitJob:
    """Fits a stage to what was drawn."""

    stage: Trained
    seed: int
    drawn: Mapping[str, tuple[Path, ...]]  # role to files
    folder: Path


def needs_model(planned: PlannedStage) -> bool:
    """Whether the stage must learn before it can measure."""
    return isinstance(planned.stage, Trained) and bool(planned.stage.samples())


def learn(
    workshop: Workshop,
    planned: PlannedStage,
    corpus: Sequence[Pass],
    references: Mapping[str, Pass],
    seed: int,
) -> Learned:
    """A stage with the model it learns, made or found finished.

    Args:
        workshop: where passes are made.
        planned: a stage that needs a model.
        corpus: the passes before it, which the parts that are sources are drawn from.
        references: the others, by name.
        seed: of the recipe.

    Raises:
        UserError: nothing can be learned from the samples; finished passes stay.
    """
    stage = planned.stage
    assert isinstance(stage, Trained)
    pools = [
        Pool(role, part, one)
        for role, parts in stage.samples().items()
        for part in parts
        for one in ([references[part.name]] if part.name in references else corpus)
    ]
    identity = {
        "step": "fit",
        "stage": {"name": stage.name, "version": stage.version, "params": stage.measured_by()},
        "pools": [[p.role, p.part.describe(), p.of.fingerprint] for p in pools],
        "seed": seed,
    }
    name = fingerprint(identity)
    folder = workshop.folder / f"fit-{name}"
    if not (folder / "manifest.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _fit(workshop, planned.label, stage, pools, seed, folder)
        except UserError as error:
            raise error.at(f"stage '{planned.label}'") from None
        for leftover in folder.glob("draw-*.parquet"):
            leftover.unlink()
        model = {"file": stage.model_file, "sha256": sha256(folder / stage.model_file)}
        workshop.finish(folder, {"identity": identity, "model": model})
    return Learned(replace(planned, stage=stage.fitted(folder)), name, folder)


def publish(learned: Sequence[Learned], out: Path) -> list[dict[str, Any]]:
    """Puts models and metrics into `out/classifiers/<label>`; returns their manifest entries."""
    shutil.rmtree(out / "classifiers", ignore_errors=True)  # of an earlier recipe of this name
    entries = []
    for one in learned:
        label, stage = one.planned.label, one.planned.stage
        assert isinstance(stage, Trained)
        folder = out / "classifiers" / label
        folder.mkdir(parents=True)
        files = (stage.model_file, "metrics.json")
        for name in files:
            os.link(one.folder / name, folder / name)
        entry = {"stage": label, "folder": f"classifiers/{label}", "files": list(files)}
        auc = read_json(folder / "metrics.json")["auc"]
        entries.append({**entry, "fit": one.fingerprint, "auc": auc})
    return entries


def _fit(
    workshop: Workshop,
    label: str,
    stage: Trained,
    pools: Sequence[Pool],
    seed: int,
    folder: Path,
) -> None:
    sizes = [_size(workshop, label, pool) for pool in pools]
    drawn: dict[str, list[Path]] = {}
    for number, pool in enumerate(pools):
        total = sum(n for p, n in zip(pools, sizes, strict=True) if p.role == pool.role)
        below = _limit(stage.max_documents, total)
        file = folder / f"draw-{number:03d}"
        jobs = [
            DrawJob(
                pool.part,
                pool.of.store,
                key,
                seed,
                below,
                stage.max_chars,
                Path(f"{file}-{i:06d}.parquet"),
            )
            for i, key in enumerate(pool.slices())
        ]
        found = workshop.run(f"{label}: draw {pool.part.name}", draw, jobs, pool.of.text_bytes)
        drawn.setdefault(pool.role, []).extend(sorted(found))
    files = {role: tuple(paths) for role, paths in drawn.items()}
    job = FitJob(stage, seed, files, folder)
    num_bytes = sum(path.stat().st_size for paths in drawn.values() for path in paths)
    [metrics] = workshop.run(f"{label}: fit", fit, [job], num_bytes)
    write_json(folder / "metrics.json", {**metrics, "lineage": _lineage(stage, pools, sizes, seed)})


def _size(workshop: Workshop, label: str, pool: Pool) -> int:
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


def _limit(wanted: int, total: int) -> int:
    """The draw below which about `wanted` of `total` documents lie, and hardly ever fewer."""
    more = wanted + SPARE * (wanted**0.5) + SPARE**2
    return 2**64 if more >= total else int(more / total * 2**64)


def count(job: DrawJob) -> int:
    """How many documents of a slice belong to the part."""
    table = job.store.read(job.key, columns=list(job.part.columns()))
    return int(pc.sum(job.part.matches(table)).as_py() or 0)


def draw(job: DrawJob) -> Path:
    """Writes the documents of a slice that are drawn, with their draw."""
    columns = dict.fromkeys([*SAMPLE_COLUMNS, *job.part.columns()])
    table = job.store.read(job.key, columns=list(columns))
    draws = _draws(table, job.seed)
    lucky = pa.array(draws <= np.uint64(job.below - 1))
    filled = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(table["text"])), 0)
    table = table.append_column(DRAW, pa.array(draws))
    table = table.filter(
        pc.and_(pc.and_(lucky, pc.fill_null(filled, False)), job.part.matches(table))
    )
    table = table.select([*SAMPLE_COLUMNS, DRAW])
    if job.max_chars is not None:
        place = table.column_names.index("text")
        cut = pc.utf8_slice_codeunits(table["text"], 0, job.max_chars)
        table = table.set_column(place, "text", cut)
    write_parquet(job.path, table)
    return job.path


def _draws(table: pa.Table, seed: int) -> text.Hashes:
    """A number per document that depends on its source, its id and the seed only."""
    named = pc.binary_join_element_wise(str(seed), table["source"], table["id"], "\0")
    return text.hash_rows(*text.buffers(named))


def fit(job: FitJob) -> dict[str, Any]:
    """Lets the stage learn; returns its metrics, with how many documents of each role it got."""
    samples = {role: _sample(files, job.stage) for role, files in job.drawn.items()}
    metrics = job.stage.fit(samples, job.folder, job.seed)
    sizes = {
        role: {"documents": len(t), "bytes": text_bytes(t["text"])} for role, t in samples.items()
    }
    return {**metrics, "sampled": sizes}


def _sample(files: Sequence[Path], stage: Trained) -> pa.Table:
    """At most `max_documents`, in the order of their draw."""
    table = pa.concat_tables([pq.read_table(file) for file in files])
    order = [(name, "ascending") for name in (DRAW, "source", "id")]
    return table.sort_by(order)[: stage.max_documents].drop_columns(DRAW)


def _lineage(
    stage: Trained, pools: Sequence[Pool], sizes: Sequence[int], seed: int
) -> dict[str, Any]:
    parts = [
        {"role": p.role, **p.part.describe(), "documents": size, "pass": p.of.fingerprint}
        for p, size in zip(pools, sizes, strict=True)
    ]
    made = {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
    about = {"name": stage.name, "version": stage.version, "params": stage.parameters()}
    return {"stage": about, "parts": parts, "seed": seed, "made": made}
