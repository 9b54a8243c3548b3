"""Toxicity by lists of words, such as LDNOOBW's, which C4 used (Raffel et al. 2020).

A list finds words, not what is done with them: on HateCheck (Roettger et al. 2021, arXiv
2012.15606), where slurs are quoted and reclaimed and hatred is put politely, lists rank worse than
chance. For a scorer that learns, name toxic references as the positives of `fasttext_score` and
give it a `max_score`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.scorers.word_lists import (
    MAX_LISTS,
    Table,
    compile_lists,
    count_matches,
    read_entries,
)
from curation.stage import Annotations, Filter, Rule, stages
from curation.text import Hashes

EVERY = np.uint64(2**64 - 1)
UNKNOWN = "und"  # ISO 639-2 for an undetermined language


@stages.register("toxicity")
@dataclass(frozen=True, kw_only=True)
class Toxicity(Filter):
    """Counts the words and phrases of given lists, and drops documents with too many.

    `word_lists` maps languages to files with one entry per line. A document is held against the
    list of its `language` (`pt-BR` against `pt` if there is no list of its own), against none if
    there is no list for it, and against all if its language is not known. Entries match whole
    words, whatever the case; in scripts without spaces, any part of the text. Matches do not
    overlap, and of several the longest counts. C4 (Raffel et al. 2020, arXiv 1910.10683) drops a
    page with any match: `max_matches: 0`.
    """

    word_lists: dict[str, Path]
    max_matches: int | None = None
    max_match_frac: float | None = None  # matches per word

    decides: ClassVar[tuple[str, ...]] = ("max_matches", "max_match_frac")

    def __post_init__(self) -> None:
        if not self.word_lists or len(self.word_lists) > MAX_LISTS:
            raise ValueError(
                f"'word_lists' of toxicity must map 1 to {MAX_LISTS} languages to files. "
                f"Got {len(self.word_lists)} instead."
            )
        matches, frac = self.max_matches, self.max_match_frac
        if matches is not None and matches < 0:
            raise ValueError(f"'max_matches' of toxicity must be >= 0. Got {matches} instead.")
        if frac is not None and not 0 <= frac <= 1:
            raise ValueError(f"'max_match_frac' of toxicity must be in [0, 1]. Got {frac} instead.")

    def check(self) -> None:
        """Every list must be readable."""
        self._table()

    def columns(self) -> Annotations:
        """Matches, and matches per word."""
        return {"num_matches": pa.int64(), "match_frac": pa.float64()}

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """Counts every document in one pass over its tokens."""
        data, offsets = text.buffers(pc.utf8_lower(table["text"]))
        lists = self._lists_of(table["language"])
        matches, words = count_matches(data, offsets, text.characters(), self._table(), lists)
        frac = np.minimum(matches / np.maximum(words, 1), 1.0)
        return {"num_matches": pa.array(matches), "match_frac": pa.array(frac)}

    def rules(self) -> tuple[Rule, ...]:
        """The count, then the rate."""
        return (
            Rule("max_matches", "num_matches", "max", self.max_matches),
            Rule("max_match_frac", "match_frac", "max", self.max_match_frac),
        )

    def _table(self) -> Table:
        stats = {name: path.stat() for name, path in self.word_lists.items()}
        files = [
            (name, path, stats[name].st_size, stats[name].st_mtime_ns)
            for name, path in self.word_lists.items()
        ]
        return _compiled(tuple(files))

    def _lists_of(self, languages: pa.ChunkedArray) -> Hashes:
        """Per document, the lists that count, as bits."""
        bits = {name.lower(): np.uint64(1 << i) for i, name in enumerate(self.word_lists)}
        codes = pc.dictionary_encode(pc.fill_null(languages, UNKNOWN)).combine_chunks()
        known = np.array([_bits(name, bits) for name in codes.dictionary.to_pylist()], np.uint64)
        return known[codes.indices.to_numpy()] if len(codes) else np.zeros(0, np.uint64)


def _bits(language: str, bits: dict[str, np.uint64]) -> np.uint64:
    code = language.lower().replace("_", "-")
    if code in ("", UNKNOWN):
        return EVERY
    return bits.get(code, bits.get(code.partition("-")[0], np.uint64(0)))


@functools.lru_cache(maxsize=8)
def _compiled(files: tuple[tuple[str, Path, int, int], ...]) -> Table:
    """The lists, once per process; changed files are other lists."""
    return compile_lists({name: read_entries(path) for name, path, *_ in files})
