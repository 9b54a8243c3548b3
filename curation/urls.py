"""URLs against lists: the host and the domains above it, and the words, in one pass over bytes.

URLs are lower-cased first, host names brought into the DNS's form (punycode), the rest is
percent-decoded. A *word* is a run of ASCII letters and digits and of characters beyond ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.jit import kernel, leaf
from curation.text import Bytes, Hashes, Offsets, hash_bytes
from curation.url_hosts import find_host, is_letter
from curation.url_lists import PADDING, Flags, ascii_host

MISSING, MALFORMED, OK = 0, 1, 2  # of a URL
DOMAIN, WORD, SOFT = 0, 1, 2  # kinds of hits
MAX_HITS = 32  # of a URL that are told apart and counted
MAX_URL = 1 << 16  # bytes: longer ones hold data, and are malformed

Numbers = npt.NDArray[np.int64]

_PARTS = re.compile(r"([a-z][a-z0-9+.-]*://|//)?([^/?#\\]*)(.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(.*@)?(.*?)(:[0-9]*)?", re.DOTALL)


class Lists(NamedTuple):
    """Sorted hashes of each list, and the lengths of the entries that may stand within a word."""

    blocked: Hashes
    allowed: Hashes
    words: Hashes
    soft_words: Hashes
    subwords: Hashes
    subword_lengths: Offsets


class Hits(NamedTuple):
    """Entries found in URLs, each once per URL."""

    url: Numbers  # row, ascending
    kind: Numbers  # DOMAIN, WORD or SOFT
    span: Numbers  # (hits, 2) first byte in the buffer of all URLs, and the last + 1
    entry: Hashes


class Found(NamedTuple):
    """What URLs show."""

    status: Bytes  # (urls,) MISSING, MALFORMED or OK
    is_allowed: Flags  # (urls,) the host is on the list of those allowed, or below one
    hits: Hits


def canonical(urls: pa.ChunkedArray | pa.Array) -> pa.Array:
    """URLs in the form that lists are matched against; null becomes empty."""
    whole = urls.combine_chunks() if isinstance(urls, pa.ChunkedArray) else urls
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(whole, "")))
    plain = pc.and_not(pc.string_is_ascii(lower), pc.match_substring(lower, "%"))
    other = pc.invert(pc.or_(plain, pc.greater(pc.binary_length(lower), MAX_URL)))
    decoded = [_decode(url) for url in lower.filter(other).to_pylist()]
    return pc.replace_with_mask(lower, other, pa.array(decoded, lower.type))


def match(urls: pa.Array, lists: Lists) -> Found:
    """Matches canonical URLs."""
    data, offsets = text.buffers(urls)
    return _match(np.concatenate([data, np.frombuffer(PADDING, np.uint8)]), offsets, lists)


def _decode(url: str) -> str:
    parts = _PARTS.fullmatch(url)
    authority = _AUTHORITY.fullmatch(parts[2]) if parts else None
    assert parts is not None  # both match everything
    assert authority is not None
    user, host, port = authority.groups(default="")
    with suppress(ValueError):  # a host that cannot be one stays as it is, and is malformed
        host = ascii_host(unquote(host))
    path = unicodedata.normalize("NFC", unquote(parts[3]).lower())
    return f"{parts[1] or ''}{user}{host}{port}{path}"


@kernel
def _match(data: Bytes, offsets: Offsets, lists: Lists) -> Found:
    n_urls, n = len(offsets) - 1, 0
    status, is_allowed = np.zeros(n_urls, np.uint8), np.zeros(n_urls, np.bool_)
    hits = _room(n_urls)
    scratch = _room(0)
    for url in range(n_urls):
        first, last = offsets[url], offsets[url + 1]
        if n + MAX_HITS > len(hits.url):
            hits = _grown(hits)
        if first < last:
            status[url] = MALFORMED
        if not 0 < last - first <= MAX_URL:
            continue
        begin, end = find_host(data, first, last)
        found = n
        if begin < end:
            status[url] = OK
            is_allowed[url] = _find_domains(data, begin, end, lists.allowed, scratch, 0, 0) > 0
            found = _find_domains(data, begin, end, lists.blocked, hits, n, n)
        found = _find_words(data, first, last, lists, hits, n, found)
        hits.url[n:found] = url
        n = found
    kept = Hits(hits.url[:n], hits.kind[:n], hits.span[:n], hits.entry[:n])
    return Found(status, is_allowed, kept)


@kernel
def _room(n_urls: int) -> Hits:
    size = n_urls + MAX_HITS
    kinds, spans = np.empty(size, np.int64), np.empty((size, 2), np.int64)
    return Hits(np.empty(size, np.int64), kinds, spans, np.empty(size, np.uint64))


@kernel
def _grown(hits: Hits) -> Hits:
    more = _room(len(hits.url))
    return Hits(
        np.concatenate((hits.url, more.url)),
        np.concatenate((hits.kind, more.kind)),
        np.concatenate((hits.span, more.span)),
        np.concatenate((hits.entry, more.entry)),
    )


@leaf
def _add(hits: Hits, begin: int, n: int, kind: int, first: int, last: int, entry: np.uint64) -> int:
    """Appends a hit to those of its URL, which begin at `begin`, unless it is among them."""
    for i in range(begin, n):
        if hits.kind[i] == kind and hits.entry[i] == entry:
            return n
    if n - begin == MAX_HITS:
        return n
    hits.kind[n], hits.entry[n] = kind, entry
    hits.span[n, 0], hits.span[n, 1] = first, last
    return n + 1


@leaf
def _has(entries: Hashes, value: np.uint64) -> bool:
    low, high = 0, len(entries)
    while low < high:
        middle = (low + high) >> 1
        if entries[middle] < value:
            low = middle + 1
        else:
            high = middle
    return bool(low < len(entries) and entries[low] == value)


@leaf
def _find_domains(
    data: Bytes, first: int, last: int, entries: Hashes, hits: Hits, begin: int, n: int
) -> int:
    """Adds the host and the domains above it that are listed; of an IP address only itself."""
    if len(entries) == 0:
        return n
    is_address = True
    for i in range(first, last):
        is_address = is_address and (data[i] == ord(".") or ord("0") <= data[i] <= ord("9"))
    at = first
    while at < last:
        entry = hash_bytes(data, at, last)
        if _has(entries, entry):
            n = _add(hits, begin, n, DOMAIN, at, last, entry)
        if is_address:
            return n
        while at < last and data[at] != ord("."):
            at += 1
        at += 1
    return n


@leaf
def _find_words(
    data: Bytes, first: int, last: int, lists: Lists, hits: Hits, begin: int, n: int
) -> int:
    """Adds the listed words of data[first:last]."""
    at = first
    while at < last:
        while at < last and not is_letter(data[at]):
            at += 1
        start = at
        while at < last and is_letter(data[at]):
            at += 1
        if start == at:
            break
        entry = hash_bytes(data, start, at)
        if _has(lists.words, entry):
            n = _add(hits, begin, n, WORD, start, at, entry)
        if _has(lists.soft_words, entry):
            n = _add(hits, begin, n, SOFT, start, at, entry)
        for length in lists.subword_lengths:
            for i in range(start, at - length + 1):
                part = hash_bytes(data, i, i + length)
                if _has(lists.subwords, part):
                    n = _add(hits, begin, n, WORD, i, i + length, part)
    return n
