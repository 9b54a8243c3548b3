"""Licences by their SPDX identifiers (https://spdx.org/licenses): groups, and how several combine.

Besides those of the list, an identifier without version (`CC-BY`, `GPL`) stands for a version that
was not stated, `public-domain` and `all-rights-reserved` for what is no licence, `other` for a
licence that is none of these, and `none` for no statement at all.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from curation.errors import closest

NONE, OTHER = "none", "other"
PUBLIC_DOMAIN, RESERVED = "public-domain", "all-rights-reserved"


def _versions(stem: str, *versions: str, ends: Iterable[str] = ("",)) -> tuple[str, ...]:
    return (stem, *(f"{stem}-{version}{end}" for version in versions for end in ends))


_CC = ("1.0", "2.0", "2.5", "3.0", "4.0")
_GNU = ("-only", "-or-later")

# From what asks least to what asks most. A licence may be in two groups: the later one ranks it.
GROUPS: dict[str, tuple[str, ...]] = {
    "public_domain": (PUBLIC_DOMAIN, "CC0-1.0", "PDDL-1.0", "Unlicense"),
    "permissive": (
        *("MIT", "MIT-0", "ISC", "0BSD", "Zlib", "BSL-1.0", "NCSA", "PostgreSQL", "X11", "WTFPL"),
        *("PSF-2.0", "Python-2.0", "W3C", "HPND", "Artistic-2.0", "ODC-By-1.0", "OGL-UK-3.0"),
        *_versions("Apache", "1.0", "1.1", "2.0"),
        *_versions("BSD", "2-Clause", "3-Clause", "4-Clause"),
        *_versions("CC-BY", *_CC),
    ),
    "copyleft": (
        *_versions("GPL", "1.0", "2.0", "3.0", ends=_GNU),
        *_versions("LGPL", "2.0", "2.1", "3.0", ends=_GNU),
        *_versions("AGPL", "1.0", "3.0", ends=_GNU),
        *_versions("GFDL", "1.1", "1.2", "1.3", ends=_GNU),
        *_versions("MPL", "1.0", "1.1", "2.0"),
        *_versions("EPL", "1.0", "2.0"),
        *_versions("EUPL", "1.1", "1.2"),
        *("CDDL-1.0", "ODbL-1.0", "OSL-3.0"),
        *_versions("CC-BY-SA", *_CC),
    ),
    OTHER: (OTHER,),
    "no_derivatives": (*_versions("CC-BY-ND", *_CC), *_versions("CC-BY-NC-ND", *_CC)),
    "non_commercial": (
        *_versions("CC-BY-NC", *_CC),
        *_versions("CC-BY-NC-SA", *_CC),
        *_versions("CC-BY-NC-ND", *_CC),
    ),
    "proprietary": (RESERVED,),
    NONE: (NONE,),
}
KNOWN = tuple(dict.fromkeys(name for names in GROUPS.values() for name in names))
_RANKS = {name: rank for rank, names in enumerate(GROUPS.values()) for name in names}
_VERSION = re.compile(r"-([0-9]\.[0-9]|[0-9]-Clause|only|or-later)")


def least(names: Iterable[str]) -> str:
    """Of licences to choose from, the one that asks least; the first of equals."""
    return min(names, key=_RANKS.__getitem__)


def most(names: Iterable[str]) -> str:
    """Of licences that all hold, the one that asks most; the first of equals."""
    return max(names, key=_RANKS.__getitem__)


def expand(entries: Sequence[str]) -> tuple[str, ...]:
    """The identifiers that groups, identifiers and identifiers without version cover.

    Raises:
        ValueError: an entry covers none.
    """
    found: dict[str, None] = {}
    for entry in entries:
        names = GROUPS.get(entry) or tuple(name for name in KNOWN if _covers(entry, name))
        if not names:
            known = [*GROUPS, *KNOWN]
            raise ValueError(f"there is no licence or group '{entry}'.{closest(entry, known)}")
        found.update(dict.fromkeys(names))
    return tuple(found)


def _covers(entry: str, name: str) -> bool:
    rest = name.removeprefix(entry)
    return name.startswith(entry) and (not rest or _VERSION.match(rest) is not None)


@functools.cache
def _spellings() -> dict[str, str]:
    return {name.lower(): name for name in KNOWN if name not in (NONE, OTHER)}


def identifier(name: str) -> str | None:
    """The identifier that `name` is in another case, or before SPDX's version 3 (`GPL-2.0+`)."""
    key = name.strip().lower()
    if key.endswith("+"):
        return _spellings().get(f"{key[:-1]}-or-later")
    return _spellings().get(key) or _spellings().get(f"{key}-only")
