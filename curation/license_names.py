"""Names of licences in prose and in metadata, as SPDX identifiers."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from curation.licenses import OTHER, PUBLIC_DOMAIN, RESERVED, identifier, least, most

# Parts of patterns. Case does not matter, but of acronyms that are words elsewhere (German `mit`).
_NUMBER = r"[0-9](?:\.[0-9])?(?![0-9])"
_VERSION = rf"(?:,?[ -]*(?:version|ver\.?|v\.?)?[ -]*({_NUMBER}))?"
_LICENSE = r"(?:[ -]*(?:software )?licen[sc]e\b)?"
_PORT = r"(?:[ -]*(?:international|unported|generic|universal)\b)?"
_LATER = r"([ ,-]*\+|[ ,]*(?:or|any)[ ,-]*(?:\(?at your option\)?,? )?(?:any )?later\b)?"
_ELEMENT = (
    r"(?:[ -]*(?:non[ -]?commercial|nc|share[ -]?alike|sa|no[ -]?derivs?|no[ -]?derivatives?|nd)\b)"
)
_URL = r"(?:https?://)?(?:www\.)?creativecommons\.org/"
_CLAUSES = r"(?:[234]|two|three|four)[ -]clause"

_UNKNOWN = {"", "unknown", "none", "n/a", "null", "unspecified", "noassertion", "not specified"}
_NUMBERED = re.compile(r"[\w.+-]*[0-9]\+?")  # an identifier with a version, amid prose
_SPLIT = re.compile(r"\s+(?:or|and)\s+|\s*[,;/|]+\s*", re.IGNORECASE)
_JOIN = re.compile(
    r"\s*(?:,|/|\bor\b|\band/or\b|\band\b)(?:\s*(?:or|and|under|the|a|either|terms|of)\b)*\s*",
    re.IGNORECASE,
)
_OR = re.compile(r"\bor\b|\beither\b|\|", re.IGNORECASE)


class Names(NamedTuple):
    """Licences that are given together."""

    license: str  # the one that counts
    expression: str  # all of them, in SPDX's grammar
    end: int  # where they end in the text


def _versioned(stem: str, version: str | None = None) -> str:
    """With the version, if there is such a licence; `2` is `2.0`."""
    full = version if version is None or "." in version else f"{version}.0"
    return (identifier(f"{stem}-{full}") if full else None) or stem


def _creative_commons(elements: str, version: str | None) -> str:
    text = re.sub("[ -]", "", elements.lower())
    stem = "CC-BY"
    for short, long in (("NC", "noncommercial"), ("SA", "sharealike"), ("ND", "noderiv")):
        stem += f"-{short}" if short.lower() in text.replace(long, short.lower()) else ""
    return _versioned(stem, version)


def _gnu(words: str, version: str | None, later: str | None) -> str:
    marks = {"affero": "AGPL", "agpl": "AGPL", "lesser": "LGPL", "library": "LGPL", "lgpl": "LGPL"}
    marks |= {"free doc": "GFDL", "fdl": "GFDL"}
    stem = next((name for mark, name in marks.items() if mark in words.lower()), "GPL")
    named = _versioned(stem, version)
    return named.replace("-only", "-or-later") if later else named


def _bsd(words: str) -> str:
    clauses = {"3": "3|three|new|modified|revised", "2": "2|two|simplified|free", "4": "4|four"}
    for number, marks in clauses.items():
        if re.search(marks, words, re.IGNORECASE):
            return f"BSD-{number}-Clause"
    return "BSD"


def _always(name: str) -> Callable[..., str]:
    return lambda *_: name


_PATTERNS: tuple[tuple[str, Callable[..., str]], ...] = (
    (rf"{_URL}licen[sc]es/(by(?:-nc)?(?:-nd|-sa)?)/([0-9]\.[0-9])[\w./]*", _creative_commons),
    (rf"{_URL}publicdomain/zero[\w./]*", _always("CC0-1.0")),
    (rf"{_URL}publicdomain/mark[\w./]*", _always(PUBLIC_DOMAIN)),
    (
        rf"(?:creative commons|\bcc)[ -]*(?:zero\b|(?:cc)?0)(?:[ -]*v?1\.0)?{_PORT}{_LICENSE}",
        _always("CC0-1.0"),
    ),
    (
        rf"(?:creative commons|\bcc)[ -]*((?:attribution|by){_ELEMENT}*)\b{_LICENSE}{_PORT}"
        rf"{_VERSION}{_PORT}{_LICENSE}",
        _creative_commons,
    ),
    (
        rf"\b(attribution{_ELEMENT}*) ([0-9]\.[0-9]) (?:international|unported)",
        _creative_commons,
    ),
    (
        r"((?:gnu )?(?:affero |lesser |library )?general public licen[sc]e|gnu free documentation "
        rf"licen[sc]e|gnu (?:[al]?gpl|fdl)|(?-i:\b[AL]?GPL|\bGFDL))(?: \([al]?gpl\))?{_VERSION}"
        rf"{_LICENSE}{_LATER}",
        _gnu,
    ),
    (rf"\bapache{_LICENSE}{_VERSION}{_LICENSE}", lambda v: _versioned("Apache", v or "2.0")),
    (rf"(?-i:\bMIT\b){_LICENSE}|\b(?:mit|expat) licen[sc]e", _always("MIT")),
    (
        rf"((?:{_CLAUSES} |new |modified |revised |simplified |(?=freebsd))(?:free)?bsd|(?-i:\bBSD)"
        rf"(?:[ -]{_CLAUSES})?)(?:[ -]style)?{_LICENSE}",
        _bsd,
    ),
    (rf"\bmozilla public licen[sc]e{_VERSION}", lambda v: _versioned("MPL", v)),
    (rf"(?-i:\bMPL){_VERSION}", lambda v: _versioned("MPL", v)),
    (rf"\beclipse public licen[sc]e{_VERSION}", lambda v: _versioned("EPL", v)),
    (rf"\beuropean union public licen[sc]e{_VERSION}", lambda v: _versioned("EUPL", v)),
    (r"\bcommon development and distribution licen[sc]e", _always("CDDL-1.0")),
    (r"(?-i:\bISC) licen[sc]e", _always("ISC")),
    (r"\bzlib(?:/libpng)? licen[sc]e", _always("Zlib")),
    (r"\bboost software licen[sc]e", _always("BSL-1.0")),
    (r"\bunlicense\b", _always("Unlicense")),
    (r"\bartistic licen[sc]e,? (?:version )?2(?:\.0)?", _always("Artistic-2.0")),
    (r"\bpython software foundation licen[sc]e|(?-i:\bPSF) licen[sc]e", _always("PSF-2.0")),
    (r"\bopen data commons attribution licen[sc]e", _always("ODC-By-1.0")),
    (r"\bopen database licen[sc]e|(?-i:\bODbL\b)", _always("ODbL-1.0")),
    (r"\bopen government licen[sc]e", _always("OGL-UK-3.0")),
    (r"\bpublic domain\b", _always(PUBLIC_DOMAIN)),
    (r"\ball rights reserved\b|\bproprietary licen[sc]e", _always(RESERVED)),
)
_COMPILED = [re.compile(pattern, re.IGNORECASE) for pattern, _ in _PATTERNS]
_NAME = re.compile("|".join(f"({pattern})" for pattern, _ in _PATTERNS), re.IGNORECASE)


def _readers() -> Iterator[tuple[int, int, Callable[..., str]]]:
    """For each pattern, where its groups are among those of `_NAME`."""
    at = 1
    for compiled, (_, reader) in zip(_COMPILED, _PATTERNS, strict=True):
        yield at, at + 1 + compiled.groups, reader
        at += 1 + compiled.groups


_READERS = tuple(_readers())


def _license(match: re.Match[str]) -> str:
    first, last, reader = next(r for r in _READERS if match.start(r[0]) >= 0)
    return reader(*(match[i] for i in range(first + 1, last)))


def read(text: str, at: int, *, is_choice: bool = False) -> Names | None:
    """The licences named at `at`, joined by commas, `or` and `and`; None if none stands there.

    With `is_choice` one may be chosen, whatever joins them.
    """
    match = _NAME.match(text, at)
    if match is None:
        return None
    found, end = [_license(match)], match.end()
    while (join := _JOIN.match(text, end)) and (match := _NAME.match(text, join.end())):
        is_choice = is_choice or _OR.search(join[0]) is not None
        found.append(_license(match))
        end = match.end()
    return _together(found, is_choice, end)


@functools.lru_cache(maxsize=4096)  # a corpus has few, each in many documents
def from_metadata(value: str) -> Names | None:
    """The licences of a metadata field: an SPDX expression, a name, a URL or prose about it."""
    text = value.strip()
    if text.lower() in _UNKNOWN:
        return None
    is_choice = _OR.search(text) is not None
    parts = [identifier(part.strip("() ")) for part in _SPLIT.split(text)]
    exact = [name for name in parts if name is not None]
    if len(exact) == len(parts):
        return _together(exact, is_choice, len(value))
    found = [_license(match) for match in _NAME.finditer(text)]
    if not found:
        words = (identifier(word) for word in _NUMBERED.findall(text))
        found = [name for name in words if name is not None]
    return _together(found or [OTHER], is_choice, len(value))


def _together(names: Sequence[str], is_choice: bool, end: int) -> Names:
    distinct = list(dict.fromkeys(names))
    joined = (" OR " if is_choice else " AND ").join(distinct)
    return Names(least(distinct) if is_choice else most(distinct), joined, end)
