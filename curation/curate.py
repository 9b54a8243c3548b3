"""From sources and stages to a dataset: the plan of passes, and what a finished run reports.

Consecutive local stages are one pass. What is stored: the extracted text of each source, the
annotated table before each global stage and each stage that learns from it, and the end.
"""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.alarms import Policy, find_alarms, untaught
from curation.dataset import write_shards
from curation.deciding import Decisions, decide, publish_artifacts, unique_ids
from curation.errors import RunError
from curation.files import atomic, read_json, write_json
from curation.fingerprint import fingerprint
from curation.fusing import Fusion, HeldOut, fuse
from curation.learning import Learned, learn, needs_model, publish
from curation.plan import Segment, learned_from, segments
from curation.process import PlannedStage, StageStats
from curation.reading import read_source
from curation.sources.source import Source
from curation.stage import Among, Filter, GlobalStage, Modifier, Rule, Scorer, Stage, with_paths
from curation.workshop import Pass, Workshop, describe, file_hash, total


@dataclass(frozen=True)
class Curation:
    """What makes a dataset: the part of a recipe that `curation` knows."""

    name: str
    sources: tuple[Source, ...]
    stages: tuple[PlannedStage, ...]
    root: Path  # of relative source paths
    seed: int = 0
    keep_dropped_text: bool = True
    policy: Policy = field(default_factory=Policy)  # of alarms: no part of the dataset's identity
    references: tuple[Source, ...] = ()  # what stages learn from; never enter the corpus


def curate(
    curation: Curation, workshop: Workshop, out: Path, held_out: HeldOut | None = None
) -> dict[str, Any]:
    """Makes `out/dataset`, `out/dropped` and `out/errors.jsonl`; returns the manifest.

    What is finished is reused; if all of it is, nothing is written but alarms that have changed.
    """
    extractor, runs = segments(curation.stages, curation.sources, curation.references)
    reads = [read_source(workshop, s, curation.root, extractor) for s in curation.sources]
    references = _read_references(curation, workshop, extractor)
    made = _fuse(curation, workshop, reads, references, runs, held_out)
    passes = made.passes
    passing = {name for planned in curation.stages for name in planned.passing}
    annotations = {k: v for k, v in passes[-1].store.annotations.items() if k not in passing}
    identity = _identity(curation, reads, passes)
    path = out / "dataset" / "manifest.json"
    if path.exists():
        found: dict[str, Any] = read_json(path)
        if found["fingerprint"] == identity and _intact(out, found):
            return _with_alarms(curation, found, path)
    every = [*reads, *passes]
    manifest: dict[str, Any] = {
        "format": 1,
        "recipe": curation.name,
        "fingerprint": identity,
        "run": workshop.run_id,
        "seed": curation.seed,
        "stages": [_about(p, curation.root, made.decided.get(p.label)) for p in curation.stages],
        "sources": [_source(one) for one in reads],
        "references": [_source(one) for one in references.values()],
        "classifiers": publish(made.learned, out),
        "artifacts": publish_artifacts(made.decided.values(), out),
        "funnel": funnel(every, made.decided),
        "annotations": {name: str(kind) for name, kind in annotations.items()},
    }
    manifest["alarms"] = _alarms(curation, manifest)
    _write_errors(out / "errors.jsonl", [*every, *references.values()])
    dropped = write_shards(workshop, out / "dropped", every, "dropped", annotations)
    manifest["dropped"] = {"rows": sum(s["rows"] for s in dropped), "shards": dropped}
    manifest["shards"] = write_shards(workshop, out / "dataset", passes[-1:], "kept", annotations)
    _check_complete(manifest)
    manifest["slices"] = _slices(workshop, [*every, *references.values()])
    manifest["made"] = {
        "tilth": version("tilth"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "pyarrow": version("pyarrow"),
    }
    write_json(path, manifest)
    written: dict[str, Any] = read_json(path)  # as the next run finds it: tuples are lists
    return written


def _read_references(
    curation: Curation, workshop: Workshop, extractor: PlannedStage | None
) -> dict[str, Pass]:
    """Those that a stage learns from, by name."""
    used = learned_from(curation.stages)
    return {
        one.name: read_source(workshop, one, curation.root, extractor)
        for one in curation.references
        if one.name in used
    }


@dataclass
class _Made:
    """What the passes of a run left."""

    passes: list[Pass] = field(default_factory=list)
    learned: list[Learned] = field(default_factory=list)
    decided: dict[str, Decisions] = field(default_factory=dict)  # by label of the global stage


def _fuse(
    curation: Curation,
    workshop: Workshop,
    reads: list[Pass],
    references: Mapping[str, Pass],
    runs: Sequence[Segment],
    held_out: HeldOut | None,
) -> _Made:
    made = _Made()
    renames = unique_ids(workshop, reads)
    for number, run in enumerate(runs):
        parents = made.passes[-1:] or reads
        first = number == 0
        if first and held_out is None and not renames.files and _copies(runs):
            continue
        decided = decide(workshop, parents, run.decided_by) if run.decided_by else None
        if decided is not None:
            made.decided[decided.label] = decided
        learned = {
            planned.label: learn(workshop, planned, parents, references, curation.seed)
            for planned in run.stages
            if needs_model(planned)
        }
        made.learned += learned.values()
        stages = (learned[p.label].planned if p.label in learned else p for p in run.stages)
        fusion = Fusion(
            stages=tuple(_prepared(workshop, planned) for planned in stages),
            annotations=parents[-1].store.annotations,
            decided=decided,
            renames=renames if first else None,
            held_out=held_out if first else None,
            keep_dropped_text=curation.keep_dropped_text,
        )
        made.passes.append(fuse(workshop, parents, fusion))
    return made


def _prepared(workshop: Workshop, planned: PlannedStage) -> PlannedStage:
    """A stage with what it makes once for all slices, made or found finished."""
    stage = planned.stage.prepared(workshop.folder)
    return planned if stage is planned.stage else dataclasses.replace(planned, stage=stage)


def _copies(runs: Sequence[Segment]) -> bool:
    """Whether the first pass would only copy what was read, for a global stage to see."""
    return runs[0].is_empty and len(runs) > 1 and runs[1].decided_by is not None


def _identity(curation: Curation, reads: list[Pass], passes: list[Pass]) -> str:
    ends = [one.fingerprint for one in (*reads, *passes)]
    return fingerprint({"passes": ends, "seed": curation.seed, "name": curation.name})


def funnel(passes: Iterable[Pass], decided: Mapping[str, Decisions]) -> list[dict[str, Any]]:
    """Per stage, in order: documents, bytes, edits, reasons and seconds, in all and per source.

    A global stage's seconds are those of the clock, a local one's those of all workers together.
    """
    rows: dict[str, dict[str, StageStats]] = {}
    for label, source, stats in total(passes):
        rows.setdefault(label, {}).setdefault(source, StageStats()).add(stats)
    table = []
    for label, by_source in rows.items():
        whole = StageStats()
        for stats in by_source.values():
            whole.add(stats)
        whole.seconds += decided[label].seconds if label in decided else 0.0
        per = {source: stats.to_dict() for source, stats in by_source.items()}
        table.append({"stage": label, **whole.to_dict(), "by_source": per})
    return table


def _alarms(curation: Curation, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    found = find_alarms(curation.stages, manifest["funnel"], curation.policy)
    found += untaught(manifest["classifiers"])
    return [alarm.to_dict() for alarm in found]


def _with_alarms(curation: Curation, found: dict[str, Any], path: Path) -> dict[str, Any]:
    """A finished manifest with the alarms of today's policy."""
    now = _alarms(curation, found)
    if now != found.get("alarms"):
        found["alarms"] = now
        write_json(path, found)
    return found


def _intact(out: Path, manifest: dict[str, Any]) -> bool:
    """Whether every shard is there with its size; one that is not is made again from `work/`."""
    shards = [(out / "dataset" / s["file"], s["bytes"]) for s in manifest["shards"]]
    shards += [(out / "dropped" / s["file"], s["bytes"]) for s in manifest["dropped"]["shards"]]
    beside = (*manifest["classifiers"], *manifest.get("artifacts", ()))
    models = [out / one["folder"] / name for one in beside for name in one["files"]]
    return all(path.exists() and path.stat().st_size == size for path, size in shards) and all(
        path.exists() for path in models
    )


def _check_complete(manifest: dict[str, Any]) -> None:
    """Every document that was read is in `dataset/` or `dropped/`, once."""
    read = sum(source["documents"] for source in manifest["sources"])
    kept = sum(shard["rows"] for shard in manifest["shards"])
    if kept + manifest["dropped"]["rows"] != read:
        raise RunError(
            f"{read:,} documents were read, but {kept:,} kept and "
            f"{manifest['dropped']['rows']:,} dropped: please report this"
        )


def _about(planned: PlannedStage, root: Path, decided: Decisions | None) -> dict[str, Any]:
    kinds = {Filter: "filter", Scorer: "scorer", Modifier: "modifier", GlobalStage: "global"}
    kind = next(name for cls, name in kinds.items() if isinstance(planned.stage, cls))
    held = {k: v for k, v in planned.columns().items() if k not in planned.passing}
    columns = {name: str(kind) for name, kind in held.items()}
    rules = [_rule(rule) for rule in planned.rules()]
    about = {**describe(planned), "kind": kind, "columns": columns, "rules": rules}
    about |= {"report": dict(decided.report)} if decided and decided.report else {}
    outside = planned.stage.files() or planned.stage.made_from()
    return {**about, **_files(planned.stage, root)} if outside else about


def _rule(rule: Rule) -> dict[str, Any]:
    names = ("param", "column", "bound", "threshold")
    when = Among(rule.when, (True,)) if isinstance(rule.when, str) else rule.when
    condition = {"when": dataclasses.asdict(when)} if when else {}
    return {name: getattr(rule, name) for name in names} | condition


def _files(stage: Stage, root: Path) -> dict[str, Any]:
    """The parameters with paths as the recipe gives them, and the hash of each file."""

    def given(path: Path) -> str:
        return str(path.relative_to(root) if path.is_relative_to(root) else path)

    params = {f.name: with_paths(getattr(stage, f.name), given) for f in dataclasses.fields(stage)}
    hashes = {given(path): file_hash(path) for paths in stage.files().values() for path in paths}
    return {"params": params, "files": hashes}


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
