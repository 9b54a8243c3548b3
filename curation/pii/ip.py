"""IP addresses, and which of them are public.

Four numbers with dots between them are as often a version or a section: those after a word that
says so (`Version 10.4.2.1`), after `name/` as in a user agent, with a suffix (`2.0.0.1-rc3`), or
before the title that they number are no addresses. Versions and sections begin low: where the
first number is below 50, as in one public address in five, a word about networks must stand
beside it (`server`, `ping`), or the rest of a URL, a port, a mask, or what follows in a log.

IPv6 follows RFC 4291; it has eight groups or `::`, which leaves out times, MAC addresses and
`std::vector`.
"""

from __future__ import annotations

import numpy as np

from curation.jit import leaf
from curation.pii.chars import (
    ALNUM,
    AT,
    BYTES,
    COLON,
    DASH,
    DIGIT,
    DOT,
    HEX,
    NEWLINE,
    PLUS,
    SLASH,
    SPACE,
    UPPER,
    stands,
)
from curation.pii.cues import is_host, is_version
from curation.pii.groups import COUNT, DOTTED, SEPARATOR, START, STOP, closes
from curation.text import Bytes, Offsets

# Not globally reachable: IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast.
_RESERVED = """
10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
"""


def _network(text: str) -> tuple[int, int]:
    address, _, bits = text.partition("/")
    value = int.from_bytes(bytes(map(int, address.split("."))))
    return value, (0xFFFFFFFF << (32 - int(bits))) & 0xFFFFFFFF


RESERVED = np.array([_network(text) for text in _RESERVED.split()], np.int64)
SQUARE = 0x5B
LOG = np.frombuffer(b" - - [", np.uint8)  # behind the client, in the common log format
LOW = 50  # versions and sections hardly ever begin higher


@leaf
def find_ipv4(
    data: Bytes, begin: int, floor: int, end: int, groups: Offsets, n: int, private: bool
) -> tuple[int, int]:
    """(start, end) of an address made of the first four of `n` groups, (0, 0) if it is none.

    `begin` is where the text begins; words before an earlier finding count too.
    """
    if n < 4 or (n > 4 and groups[4, SEPARATOR] == DOTTED):
        return 0, 0
    address = 0
    for i in range(4):
        number = _octet(data, groups[i, START], groups[i, COUNT])
        if number < 0 or (i > 0 and groups[i, SEPARATOR] != DOTTED):
            return 0, 0
        address = (address << 8) | number
    start, stop = groups[0, START], groups[3, STOP]
    if not _stands_alone(data, start, stop, floor, end) or not _is_wanted(address, private):
        return 0, 0
    if is_version(data, start, begin):
        return 0, 0
    low = _octet(data, start, groups[0, COUNT]) < LOW
    return (start, stop) if not low or _is_host(data, start, stop, begin, end) else (0, 0)


@leaf
def _octet(data: Bytes, start: int, count: int) -> int:
    """The value of 1 to 3 digits without leading zeros, at most 255; else -1."""
    if count > 3 or (count > 1 and data[start] == 0x30):
        return -1
    value = 0
    for at in range(start, start + count):
        value = 10 * value + data[at] - 0x30
    return value if value < 256 else -1


@leaf
def _is_wanted(address: int, private: bool) -> bool:
    if address >> 24 == 0 or address >> 24 == 255:  # "this network", and netmasks
        return False
    for i in range(len(RESERVED)):
        if address & RESERVED[i, 1] == RESERVED[i, 0]:
            return private
    return True


@leaf
def _stands_alone(data: Bytes, start: int, stop: int, floor: int, end: int) -> bool:
    """Whether neither a name before nor a suffix after makes it a version."""
    if start > floor and data[start - 1] == DOT:
        return False
    if stop + 1 < end and (data[stop] == DASH or data[stop] == PLUS):
        return not BYTES[data[stop + 1]] & ALNUM
    port = stop < end and data[stop] == COLON
    return port or closes(data, stop, end)


@leaf
def _is_host(data: Bytes, start: int, stop: int, begin: int, end: int) -> bool:
    """Whether what stands around four numbers makes them an address."""
    if start > begin and data[start - 1] in (SLASH, AT):  # http://1.1.1.1, root@1.1.1.1
        return True
    if stop + 2 < end and data[stop] in (COLON, SLASH) and BYTES[data[stop + 1]] & DIGIT:
        return bool(BYTES[data[stop + 2]] & DIGIT)  # 1.1.1.1:53, 1.1.1.0/24
    if stands(data, stop, end, LOG):
        return True
    if _is_heading(data, start, stop, begin, end):
        return False
    return is_host(data, start, stop, begin, end)


@leaf
def _is_heading(data: Bytes, start: int, stop: int, begin: int, end: int) -> bool:
    """Whether it begins a line and a title follows."""
    while start > begin and data[start - 1] == SPACE:
        start -= 1
    if start > begin and data[start - 1] != NEWLINE:
        return False
    if stop < end and data[stop] == DOT:
        stop += 1
    title = stop
    while title < end and data[title] == SPACE:
        title += 1
    return stop < title < end and BYTES[data[title]] & UPPER != 0


@leaf
def find_ipv6(data: Bytes, at: int, floor: int, end: int, private: bool) -> tuple[int, int]:
    """(start, end) of the address whose first colon is at `at`, (0, 0) if there is none."""
    start = at
    while start > floor and at - start < 5 and BYTES[data[start - 1]] & HEX:
        start -= 1
    if at - start > 4 or (start > floor and _joins(data[start - 1])):
        return 0, 0
    stop, count, first, second = _read_ipv6(data, start, end)
    if stop < end and (_joins(data[stop]) and not _ends_sentence(data, stop, end)):
        return 0, 0
    if count == 1:  # of all addresses with one group only ::1 means anything
        loopback = start == at and first == 0 and second == 1 and private
        return (start, stop) if loopback and not _is_slice(data, start, floor) else (0, 0)
    return (start, stop) if count and _is_wanted6(first, second, private) else (0, 0)


@leaf
def _joins(byte: int) -> bool:
    return BYTES[byte] & ALNUM != 0 or byte in (COLON, DOT, DASH, 0x5F)


@leaf
def _ends_sentence(data: Bytes, at: int, end: int) -> bool:
    marks = data[at] in (COLON, DOT, DASH)
    return marks and (at + 1 == end or not _joins(data[at + 1]))


@leaf
def _is_slice(data: Bytes, start: int, floor: int) -> bool:
    """Whether `::1` is a step in brackets behind a name, as in Python: `x[::1]`."""
    return start - 2 >= floor and data[start - 1] == SQUARE and BYTES[data[start - 2]] & ALNUM != 0


@leaf
def _read_ipv6(data: Bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """(end, groups, first group, second group); no groups where it is not well-formed."""
    count, shortened, first, second = 0, -1, 0, 0
    if data[at] == COLON:
        if at + 1 == end or data[at + 1] != COLON:
            return at, 0, 0, 0
        shortened, at = 0, at + 2
    while at < end and count < 9:
        value, size = _hex_group(data, at, end)
        if size == 0 or size > 4:
            break
        if count == 0 and shortened < 0:
            first = value
        elif (count == 1 and shortened < 0) or count == 0:
            second = value
        count, at = count + 1, at + size
        if at + 1 >= end or data[at] != COLON:
            break
        if data[at + 1] == COLON and shortened < 0:
            shortened, at = count, at + 2
        elif BYTES[data[at + 1]] & HEX:
            at += 1
        else:
            break
    whole = count == 8 if shortened < 0 else 0 < count < 8
    return at, count if whole else 0, first, second


@leaf
def _hex_group(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """(value, digits) of up to five hexadecimal digits."""
    value, size = 0, 0
    while at + size < end and size < 5 and BYTES[data[at + size]] & HEX:
        byte = data[at + size]
        value = (value << 4) | (byte - 0x30 if byte <= 0x39 else (byte | 0x20) - 0x57)
        size += 1
    return value, size


@leaf
def _is_wanted6(first: int, second: int, private: bool) -> bool:
    """Global unicast (RFC 4291), less what the IANA IPv6 Special-Purpose Registry sets apart."""
    if first < 0x2000 or first > 0x3FFF:
        local = 0xFE80 <= first <= 0xFEBF or 0xFC00 <= first <= 0xFDFF or first >= 0xFF00
        return private and local
    reserved = first == 0x2001 and (second < 0x200 or second == 0xDB8)
    reserved |= first == 0x3FFF and second < 0x1000
    return private or not reserved
