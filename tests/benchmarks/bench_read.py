"""Reading JSON lines, Parquet and WARC: megabytes per second on one core."""

import gzip
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq
import zstandard

from curation.sources.inputs import InputFile
from curation.sources.jsonl import Jsonl
from curation.sources.parquet import Parquet
from curation.sources.source import ReadLog, Source
from curation.sources.warc import Warc
from tests.benchmarks.data import as_table, json_lines, shared, size, texts
from tests.benchmarks.tables import Skipped, Table
from tests.benchmarks.timing import Case, compare

MEGABYTES = 20.0
PAGES = "thirdparty-00000.warc.gz"
OURS = "tilth"


def run() -> list[Table]:
    """One table per format."""
    threads = pa.cpu_count()
    pa.set_cpu_count(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return [*_text_tables(Path(folder)), *_warc_tables(Path(folder))]
    finally:
        pa.set_cpu_count(threads)


def _text_tables(folder: Path) -> list[Table]:
    found, name = texts(MEGABYTES)
    amount = size(found)
    about = f"{amount:.1f} MB of {name}, {len(found)} documents; MB are of text."
    plain, packed, columns = (folder / f"text.{end}" for end in ("jsonl", "jsonl.zst", "parquet"))
    lines = [json.dumps({"id": str(i), "text": t}, ensure_ascii=False) for i, t in enumerate(found)]
    plain.write_bytes("\n".join(lines).encode() + b"\n")
    packed.write_bytes(zstandard.compress(plain.read_bytes()))
    pq.write_table(as_table(found), columns, compression="zstd", row_group_size=1000)
    jsonl = partial(Jsonl, name="text")
    return [
        _table("jsonl", about, amount, jsonl, plain, _json_peers(plain)),
        _table("jsonl.zst", about, amount, jsonl, packed, _json_peers(packed)),
        _table(
            "parquet",
            about,
            amount,
            partial(Parquet, name="text"),
            columns,
            _parquet_peers(columns),
        ),
    ]


def _table(
    title: str,
    about: str,
    amount: float,
    make: Callable[..., Source],
    path: Path,
    peers: dict[str, Callable[[], Any]],
) -> Table:
    cases, notes = [Case(OURS, partial(_read, make(path=path.name), path), amount)], [about]
    cases += [Case(name, call, amount) for name, call in peers.items()]
    for case in list(cases):
        try:
            case.run()  # files in memory, modules imported
        except ImportError as error:
            cases.remove(case)
            notes.append(f"{case.name}: not measured. {error}")
    return compare(f"read {title}", "MB/s", cases, notes)


def _read(source: Source, path: Path) -> int:
    """Every split of a file; the number of documents."""
    file, log = InputFile(url=str(path), path=path.name, size=path.stat().st_size), ReadLog()
    tables = (table for split in source.splits(file) for table in source.read(split, log))
    documents = sum(len(table) for table in tables)
    if log.errors or not documents:
        raise RuntimeError(f"{path.name}: {documents} documents, errors: {log.errors[:1]}")
    return documents


def _json_peers(path: Path) -> dict[str, Callable[[], Any]]:
    peers: dict[str, Callable[[], Any]] = {"datatrove": _datatrove("JsonlReader", path)}
    if path.suffix == ".jsonl":
        peers["pyarrow"] = partial(_pyarrow_json, path)
    peers["json.loads, to Arrow"] = partial(_json_loads, path)
    return peers


def _pyarrow_json(path: Path) -> pa.Table:
    options = pyarrow.json.ReadOptions(use_threads=False, block_size=16 << 20)
    return pyarrow.json.read_json(path, read_options=options)


def _json_loads(path: Path) -> pa.Table:
    """What one writes first."""
    if path.suffix == ".zst":
        return pa.Table.from_pylist(list(json_lines(path)))
    with path.open("rb") as handle:
        return pa.Table.from_pylist([json.loads(line) for line in handle])


def _parquet_peers(path: Path) -> dict[str, Callable[[], Any]]:
    return {
        "datatrove": _datatrove("ParquetReader", path),
        "pyarrow": partial(pq.read_table, path, use_threads=False),
    }


def _datatrove(reader: str, path: Path) -> Callable[[], int]:
    from datatrove.pipeline import readers
    from datatrove.utils.logging import logger

    logger.remove()  # it logs every file
    kind = getattr(readers, reader)

    def read() -> int:
        return sum(1 for _ in kind(str(path.parent), glob_pattern=path.name).run())

    return read


def _warc_tables(folder: Path) -> list[Table]:
    try:
        packed = shared("warc", PAGES)
    except Skipped as reason:
        return [Table("read WARC", ("skipped",), [(str(reason),)])]
    plain = folder / "pages.warc"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    amount = plain.stat().st_size / 1e6
    about = f"{amount:.1f} MB of records in ../shared/data/warc/{PAGES}, uncompressed size."
    make = partial(Warc, name="pages")
    return [
        _table(path.name.partition(".")[2], about, amount, make, path, _warc_peers(path))
        for path in (plain, packed)
    ]


def _warc_peers(path: Path) -> dict[str, Callable[[], Any]]:
    return {
        "datatrove": _datatrove("WarcReader", path),
        "warcio": partial(_warcio, path),
        "fastwarc": partial(_fastwarc, path),
    }


def _fastwarc(path: Path) -> int:
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    with path.open("rb") as handle:
        # HTTP headers parsed, bodies read; no digests.
        records = ArchiveIterator(handle, record_types=WarcRecordType.response, parse_http=True)
        return sum(len(record.reader.read()) for record in records)


def _warcio(path: Path) -> int:
    from warcio.archiveiterator import ArchiveIterator

    with path.open("rb") as handle:
        records = (record for record in ArchiveIterator(handle) if record.rec_type == "response")
        return sum(len(record.content_stream().read()) for record in records)
