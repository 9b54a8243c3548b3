"""Private keys in PEM (RFC 7468, and OpenPGP's armour, RFC 9580) and JSON Web Tokens (RFC 7519).

A key goes with its label lines; one that is cut off, as far as its base64 goes. A label without a
key, as in documentation, is none. A token has a header, claims and a signature.
"""

from __future__ import annotations

import numpy as np

from curation.jit import leaf
from curation.pii.chars import ALNUM, BYTES, DASH, DOT, PLUS, SLASH, TOKEN, byte_table, stands
from curation.text import Bytes

BEGIN = np.frombuffer(b"-----BEGIN ", np.uint8)
END = np.frombuffer(b"-----END ", np.uint8)
PRIVATE_KEY = np.frombuffer(b"PRIVATE KEY", np.uint8)
RULE = np.frombuffer(b"-----", np.uint8)
MAX_LABEL = 48  # characters between the dashes
MIN_KEY = 60  # characters of base64: the shortest, Ed25519 in PKCS #8, has 64
LINE, GAP = 32, 256  # a run that counts as a line of base64; what may stand between two of them
NEAR = 8  # what may stand between a label and the first line, where no label ends the key
KEYLIKE = byte_table(
    {1: " \t\r\n\\\"'`,;:.-_=()*#@&!?"}
)  # between lines, in armour headers and string literals
MIN_PART, MIN_SIGNATURE = 10, 16  # characters of base64url


@leaf
def find_key(data: Bytes, at: int, floor: int, end: int) -> tuple[int, int]:
    """(start, end) of the private key that has the B of BEGIN at `at`, (0, 0) if there is none."""
    start = at - len(RULE)
    if start < floor or not stands(data, start, end, BEGIN):
        return 0, 0
    body = _label_end(data, start + len(BEGIN), end)
    if body == 0:
        return 0, 0
    stop = _body_end(data, body, end)
    return (start, stop) if stop else (0, 0)


@leaf
def _label_end(data: Bytes, at: int, end: int) -> int:
    """The end of a label line that names a private key, 0 for any other."""
    private = False
    for here in range(at, min(end, at + MAX_LABEL)):
        private |= stands(data, here, end, PRIVATE_KEY)
        if stands(data, here, end, RULE):
            return here + len(RULE) if private else 0
    return 0


@leaf
def _body_end(data: Bytes, body: int, end: int) -> int:
    """The end of the key whose body begins at `body`: its last label or line; 0 if none does."""
    at, size, run, first, last = body, 0, 0, 0, body
    while at < end and at - last <= GAP:
        byte = data[at]
        if BYTES[byte] & ALNUM or byte in (PLUS, SLASH):
            run, at = run + 1, at + 1
            if run >= LINE:
                size, last = size + (run if run == LINE else 1), at
                first = first if first else at - LINE
            continue
        run = 0
        if byte == DASH and stands(data, at, end, END):
            return _label_end(data, at + len(END), end) if size >= MIN_KEY else 0
        if not KEYLIKE[byte] or stands(data, at, end, BEGIN):
            break
        at += 1
    while last < end and data[last] == 0x3D:  # padding
        last += 1
    return last if size >= MIN_KEY and first - body <= NEAR else 0


@leaf
def find_jwt(data: Bytes, at: int, floor: int, end: int) -> tuple[int, int]:
    """(start, end) of the token that has the J of `eyJ` at `at`, (0, 0) if there is none."""
    start = at - 2
    if start < floor or data[start] != 0x65 or data[start + 1] != 0x79:
        return 0, 0
    if start > floor and BYTES[data[start - 1]] & TOKEN:
        return 0, 0
    header = _part_end(data, start, end)
    if header - start < MIN_PART or header + 2 >= end or data[header] != DOT:
        return 0, 0
    if data[header + 1] != 0x65 or data[header + 2] != 0x79:
        return 0, 0
    claims = _part_end(data, header + 1, end)
    if claims - header <= MIN_PART or claims >= end or data[claims] != DOT:
        return 0, 0
    signature = _part_end(data, claims + 1, end)
    return (start, signature) if signature - claims > MIN_SIGNATURE else (0, 0)


@leaf
def _part_end(data: Bytes, at: int, end: int) -> int:
    while at < end and BYTES[data[at]] & TOKEN:
        at += 1
    return at
