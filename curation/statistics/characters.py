"""How long a text is and what characters it is made of."""

from __future__ import annotations

import pyarrow as pa

from curation.jit import leaf
from curation.text import ALPHA, DIGIT, SPACE, SYMBOL, UPPER, Bytes, Characters, Rows, decode

COLUMNS = {
    "num_chars": pa.int64(),  # code points
    "num_tokens": pa.int64(),  # words and symbols
    "num_lines": pa.int64(),  # blank ones too
    "max_token_len": pa.int64(),  # code points
    "digit_frac": pa.float64(),  # of code points, as all shares here
    "upper_frac": pa.float64(),
    "symbol_frac": pa.float64(),  # Unicode's categories P and S
    "space_frac": pa.float64(),
    "non_alpha_frac": pa.float64(),  # no letter
}


@leaf
def characters(
    data: Bytes,
    start: int,
    end: int,
    table: Characters,
    num_tokens: int,
    longest: int,
    num_lines: int,
    row: Rows,
) -> None:
    """Fills a row of `COLUMNS`."""
    length, digits, uppers, symbols, spaces, letters = 0, 0, 0, 0, 0, 0
    at = start
    while at < end:
        code, size = (int(data[at]), 1) if data[at] < 0x80 else decode(data, at)
        kinds, flags = table.kinds[code], table.flags[code]
        digits += (kinds & DIGIT) // DIGIT
        uppers += (kinds & UPPER) // UPPER
        symbols += (kinds & SYMBOL) // SYMBOL
        spaces += (flags & SPACE) // SPACE
        letters += (flags & ALPHA) // ALPHA
        at, length = at + size, length + 1
    row[0], row[1], row[2], row[3] = length, num_tokens, num_lines, longest
    row[4], row[5], row[6] = (
        digits / max(length, 1),
        uppers / max(length, 1),
        symbols / max(length, 1),
    )
    row[7], row[8] = spaces / max(length, 1), (length - letters) / max(length, 1)
