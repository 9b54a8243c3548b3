"""Builds the demo corpus: `warc/<kind>.warc.gz`, `truth.parquet` and, written last, `corpus.json`.

`corpus.json` of the same seed, size and environment means that the corpus is complete, and it is
used as it is.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curation.fingerprint import fingerprint
from curation.hold_out import is_held_out
from pipelines.demo.archive import write_warc
from pipelines.demo.collect import collect
from pipelines.demo.environment import versions
from pipelines.demo.page import KINDS, Page, draw
from pipelines.demo.render import Web
from pipelines.demo.trouble import TROUBLES, Planted, plant

VERSION = 1  # of what is built from the same environment
HELD_OUT_FRAC = 0.1  # the `frac` of every panel of the demo's judge

TRUTH_SCHEMA = pa.schema([(f.name, pa.string()) for f in dataclasses.fields(Planted)])


@dataclass(frozen=True)
class CorpusInfo:
    """What a corpus holds: the content of `corpus.json`."""

    fingerprint: str  # of seed, size and the environment it was made from
    seed: int
    max_bytes: int
    documents: dict[str, int]  # per kind, planted ones included
    text_bytes: dict[str, int]  # per kind, before rendering
    packages: int
    held_out_packages: list[str]
    planted: dict[str, int]  # per kind of trouble


def build_corpus(folder: Path, *, seed: int = 0, max_bytes: int = 20_000_000) -> CorpusInfo:
    """Builds the corpus in `folder`, or returns what is known of a finished one.

    Args:
        folder: made if it does not exist.
        seed: of the sample, the planted trouble and the order.
        max_bytes: of text collected; duplicates and spam come on top.
    """
    identity = fingerprint([VERSION, seed, max_bytes, HELD_OUT_FRAC, versions()])
    finished = _finished(folder, identity)
    if finished is not None:
        return finished
    (folder / "warc").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.json").unlink(missing_ok=True)
    pages, truth = plant(collect(max_bytes, seed), _is_apart, seed)
    _write_warcs(folder / "warc", pages, seed)
    _write_truth(folder / "truth.parquet", truth)
    info = _describe(pages, truth, identity, seed, max_bytes)
    partial = folder / "corpus.json.tmp"
    partial.write_text(json.dumps(dataclasses.asdict(info), indent=2) + "\n", "utf-8")
    os.replace(partial, folder / "corpus.json")
    return info


def _is_apart(host: str) -> bool:
    return is_held_out(host, HELD_OUT_FRAC)


def _finished(folder: Path, identity: str) -> CorpusInfo | None:
    """The corpus in `folder` if it is complete and the one that is asked for."""
    path = folder / "corpus.json"
    if not path.exists():
        return None
    values = json.loads(path.read_text("utf-8"))
    return CorpusInfo(**values) if values["fingerprint"] == identity else None


def _write_warcs(folder: Path, pages: Sequence[Page], seed: int) -> None:
    """One file per kind, in an order that sets copies apart from their originals."""
    web = Web(pages)
    for kind in KINDS:
        chosen = [page for page in pages if page.kind == kind]
        chosen.sort(key=lambda page: draw(seed, "order", page.url))
        documents = ((page.url, web.html(page)) for page in chosen)
        write_warc(folder / f"{kind}.warc.gz", documents)


def _write_truth(path: Path, truth: Sequence[Planted]) -> None:
    rows = sorted(map(dataclasses.asdict, truth), key=lambda row: (row["kind"], row["url"]))
    pq.write_table(pa.Table.from_pylist(rows, schema=TRUTH_SCHEMA), path)


def _describe(
    pages: Sequence[Page], truth: Sequence[Planted], identity: str, seed: int, max_bytes: int
) -> CorpusInfo:
    packages = {page.package: page.host for page in pages}
    planted = Counter(row.kind for row in truth)
    return CorpusInfo(
        fingerprint=identity,
        seed=seed,
        max_bytes=max_bytes,
        documents={kind: sum(page.kind == kind for page in pages) for kind in KINDS},
        text_bytes={kind: sum(p.size for p in pages if p.kind == kind) for kind in KINDS},
        packages=len(packages),
        held_out_packages=sorted(name for name, host in packages.items() if _is_apart(host)),
        planted={kind: planted[kind] for kind in TROUBLES},
    )
