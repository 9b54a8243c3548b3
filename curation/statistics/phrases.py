"""Fixed phrases in a text, whatever the case of their ASCII letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.jit import leaf
from curation.text import Bytes, Offsets

# Letters that English prose uses little: a search stops at the rarest one of each phrase.
_FREQUENCY = {c: i for i, c in enumerate("zqxjkvbpygfwmucldrhsnioate ")}


class Phrases(NamedTuple):
    """A set of phrases, each with the place of its rarest character, its anchor."""

    letters: npt.NDArray[np.uint8]  # (phrases, longest), lower case
    length: Offsets
    anchor: Offsets
    anchors: Offsets  # (256,): the bits of the phrases whose anchor a byte may be
    befores: Offsets  # (256,): the bits of the phrases before whose anchor a byte may stand


def make_phrases(phrases: Sequence[str]) -> Phrases:
    """The set of lower-case ASCII phrases; bit i of a result is about phrase i."""
    letters = np.zeros((len(phrases), max(map(len, phrases))), np.uint8)
    anchors, befores = np.zeros(256, np.int64), np.zeros(256, np.int64)
    places = [_anchor(phrase) for phrase in phrases]
    for i, (phrase, place) in enumerate(zip(phrases, places, strict=True)):
        letters[i, : len(phrase)] = np.frombuffer(phrase.encode(), np.uint8)
        anchors[_forms(phrase[place])] |= 1 << i
        befores[_forms(phrase[place - 1]) if place else slice(None)] |= 1 << i
    lengths = np.array([len(phrase) for phrase in phrases], np.int64)
    return Phrases(letters, lengths, np.array(places, np.int64), anchors, befores)


def _anchor(phrase: str) -> int:
    return min(range(len(phrase)), key=lambda place: _FREQUENCY.get(phrase[place], -1))


def _forms(letter: str) -> list[int]:
    return sorted({ord(letter.lower()), ord(letter.upper())})


@leaf
def find_phrases(data: Bytes, start: int, stop: int, phrases: Phrases) -> int:
    """The bits of the phrases that occur in data[start:stop]."""
    found, before = 0, 0
    for at in range(start, stop):
        byte = data[at]
        candidates = phrases.anchors[byte] & phrases.befores[before]
        before = byte
        if candidates:
            found |= _matching(data, start, at, stop, phrases, candidates)
    return found


@leaf
def _matching(
    data: Bytes, start: int, at: int, stop: int, phrases: Phrases, candidates: int
) -> int:
    """The bits of those candidates that stand with their anchor at byte `at`."""
    found = 0
    for i in range(len(phrases.length)):
        begin = at - phrases.anchor[i]
        if candidates >> i & 1 and begin >= start and matches(data, begin, stop, phrases, i):
            found |= 1 << i
    return found


@leaf
def matches(data: Bytes, start: int, stop: int, phrases: Phrases, i: int) -> bool:
    """Whether phrase i stands at `start` and ends at or before `stop`."""
    length = phrases.length[i]
    same = start + length <= stop
    j = 0
    while same and j < length:
        byte = data[start + j]
        lower = byte | 0x20 if 0x41 <= byte <= 0x5A else byte
        same = lower == phrases.letters[i, j]
        j += 1
    return bool(same)
