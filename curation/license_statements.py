"""Statements in a text about its own licence; a licence that is only talked about is none.

A statement is a tag (`SPDX-License-Identifier:`), the text of a licence, a notice whose subject is
the text itself (`this article is licensed under ...`) or that heads a sentence (`Licensed under
...`), a line that holds nothing else (`License: MIT`), or a copyright notice that reserves all
rights. What is negated, conditional, quoted or about something else does not count, and neither
does what stands in the middle: of 449 statements found in 32,800 documents, 12 began more than
EDGE characters from either end, and 7 of these were examples or quotations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from curation import license_names
from curation.license_names import Names
from curation.licenses import RESERVED, most

MAX_SHOWN = 200  # characters of a statement
EDGE = 1500  # characters at either end of a text in which a statement stands
NEAR = 2500  # characters within which a licence's text tells which one of its kind it is

# What a text with a statement has (RE2, on Arrow's side).
TRIGGER = (
    r"(?i)licen[scz]|lizenz|creative ?commons|public domain|permission (?:is hereby|to use)|"
    r"unencumbered|redistribution and use|waived all|misrepresented|rights? reserved|"
    r"rechte vorbehalten|droits r|derechos reservados|direitos reservados|diritti riservati"
)


class Statement(NamedTuple):
    """A statement in a text."""

    license: str  # the one that counts
    expression: str  # all of them
    shown: str  # as it stands there, white space collapsed


def find(text: str) -> Statement | None:
    """What a text says of its licence; of several, all hold."""
    edges = _edges(text, EDGE)
    near, far = _flow(edges), _flow(_edges(text, EDGE + NEAR))
    found = [*_tags(edges), *_full_texts(near, far), *_notices(near)]
    found = found or [*_lines(edges)] or [*_reserved(near)]
    if not found:
        return None
    decisive = most(one.license for one in found)
    shown = next(one.shown for one in found if one.license == decisive)
    expressions = dict.fromkeys(one.expression for one in found)
    alone = len(expressions) == 1
    parts = (e if alone or " OR " not in e else f"({e})" for e in expressions)
    return Statement(decisive, " AND ".join(parts), " ".join(shown.split())[:MAX_SHOWN])


def _edges(text: str, size: int) -> str:
    """The beginning and the end of a text; where it is cut no sentence begins."""
    return text if len(text) <= 2 * size else f"{text[:size]} … {text[-size:]}"


# A line break within a sentence, with the comment sign that follows it, is a space.
_PARAGRAPH = re.compile(r"\n[ \t#/*;%>!|-]*\n")
_BREAK = re.compile(r"[ \t]*\n[ \t]*(?:(?:#+|//+|/?\*+/?|;+|--+|%+|!+|\|+)[ \t]*)?(?!\n)")
_SPACES = re.compile(r"[ \t\u00a0]+")


def _flow(text: str) -> str:
    """The text with a line per paragraph."""
    paragraphs = _PARAGRAPH.split(text)
    return "\n".join(_SPACES.sub(" ", _BREAK.sub(" ", part)).strip() for part in paragraphs)


# --- tags and lines

_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9(][\w.+\-() ]*)")
_LINE = re.compile(
    r"^ {0,3}(?:[#/*;%!|-]+[ \t]*)?_*(?:licen[sc]e|lizenz|licencia|licenza|rights)_*[ \t]*"
    r"[:=][ \t]*[\"'`([]*(?:the )?",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_END = re.compile(r"[\"'`)\].,; \t]*(?:https?://\S+[ \t]*|<\S+>[ \t]*)?$", re.MULTILINE)


def _tags(text: str) -> Iterator[Statement]:
    for match in _TAG.finditer(text):
        names = license_names.from_metadata(match[1])
        if names is not None:
            yield Statement(names.license, names.expression, match[0])


def _lines(text: str) -> Iterator[Statement]:
    for match in _LINE.finditer(text):
        names = license_names.read(text, match.end())
        if names is not None and _LINE_END.match(text, names.end):
            yield _statement(names, text, match.start())


# --- the texts of licences


def _mit(after: str) -> str:
    return "MIT" if "this permission notice shall be included" in after else "MIT-0"


def _bsd(after: str) -> str:
    if "all advertising materials" in after:
        return "BSD-4-Clause"
    is_three = "neither the name" in after or "may not be used to endorse" in after
    return "BSD-3-Clause" if is_three else "BSD-2-Clause"


def _isc(after: str) -> str:
    return "ISC" if "provided that the above copyright notice" in after[:120] else "0BSD"


def _always(name: str) -> Callable[[str], str]:
    return lambda _: name


# Words that only the text of a licence has, in lower case, to what tells which one it is.
_FULL_TEXTS: dict[str, Callable[[str], str]] = {
    "permission is hereby granted, free of charge, to any person obtaining a copy of this software "
    "and associated documentation files": _mit,
    "redistribution and use in source and binary forms": _bsd,
    "distribute this software for any purpose with or without fee is hereby granted": _isc,
    "distribute this software and its documentation for any purpose and without fee is hereby "
    "granted": _always("HPND"),
    "permission is hereby granted, free of charge, to any person or organization obtaining a copy "
    "of the software": _always("BSL-1.0"),
    "this is free and unencumbered software released into the public domain": _always("Unlicense"),
    "has waived all copyright and related or neighboring rights": _always("CC0-1.0"),
    "the origin of this software must not be misrepresented": _always("Zlib"),
}


def _full_texts(near: str, far: str) -> Iterator[Statement]:
    """Those that begin in `near`; `far` holds more of what follows."""
    begun, whole = near.lower(), far.lower()
    for words, reader in _FULL_TEXTS.items():
        if words in begun and (at := whole.find(words)) >= 0:
            end = at + len(words)
            name = reader(whole[end : end + NEAR])
            yield Statement(name, name, far[at:end])


# --- notices

_NOUN = (
    r"(?:works?|documents?|documentation|articles?|texts?|pages?|posts?|sites?|websites?|blogs?|"
    r"books?|chapters?|papers?|contents?|materials?|files?|code|scripts?|modules?|packages?|"
    r"library|programs?|projects?|software|datasets?|repository|manual|tutorials?|wiki)"
)
_SUBJECT = (
    rf"(?:\bth(?:is|ese) (?:is (?:an? )?)?(?:[\w-]+ ){{0,3}}?{_NOUN}(?:, [\w ,]{{1,60}},)?"
    rf"|\b(?:all |the |our )?(?:original |textual |written )?(?:text|contents?|articles|posts)"
    rf" (?:on|of|in|from) (?:this|our) (?:[\w-]+ )?{_NOUN}"
    r"|\b(?:except|unless) (?:where )?otherwise (?:noted|stated|specified|indicated),? "
    r"[^.\n]{1,60}?|\btext|\bthe (?:work|article)(?= is))"
)
_IS = r"(?:(?:is|are|has been|have been|was|may be) (?:(?:hereby|also|freely|now) )?)"
_VERB = (
    r"(?:dual[- ])?(?:licen[sc]ed|released|(?:re)?distributed|published|provided|made available|"
    r"available|shared|covered)(?: (?:to you|for use|for reuse|dual-licensed))?"
)
_UNDER = (
    r"(?:under|by)(?: the)?(?: (?:terms|conditions)(?: and conditions)? of)?(?: (?:both|either))?"
    r"(?: of)?(?: the| a| an)? "
)
_HEAD = r"(?:(?<=[.!?:;)\]] )|(?<=\n)|\A)"
_DOMAIN = (
    r"(?:(?:hereby )?(?:placed|released|dedicated|put|donated) )?(?:in|into|to) the "
    r"(?=public domain)"
)
_NOTICES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_SUBJECT} {_IS}?{_VERB} {_UNDER}",
        rf"{_HEAD}(?:dual[- ])?licensed {_UNDER}",
        rf"{_SUBJECT} {_IS}{_DOMAIN}",
        r"licen[sc]es this (?:file|work|software) to you under the ",
        r"you (?:can|may) redistribute (?:it|them) and/or modify (?:it|them) under the terms of "
        r"the ",
        r"permission is granted to copy, distribute and/or modify this document under the terms of "
        r"the ",
        r"this source code form is subject to the terms of the ",
    )
)
_DOUBT = re.compile(
    r"\b(?:some|most|many|several|parts?|portions?|one|any|none|each) of\b|third[- ]part(?:y|ies)|"
    r"\b(?:if|whether|when|suppose|assuming|not|never|no longer|says?|saying|states?|stating|"
    r"reads?|reading|example|e\.g|like|unlike|write|imagine|would|could|should|must)\b|n't\b",
    re.IGNORECASE,
)
_QUOTES = ('"', "'", "“", "‘", "`", "«", ">")
_SENTENCE = re.compile(r"(?:[.!?] |\n)")
_GNU_VERSION = re.compile(
    r"[^\n]{0,80}?\bversion ([123](?:\.[0-9])?)(?: of the licen[sc]e)?"
    r"(,? or (?:\(at your option\) )?any later version)?",
    re.IGNORECASE,
)


def _notices(flow: str) -> Iterator[Statement]:
    for pattern in _NOTICES:
        for match in pattern.finditer(flow):
            is_dual = "dual" in match[0].lower()
            names = license_names.read(flow, match.end(), is_choice=is_dual)
            if names is not None and not _is_doubtful(flow, match):
                yield _statement(_with_version(names, flow), flow, match.start())


def _is_doubtful(flow: str, match: re.Match[str]) -> bool:
    """Whether it is quoted, denied, or depends on something."""
    before = flow[max(0, match.start() - 100) : match.start()]
    sentence = _SENTENCE.split(before)[-1]
    is_quoted = before.rstrip(" ").endswith(_QUOTES)
    return is_quoted or _DOUBT.search(sentence + match[0]) is not None


def _with_version(names: Names, flow: str) -> Names:
    """The GNU licences' own notice gives the version after the name."""
    match = _GNU_VERSION.match(flow, names.end)
    if names.license not in ("GPL", "LGPL", "AGPL", "GFDL") or match is None:
        return names
    later = "+" if match[2] else ""
    version = match[1] if "." in match[1] else f"{match[1]}.0"
    found = license_names.from_metadata(f"{names.license}-{version}{later}")
    return found._replace(end=match.end()) if found else names


def _statement(names: Names, text: str, start: int) -> Statement:
    return Statement(names.license, names.expression, text[start : names.end])


# --- copyright

_PHRASE = (
    r"(?:all rights? reserved|alle rechte vorbehalten|tous droits r[eé]serv[eé]s|"
    r"todos los derechos reservados|todos os direitos reservados|tutti i diritti riservati)"
)
_RESERVED = re.compile(
    rf"(?:©[^\n]{{0,100}}?|(?:copyright|\(c\))[^\n]{{0,40}}?\b[12][0-9]{{3}}\b[^\n]{{0,100}}?)\b{_PHRASE}"
    rf"|\b{_PHRASE}[^\n]{{0,40}}?(?:©|\(c\)|copyright)[^\n]{{0,20}}?\b[12][0-9]{{3}}\b",
    re.IGNORECASE,
)


def _reserved(flow: str) -> Iterator[Statement]:
    if match := _RESERVED.search(flow):
        yield Statement(RESERVED, RESERVED, match[0])
