"""From sources and stages to a dataset: the plan of passes, and what a finished run reports.

Consecutive local stages are one pass. What is stored: the extracted text of each source, the
annotated table before each global stage, and the end.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.dataset import write_shards
from curation.deciding import decide, unique_ids
from curation.errors import RunError, UserError
from curation.files import atomic, read_json, write_json
from curation.fingerprint import fingerprint
from curation.fusing import Fusion, HeldOut, fuse
from curation.process import PlannedStage, StageStats
from curation.reading import read_source
from curation.sources.source import Source
from curation.stage import Filter, GlobalStage, Modifier, Scorer
from curation.workshop import Pass, Workshop, describe, total

NEARLY_ALL = 0.95  # of a source: a stage that drops more is reported loudly
FEW = 20  # documents of a source: below, nearly all is no news, unless nothing is left at all


@dataclass(frozen=True)
class Curation:
    """What makes a dataset: the part of a recipe that `curation` knows."""

    name: str
    sources: tuple[Source, ...]
    stages: tuple[PlannedStage, ...]
    root: Path  # of relative source paths
    seed: int = 0
    keep_dropped_text: bool = True


@dataclass(frozen=True)
class Segment:
    """Local stages that run in one pass, after the global stage before them, if any."""

    decided_by: PlannedStage | None
    stages: tuple[PlannedStage, ...]


def segments(
    stages: Sequence[PlannedStage], sources: Sequence[Source]
) -> tuple[PlannedStage | None, list[Segment]]:
    """The extractor and the passes after it.

    Raises:
        UserError: a source yields HTML and no extractor stands first, or one stands later.
    """
    first = stages[0] if stages and _extracts(stages[0]) else None
    for planned in stages[1:]:
        if _extracts(planned):
            raise UserError(f"'{planned.label}' extracts text: it must be the first stage")
    raw = [source.name for source in sources if source.yields_raw]
    if raw and not first:
        raise UserError(
            f"source '{raw[0]}' holds HTML, and no stage extracts its text",
            hint="Put `- html_text` first in `curate:`",
        )
    runs = [Segment(None, ())]
    for planned in stages[1 if first else 0 :]:
        if isinstance(planned.stage, GlobalStage):
            runs.append(Segment(planned, ()))
        else:
            runs[-1] = Segment(runs[-1].decided_by, (*runs[-1].stages, planned))
    return first, runs


def curate(
    curation: Curation, workshop: Workshop, out: Path, held_out: HeldOut | None = None
) -> dict[str, Any]:
    """Makes `out/dataset`, `out/dropped` and `out/errors.jsonl`; returns the manifest.

    What is finished is reused; if all of it is, nothing is written.
    """
    extractor, runs = segments(curation.stages, curation.sources)
    reads = [read_source(workshop, s, curation.root, extractor) for s in curation.sources]
    passes = _fuse(curation, workshop, reads, runs, held_out)
    annotations = passes[-1].store.annotations
    identity = _identity(curation, reads, passes)
    path = out / "dataset" / "manifest.json"
    if path.exists():
        found: dict[str, Any] = read_json(path)
        if found["fingerprint"] == identity and _intact(out, found):
            return found
    every = [*reads, *passes]
    manifest: dict[str, Any] = {
        "format": 1,
        "recipe": curation.name,
        "fingerprint": identity,
        "run": workshop.run_id,
        "seed": curation.seed,
        "stages": [_about(planned) for planned in curation.stages],
        "sources": [_source(one) for one in reads],
        "funnel": funnel(every),
        "annotations": {name: str(kind) for name, kind in annotations.items()},
    }
    manifest["warnings"] = warnings(manifest["funnel"])
    _write_errors(out / "errors.jsonl", every)
    dropped = write_shards(workshop, out / "dropped", every, "dropped", annotations)
    manifest["dropped"] = {"rows": sum(s["rows"] for s in dropped), "shards": dropped}
    manifest["shards"] = write_shards(workshop, out / "dataset", passes[-1:], "kept", annotations)
    _check_complete(manifest)
    manifest["slices"] = _slices(workshop, every)
    manifest["made"] = {
        "tilth": version("tilth"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "pyarrow": version("pyarrow"),
    }
    write_json(path, manifest)
    return manifest


def _fuse(
    curation: Curation,
    workshop: Workshop,
    reads: list[Pass],
    runs: Iterable[Segment],
    held_out: HeldOut | None,
) -> list[Pass]:
    passes: list[Pass] = []
    renames = unique_ids(workshop, reads)
    for run in runs:
        parents = passes[-1:] or reads
        first = not passes
        fusion = Fusion(
            stages=run.stages,
            annotations=parents[-1].store.annotations,
            decided=decide(workshop, parents, run.decided_by) if run.decided_by else None,
            renames=renames if first else None,
            held_out=held_out if first else None,
            keep_dropped_text=curation.keep_dropped_text,
        )
        passes.append(fuse(workshop, parents, fusion))
    return passes


def _identity(curation: Curation, reads: list[Pass], passes: list[Pass]) -> str:
    ends = [one.fingerprint for one in (*reads, *passes)]
    return fingerprint({"passes": ends, "seed": curation.seed, "name": curation.name})


def funnel(passes: Iterable[Pass]) -> list[dict[str, Any]]:
    """Per stage, in order: documents, bytes, edits, reasons and seconds, in all and per source."""
    rows: dict[str, dict[str, StageStats]] = {}
    for label, source, stats in total(passes):
        rows.setdefault(label, {}).setdefault(source, StageStats()).add(stats)
    table = []
    for label, by_source in rows.items():
        whole = StageStats()
        for stats in by_source.values():
            whole.add(stats)
        per = {source: stats.to_dict() for source, stats in by_source.items()}
        table.append({"stage": label, **whole.to_dict(), "by_source": per})
    return table


def warnings(table: Iterable[dict[str, Any]]) -> list[str]:
    """Stages that drop everything, or nearly all of one source."""
    found = []
    for row in table:
        for source, counts in row["by_source"].items():
            before, after = counts["documents_in"], counts["documents_out"]
            nearly_all = before >= FEW and after < (1 - NEARLY_ALL) * before
            if nearly_all or (before and row["documents_out"] == 0):
                share = f"{1 - after / before:.0%}"
                what = f"{row['stage']} dropped {share} of source '{source}'"
                found.append(f"{what}: {before - after:,} of {before:,} documents")
    return found


def _intact(out: Path, manifest: dict[str, Any]) -> bool:
    """Whether every shard is there with its size; one that is not is made again from `work/`."""
    shards = [(out / "dataset" / s["file"], s["bytes"]) for s in manifest["shards"]]
    shards += [(out / "dropped" / s["file"], s["bytes"]) for s in manifest["dropped"]["shards"]]
    return all(path.exists() and path.stat().st_size == size for path, size in shards)


def _check_complete(manifest: dict[str, Any]) -> None:
    """Every document that was read is in `dataset/` or `dropped/`, once."""
    read = sum(source["documents"] for source in manifest["sources"])
    kept = sum(shard["rows"] for shard in manifest["shards"])
    if kept + manifest["dropped"]["rows"] != read:
        raise RunError(
            f"{read:,} documents were read, but {kept:,} kept and "
            f"{manifest['dropped']['rows']:,} dropped: please report this"
        )


def _about(planned: PlannedStage) -> dict[str, Any]:
    kinds = {Filter: "filter", Scorer: "scorer", Modifier: "modifier", GlobalStage: "global"}
    kind = next(name for cls, name in kinds.items() if isinstance(planned.stage, cls))
    columns = {name: str(kind) for name, kind in planned.columns().items()}
    rules = [
        {"param": r.param, "column": r.column, "bound": r.bound, "threshold": r.threshold}
        for r in planned.rules()
    ]
    return {**describe(planned), "kind": kind, "columns": columns, "rules": rules}


def _source(one: Pass) -> dict[str, Any]:
    read = sum(s["kept"]["rows"] + s["dropped"]["rows"] for s in one.slices)
    return {**(one.source or {}), "documents": read, "fingerprint": one.fingerprint}


def _slices(workshop: Workshop, passes: Iterable[Pass]) -> dict[str, int]:
    """How many slices this run made, and how many it found finished."""
    runs = [record["run"] for one in passes for record in one.slices]
    made = runs.count(workshop.run_id)
    return {"made": made, "reused": len(runs) - made}


def _write_errors(path: Path, passes: Iterable[Pass]) -> None:
    rows = [row for one in passes for row in one.errors]
    with atomic(path) as temporary:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        temporary.write_text("".join(lines), "utf-8")


def _extracts(planned: PlannedStage) -> bool:
    return isinstance(planned.stage, Modifier) and planned.stage.extracts
