"""The texts of the study of BETR: one pool without labels, target sets and panels apart from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from curation.dataset import Dataset
from curation.hold_out import is_held_out
from pipelines.recipe import load_recipe
from pipelines.run import run
from pipelines.studies.study import SHARED, Bench, documents, write_documents, write_yaml

TARGETS = ("science_cs", "reviews", "math_word")
QUALITY = "encyclopedia"  # what GPT-3's filter and many after it call good
UNTARGETED = (QUALITY, "news", "speeches")  # panels that no recipe targets
OTHERS = (
    "biomedical",
    "blog",
    "books",
    "code_python",
    "docs_tech",
    "forum",
    "government",
    "legal",
    "math",
    "poetry_drama",
    "recipes",
)
PANEL_FRAC = 0.25  # of a domain with a panel
TARGET_FRAC = 1 / 3  # of what is left of a target's domain; the rest lies in the pool
RANDOM_FRAC = 0.1  # of the pool: the baseline


def write_data(bench: Bench) -> Path:
    """The folder with `pool`, `random`, `target-*` and `panel-*` as JSONL, made or found."""
    folder = bench.out / "data"
    for domain in (*TARGETS, *UNTARGETED):
        write_documents(folder / f"panel-{domain}.jsonl", _of(domain, "panel"))
    for domain in (*TARGETS, QUALITY):
        write_documents(folder / f"target-{domain}.jsonl", _of(domain, "target"))
    write_documents(folder / "pool.jsonl", _pool(bench))
    write_documents(folder / "random.jsonl", _random(bench))
    return folder


def side(domain: str, name: str) -> str:
    """Whether a document of a domain is in a `panel`, a `target` set or the `pool`."""
    if domain not in (*TARGETS, *UNTARGETED):
        return "pool"
    if is_held_out(f"panel\0{name}", PANEL_FRAC):
        return "panel"
    targeted = domain in (*TARGETS, QUALITY) and is_held_out(f"target\0{name}", TARGET_FRAC)
    return "target" if targeted else "pool"


def _of(domain: str, wanted: str) -> Iterator[dict[str, Any]]:
    for row in documents(domain):
        name = f"{domain}/{row['id']}"
        if side(domain, name) == wanted:
            yield {"id": name, "text": row["text"], "domain": domain}


def _pool(bench: Bench) -> Iterator[dict[str, Any]]:
    """Web pages, then domain texts: which is which is told to nothing that selects."""
    yield from _pages(bench)
    for domain in (*OTHERS, *TARGETS, *UNTARGETED):
        yield from _of(domain, "pool")


def _random(bench: Bench) -> Iterator[dict[str, Any]]:
    return (row for row in _pool(bench) if is_held_out(f"random\0{row['id']}", RANDOM_FRAC))


def _pages(bench: Bench) -> Iterator[dict[str, Any]]:
    """The English prose among the pages of ../shared/data/warc."""
    source = {"name": "web", "format": "warc", "path": str(SHARED / "warc" / "third*.warc.gz")}
    curate = ["html_text", "language", "gopher_repetition", "gopher_quality", "exact_dedup"]
    keys = {"name": "pages", "sources": [source], "curate": curate}
    recipe = load_recipe(write_yaml(bench.out / "recipes" / "pages.yaml", keys))
    out = bench.out / "pages"
    run([recipe], out, bench.backend, bench.progress, "dataset")
    for shard in Dataset(out / "pages" / "dataset").shards:
        table = pq.read_table(shard, columns=["id", "text"])
        for name, text in zip(*(c.to_pylist() for c in table.columns), strict=True):
            yield {"id": f"web/{name}", "text": text, "domain": "web"}
