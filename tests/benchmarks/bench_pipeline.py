"""A whole recipe on two cores, Parquet to Parquet: rules, language, PII, fastText."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.benchmarks.data import size, texts
from tests.benchmarks.tables import Skipped, Table

CORES = 2
ALL_MB = 100.0  # as much as there is
COPIES, FEW_MB = 4, 5.0  # the peer takes seconds per megabyte
FILE_ROWS = 2000
STAGES: list[Any] = [
    {"language": {"keep": None, "min_score": None}},
    "gopher_repetition",
    "gopher_quality",
    {"c4_quality": {"end_marks": None}},
    "fineweb_quality",
    {"fasttext_score": {"model": "model.bin", "label": "__label__hq", "min_score": 0.1}},
    "pii",
]


def run() -> list[Table]:
    """Megabytes per second of the wall clock, everything counted but the start of the process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found, source = texts(ALL_MB)
        _train(found, folder)
        ours = _ours(found, folder)
        few = found[:: max(1, round(size(found) / FEW_MB))]
        theirs, note = _theirs(few, folder)
    rows = [("tilth", *ours, ours[2] / theirs[2] if theirs else None)]
    rows += [("datatrove", *theirs, 1.0)] if theirs else []
    columns = ("", "MB", "wall s", "MB/s", "s without start-up", "busy share", "ratio")
    notes = [
        f"{source}; tilth reads it {COPIES} times over, under other ids. {CORES} workers each.",
        "Stages: language, Gopher repetition and quality, C4, FineWeb, fastText, PII.",
        "datatrove: the same without language, whose model it would download.",
        "Busy: processor time of the whole machine over wall clock and cores, without start-up.",
        "The wall clock of the ratio includes start-up (Ray's is about 5 s).",
        *note,
    ]
    return [Table("Parquet to Parquet, two cores", columns, rows, notes)]


def _train(found: list[str], folder: Path) -> None:
    """A real classifier of the size of DCLM's: which half of the files a text comes from."""
    import fasttext

    lines = [
        f"__label__{'hq' if i % 2 else 'cc'} {' '.join(t.split())}" for i, t in enumerate(found)
    ]
    (folder / "train.txt").write_text("\n".join(lines[::10]), "utf-8")
    model = fasttext.train_supervised(str(folder / "train.txt"), epoch=1, thread=1, verbose=0)
    model.save_model(str(folder / "model.bin"))


def _write(found: list[str], folder: Path, copies: int) -> float:
    """Parquet files of a few thousand documents; megabytes of text."""
    folder.mkdir()
    for copy in range(copies):
        for start in range(0, len(found), FILE_ROWS):
            part = found[start : start + FILE_ROWS]
            ids = [f"{copy}-{start + i}" for i in range(len(part))]
            pq.write_table(
                pa.table({"id": ids, "text": part}), folder / f"{copy}-{start:07}.parquet"
            )
    return size(found) * copies


def _ours(found: list[str], folder: Path) -> tuple[float, float, float, float, float]:
    amount = _write(found, folder / "ours", COPIES)
    recipe = {
        "name": "bench",
        "sources": [{"name": "s", "format": "parquet", "path": "ours/*.parquet"}],
        "curate": STAGES,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    tilth = [sys.executable, "-m", "pipelines.cli", "run", str(folder / "recipe.yaml")]
    tilth += ["--out", str(folder / "out"), "--workers", str(CORES)]
    return (amount, *_watch(tilth, amount, b"1/"))


def _theirs(
    found: list[str], folder: Path
) -> tuple[tuple[float, float, float, float, float] | None, list[str]]:
    amount = _write(found, folder / "theirs", 1)
    command = [sys.executable, "-m", "tests.benchmarks.datatrove_pipeline", str(folder), str(CORES)]
    try:
        return (amount, *_watch(command, amount, b"Processing")), []
    except Skipped as reason:
        return None, [f"datatrove: not measured. {reason}"]


def _watch(command: list[str], amount: float, begun: bytes) -> tuple[float, float, float, float]:
    """(wall s, MB/s, s after the first sign of work on stderr, busy share of the cores then)."""
    begin = start = time.monotonic()
    busy = _busy()
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    tail = []
    for line in process.stderr:
        tail = [*tail[-20:], line]
        if start == begin and begun in line:
            start, busy = time.monotonic(), _busy()
    if process.wait():
        raise Skipped(b"".join(tail).decode()[-500:])
    end = time.monotonic()
    share = (_busy() - busy) / (end - start) / CORES
    return end - begin, amount / (end - begin), end - start, share


def _busy() -> float:
    """Processor seconds of the whole machine so far."""
    fields = Path("/proc/stat").read_text().split("\n")[0].split()
    ticks = sum(map(int, fields[1:4])) + sum(map(int, fields[6:8]))
    return ticks / os.sysconf("SC_CLK_TCK")
