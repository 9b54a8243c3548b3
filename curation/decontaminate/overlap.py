"""From n-grams in documents to passages in documents: how much of each stands in one place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.decontaminate.counting import Demands, Floats, Live
from curation.decontaminate.index import MIN_WORDS, Index, Postings
from curation.decontaminate.passages import Flags, Numbers, Passages
from curation.decontaminate.scan import Hits
from curation.jit import kernel, leaf

QUESTION, WITH_ANSWER = 1, 2  # what was found: the question, or it and its answer together


class Matches(NamedTuple):
    """Passages found in documents, in the order of documents, passages and places."""

    row: Numbers
    passage: Numbers
    kind: Numbers  # QUESTION or WITH_ANSWER
    words: Numbers  # found, of those of the question, or of all
    overlap: Floats  # their share of those that count, in (0, 1]
    start: Numbers  # bytes of the document's text, from the first word found
    stop: Numbers  # to the last


class Pairs(NamedTuple):
    """Places where n-grams of a document stand in one passage, by place in the document."""

    word: Numbers
    place: Numbers  # in the passage
    start: Numbers
    stop: Numbers


def find_matches(hits: Hits, index: Index, live: Live, demands: Demands) -> Matches:
    """The passages that documents hold."""
    return _match(hits, index, live, demands.numbers)


@kernel
def _match(hits: Hits, index: Index, live: Live, demands: Floats) -> Matches:
    out, found, first = _room(256), 0, 0
    while first < len(hits.row):
        stop = first
        while stop < len(hits.row) and hits.row[stop] == hits.row[first]:
            stop += 1
        keys, pairs = _in_passages(hits, first, stop, index.postings, live.grams)
        if found + len(keys) > len(out.row):
            out = _more(out, found + len(keys))
        marks, at = np.zeros(_longest(index.passages, keys), np.uint8), 0
        while at < len(keys):
            end = _place_end(index.passages, keys, pairs, at)
            passage, before = int(keys[at] >> 32), found
            found = _judge(index, live, demands, passage, pairs, at, end, marks, out, found)
            out.row[before:found] = hits.row[first]
            at = end
        first = stop
    return Matches(
        out.row[:found].copy(),
        out.passage[:found].copy(),
        out.kind[:found].copy(),
        out.words[:found].copy(),
        out.overlap[:found].copy(),
        out.start[:found].copy(),
        out.stop[:found].copy(),
    )


@kernel
def _in_passages(
    hits: Hits, first: int, stop: int, postings: Postings, grams: Flags
) -> tuple[npt.NDArray[np.int64], Pairs]:
    """Where the n-grams of a document stand in passages, by passage and word."""
    count, bounds = 0, postings.bounds
    for i in range(first, stop):
        if grams[hits.gram[i]]:
            count += bounds[hits.gram[i] + 1] - bounds[hits.gram[i]]
    keys, word, place = (
        np.empty(count, np.int64),
        np.empty(count, np.int32),
        np.empty(count, np.int32),
    )
    start, end = np.empty(count, np.int32), np.empty(count, np.int32)
    n = 0
    for i in range(first, stop):
        gram = hits.gram[i]
        for at in range(bounds[gram], bounds[gram + 1] if grams[gram] else bounds[gram]):
            keys[n] = (np.int64(postings.passage[at]) << 32) | hits.word[i]
            word[n], place[n] = hits.word[i], postings.place[at]
            start[n], end[n] = hits.start[i], hits.stop[i]
            n += 1
    order = np.argsort(keys, kind="mergesort")
    return keys[order], Pairs(word[order], place[order], start[order], end[order])


@kernel
def _room(count: int) -> Matches:
    return Matches(
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty(count, np.float64),
        np.empty(count, np.int32),
        np.empty(count, np.int32),
    )


@kernel
def _more(out: Matches, wanted: int) -> Matches:
    rest = _room(wanted)
    return Matches(
        np.concatenate((out.row, rest.row)),
        np.concatenate((out.passage, rest.passage)),
        np.concatenate((out.kind, rest.kind)),
        np.concatenate((out.words, rest.words)),
        np.concatenate((out.overlap, rest.overlap)),
        np.concatenate((out.start, rest.start)),
        np.concatenate((out.stop, rest.stop)),
    )


@leaf
def _longest(passages: Passages, keys: npt.NDArray[np.int64]) -> int:
    most = 0
    for key in keys:
        most = max(most, passages.bounds[(key >> 32) + 1] - passages.bounds[key >> 32])
    return most


@leaf
def _place_end(passages: Passages, keys: npt.NDArray[np.int64], pairs: Pairs, first: int) -> int:
    """Where the pairs end that belong to one place: neighbours are no further than its words."""
    passage = keys[first] >> 32
    size = passages.bounds[passage + 1] - passages.bounds[passage]
    at = first + 1
    while at < len(keys) and keys[at] >> 32 == passage:
        if pairs.word[at] - pairs.word[at - 1] > size:
            break
        at += 1
    return at


@leaf
def _judge(
    index: Index,
    live: Live,
    demands: Floats,
    passage: int,
    pairs: Pairs,
    first: int,
    stop: int,
    marks: npt.NDArray[np.uint8],
    out: Matches,
    n: int,
) -> int:
    """Writes the match of pairs[first:stop], if they make one, to out[n]; how many there are."""
    passages = index.passages
    begin = passages.bounds[passage]
    size = passages.bounds[passage + 1] - begin
    asked = passages.asked[passage]
    there = _mark(pairs, first, stop, min(int(index.searcher.n_gram[0]), size), marks)
    words, of_asked, chars, chars_asked = 0, 0, 0, 0
    for i in range(size):
        if marks[i]:
            words, chars = words + 1, chars + passages.letters[begin + i]
            if i < asked:
                of_asked, chars_asked = of_asked + 1, chars_asked + passages.letters[begin + i]
    begun = bool(marks[0])
    marks[:size] = 0
    # An answer may repeat words of its question that the document has once.
    words, of_asked = min(words, there), min(of_asked, there)
    kind, overlap = 0, 0.0
    if _enough(of_asked, asked, live.asked[passage], chars_asked, begun, demands):
        kind, overlap = QUESTION, of_asked / live.asked[passage]
        words = of_asked
    elif of_asked >= min(MIN_WORDS, asked) and _enough(
        words, size, live.words[passage], chars, begun, demands
    ):
        kind, overlap = WITH_ANSWER, words / live.words[passage]
    if not kind:
        return n
    out.passage[n], out.kind[n], out.words[n], out.overlap[n] = passage, kind, words, overlap
    out.start[n], out.stop[n] = pairs.start[first], pairs.stop[first]
    for i in range(first, stop):
        out.stop[n] = max(out.stop[n], pairs.stop[i])
    return n + 1


@leaf
def _mark(pairs: Pairs, first: int, stop: int, width: int, marks: npt.NDArray[np.uint8]) -> int:
    """Marks the words of the passage that are found; returns how many words that is in the text."""
    count, end = 0, 0
    for i in range(first, stop):
        for at in range(pairs.place[i], pairs.place[i] + width):
            marks[at] = 1
        count += pairs.word[i] + width - max(end, pairs.word[i])
        end = pairs.word[i] + width
    return count


@leaf
def _enough(words: int, size: int, live: int, chars: int, begun: bool, demands: Floats) -> bool:
    """Whether so many words of `size`, of which `live` count, are a match."""
    min_overlap, min_words, min_words_inside, min_chars, min_chars_whole = demands
    if words == size:
        return bool(words >= MIN_WORDS and chars >= min_chars_whole)
    enough = words >= (min_words if begun else min_words_inside)
    return bool(enough and chars >= min_chars and words >= min_overlap * live)
