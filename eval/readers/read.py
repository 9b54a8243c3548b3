"""Reads a suite from any file: our own format, or a public one by name or by its keys."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.config import build
from curation.errors import UserError, closest
from eval.readers.records import OWN, READERS, public_suite
from eval.suites.header import Header
from eval.suites.items import Item
from eval.suites.suite import FORMAT_KEY, Suite, parse_suite, read_records

FORMATS = (OWN, *dict.fromkeys(reader.format for reader in READERS))


@dataclass(frozen=True, kw_only=True)
class SuiteFile:
    """A suite in a file, as a judge names it.

    Attributes:
        path: of the JSONL file, perhaps compressed.
        format: one of `FORMATS`; None: recognised by the keys of the first record.
        name: in metrics; None: the header's, or the file's own.
        max_items: at most so many, drawn by the hash of their ids; None: all.
        baseline: accuracy of guessing; None: the header's, or 1 / number of choices.
        licence: of the items; None: the header's, or "see source".
    """

    path: str
    format: str | None = None
    name: str | None = None
    max_items: int | None = None
    baseline: float | None = None
    licence: str | None = None

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            close = closest(self.format, FORMATS)
            raise ValueError(f"'format' must be one of {', '.join(FORMATS)}.{close}")
        if self.max_items is not None and self.max_items < 1:
            raise ValueError(f"'max_items' must be >= 1. Got {self.max_items} instead.")


def read_suite(path: Path, spec: SuiteFile | None = None) -> Suite:
    """The suite in `path`; of `spec` all but the path counts.

    Raises:
        UserError: names file, line, key and what is wrong, or the formats if none fits.
    """
    spec = spec or SuiteFile(path=str(path))
    records = list(read_records(path))
    if not records:
        raise UserError("the suite file holds no line", where=str(path))
    own = spec.format == OWN or (spec.format is None and FORMAT_KEY in records[0][1])
    if own:
        suite = parse_suite(records, path)
    else:
        suite = public_suite(records, path, name_of(path.name), spec.format)
    return _adapted(suite, path, spec)


def name_of(path: str) -> str:
    """What a suite in a file without a header is called: the file's name up to its first dot."""
    return re.sub(r"[^a-z0-9_-]+", "_", Path(path).name.split(".")[0].lower()).strip("_") or "suite"


def _adapted(suite: Suite, path: Path, spec: SuiteFile) -> Suite:
    """With the header and the number of items that `spec` asks for."""
    given = {key: getattr(spec, key) for key in ("name", "baseline", "licence")}
    values: dict[str, Any] = {**vars(suite.header)}
    values |= {key: value for key, value in given.items() if value is not None}
    header = build(Header, values, where=str(path), label="header")
    return Suite(header, _drawn(suite.items, spec.max_items))


def _drawn(items: tuple[Item, ...], count: int | None) -> tuple[Item, ...]:
    """`count` items, each as likely, the same ones every time, in their order."""
    if count is None or count >= len(items):
        return items
    lots = sorted(items, key=lambda item: hashlib.blake2b(item.id.encode()).digest())
    chosen = {item.id for item in lots[:count]}
    return tuple(item for item in items if item.id in chosen)
