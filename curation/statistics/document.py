"""One pass over the bytes of each text, whichever families of statistics are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curation.jit import kernel
from curation.statistics import c4 as c4_family
from curation.statistics import characters as characters_family
from curation.statistics import fineweb as fineweb_family
from curation.statistics import quality as quality_family
from curation.statistics import refinedweb as refinedweb_family
from curation.statistics import repetition as repetition_family
from curation.statistics.c4 import C4Settings, c4, c4_settings
from curation.statistics.characters import characters
from curation.statistics.fineweb import FinewebSettings, fineweb
from curation.statistics.lines import find_lines, line_room
from curation.statistics.quality import QualitySettings, quality, quality_settings
from curation.statistics.refinedweb import RefinedWebSettings, refinedweb, refinedweb_settings
from curation.statistics.repetition import gram_room, repetition
from curation.statistics.spacy_rules import SpacyRules, no_spacy_rules, spacy_rules
from curation.statistics.spacy_tokens import find_spacy_tokens
from curation.text import Bytes, Characters, Offsets, Rows, buffers, find_tokens, token_room
from curation.text import characters as character_tables

FAMILIES: dict[str, dict[str, pa.DataType]] = {
    "quality": quality_family.COLUMNS,
    "repetition": repetition_family.COLUMNS,
    "c4": c4_family.COLUMNS,
    "fineweb": fineweb_family.COLUMNS,
    "refinedweb": refinedweb_family.COLUMNS,
    "characters": characters_family.COLUMNS,
}
QUALITY, REPETITION, C4, FINEWEB, REFINEDWEB, CHARACTERS = range(6)
_WIDTHS = [len(columns) for columns in FAMILIES.values()]
_FIRST = np.cumsum([0, *_WIDTHS])  # of each family, its first column among all


class Settings(NamedTuple):
    """What the families are told; those that are not wanted have their defaults."""

    quality: QualitySettings
    repetition: bool  # whether tokens are those of `spacy_tokens`
    c4: C4Settings
    refinedweb: RefinedWebSettings
    fineweb: FinewebSettings


DEFAULTS = Settings(
    quality_settings((), (), "pieces"),
    False,
    c4_settings("", None, None, False, False, False),
    refinedweb_settings(None, None, None, 0),
    FinewebSettings(30, False),
)


def measure(texts: pa.ChunkedArray, wanted: Mapping[str, Any]) -> dict[str, dict[str, pa.Array]]:
    """The columns of each family in `wanted`, which maps its name to its settings or None.

    Memory: about 50 bytes per token of the longest text, besides the result.
    """
    data, offsets = buffers(texts)
    given = {name: value for name, value in wanted.items() if value is not None}
    names = list(FAMILIES)
    wants = np.array([name in wanted for name in names])
    settings = DEFAULTS._replace(**given)
    spacy = settings.quality.spacy or settings.repetition or settings.fineweb.spacy
    rules = spacy_rules() if spacy else no_spacy_rules()
    rows = _measure(data, offsets, character_tables(), rules, wants, settings, _FIRST)
    found: dict[str, dict[str, pa.Array]] = {}
    for name in wanted:
        first = int(_FIRST[names.index(name)])
        columns = enumerate(FAMILIES[name].items(), first)
        found[name] = {column: pa.array(rows[:, i]).cast(kind) for i, (column, kind) in columns}
    return found


@kernel
def _measure(
    data: Bytes,
    offsets: Offsets,
    chars: Characters,
    rules: SpacyRules,
    wants: Any,
    settings: Settings,
    first: Offsets,
) -> Rows:
    """(documents, columns of all families) float64."""
    out = np.zeros((len(offsets) - 1, first[-1]), np.float64)
    tokens, lines, grams = token_room(offsets), line_room(offsets), gram_room(offsets)
    spacy = settings.quality.spacy or settings.repetition or settings.fineweb.spacy
    others = token_room(offsets if spacy else offsets[:1])
    for doc in range(len(offsets) - 1):
        start, end, row = offsets[doc], offsets[doc + 1], out[doc]
        n = find_tokens(data, start, end, chars, tokens)
        m = find_lines(data, start, end, tokens, n, lines)
        k = find_spacy_tokens(data, start, tokens, n, rules, others) if spacy else 0
        if wants[QUALITY]:
            found, count = (others, k) if settings.quality.spacy else (tokens, n)
            part = row[first[QUALITY] : first[REPETITION]]
            quality(data, tokens, n, found, count, lines, m, settings.quality, part)
        if wants[REPETITION]:
            found, count = (others, k) if settings.repetition else (tokens, n)
            part = row[first[REPETITION] : first[C4]]
            repetition(data, start, end, found, count, lines, m, grams, part)
        if wants[C4]:
            row_c4 = row[first[C4] : first[FINEWEB]]
            c4(data, chars.flags, tokens, lines, m, settings.c4, row_c4)
        if wants[FINEWEB]:
            count = k if settings.fineweb.spacy else n
            part = row[first[FINEWEB] : first[REFINEDWEB]]
            fineweb(data, start, end, tokens, count, lines, m, settings.fineweb, grams, part)
        if wants[REFINEDWEB]:
            refinedweb(data, chars, tokens, lines, m, settings.refinedweb, row[first[REFINEDWEB] :])
        if wants[CHARACTERS]:
            longest = tokens.chars[:n].max() if n else 0
            characters(data, start, end, chars, n, longest, m, row[first[CHARACTERS] :])
    return out
