"""Columns of vectors, and cosines that come out the same however rows are put together.

Products of matrices round by the shape of the whole: BLAS finds candidates, and what is decided
between them is added up number by number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.errors import UserError
from curation.jit import kernel

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ROUNDING = 1e-4  # by which BLAS's cosine of unit vectors is never off: far more than 1,000 float32


def check_vectors(column: str, known: Mapping[str, pa.DataType]) -> None:
    """The column must hold vectors of equal size.

    Raises:
        UserError: it is absent, or holds something else.
    """
    kind = known.get(column)
    if kind is None:
        what = f"there is no column '{column}' here"
        raise UserError(what, hint="Put `- embed` before it, or name another column in `vectors`")
    if not (pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type)):
        raise UserError(f"'{column}' is {kind}: vectors of equal size are needed")


def unit_vectors(column: Any) -> tuple[Vectors, Flags]:
    """(n, size) of unit length, and which rows have a vector: null, zero and NaN are none."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    there = array.is_valid().to_numpy(zero_copy_only=False)
    out = np.zeros((len(array), array.type.list_size), np.float32)
    out[there] = array.flatten().to_numpy(zero_copy_only=False).reshape(-1, out.shape[1])
    return out, _scale(out)


@kernel
def _scale(vectors: Vectors) -> Flags:
    """Makes every row of unit length, or zero if it has none; returns which rows have."""
    found = np.zeros(len(vectors), np.bool_)
    for row in range(len(vectors)):
        total = 0.0
        for value in vectors[row]:
            total += np.float64(value) * np.float64(value)
        found[row] = np.isfinite(total) and total > 0
        scale = 1 / np.sqrt(total) if found[row] else 0.0
        for i in range(vectors.shape[1]):
            vectors[row, i] = np.float32(vectors[row, i] * scale) if found[row] else np.float32(0)
    return found


@kernel
def cosines(a: Vectors, b: Vectors, rows: Numbers, columns: Numbers) -> Floats:
    """(pairs,) of a[rows] and b[columns], unit vectors; within [-1, 1]."""
    out = np.empty(len(rows), np.float64)
    for pair in range(len(rows)):
        total, left, right = 0.0, a[rows[pair]], b[columns[pair]]
        for i in range(len(left)):
            total += np.float64(left[i]) * np.float64(right[i])
        out[pair] = min(1.0, max(-1.0, total))
    return out


@kernel
def best_of(rows: Numbers, columns: Numbers, values: Floats, best: Numbers, value: Floats) -> None:
    """Of the pairs of each row the one of the largest value, of equals the first column's.

    `best` and `value` hold what is best so far, -1 where there is nothing, and are changed.
    """
    for pair in range(len(rows)):
        row = rows[pair]
        if best[row] < 0 or values[pair] > value[row]:
            best[row], value[row] = columns[pair], values[pair]
        elif values[pair] == value[row] and columns[pair] < best[row]:
            best[row] = columns[pair]
