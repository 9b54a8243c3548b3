"""Lists of domains and words as sorted 64-bit hashes: 8 bytes of memory per entry.

A list is inline, or a UTF-8 file of one entry per line, maybe compressed, in which `#` begins a
comment. A list of 2 GB is read as a stream at some 100 MB/s.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.errors import UserError
from curation.jit import kernel
from curation.sources.compression import Chunks
from curation.text import Bytes, Hashes, Offsets, hash_bytes

PADDING = bytes(8)  # that a hash may look beyond the last byte
MAX_BYTES = 255  # of an entry; a domain has at most 253 (RFC 1035)
MAX_LINE = 1 << 16  # bytes: a file with a longer line is no list
NEWLINE, COMMENT, SPACE, DOT, STAR = 0x0A, 0x23, 0x20, 0x2E, 0x2A

Given = tuple[str, ...] | Path
Flags = npt.NDArray[np.bool_]


class Entries(NamedTuple):
    """The entries of a list."""

    hashes: Hashes  # sorted
    lengths: Offsets  # in bytes, each that occurs


NONE = Entries(np.zeros(0, np.uint64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Kind:
    """What a list is of."""

    noun: str
    plain: str  # characters that an entry may have as it is; others go through `normalise`
    is_domain: bool
    normalise: Callable[[str], str]  # raises ValueError
    hint: str


def ascii_host(host: str) -> str:
    """A host name in the form that the DNS has, lower-cased: IDNA 2003 for other than ASCII.

    Raises:
        ValueError: it cannot be one.
    """
    name = host.lower().strip(".*")
    name = name if name.isascii() else name.encode("idna").decode()
    if not name or not set(name) <= set(_HOST):
        raise ValueError(f"'{host}' is no host name")
    return name


def word(entry: str) -> str:
    """A word as it stands in a URL in lower case.

    Raises:
        ValueError: it is not one word.
    """
    found = unicodedata.normalize("NFC", entry.lower())
    if any(char.isascii() and not char.isalnum() for char in found):
        raise ValueError(f"'{entry}' is not one word")
    return found


_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_HOST = _LETTERS + "-_."
DOMAIN = Kind("domain", _HOST, True, ascii_host, "A domain is like example.com, without http://")
WORD = Kind("word", _LETTERS, False, word, "A word of a URL is a run of letters and digits")


def read(given: Given, kind: Kind, param: str) -> Entries:
    """The entries of a list.

    Raises:
        UserError: a file cannot be read, is not UTF-8, has no entry or one that is not `kind`.
    """
    if isinstance(given, tuple):
        return _inline(given, kind, param) if given else NONE
    try:
        stat = given.stat()
    except OSError as error:
        raise UserError(f"{given} cannot be read: {error.strerror}", where=param) from None
    return _file(given, stat.st_size, stat.st_mtime_ns, kind)


@functools.lru_cache(maxsize=64)
def _inline(given: tuple[str, ...], kind: Kind, param: str) -> Entries:
    for entry in given:
        if "\n" in entry or "#" in entry or not entry.strip():
            raise UserError(f"'{entry}' is no {kind.noun}", where=param, hint=kind.hint)
    return _hash_all([("\n".join(given) + "\n").encode()], kind, param)


@functools.lru_cache(maxsize=16)
def _file(path: Path, size: int, mtime_ns: int, kind: Kind) -> Entries:
    try:
        with path.open("rb") as handle:
            chunks = Chunks(handle)
            found = _hash_all(_lines(chunks, path), kind, str(path))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except MemoryError:
        raise UserError(f"{path} does not fit into memory at 8 bytes per {kind.noun}") from None
    if chunks.damage is not None:
        raise UserError(f"{path} is damaged: {chunks.damage.message}")
    if not len(found.hashes):
        hint = f"A list has one {kind.noun} per line; '#' begins a comment"
        raise UserError(f"{path} has no entry", hint=hint)
    return found


def _lines(chunks: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """The same bytes in pieces that end with a line."""
    rest = b""
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield rest + chunk[:end]
            rest = b""
        rest += chunk[end:]
        if len(rest) > MAX_LINE:
            what = f"{path} is no list: it has a line of more than {MAX_LINE:,} bytes"
            raise UserError(what, hint="A list has one entry per line")
    yield rest


def _hash_all(pieces: Iterable[bytes], kind: Kind, name: str) -> Entries:
    plain = np.zeros(256, np.bool_)
    plain[list(kind.plain.encode())] = True
    lengths = np.zeros(MAX_BYTES + 1, np.bool_)
    parts, lines = [], 0
    for piece in pieces:
        piece = piece.removeprefix(b"\xef\xbb\xbf") if not lines else piece
        data = np.frombuffer(piece.lower() + PADDING, np.uint8)
        hashes, odd, more = _hash_lines(data, len(piece), plain, kind.is_domain, lengths)
        parts.append(hashes)
        for line, first, last in odd.tolist():
            place = f"{name}, line {lines + line}"
            entry = _normalise(piece[first:last], kind, place).encode()
            parts.append(_hash_one(entry))
            lengths[len(entry)] = True
        lines += more
    found = np.concatenate([*parts, np.zeros(0, np.uint64)])
    found.sort()
    return Entries(found, np.flatnonzero(lengths))


def _normalise(entry: bytes, kind: Kind, place: str) -> str:
    try:
        text = entry.decode()
    except UnicodeDecodeError:
        raise UserError("is not UTF-8", where=place, hint=kind.hint) from None
    try:
        found = kind.normalise(text)
    except ValueError:  # of which a name that IDNA refuses is one
        found = ""
    if not 0 < len(found.encode()) <= MAX_BYTES:
        raise UserError(f"'{text[:80]}' is no {kind.noun}", where=place, hint=kind.hint)
    return found


def _hash_one(entry: bytes) -> Hashes:
    data = np.frombuffer(entry + PADDING, np.uint8)
    return np.array([hash_bytes(data, 0, len(entry))], np.uint64)


@kernel
def _hash_lines(
    data: Bytes, size: int, plain: Flags, is_domain: bool, lengths: Flags
) -> tuple[Hashes, Offsets, int]:
    """The hashes of plain entries; (line, first, last) of others; the number of lines."""
    count = 1
    for i in range(size):
        count += data[i] == NEWLINE
    hashes, odd = np.empty(count, np.uint64), np.empty((count, 3), np.int64)
    n, n_odd, line, at = 0, 0, 0, 0
    while at < size:
        first, last = at, at
        while last < size and data[last] != NEWLINE and data[last] != COMMENT:
            last += 1
        at = last
        while at < size and data[at] != NEWLINE:
            at += 1
        at, line = at + 1, line + 1
        while first < last and data[first] <= SPACE:
            first += 1
        while first < last and data[last - 1] <= SPACE:
            last -= 1
        if first == last:
            continue
        begin, end = first, last
        while is_domain and begin < end and (data[begin] == DOT or data[begin] == STAR):
            begin += 1
        while is_domain and begin < end and data[end - 1] == DOT:
            end -= 1
        fits = 0 < end - begin < len(lengths)
        for i in range(begin, end if fits else begin):
            fits = fits and plain[data[i]]
        if fits:
            hashes[n] = hash_bytes(data, begin, end)
            lengths[end - begin] = True
            n += 1
        else:
            odd[n_odd, 0], odd[n_odd, 1], odd[n_odd, 2] = line, first, last
            n_odd += 1
    return hashes[:n], odd[:n_odd], line
