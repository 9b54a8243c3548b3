"""Where the host name stands in a URL that is in lower case; kernels over its bytes."""

from __future__ import annotations

from curation.jit import leaf
from curation.text import Bytes


@leaf
def is_letter(byte: int) -> bool:
    """Whether it is part of a word, in lower case."""
    return bool(ord("a") <= byte <= ord("z") or ord("0") <= byte <= ord("9") or byte >= 0x80)


@leaf
def find_host(data: Bytes, first: int, last: int) -> tuple[int, int]:
    """The first byte of the host name and its last + 1; equal if there is none."""
    at, has_scheme = _after_scheme(data, first, last)
    end = at
    while end < last and not _ends_authority(data[end]):
        end += 1
    for i in range(at, end):
        if data[i] == ord("@"):
            if not has_scheme:  # an e-mail address
                return first, first
            at = i + 1
    if at < end and data[at] == ord("["):
        return _bracketed(data, at, end)
    stop = end
    while stop > at and ord("0") <= data[stop - 1] <= ord("9"):
        stop -= 1
    if stop > at and data[stop - 1] == ord(":"):  # a port
        end = stop - 1
    while end > at and data[end - 1] == ord("."):
        end -= 1
    has_dot = has_scheme
    for i in range(at, end):
        is_dot = data[i] == ord(".")
        if not _is_host(data[i]) or (is_dot and (i == at or data[i - 1] == ord("."))):
            return first, first
        has_dot = has_dot or is_dot
    return (at, end) if has_dot else (first, first)


@leaf
def _after_scheme(data: Bytes, first: int, last: int) -> tuple[int, bool]:
    """Where the authority begins, and whether `//` said so; `last` for `mailto:` and the like."""
    at = first
    while at < last and (is_letter(data[at]) or data[at] in (ord("+"), ord("-"), ord("."))):
        at += 1
    if first < at < last and data[at] == ord(":"):
        at += 1
        if at < last and ord("0") <= data[at] <= ord("9"):  # a port
            return first, False
    elif at > first:
        return first, False
    if at + 1 < last and data[at] == ord("/") and data[at + 1] == ord("/"):
        return at + 2, True
    return last, False


@leaf
def _ends_authority(byte: int) -> bool:
    return bool(byte == ord("/") or byte == ord("?") or byte == ord("#") or byte == ord("\\"))


@leaf
def _is_host(byte: int) -> bool:
    """Whether a host name in the DNS's form may have it."""
    is_sign = byte == ord("-") or byte == ord("_") or byte == ord(".")
    return bool(is_sign or (byte < 0x80 and is_letter(byte)))


@leaf
def _bracketed(data: Bytes, first: int, last: int) -> tuple[int, int]:
    """An IPv6 address, without the brackets."""
    for at in range(first + 1, last):
        if data[at] == ord("]"):
            return first + 1, at
    return first, first
