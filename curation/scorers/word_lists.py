"""Lists of words and phrases, compiled to a table that a kernel looks tokens up in.

An entry matches a run of tokens (`curation.text`): at word boundaries, and as a part of the text
in scripts that are written without spaces, where every letter is a token. Case does not matter,
nor how often a symbol is repeated that is an entry.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.errors import UserError
from curation.jit import kernel, leaf
from curation.text import MIX_A, Bytes, Characters, Hashes, Offsets, Tokens, find_tokens, mix

MAX_LISTS = 64  # each is a bit
MAX_TOKENS = 32  # of an entry; as many bits say how long the entries are that begin with a token
MAX_RUN = 16  # times that a character is repeated which is an entry of its own
_FREE = np.uint64(0)  # no hash, in an empty slot


class Table(NamedTuple):
    """Two open-addressed tables; `lists` says, as bits, which lists hold an entry."""

    first: Hashes  # of the first tokens of entries
    lengths: Hashes  # of the entries that begin so: bit n for n + 1 tokens
    entry: Hashes  # of all tokens of an entry
    lists: Hashes


def read_entries(path: Path) -> list[str]:
    """The entries of a list: one per line, blank lines left out.

    Raises:
        UserError: the file cannot be read, is not UTF-8, or has no entry.
    """
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"{path}, line {line}: is not UTF-8"
        raise UserError(what, hint="A word list is UTF-8 text with one entry per line") from None
    entries = [line.strip() for line in lines if line.strip()]
    if not entries:
        raise UserError(f"{path} has no entry", hint="A word list has one entry per line")
    return entries


def compile_lists(lists: Mapping[str, list[str]]) -> Table:
    """The table of the lists; the n-th one has bit n.

    Raises:
        UserError: an entry has more than MAX_TOKENS tokens.
    """
    starts: dict[int, int] = {}
    entries: dict[int, int] = {}
    for number, words in enumerate(lists.values()):
        for form in sorted({form for word in words for form in _forms(word)}):
            tokens = _hashes(form)
            if len(tokens) > MAX_TOKENS:
                raise UserError(f"'{form[:60]}' has more than {MAX_TOKENS} words and symbols")
            first, whole = int(tokens[0]), int(_chain(tokens))
            starts[first] = starts.get(first, 0) | 1 << (len(tokens) - 1)
            entries[whole] = entries.get(whole, 0) | 1 << number
    return Table(*_slots(starts), *_slots(entries))


def _forms(word: str) -> set[str]:
    """How an entry may be written: accents as marks, a symbol several times."""
    forms = {unicodedata.normalize(form, word) for form in ("NFC", "NFD")}
    if len(word) == 1 and not word.isalnum():
        forms |= {word * times for times in range(2, MAX_RUN + 1)}
    return forms


def _hashes(entry: str) -> Hashes:
    data, offsets = text.buffers(pc.utf8_lower(pa.array([entry])))
    tokens = text.token_room(offsets)
    count = find_tokens(data, 0, offsets[1], text.characters(), tokens)
    return tokens.hash[:count]


@kernel
def _chain(tokens: Hashes) -> np.uint64:
    """The hash of all tokens, as `_longest` makes it on its way."""
    value: np.uint64 = tokens[0]
    for i in range(1, len(tokens)):
        value = mix(value * MIX_A + tokens[i])
    return value


def _slots(values: Mapping[int, int]) -> tuple[Hashes, Hashes]:
    """An open-addressed table, at most a quarter full."""
    size = 1 << max(4, (4 * len(values)).bit_length())
    keys, found = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
    for key, value in values.items():
        at = key & (size - 1)
        while keys[at] != _FREE:
            at = (at + 1) & (size - 1)
        keys[at], found[at] = key, value
    return keys, found


@leaf
def _find(keys: Hashes, values: Hashes, key: np.uint64) -> np.uint64:
    """The value of a key, 0 if it is not there."""
    at = key & np.uint64(len(keys) - 1)
    while keys[at] != _FREE and keys[at] != key:
        at = (at + np.uint64(1)) & np.uint64(len(keys) - 1)
    return values[at] if keys[at] == key else np.uint64(0)


@leaf
def _longest(tokens: Tokens, at: int, count: int, table: Table, lists: np.uint64) -> int:
    """Tokens of the longest entry of `lists` that begins at token `at`; 0 if none does."""
    lengths = _find(table.first, table.lengths, tokens.hash[at])
    if not lengths:
        return 0
    value, best = tokens.hash[at], 0
    for n in range(1, min(MAX_TOKENS, count - at) + 1):
        if n > 1:
            value = mix(value * MIX_A + tokens.hash[at + n - 1])
        wanted = (lengths >> np.uint64(n - 1)) & np.uint64(1)
        if wanted and _find(table.entry, table.lists, value) & lists:
            best = n
    return best


@kernel
def count_matches(
    data: Bytes, offsets: Offsets, chars: Characters, table: Table, lists: Hashes
) -> tuple[Offsets, Offsets]:
    """Per document, how many entries of its `lists` it holds, none in another, and its words."""
    matches = np.zeros(len(offsets) - 1, np.int64)
    words = np.zeros(len(offsets) - 1, np.int64)
    tokens = text.token_room(offsets)
    for doc in range(len(matches)):
        count = find_tokens(data, offsets[doc], offsets[doc + 1], chars, tokens)
        past = 0  # tokens up to here belong to a match
        for at in range(count):
            words[doc] += 1 if tokens.flags[at] & text.WORD else 0
            if at >= past and _find(table.first, table.lengths, tokens.hash[at]):
                length = _longest(tokens, at, count, table, lists[doc])
                matches[doc] += 1 if length else 0
                past = at + length
    return matches, words
