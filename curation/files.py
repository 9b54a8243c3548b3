"""Files that are whole or absent: written under a temporary name, synced, then renamed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.errors import RunError

_CANNOT_WRITE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EACCES,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place if the block succeeds.

    Raises:
        RunError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        with suppress(OSError):  # what went wrong first is what to report
            temporary.unlink()
        if error.errno not in _CANNOT_WRITE:
            raise
        raise RunError(
            f"{path}: cannot be written: {error.strerror}\n"
            "  Finished slices are kept: mend it and run the same command again"
        ) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Lets one process at a time work in `folder`; the lock goes with the process, however it ends.

    Raises:
        RunError: another process is at work there, or the folder cannot be written.
    """
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{folder}: another run is at work here; wait for it to end") from None
        yield


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data`, atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as readable JSON, atomically.

    Raises:
        ValueError: a number in `value` is NaN or infinite, which JSON cannot hold.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes(path, f"{text}\n".encode())


def read_json(path: Path) -> Any:
    """The value in a JSON file that tilth wrote.

    Raises:
        RunError: the file is damaged.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: Exception) -> RunError:
    """What to say of a file of ours that cannot be read."""
    return RunError(
        f"{path}: is damaged: {str(error)[:200]}\n"
        f"  Delete the folder {path.parent}; the next run makes it again"
    )


def write_parquet(path: Path, table: pa.Table, *, level: int = 3) -> None:
    """Writes `table` as zstd Parquet, atomically. The same table gives the same bytes."""
    with atomic(path) as temporary:
        pq.write_table(
            table, temporary, compression="zstd", compression_level=level, row_group_size=1 << 16
        )


def write_row_groups(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Writes tables as the row groups of a zstd Parquet file, atomically; returns their rows."""
    rows = 0
    with (
        atomic(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", compression_level=3) as writer,
    ):
        for table in tables:
            writer.write_table(table, row_group_size=max(1, len(table)))
            rows += len(table)
    return rows


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Makes `target` the same file, or a copy of it where files cannot be linked."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Flushes a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
