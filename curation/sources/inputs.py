"""What is read: a file of a source, and the part of it that one task takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputFile:
    """One file of a source."""

    url: str  # where to open it: a local path or an fsspec URL
    path: str  # relative to the root of the glob: part of document ids
    size: int  # bytes; 0 where the file system does not say


@dataclass(frozen=True)
class Split:
    """The part of a file that one task reads: records that start in bytes [start, end).

    `end` None reads to the end of the file. What an offset counts is the format's own affair
    (bytes, or row groups), the same in `splits` and `read`.
    """

    file: InputFile
    start: int = 0
    end: int | None = None
