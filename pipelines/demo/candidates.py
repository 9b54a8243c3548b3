"""The texts that may become pages, per kind and package, in the order of their draw.

Streams are lazy: a file is opened when its turn comes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution
from itertools import chain
from pathlib import PurePosixPath

from pipelines.demo.docstrings import module_name, reference_page
from pipelines.demo.environment import (
    PYTHON,
    InstalledFile,
    files_of,
    installed,
    standard_library,
)
from pipelines.demo.page import Kind, Page, draw

Streams = Mapping[str, Iterable[Page]]  # by package

_LICENCE = re.compile(r"(licen[cs]e|copying|notice|third.?party)[\w.\- ]*", re.IGNORECASE)
_DOCUMENT = re.compile(r"(readme|change|news|history|api_changes|notes|howto)", re.IGNORECASE)
_NOT_TEXT = frozenset({".py", ".pyi", ".json", ".html", ".js", ".css", ".pxd", ".pyx", ".yaml"})
_TOPICS = "pydoc_data/topics.py"  # the language reference that `help()` shows

DOCSTRING_BYTES = (2_000, 150_000)  # of a module that may give a reference page
MAX_CHARS_PER_QUOTE = 1_500  # modules with fewer docstrings give little for the parsing
SOURCE_BYTES = (1_500, 40_000)
MAX_LINE_CHARS = 300  # longer lines are data tables, not code that someone wrote


def candidates(seed: int) -> dict[Kind, Streams]:
    """For each kind and package a lazy stream of pages, all in an order that `seed` gives."""
    dists = installed()
    files = {PYTHON: list(standard_library())}
    files |= {name: list(files_of(name, dist)) for name, dist in dists.items()}
    names = sorted(files, key=lambda name: draw(seed, name))
    for listed in files.values():
        listed.sort(key=lambda file: draw(seed, file.package, file.path))
    readmes = {n: chain(_description(n, dists.get(n)), _documents(files[n])) for n in names}
    return {
        "readme": readmes,
        "licence": {n: _licences(files[n]) for n in names},
        "docstring": {n: _references(files[n]) for n in names},
        "source": {n: _sources(files[n]) for n in names},
    }


def _description(package: str, dist: Distribution | None) -> Iterator[Page]:
    """The README that a distribution carries as its metadata."""
    if dist is None:
        return
    try:
        metadata = dist.metadata
    except UnicodeDecodeError:
        return
    if "Description" in metadata:
        text = str(metadata["Description"]).replace("\r\n", "\n")
        yield Page("readme", package, f"{package} {dist.version}", "index", text)


def _documents(files: list[InstalledFile]) -> Iterator[Page]:
    """READMEs, changelogs and other documents that lie among a package's files."""
    for file in files:
        path = PurePosixPath(file.path)
        is_markup = path.suffix.lower() in {".md", ".rst"}
        is_named = path.suffix.lower() in {"", ".txt"} and _DOCUMENT.match(path.name)
        if file.path == _TOPICS:
            yield from _topics(file)
        elif (is_markup or is_named) and not _LICENCE.fullmatch(path.name):
            yield from _plain("readme", file)


def _topics(file: InstalledFile) -> Iterator[Page]:
    """The manual's chapters: a module that holds one dictionary of texts."""
    tree = ast.parse(file.read() or "")
    tables = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    for table in tables:
        for topic, text in sorted(ast.literal_eval(table).items()):
            yield Page("readme", file.package, f"Topic: {topic}", f"topics/{topic}", text)


def _licences(files: list[InstalledFile]) -> Iterator[Page]:
    for file in files:
        path = PurePosixPath(file.path)
        if _LICENCE.fullmatch(path.name) and path.suffix.lower() not in _NOT_TEXT:
            yield from _plain("licence", file)


def _plain(kind: Kind, file: InstalledFile) -> Iterator[Page]:
    text = file.read()
    if text and "\0" not in text:
        yield Page(kind, file.package, PurePosixPath(file.path).name, file.path, text)


def _references(files: list[InstalledFile]) -> Iterator[Page]:
    for file in _modules(files, DOCSTRING_BYTES, odd=False):
        code, module = file.read() or "", module_name(file.path)
        is_documented = code.count('"""') * MAX_CHARS_PER_QUOTE >= len(code) > 0
        text = reference_page(code) if is_documented else None
        if text:
            yield Page("docstring", file.package, module, module, text)


def _sources(files: list[InstalledFile]) -> Iterator[Page]:
    for file in _modules(files, SOURCE_BYTES, odd=True):
        code = file.read() or ""
        if max(map(len, code.split("\n"))) <= MAX_LINE_CHARS:
            yield Page("source", file.package, module_name(file.path), file.path, code)


def _modules(
    files: list[InstalledFile], size: tuple[int, int], *, odd: bool
) -> Iterator[InstalledFile]:
    """Modules of one half: no file gives both a reference page and a source page."""
    low, high = size
    for file in files:
        in_half = bool(draw(0, "half", file.package, file.path) % 2) is odd
        if file.path.endswith(".py") and low <= file.size <= high and in_half:
            yield file
