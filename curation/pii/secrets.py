"""Keys and tokens that vendors mark with a prefix.

Formats are those that vendors document or register for secret scanning
(https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns)
and that Gitleaks' rules agree with (https://github.com/gitleaks/gitleaks, config/gitleaks.toml).
Keys without a prefix (AWS secret access keys, passwords) cannot be told from other base64 and are
not found. A body of few distinct characters (`sk_live_xxxxxxxxxxxx`) is a stand-in, not a key.
"""

from __future__ import annotations

import string
from typing import NamedTuple

import numpy as np

from curation.jit import leaf
from curation.pii.chars import ALNUM, BYTES, DASH, DIGIT, DOT, TOKEN, byte_table, stands
from curation.text import Bytes

HEX, CAPITAL, PLAIN, URL, DOTTED = 1, 2, 4, 8, 16  # alphabets of bodies
BODY = byte_table(
    {
        HEX: "0123456789abcdef",
        CAPITAL: string.ascii_uppercase + "234567",
        PLAIN: string.ascii_letters + string.digits,
        URL: string.ascii_letters + string.digits + "_-",
        DOTTED: string.ascii_letters + string.digits + "_-.",
    }
)


class Format(NamedTuple):
    """A prefix, and the body behind it."""

    prefix: str
    anchor: int  # index of the prefix's rarest character, which triggers
    alphabet: int
    shortest: int  # characters of the body
    longest: int
    mixed: bool = False  # must hold a digit, and 16 letters and digits in a row: words may follow


LONG = 255  # as long as GitHub says that its tokens may become; bounds others of open length
FORMATS = (
    *(Format(prefix, 0, CAPITAL, 16, 16) for prefix in ("AKIA", "ASIA")),  # AWS access key ids
    *(Format(f"gh{kind}_", 3, PLAIN, 36, LONG) for kind in "pousr"),  # GitHub
    Format("github_pat_", 6, URL, 82, LONG),
    *(
        Format(f"gl{kind}-", len(kind) + 2, DOTTED, 20, 320)  # GitLab
        for kind in ("pat", "dt", "rt", "ptt", "cbt", "ft", "soat", "imt", "agent", "oas")
    ),
    *(Format(f"xox{kind}-", 4, URL, 16, LONG, mixed=True) for kind in "abeoprs"),  # Slack
    Format("xapp-", 4, URL, 32, LONG, mixed=True),
    *(
        Format(f"{kind}_{mode}_", 2, PLAIN, 16, LONG)  # Stripe
        for kind in ("sk", "rk")
        for mode in ("live", "test", "prod")
    ),
    Format("AIza", 0, URL, 35, 35),  # Google
    Format("GOCSPX-", 6, URL, 28, 28),
    Format("sk-", 2, URL, 32, LONG, mixed=True),  # OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-)
    Format("npm_", 3, PLAIN, 36, 36),
    Format("pypi-AgE", 4, URL, 50, 1000),
    Format("hf_", 2, PLAIN, 30, 40),  # Hugging Face
    Format("SK", 0, HEX, 32, 32),  # Twilio
    Format("SG.", 0, DOTTED, 66, 66),  # SendGrid
    Format("dop_v1_", 3, HEX, 64, 64),  # DigitalOcean
    *(Format(f"shp{kind}_", 5, HEX, 32, 32) for kind in ("at", "ca", "pa", "ss")),  # Shopify
    Format("gsk_", 3, PLAIN, 52, 52),  # Groq
)

_SORTED = sorted(FORMATS, key=lambda f: f.prefix[f.anchor])
PREFIXES = np.zeros((len(_SORTED), max(len(f.prefix) for f in _SORTED)), np.uint8)
for _i, _format in enumerate(_SORTED):
    PREFIXES[_i, : len(_format.prefix)] = list(_format.prefix.encode())
SIZE, ANCHOR, ALPHABET, SHORTEST, LONGEST, MIXED = range(6)  # columns of RULES
RULES = np.array([(len(f.prefix), *f[1:]) for f in _SORTED], np.int64)
ANCHORS = np.array([ord(f.prefix[f.anchor]) for f in _SORTED], np.int64)
FIRST = np.searchsorted(ANCHORS, np.arange(257))  # of byte b: the formats FIRST[b] to FIRST[b + 1]

MIN_DISTINCT = 8  # characters; 16 random ones of 32, the least random body, have 7 once in 5,000
MIN_RUN = 16  # letters and digits in a row in a `mixed` body


@leaf
def find_token(data: Bytes, at: int, floor: int, end: int) -> tuple[int, int]:
    """(start, end) of the token whose prefix has its anchor at `at`, (0, 0) if there is none."""
    for i in range(FIRST[data[at]], FIRST[data[at] + 1]):
        start, size = at - RULES[i, ANCHOR], RULES[i, SIZE]
        if start < floor or data[start] != PREFIXES[i, 0]:
            continue
        if not stands(data, start, end, PREFIXES[i, :size]):
            continue
        if start > floor and BYTES[data[start - 1]] & ALNUM:
            continue
        body = start + size
        stop = _body_end(data, body, min(end, body + RULES[i, LONGEST] + 1), RULES[i, ALPHABET])
        fits = RULES[i, SHORTEST] <= stop - body <= RULES[i, LONGEST]
        if fits and _is_random(data, body, stop, RULES[i, MIXED]):
            return start, stop
    return 0, 0


@leaf
def _body_end(data: Bytes, start: int, end: int, alphabet: int) -> int:
    """Where the body at `start` ends; at `start` if other letters go on there."""
    at = start
    while at < end and BODY[data[at]] & alphabet:
        at += 1
    if at < end and BYTES[data[at]] & TOKEN and data[at] != DASH:
        return start
    while at > start and data[at - 1] == DOT:  # ends a sentence
        at -= 1
    return at


@leaf
def _is_random(data: Bytes, start: int, stop: int, mixed: int) -> bool:
    """Whether the characters are many, and mixed where that is asked for."""
    low, high = np.uint64(0), np.uint64(0)  # which of the 128 have been seen
    distinct, run, digits, best = 0, 0, 0, 0
    for at in range(start, stop):
        byte = data[at]
        bit = np.uint64(1) << np.uint64(byte & 63)
        distinct += 0 if (high if byte > 63 else low) & bit else 1
        if byte > 63:
            high |= bit
        else:
            low |= bit
        run = run + 1 if BYTES[byte] & ALNUM else 0
        digits += BYTES[byte] & DIGIT
        best = max(best, run)
    return distinct >= MIN_DISTINCT and (not mixed or (digits > 0 and best >= MIN_RUN))
