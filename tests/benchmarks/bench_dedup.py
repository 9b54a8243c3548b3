"""`minhash_dedup` end to end against rensa; and as the corpus grows: seconds, memory and scratch.

python -m tests.benchmarks.bench_dedup 500 1000 2000 4000    # megabytes of text
"""

import importlib
import importlib.util
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from curation.backends import RayBackend
from curation.dedup.minhash import MinhashDedup
from curation.dedup.near.signatures import sign
from curation.files import read_json
from curation.shingling.shingles import shingle_sets
from tests.benchmarks.data import json_lines, shared, size, texts
from tests.benchmarks.neardup_methods import decide, make_slices, rensa
from tests.benchmarks.tables import Skipped, Table
from tests.benchmarks.timing import Case, compare

SIZES = (100, 200, 400)
WORKERS, MAX_MEMORY = 2, "512MB"
SENTENCES = 30  # of a document that is made
NEAR_FRAC, EDITED_FRAC = 0.2, 0.03  # documents that are near-duplicates, and words of them changed
FILE_MB = 32
ROOT = Path(__file__).parents[2]


def run(sizes: tuple[int, ...] = SIZES) -> list[Table]:
    """Both tables."""
    return [_against_rensa(), _growth(sizes)]


def _against_rensa() -> Table:
    """From texts on disk or in memory to the survivor of each."""
    if importlib.util.find_spec("rensa") is None:
        raise Skipped("rensa is absent: pip install -e '.[bench]'")
    found, source = texts(100.0)
    found += [row["text"] for row in json_lines(shared("neardup", "synthetic.jsonl.zst"))]
    amount = size(found)
    with tempfile.TemporaryDirectory() as name:
        slices = make_slices(found, Path(name, "slices"))
        cases = [
            Case("tilth", lambda: decide(slices, Path(name)), amount),
            Case("tilth fineweb", lambda: decide(slices, Path(name), preset="fineweb"), amount),
            Case("rensa, 14x8, words of \\w+", lambda: rensa(found), amount),
        ]
        for case in cases[:2]:
            case.run()  # compiled, or from the cache
        notes = [
            f"{source} and its near-duplicates, {amount:.0f} MB. tilth reads stored slices, signs, "
            "buckets, reads candidates again, verifies, clusters, writes decisions; rensa has the "
            "texts in memory, and does not verify.",
        ]
        return compare("near-duplicates, end to end, MB/s", "MB/s", cases, notes)


def _growth(sizes: tuple[int, ...]) -> Table:
    """At 2 workers and 512 MB."""
    found, source = texts(100.0)
    sentences = [s for text in found for s in text.split(". ") if 20 < len(s) < 400]
    baseline, rows = _idle_memory(), []
    for megabytes in sizes:
        with tempfile.TemporaryDirectory() as name:
            rows.append(_grown(Path(name), megabytes, sentences, baseline))
    slope = np.polyfit(np.log([r[0] for r in rows]), np.log([r[2] for r in rows]), 1)[0]
    columns = (
        "MB",
        "documents",
        "dedup s",
        "MB/s",
        "whole run s",
        "MB above baseline",
        "scratch MB",
    )
    notes = [
        f"{source}, cut into sentences and put together again; {NEAR_FRAC:.0%} of the documents "
        f"are copies of an earlier one with {EDITED_FRAC:.0%} of the words changed.",
        f"{WORKERS} workers, --max-memory {MAX_MEMORY}; slope of dedup seconds: {slope:.2f} "
        "(1 is linear).",
        "Memory: the largest proportional set size of the whole process tree, less "
        f"{baseline:.0f} MB of the driver, Ray and workers that have loaded everything and wait.",
        "Scratch: the largest size of the stage's folder while it runs.",
    ]
    return Table("minhash_dedup as the corpus grows", columns, rows, notes)


def _grown(folder: Path, megabytes: int, sentences: list[str], baseline: float) -> tuple[Any, ...]:
    documents = _write(folder / "in", megabytes, sentences)
    source = {"name": "s", "format": "parquet", "path": "in/*.parquet"}
    recipe = {"name": "grown", "sources": [source], "curate": ["minhash_dedup"]}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    command = [sys.executable, "-m", "pipelines.cli", "run", str(folder / "recipe.yaml")]
    command += ["--out", str(folder / "out"), "--workers", str(WORKERS)]
    command += ["--max-memory", MAX_MEMORY]
    begin = time.monotonic()
    memory, scratch = _watch(command, folder / "out" / "work")
    whole = time.monotonic() - begin
    manifest = read_json(folder / "out" / "grown" / "dataset" / "manifest.json")
    (stage,) = [row for row in manifest["funnel"] if row["stage"] == "minhash_dedup"]
    seconds = stage["seconds"]
    rate = megabytes / seconds
    return megabytes, documents, seconds, rate, whole, memory - baseline, scratch


def _write(folder: Path, megabytes: int, sentences: list[str]) -> int:
    """Parquet files of so much text; the number of documents."""
    folder.mkdir()
    draw, count, number, left = random.Random(3), 0, 0, megabytes * 1e6
    while left > 0:
        part = list(_documents(draw, sentences, min(FILE_MB * 1e6, left)))
        ids = [f"{count + i}" for i in range(len(part))]
        pq.write_table(pa.table({"id": ids, "text": part}), folder / f"{number:05}.parquet")
        count, number, left = count + len(part), number + 1, left - size(part) * 1e6
    return count


def _documents(draw: random.Random, sentences: list[str], most: float) -> Iterator[str]:
    made: list[str] = []
    while most > 0:
        if made and draw.random() < NEAR_FRAC:
            words = draw.choice(made).split(" ")
            for _ in range(max(1, int(EDITED_FRAC * len(words)))):
                words[draw.randrange(len(words))] = "edited"
            text = " ".join(words)
        else:
            text = ". ".join(draw.choices(sentences, k=draw.randint(1, 2 * SENTENCES)))
        made.append(text)
        most -= len(text.encode())
        yield text


def _watch(command: list[str], work: Path) -> tuple[float, float]:
    """(largest memory of the process tree, largest scratch), in megabytes."""
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    memory = scratch = 0.0
    while process.poll() is None:
        memory = max(memory, _memory(process.pid))
        scratch = max(scratch, _scratch(work))
        time.sleep(0.2)
    if process.returncode:
        assert process.stderr is not None
        raise Skipped(process.stderr.read().decode()[-500:])
    return memory, scratch


def _memory(session: int) -> float:
    """Proportional set size of all processes of a session, in megabytes."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session:
                lines = (folder / "smaps_rollup").read_text().split("\n")
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue  # it ended while we looked
    return total / 1000


def _scratch(work: Path) -> float:
    total = 0
    for path in work.glob("decide-*/**/*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total / 1e6


def load(_: int) -> None:
    """Loads what a worker needs."""
    stage, some = MinhashDedup(), pa.array(["a few words, to load the kernels"])
    sign(some, stage.shingles, stage.banding)
    shingle_sets(some, stage.shingles)
    time.sleep(1)


def idle() -> None:
    """A driver with workers that have loaded everything, until its input ends."""
    for module in ("pipelines.cli", "pipelines.run", "pipelines.report", "polars"):
        importlib.import_module(module)
    list(RayBackend(WORKERS).run(load, range(2 * WORKERS)))
    print("ready", flush=True)
    sys.stdin.read()


def _idle_memory() -> float:
    command = [sys.executable, "-c", "from tests.benchmarks.bench_dedup import idle; idle()"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    found = _memory(process.pid)
    process.stdin.close()
    process.wait()
    return found


if __name__ == "__main__":
    print(_growth(tuple(map(int, sys.argv[1:])) or SIZES).as_text())
