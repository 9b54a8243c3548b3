"""Sets the judge's panels apart, before anything else.

Every compared recipe's sources are read with the judge's own extractor, so that what is held out
does not depend on a recipe. A panel is the documents of some groups of a source, or a file; every
document that is mostly panel text is held out too, from every source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.config import build
from curation.errors import UserError
from curation.files import read_json, sha256, write_json, write_parquet
from curation.fingerprint import fingerprint
from curation.fusing import HeldOut
from curation.hold_out import MAX_OVERLAP_FRAC, N_GRAM, group_of, is_held_out, ngram_index, overlaps
from curation.modifiers.html_text import HtmlText
from curation.process import PlannedStage
from curation.reading import read_source
from curation.slices import SliceStore
from curation.sources.source import Source, formats
from curation.steps import OFFSET, PATH, record_id
from curation.workshop import Pass, Workshop
from pipelines.judge import PanelSpec

EXTRACTOR = PlannedStage("html_text", HtmlText())  # the judge's own, whatever recipes use
PANEL_SCHEMA = pa.schema([(name, pa.string()) for name in ("record", "group", "source", "text")])
HELD_SCHEMA = pa.schema([("record", pa.string()), ("why", pa.string())])
_FORMATS = {".parquet": "parquet", ".csv": "csv", ".txt": "text", "": "text"}


@dataclass(frozen=True)
class Panels:
    """Finished panels: a Parquet file each, and what recipes must not train on."""

    files: dict[str, Path]
    held_out: HeldOut
    reads: dict[str, Pass]  # the judge's extraction of each source


@dataclass(frozen=True)
class ClaimJob:
    """Takes the documents of held-out groups from one slice."""

    store: SliceStore
    key: str
    source: str
    frac: float
    path: Path


@dataclass(frozen=True)
class OverlapJob:
    """Finds the documents of one slice that are held out, and why."""

    store: SliceStore
    key: str
    source: str
    frac: float
    index: Path
    path: Path


def read_all(workshop: Workshop, sources: Sequence[tuple[Source, Path]]) -> dict[str, Pass]:
    """The judge's extraction of every source of the recipes, by source name.

    Raises:
        UserError: two recipes mean different things by one source name.
    """
    reads: dict[str, Pass] = {}
    for source, root in sources:
        one = read_source(workshop, source, root, EXTRACTOR if source.yields_raw else None)
        if source.name in reads and reads[source.name].fingerprint != one.fingerprint:
            raise UserError(
                f"the recipes define source '{source.name}' differently",
                hint="Compared recipes must agree on a source they share; rename one",
            )
        reads[source.name] = one
    return reads


def set_apart(
    workshop: Workshop, specs: Sequence[PanelSpec], root: Path, reads: dict[str, Pass]
) -> Panels:
    """Makes the panels and the list of held-out documents, or finds them finished."""
    own = {s.name: _panel_source(s, root) for s in specs if s.path is not None}
    own_reads = {n: read_source(workshop, source, root, None) for n, source in own.items()}
    identity = {
        "step": "panels",
        "version": 1,
        "panels": [[s.name, s.hold_out, s.frac, s.max_mb] for s in specs],
        "reads": {name: one.fingerprint for name, one in sorted(reads.items())},
        "files": {name: one.fingerprint for name, one in sorted(own_reads.items())},
        "overlap": [N_GRAM, MAX_OVERLAP_FRAC],
    }
    folder = workshop.folder / f"panels-{fingerprint(identity)}"
    manifest = folder / "manifest.json"
    if not manifest.exists():
        folder.mkdir(parents=True, exist_ok=True)
        files = _make_panels(workshop, specs, reads, own_reads, folder)
        held = _make_held_out(workshop, specs, reads, files, folder)
        write_json(manifest, {"identity": identity, "held_out": sha256(held)})
    files = {s.name: folder / f"{s.name}.parquet" for s in specs}
    held_out = HeldOut(folder / "held_out.parquet", read_json(manifest)["held_out"])
    return Panels(files, held_out, reads)


def _panel_source(spec: PanelSpec, root: Path) -> Source:
    assert spec.path is not None
    suffixes = Path(spec.path).suffixes or [""]
    kind = next((_FORMATS[s] for s in suffixes if s in _FORMATS), "jsonl")
    values: dict[str, Any] = {"name": spec.name, "path": spec.path}
    if kind != "text":
        values["text"] = spec.text
    where = f"panel '{spec.name}'"
    return build(formats.get(kind), values, where=where, label=f"{kind} panel")


def _make_panels(
    workshop: Workshop,
    specs: Sequence[PanelSpec],
    reads: dict[str, Pass],
    own_reads: dict[str, Pass],
    folder: Path,
) -> dict[str, Path]:
    files = {}
    for spec in specs:
        one = own_reads.get(spec.name) or reads[str(spec.hold_out)]
        frac = 1.0 if spec.path is not None else spec.frac
        jobs = [
            ClaimJob(one.store, s["key"], s["source"], frac, folder / f"{spec.name}-{i:06d}.claim")
            for i, s in enumerate(one.slices)
        ]
        claims = sorted(workshop.run(f"panel {spec.name}", claim, jobs, one.text_bytes))
        files[spec.name] = folder / f"{spec.name}.parquet"
        write_parquet(files[spec.name], _panel(spec, claims))
        for path in claims:
            path.unlink()
    return files


def claim(job: ClaimJob) -> Path:
    """Writes the documents of held-out groups in one slice."""
    table = job.store.read(job.key, columns=["url", "text", PATH, OFFSET])
    records, groups = _groups(table, job.source)
    mine = pa.array([is_held_out(group, job.frac) for group in groups], pa.bool_())
    rows = pa.table(
        {
            "record": records,
            "group": groups,
            "source": [job.source] * len(table),
            "text": table["text"],
        },
        PANEL_SCHEMA,
    )
    write_parquet(job.path, rows.filter(mine))
    return job.path


def _groups(table: pa.Table, source: str) -> tuple[list[str], list[str]]:
    places = zip(table[PATH].to_pylist(), table[OFFSET].to_pylist(), strict=True)
    records = [record_id(source, path, offset) for path, offset in places]
    urls = table["url"].to_pylist()
    return records, [group_of(url, record) for url, record in zip(urls, records, strict=True)]


def _panel(spec: PanelSpec, claims: Sequence[Path]) -> pa.Table:
    """At most `max_mb` of distinct texts, drawn by hash of their record; at least one."""
    tables = [pq.read_table(path) for path in claims]
    table = pa.concat_tables([*tables, PANEL_SCHEMA.empty_table()])
    order = sorted(range(len(table)), key=lambda i: _draw(table["record"][i].as_py()))
    taken: list[int] = []
    seen: set[bytes] = set()
    size = 0
    for i in order:
        text = table["text"][i].as_py()
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if digest in seen or (taken and size + len(text) > spec.max_mb * 1e6):
            continue
        seen.add(digest)
        taken.append(i)
        size += len(text)
    if not taken:
        where = spec.path or f"source '{spec.hold_out}'"
        raise UserError(
            f"panel '{spec.name}' is empty: nothing was set apart of {where}",
            hint="Raise its 'frac': groups are sites, so few sites need a larger share",
        )
    return table.take(sorted(taken))


def _draw(record: str) -> bytes:
    return hashlib.blake2b(f"panel\0{record}".encode(), digest_size=8).digest()


def _make_held_out(
    workshop: Workshop,
    specs: Sequence[PanelSpec],
    reads: dict[str, Pass],
    files: dict[str, Path],
    folder: Path,
) -> Path:
    """Writes the records that recipes must not train on."""
    texts = pa.chunked_array(
        [c for f in files.values() for c in pq.read_table(f)["text"].chunks], pa.string()
    )
    index = folder / "ngrams.npy"
    np.save(index, ngram_index(texts))
    frac = max((spec.frac for spec in specs if spec.hold_out), default=0.0)
    jobs = [
        OverlapJob(one.store, s["key"], name, frac, index, folder / f"held-{name}-{i:06d}.parquet")
        for name, one in sorted(reads.items())
        for i, s in enumerate(one.slices)
    ]
    num_bytes = sum(one.text_bytes for one in reads.values())
    parts = sorted(workshop.run("hold out", find_held_out, jobs, num_bytes))
    path = folder / "held_out.parquet"
    tables = [pq.read_table(part) for part in parts]
    write_parquet(path, pa.concat_tables([*tables, HELD_SCHEMA.empty_table()]))
    for part in [*parts, index]:
        part.unlink()
    return path


def find_held_out(job: OverlapJob) -> Path:
    """Writes the records of one slice that are held out."""
    table = job.store.read(job.key, columns=["url", "text", PATH, OFFSET])
    records, groups = _groups(table, job.source)
    in_group = np.array([is_held_out(group, job.frac) for group in groups], bool)
    share = overlaps(table["text"], np.load(job.index)) if len(table) else np.zeros(0)
    copies = share >= MAX_OVERLAP_FRAC
    why = np.where(in_group, "group", "near_duplicate")
    held = pa.table({"record": records, "why": pa.array(why, pa.string())}, HELD_SCHEMA)
    write_parquet(job.path, held.filter(pc.or_(pa.array(in_group), pa.array(copies))))
    return job.path
