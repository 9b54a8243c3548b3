"""The step before a trained stage: its samples drawn from finished passes, its model fitted once.

`work/fit-<fingerprint>/` holds the model, `metrics.json` with where it comes from, and, written
last, `manifest.json`.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from curation.document import text_bytes
from curation.drawing import DRAWN, Pool, draw_samples, pool_size, read_sample
from curation.errors import UserError
from curation.files import read_json, sha256, write_json, write_parquet
from curation.fingerprint import fingerprint
from curation.process import PlannedStage
from curation.stage import Trained
from curation.workshop import Pass, Workshop

LIBRARIES = ("fasttext", "scikit-learn", "numpy")  # what a model's bytes depend on
ATTACH_COST = 100  # times as long for a byte as the other steps take


@dataclass(frozen=True)
class Learned:
    """A stage with the model it has learned, and the folder of the model and its metrics."""

    planned: PlannedStage
    fingerprint: str
    folder: Path


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
        "stage": _identity(stage, stage.measured_by()),
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
        for leftover in folder.glob(f"{DRAWN}*.parquet"):
            leftover.unlink()
        model = {"file": stage.model_file, "sha256": sha256(folder / stage.model_file)}
        workshop.finish(folder, {"identity": identity, "model": model})
    return Learned(replace(planned, stage=stage.fitted(folder)), name, folder)


def _identity(stage: Trained, params: Mapping[str, Any]) -> dict[str, Any]:
    """The stage by those of its parameters; what lies elsewhere counts by what it holds."""
    given = {k: v for k, v in params.items() if k not in stage.places} | dict(stage.made_from())
    return {"name": stage.name, "version": stage.version, "params": given}


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
    workshop: Workshop, label: str, stage: Trained, pools: Sequence[Pool], seed: int, folder: Path
) -> None:
    sizes = [pool_size(workshop, label, pool) for pool in pools]
    ready = stage.prepared(workshop.folder)
    drawn = draw_samples(workshop, label, ready, pools, sizes, seed, folder)
    if stage.attaches:
        drawn = _attached(workshop, label, ready, drawn)
    num_bytes = sum(path.stat().st_size for paths in drawn.values() for path in paths)
    [metrics] = workshop.run(f"{label}: fit", fit, [FitJob(ready, seed, drawn, folder)], num_bytes)
    write_json(folder / "metrics.json", {**metrics, "lineage": _lineage(stage, pools, sizes, seed)})


def _attached(
    workshop: Workshop, label: str, stage: Trained, drawn: Mapping[str, tuple[Path, ...]]
) -> dict[str, tuple[Path, ...]]:
    """The files that hold the drawn documents with what the stage attaches to them."""
    jobs = [AttachJob(stage, path) for paths in drawn.values() for path in paths]
    size = sum(job.path.stat().st_size for job in jobs) * ATTACH_COST
    workshop.run(f"{label}: embed sample", attach, jobs, size)
    return {
        role: tuple(AttachJob(stage, path).out for path in paths) for role, paths in drawn.items()
    }


@dataclass(frozen=True)
class AttachJob:
    """Adds what takes long to a file of drawn documents."""

    stage: Trained
    path: Path

    @property
    def out(self) -> Path:
        """Where the result stands."""
        return self.path.with_name(f"{self.path.stem}-attached.parquet")


def attach(job: AttachJob) -> Path:
    """Writes what the stage attaches, unless an attempt that was killed has."""
    if not job.out.exists():
        write_parquet(job.out, job.stage.attach(pq.read_table(job.path)))
    return job.out


def fit(job: FitJob) -> dict[str, Any]:
    """Lets the stage learn; returns its metrics, with how many documents of each role it got."""
    samples = {
        role: read_sample(files, job.stage.wanted(role)) for role, files in job.drawn.items()
    }
    metrics = job.stage.fit(samples, job.folder, job.seed)
    sizes = {
        role: {"documents": len(t), "bytes": text_bytes(t["text"])} for role, t in samples.items()
    }
    return {**metrics, "sampled": sizes}


def _lineage(
    stage: Trained, pools: Sequence[Pool], sizes: Sequence[int], seed: int
) -> dict[str, Any]:
    parts = [
        {"role": p.role, **p.part.describe(), "documents": size, "pass": p.of.fingerprint}
        for p, size in zip(pools, sizes, strict=True)
    ]
    made = {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
    return {
        "stage": _identity(stage, stage.parameters()),
        "parts": parts,
        "seed": seed,
        "made": made,
    }
