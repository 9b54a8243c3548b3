"""What `curation.statistics.spacy_tokens` finds, as strings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from curation.jit import kernel
from curation.statistics.spacy_rules import SpacyRules, spacy_rules
from curation.statistics.spacy_tokens import find_spacy_tokens
from curation.text import (
    Bytes,
    Characters,
    Offsets,
    buffers,
    characters,
    find_tokens,
    token_room,
)


@kernel
def _find(data: Bytes, offsets: Offsets, chars: Characters, rules: SpacyRules) -> Any:
    """Bytes where each token begins and stops, its flags, and where each text's tokens begin."""
    tokens, found = token_room(offsets), token_room(offsets)
    room = len(data) + 1
    spans, flags = np.empty((room, 2), np.int64), np.empty(room, np.uint8)
    bounds = np.zeros(len(offsets), np.int64)
    n = 0
    for doc in range(len(offsets) - 1):
        start = offsets[doc]
        count = find_tokens(data, start, offsets[doc + 1], chars, tokens)
        count = find_spacy_tokens(data, start, tokens, count, rules, found)
        for i in range(count):
            spans[n, 0], spans[n, 1], flags[n] = found.start[i], found.stop[i], found.flags[i]
            n += 1
        bounds[doc + 1] = n
    return spans[:n], flags[:n], bounds


def spacy_words(texts: Sequence[str]) -> list[list[str]]:
    """The tokens of each text."""
    return [[string for string, _ in tokens] for tokens in flagged_spacy_words(texts)]


def flagged_spacy_words(texts: Sequence[str]) -> list[list[tuple[str, int]]]:
    """The tokens of each text, with their flags."""
    data, offsets = buffers(pa.array(texts, pa.large_string()))
    spans, flags, bounds = _find(data, offsets, characters(), spacy_rules())
    raw = data.tobytes()
    found = [
        (raw[start:stop].decode(), int(flag))
        for (start, stop), flag in zip(spans.tolist(), flags.tolist(), strict=True)
    ]
    return [found[bounds[i] : bounds[i + 1]] for i in range(len(texts))]
