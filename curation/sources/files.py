"""Which files a source reads, how they are opened, and what they hold.

A path is a literal name, a folder (all files of the format in it, at any depth) or a glob with
`*`, `**`, `?`, `[...]`; local, or an fsspec URL. A name that exists is taken literally whatever
characters it has. Names beginning with a dot are left out of folders and globs, and read only when
named. Files come in the order of their path relative to the folder before the first wildcard.
"""

from __future__ import annotations

import functools
import glob
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from curation.errors import MissingPackage, UserError
from curation.sources.inputs import InputFile

COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
RACY_S = 2  # a file younger than this may still change without a change of size or mtime

_BLOCK = 1 << 20
_MAGIC = re.compile(r"[*?\[]")
_VERSION_KEYS = ("ETag", "etag", "md5Hash", "checksum", "content_md5", "sha256", "blob_id")
_hash_file: Path | None = None


def list_files(
    paths: str | tuple[str, ...], root: Path, extensions: tuple[str, ...] = ()
) -> list[InputFile]:
    """The files that `paths` name, each once, sorted by relative path.

    Args:
        paths: names, folders, globs or URLs.
        root: the folder that local ones are relative to.
        extensions: of the files to take from a folder, in lower case; all files if empty.

    Raises:
        UserError: a path matches nothing.
    """
    if paths == ():
        raise UserError("'path' is empty", where=str(root), hint=_hint(extensions))
    found: dict[str, tuple[str, InputFile]] = {}
    for path in [paths] if isinstance(paths, str) else paths:
        folder, files = _match(path, root, extensions)
        if not files:
            raise UserError(f"'{path}' matches no file", where=str(root), hint=_hint(extensions))
        for file in files:
            found.setdefault(file.url, (folder, file))
    return sorted(_distinct(list(found.values())), key=lambda file: file.path)


def open_file(file: InputFile) -> BinaryIO:
    """The bytes of a file, as stored.

    Raises:
        OSError: it is gone, or may not be read.
    """
    if "://" not in file.url:
        return open(file.url, "rb", buffering=_BLOCK)
    fs, path = _file_system(file.url)
    return cast(BinaryIO, fs.open(path, "rb"))


def content_hash(file: InputFile) -> str:
    """A hash of the bytes of a file; for a URL, of its ETag or checksum where there is one.

    Local hashes are remembered by size and time of change. A file that cannot be read has a hash
    too, which changes when it can be read.
    """
    try:
        if "://" in file.url:
            return _remote_hash(file)
        stat = os.stat(file.url)
        if time.time() - stat.st_mtime < RACY_S:
            return _hash_bytes(file)
        return _local_hash(os.path.abspath(file.url), stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        return _digest(f"unreadable {type(error).__name__} {file.path}".encode())


def remember_hashes(path: Path | None) -> None:
    """Keeps local hashes in a file of JSON lines as well, for later processes; None: stops that."""
    global _hash_file
    _hash_file = path
    _known_hashes.cache_clear()


def _match(path: str, root: Path, extensions: tuple[str, ...]) -> tuple[str, list[InputFile]]:
    """The folder that names are relative to, and the files."""
    if path.startswith("file://"):
        path = path.removeprefix("file://")
    if "://" in path:
        return _match_url(path, extensions)
    full = os.path.join(root, path)
    if os.path.isfile(full) or (os.path.lexists(full) and not os.path.isdir(full)):
        return os.path.dirname(full), [_local(full, os.path.dirname(full))]
    if os.path.isdir(full):
        return full, [_local(f, full) for f in _walk(full) if _is_wanted(f, extensions)]
    pattern = os.path.join(glob.escape(str(root)), path)  # the root's own name is never a pattern
    folder = os.path.join(root, _fixed_part(path))
    names = [f for f in glob.glob(pattern, recursive=True) if not os.path.isdir(f)]
    return folder, [_local(f, folder) for f in names if not _is_hidden(os.path.relpath(f, folder))]


def _match_url(url: str, extensions: tuple[str, ...]) -> tuple[str, list[InputFile]]:
    fs, path = _file_system(url)
    if fs.isfile(path):
        return _parent(path), [_remote(fs, path, fs.info(path), _parent(path))]
    if fs.isdir(path):
        folder, found = path, fs.find(path, detail=True)
        found = {f: info for f, info in found.items() if _is_wanted(f, extensions)}
    else:
        folder, found = _fixed_part(path), fs.glob(path, detail=True)
    files = [
        _remote(fs, f, info, folder) for f, info in found.items() if info.get("type") == "file"
    ]
    return folder, [f for f in files if not _is_hidden(f.path)]


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec

    try:
        fs, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingPackage(str(error), where=url) from None
    except ValueError as error:
        raise UserError(str(error), where=url) from None
    return fs, path


def _walk(folder: str) -> Iterable[str]:
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(parent, name) for name in names if not name.startswith("."))


def _local(full: str, folder: str) -> InputFile:
    size = os.stat(full).st_size if os.path.exists(full) else 0
    # A name that is not UTF-8 must still fit into a table; `url` opens it.
    name = os.fsencode(os.path.relpath(full, folder)).decode("utf-8", "backslashreplace")
    return InputFile(url=full, path=name, size=size)


def _remote(fs: Any, path: str, info: dict[str, Any], folder: str) -> InputFile:
    relative = path[len(folder) :].lstrip("/") if path.startswith(folder) else path
    return InputFile(url=fs.unstrip_protocol(path), path=relative, size=info.get("size") or 0)


def _distinct(found: list[tuple[str, InputFile]]) -> list[InputFile]:
    """The files, under paths from a folder above all of theirs where two would share a path."""
    files = [file for _, file in found]
    if len({file.path for file in files}) == len(files):
        return files
    parents = [folder.split("/") for folder, _ in found]
    shared = 0  # leading folders that all have
    while len({tuple(parent[: shared + 1]) for parent in parents}) == 1:
        shared += 1
    return [
        InputFile(url=file.url, path="/".join([*parent[shared:], file.path]), size=file.size)
        for parent, file in zip(parents, files, strict=True)
    ]


def _fixed_part(pattern: str) -> str:
    """The folders before the first wildcard."""
    parts = pattern.split("/")
    fixed = next(i for i, part in enumerate([*parts[:-1], "*"]) if _MAGIC.search(part))
    return "/".join(parts[:fixed]) or ("/" if pattern.startswith("/") else "")


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _is_hidden(relative: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in relative.split("/"))


def _is_wanted(path: str, extensions: tuple[str, ...]) -> bool:
    name = path.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return not extensions or name.endswith(extensions)


def _hint(extensions: tuple[str, ...]) -> str:
    taken = f" From a folder it takes files named {', '.join(extensions)}." if extensions else ""
    return f"Paths are relative to the recipe's folder; hidden files must be named.{taken}"


def _remote_hash(file: InputFile) -> str:
    fs, path = _file_system(file.url)
    info = fs.info(path)
    known = {key: str(info[key]) for key in _VERSION_KEYS if info.get(key)}
    return _digest(json.dumps(known, sort_keys=True).encode()) if known else _hash_bytes(file)


@functools.cache
def _local_hash(path: str, size: int, mtime_ns: int) -> str:
    key = f"{path}\0{size}\0{mtime_ns}"
    if key in _known_hashes():
        return _known_hashes()[key]
    value = _hash_bytes(InputFile(url=path, path=path, size=size))
    _remember(key, value)
    return value


def _remember(key: str, value: str) -> None:
    if _hash_file is None:
        return
    with suppress(OSError):  # a hash that is not remembered is taken again, that is all
        _hash_file.parent.mkdir(parents=True, exist_ok=True)
        with open(_hash_file, "a", encoding="utf-8") as out:
            out.write(json.dumps([key, value]) + "\n")


@functools.cache
def _known_hashes() -> dict[str, str]:
    if _hash_file is None or not _hash_file.exists():
        return {}
    known = {}
    for line in _hash_file.read_text("utf-8").split("\n"):
        try:
            key, value = json.loads(line)
        except ValueError:  # a line that a killed process left unfinished: hashed again
            continue
        known[key] = value
    return known


def _hash_bytes(file: InputFile) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with open_file(file) as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
