"""The text and the pages that benchmarks run on."""

import ast
import io
import json
import site
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import zstandard

from curation.process import ROW
from tests.benchmarks.tables import Skipped

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
NO_PROSE = ("langid_udhr",)  # lists of short pieces for language identification


def shared(*parts: str) -> Path:
    """A file of the shared data.

    Raises:
        Skipped: it is absent.
    """
    path = SHARED.joinpath(*parts)
    if not path.exists():
        raise Skipped(f"../shared/data/{'/'.join(parts)} is absent")
    return path


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a .jsonl.zst file; lines end at LF only."""
    with path.open("rb") as handle:
        stream = zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True)
        yield from map(json.loads, io.TextIOWrapper(stream, "utf-8", newline="\n"))


def texts(megabytes: float) -> tuple[list[str], str]:
    """About so many megabytes of real text, spread evenly over what there is, and its name."""
    if (SHARED / "text").is_dir():
        files = sorted((SHARED / "text").glob("*.jsonl.zst"))
        found = [
            row["text"] for f in files if f.name[:-10] not in NO_PROSE for row in json_lines(f)
        ]
        name = "../shared/data/text"
    else:
        found, name = _up_to(megabytes, _docstrings()), "docstrings of installed packages"
    step = max(1, round(size(found) / megabytes))
    return found[::step], name


def size(found: list[str]) -> float:
    """Megabytes (10^6 bytes of UTF-8)."""
    return sum(len(text.encode()) for text in found) / 1e6


def as_table(found: list[str]) -> pa.Table:
    """Documents, as the rules get them."""
    ids = [str(i) for i in range(len(found))]
    places = pa.array(range(len(found)), pa.int64())
    return pa.table({"id": ids, "text": pa.array(found, pa.string()), ROW: places})


def _up_to(megabytes: float, found: Iterator[str]) -> list[str]:
    taken, left = [], megabytes * 1e6
    for text in found:
        taken.append(text)
        left -= len(text.encode())
        if left <= 0:
            break
    return taken


def _docstrings() -> Iterator[str]:
    folders = [Path(sysconfig.get_path("stdlib")), *map(Path, site.getsitepackages())]
    for path in (path for folder in folders for path in sorted(folder.rglob("*.py"))):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
        found = (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds))
        if text := "\n\n".join(filter(None, found)):
            yield text
