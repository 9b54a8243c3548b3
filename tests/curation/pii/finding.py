"""What the scan finds, in words a test can compare."""

import pyarrow as pa

from curation import text
from curation.pii.scan import KINDS, find

Entity = tuple[int, int, str]  # first code point, the one behind the last, kind


def entities(texts: list[str], *, private_ips: bool = False) -> list[list[Entity]]:
    """The findings in each text, in order."""
    data, offsets = text.buffers(pa.array(texts, pa.string()))
    out: list[list[Entity]] = [[] for _ in texts]
    for row, start, stop, kind in zip(*find(data, offsets, private_ips=private_ips), strict=True):
        before = bytes(data[offsets[row] : start]).decode()
        found = bytes(data[start:stop]).decode()
        out[row].append((len(before), len(before) + len(found), KINDS[kind]))
    return out


def found(string: str, *, private_ips: bool = False) -> list[tuple[str, str]]:
    """(kind, finding) of everything in one text."""
    (spans,) = entities([string], private_ips=private_ips)
    return [(kind, string[start:stop]) for start, stop, kind in spans]


def values(kind: str, string: str, *, private_ips: bool = False) -> list[str]:
    """The findings of one kind; there must be none of another."""
    pairs = found(string, private_ips=private_ips)
    assert {k for k, _ in pairs} <= {kind}, pairs
    return [value for _, value in pairs]
