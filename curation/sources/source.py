"""The source contract: files of one format in, tables of `RECORD_SCHEMA` out.

A source is a frozen dataclass whose fields are its parameters in the recipe. Reading never stops
at a bad record: what cannot be read is reported to the `ReadLog` with its offset, and reading
goes on after it.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from curation.registry import Registry
from curation.sources.files import content_hash, list_files
from curation.sources.inputs import InputFile, Split


@dataclass
class ReadLog:
    """What a read met besides documents."""

    errors: list[dict[str, object]] = field(default_factory=list)  # rows of errors.jsonl
    skipped: Counter[str] = field(default_factory=Counter)  # records that are no documents, by kind
    repaired: Counter[str] = field(default_factory=Counter)  # documents kept but mended, by kind

    def error(self, file: InputFile, offset: int, kind: str, message: str) -> None:
        """Reports a file or record that could not be read, or was read with damage."""
        self.errors.append(
            {"path": file.path, "offset": offset, "kind": kind, "message": message[:500]}
        )

    def skip(self, kind: str) -> None:
        """Counts a record that is not a document: a request, a redirect, an image."""
        self.skipped[kind] += 1

    def repair(self, kind: str, count: int = 1) -> None:
        """Counts documents that were kept after a small mend: a NUL taken out, a bad chunk size."""
        self.repaired[kind] += count


@dataclass(frozen=True, kw_only=True)
class Source:
    """Base of all formats. `path` is relative to the recipe's folder, or an fsspec URL."""

    format: ClassVar[str]
    version: ClassVar[int] = 1
    yields_raw: ClassVar[bool] = False  # True: rows carry `raw`, and an extractor must come first
    extensions: ClassVar[tuple[str, ...]] = ()  # files taken from a folder; compressed ones too

    name: str
    path: str | tuple[str, ...]

    def files(self, root: Path) -> list[InputFile]:
        """The files that `path` names, in a fixed order.

        Raises:
            UserError: nothing matches. A file that cannot be opened is reported by `read`.
        """
        return list_files(self.path, root, self.extensions)

    def identity(self, file: InputFile) -> str:
        """A hash of what the file holds: part of the fingerprint of all that is made from it."""
        return content_hash(file)

    def identity_params(self) -> dict[str, object]:
        """The parameters that change what is read; where the files lie does not."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {k: v for k, v in fields.items() if k != "path"}

    def splits(self, file: InputFile) -> list[Split]:
        """Independent parts of a file, a function of the file alone. Default: the whole file."""
        return [Split(file)]

    def read(self, split: Split, log: ReadLog) -> Iterator[pa.Table]:
        """Tables of `RECORD_SCHEMA`, of any length, in the order of the file."""
        raise NotImplementedError


class FormatRegistry(Registry[Source]):
    """Sets `format` on the class it registers, since `name` is the source's own in the recipe."""

    def register(self, name: str) -> Callable[[type[Source]], type[Source]]:
        """Class decorator: makes the class known as `name` and sets its `format` attribute."""
        add = super().register(name)

        def add_format(cls: type[Source]) -> type[Source]:
            cls.format = name
            return add(cls)

        return add_format


formats: FormatRegistry = FormatRegistry("format", "curation.sources")
