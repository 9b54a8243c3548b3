"""A suite: a header and its items; a JSONL file whose content is its identity.

Line 1      {"suite": 1, "name": ..., "version": ..., "type": ..., ...}   see `Header`
after it    {"id": ..., ...}                                              see `items`

The file may be compressed (.gz, .zst). Nothing unknown, missing or of a wrong type passes.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from curation.config import build
from curation.errors import UserError
from curation.files import write_bytes
from eval.suites.header import Header
from eval.suites.items import ITEM_CLASSES, Item

FORMAT_VERSION = 1
FORMAT_KEY = "suite"  # marks a header line, and says which version of the format it is of


@dataclass(frozen=True)
class Suite:
    """A header and items of its type, in file order."""

    header: Header
    items: tuple[Item, ...]

    @property
    def name(self) -> str:
        """As metrics carry it."""
        return self.header.name

    @cached_property
    def hash(self) -> str:
        """32 hex digits of the content, whatever file and compression it was read from."""
        return hashlib.blake2b(suite_bytes(self), digest_size=16).hexdigest()


def suite_bytes(suite: Suite) -> bytes:
    """The one spelling of a suite as JSONL."""
    lines = [{FORMAT_KEY: FORMAT_VERSION} | dataclasses.asdict(suite.header)]
    lines += [_set_fields(item) for item in suite.items]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def write_suite(suite: Suite, path: Path) -> None:
    """Writes `suite`, uncompressed and atomically."""
    write_bytes(path, suite_bytes(suite))


def parse_suite(lines: Iterable[tuple[int, dict[str, Any]]], path: Path) -> Suite:
    """The suite in numbered records, the first of which is its header.

    Raises:
        UserError: names file, line, key and what is wrong.
    """
    records = iter(lines)
    first, head = next(records)
    where = f"{path}:{first}"
    if head.get(FORMAT_KEY) != FORMAT_VERSION:
        raise UserError(
            f"the header must say '{FORMAT_KEY}': {FORMAT_VERSION}, the version of the format",
            where=f"{where}.{FORMAT_KEY}",
        )
    values = {key: value for key, value in head.items() if key != FORMAT_KEY}
    header = build(Header, values, where=where, label="header")
    kind = ITEM_CLASSES[header.type]
    items = [
        build(kind, record, where=f"{path}:{number}", label=f"{header.type} item")
        for number, record in records
    ]
    return make_suite(header, items, path)


def make_suite(header: Header, items: Iterable[Item], path: Path) -> Suite:
    """A suite of checked items.

    Raises:
        UserError: there is none, or two have one id.
    """
    suite = Suite(header, tuple(items))
    seen: set[str] = set()
    for item in suite.items:
        if item.id in seen:
            raise UserError(f"two items have the id '{item.id}'", where=str(path))
        seen.add(item.id)
    if not seen:
        raise UserError("the suite holds no item", where=str(path))
    return suite


def read_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers, from 1, and objects of a JSONL file; blank lines are passed over.

    Raises:
        UserError: the file is absent or damaged, or a line is no JSON object.
    """
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"is not JSON: {error}", where=f"{path}:{number}") from None
        if not isinstance(record, dict):
            raise UserError("must be a JSON object", where=f"{path}:{number}")
        yield number, record


def _lines(path: Path) -> list[str]:
    """Split at line feeds only: texts may hold other line separators."""
    if not path.is_file():
        raise UserError("there is no such suite file", where=str(path))
    try:
        return _content(path).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"is not UTF-8: {error}", where=str(path)) from None
    except Exception as error:  # each decompressor raises its own kind
        raise UserError(f"cannot be read: {error}", where=str(path)) from None


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zst":
        import zstandard

        with zstandard.ZstdDecompressor().stream_reader(
            io.BytesIO(data), read_across_frames=True
        ) as stream:
            return stream.read()
    return data


def _set_fields(item: Item) -> dict[str, Any]:
    """The item's fields without optional ones that are empty."""
    return {key: value for key, value in dataclasses.asdict(item).items() if value != ""}
