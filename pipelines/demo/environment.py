"""What is installed: distributions, their files and the standard library, without importing any.

Names and sizes come from the RECORD of each distribution, so that listing an environment of
hundreds of megabytes opens about a hundred files. A distribution without a RECORD (some system
packages) has no files here, only its metadata.
"""

from __future__ import annotations

import csv
import os
import platform
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

PYTHON = "python"  # the package name of the standard library
OURSELVES = "tilth"  # never part of its own corpus

# Copies of other packages would put one text on both sides of a held-out panel; tests and
# fixtures are neither documentation nor typical code.
_SKIPPED = re.compile(
    r"_?tests?|testing|testdata|fixtures|idle_test|_?vendor(ed)?|externals?|extern|third_?party"
    r"|thirdparty_files|array_api_(compat|extra)|(site|dist)-packages|node_modules|__pycache__|\.\."
)


@dataclass(frozen=True)
class InstalledFile:
    """One file of a package."""

    package: str
    path: str  # relative to site-packages or to the standard library, POSIX
    size: int
    location: Path

    def read(self) -> str | None:
        """The text, or None where it is gone or not UTF-8."""
        try:
            return self.location.read_bytes().decode("utf-8").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError):
            return None


def installed() -> dict[str, Distribution]:
    """The distributions of the running interpreter by normalised name, sorted, without tilth."""
    paths = sysconfig.get_paths()
    where = list(dict.fromkeys([paths["purelib"], paths["platlib"]]))
    found: dict[str, Distribution] = {}
    for dist in distributions(path=where):
        name = normalise(dist.name or "")
        if name and name != OURSELVES:
            found.setdefault(name, dist)
    return dict(sorted(found.items()))


def normalise(name: str) -> str:
    """A distribution's name as a host name can carry it: `Jinja2.ext_x` is `jinja2-ext-x`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def versions() -> dict[str, str]:
    """Name and version of everything the corpus is made from: the environment's identity."""
    dists = {name: str(dist.version) for name, dist in installed().items()}
    return {PYTHON: platform.python_version()} | dists


def files_of(package: str, dist: Distribution) -> Iterator[InstalledFile]:
    """The files that a distribution's RECORD lists and that may become documents."""
    for row in csv.reader((dist.read_text("RECORD") or "").splitlines()):
        path, size = row[0], row[2]
        if _is_wanted(path):
            location = Path(str(dist.locate_file(path)))
            yield InstalledFile(package, path, int(size or 0), location)


def standard_library() -> Iterator[InstalledFile]:
    """The files of the standard library that may become documents, in path order."""
    root = Path(sysconfig.get_path("stdlib"))
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not _SKIPPED.fullmatch(name))
        for name in sorted(names):
            location = Path(folder, name)
            path = location.relative_to(root).as_posix()
            if _is_wanted(path) and location.is_file():
                yield InstalledFile(PYTHON, path, location.stat().st_size, location)


def _is_wanted(path: str) -> bool:
    *folders, name = path.split("/")
    is_binary = name.endswith((".pyc", ".so", ".h", ".pyi", ".json"))
    is_inside = bool(name) and not path.startswith("/")
    return is_inside and not is_binary and not any(map(_SKIPPED.fullmatch, folders))
