"""Line and paragraph dedup as one would write it down: over all documents, in plain Python."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from curation.dedup.lines import RepeatedUnits
from tests.curation.segmentation import plain_tokens


@dataclass(frozen=True)
class Doc:
    text: str | None
    source: str = "web"
    url: str | None = None


def is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"


def plain_form(string: str, form: str) -> str:
    if form == "none":
        return string
    if form != "whitespace":
        string = "".join(char.lower()[0] for char in string)
    if form == "digits":
        string = "".join("0" if unicodedata.category(c) == "Nd" else c for c in string)
    if form in ("alphanumeric", "digits"):
        return "".join(filter(is_word, string))
    return " ".join(string.split())


def plain_units(text: str, paragraphs: bool) -> list[tuple[int, int]]:
    """(start, stop) in characters."""
    lines, at = [], 0
    for line in text.split("\n"):
        lines.append((at, at + len(line)))
        at += len(line) + 1
    if not paragraphs:
        return lines
    found: list[tuple[int, int]] = []
    goes_on = False
    for start, stop in lines:
        blank = not text[start:stop].strip()
        if not blank and goes_on:
            found[-1] = (found[-1][0], stop)
        elif not blank:
            found.append((start, stop))
        goes_on = not blank
    return found


def is_structural(unit: str) -> bool:
    return all(_is_structural_line(line.strip()) for line in unit.split("\n"))


def _is_structural_line(line: str) -> bool:
    if not any(map(is_word, line)):
        return True
    patterns = (r"(```|~~~).*", r"#{1,6}\s.*", r"\|.*\|", r"[A-Za-z0-9]{1,3}[.)]")
    return any(re.fullmatch(pattern, line, re.DOTALL) for pattern in patterns)


def key_of(stage: RepeatedUnits, doc: Doc, unit: str) -> tuple[str, str] | None:
    """What must be equal; None if it may not be cut."""
    if not unit.strip() or len(unit.strip()) < (stage.min_chars or 0):
        return None
    words = sum(any(map(is_word, token.string)) for token in plain_tokens(unit.strip()))
    if words < (stage.min_words or 0) or (not stage.cut_structural and is_structural(unit)):
        return None
    form = plain_form(unit, stage.normalise)
    scopes = {"corpus": "all", "source": doc.source, "site": site_of(doc.url)}
    scope = scopes[stage.scope]
    return (scope, form) if form and scope else None


def site_of(url: str | None) -> str:
    host = urlsplit(url or "").hostname or ""
    return host.removeprefix("www.")


def plain_dedup(stage: RepeatedUnits, docs: Sequence[Doc]) -> list[str | None]:
    """The texts after it; None where a document is dropped."""
    held: dict[tuple[str, str], set[int]] = {}
    for i, doc in enumerate(docs):
        for start, stop in plain_units(doc.text or "", stage.paragraphs):
            key = key_of(stage, doc, (doc.text or "")[start:stop])
            if key is not None:
                held.setdefault(key, set()).add(i)
    repeated = {key for key, numbers in held.items() if len(numbers) >= stage.min_count}
    seen: set[tuple[str, str]] = set()
    return [_cut(stage, doc, repeated, seen) for doc in docs]


def _cut(
    stage: RepeatedUnits, doc: Doc, repeated: set[tuple[str, str]], seen: set[tuple[str, str]]
) -> str | None:
    text = doc.text or ""
    units = plain_units(text, stage.paragraphs)
    stays = []
    for start, stop in units:
        key = key_of(stage, doc, text[start:stop])
        cut = key in repeated and (stage.keep == "none" or key in seen)
        seen |= {key} if key in repeated else set()
        stays.append(not cut)
    if all(stays):
        return text
    left = _left(text, units, stays)
    frac = (len(text) - len(left)) / len(text)
    return None if stage.max_cut_frac is not None and frac > stage.max_cut_frac else left


def _left(text: str, units: list[tuple[int, int]], stays: list[bool]) -> str:
    """What is left: each unit that stays, and after it what separated it from the next unit."""
    if not any(stays):
        return text[: units[0][0]] + text[units[-1][1] :]
    last = max(i for i, one in enumerate(stays) if one)
    left = text[: units[0][0]]
    for i, (start, stop) in enumerate(units):
        following = units[i + 1][0] if i + 1 < len(units) else stop
        if stays[i]:
            left += text[start : stop if i == last else following]
    return left + text[units[-1][1] :]
