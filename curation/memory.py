"""Amounts of memory as recipes and options give them: `512MB`."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(i?)B", re.IGNORECASE)
_POWERS = " KMGT"
LEAST = 16_000_000  # a slice of text and what is made of it


def parse_bytes(text: str) -> int:
    """The bytes of an amount: a number and B, kB, MB, GB, TB (powers of 1,000) or KiB ... TiB.

    Raises:
        ValueError: it is no such amount, or less than 16 MB.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if not found:
        raise ValueError(f"must be an amount of memory like 512MB or 4GiB. Got '{text}' instead.")
    number, prefix, binary = found.groups()
    base = 1024 if binary else 1000
    amount = int(float(number) * base ** _POWERS.index(prefix.upper() or " "))
    if amount < LEAST:
        raise ValueError(f"must be at least 16MB. Got '{text}' instead.")
    return amount
