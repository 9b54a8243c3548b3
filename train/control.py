"""Control tokens: a document starts with a token that says how good it is.

Conditional training (Korbak et al. 2023, arXiv 2302.08582): the model learns from bad documents
too, but learns them as bad, and at evaluation reads the token of good ones first. In their runs it
kept nearly all of the ability of plain training and produced about as little of the bad as
filtering did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.errors import UserError, closest
from train.order import mix

if TYPE_CHECKING:  # recipes hold a Control and have no use for the tokenizers library
    from train.tokenizer import Tokenizer

DROP_FRAC = 0.01  # Korbak et al.: what lets the model do without any token
_KEY = 0x436F6E74726F6C  # of the draw of documents that stay without one


@dataclass(frozen=True, kw_only=True)
class Control:
    """Which document gets which token.

    Attributes:
        column: of the dataset, with a number per document; a document without one gets no token.
        tokens: names, from the lowest scores to the highest.
        thresholds: ascending, one fewer than `tokens`: a score at most the first gets the first
            token, and so on; a score above the last gets the last.
        quantiles: the thresholds as quantiles of the dataset's scores instead, in (0, 1).
        good: the name of the token that every document starts with at evaluation.
        drop_frac: share of documents that get no token, in [0, 1).
    """

    column: str
    tokens: tuple[str, ...]
    good: str
    thresholds: tuple[float, ...] | None = None
    quantiles: tuple[float, ...] | None = None
    drop_frac: float = DROP_FRAC

    def __post_init__(self) -> None:
        cuts = self.thresholds if self.quantiles is None else self.quantiles
        if cuts is None or (self.thresholds is not None and self.quantiles is not None):
            raise ValueError("'control' needs either 'thresholds' or 'quantiles'")
        if len(cuts) + 1 != len(self.tokens) or len(set(self.tokens)) < 2 or not cuts:
            raise ValueError(
                f"'tokens' must be different names, one more than there are cuts ({len(cuts)}). "
                f"Got {list(self.tokens)}."
            )
        if list(cuts) != sorted(set(cuts)):
            raise ValueError(f"cuts must be ascending. Got {list(cuts)}.")
        if self.quantiles and not 0 < min(cuts) <= max(cuts) < 1:
            raise ValueError(f"'quantiles' must lie inside (0, 1). Got {list(cuts)}.")
        if self.good not in self.tokens:
            raise ValueError(f"'good' must be one of {list(self.tokens)}. Got '{self.good}'.")
        if not 0 <= self.drop_frac < 1:
            raise ValueError(f"'drop_frac' must be in [0, 1). Got {self.drop_frac}.")


class ControlTokens:
    """The control tokens of one dataset's documents.

    Args:
        control: by what rule.
        files: the dataset, for quantiles.
        tokenizer: with the tokens.

    Raises:
        UserError: a file has no such column of numbers, or the tokenizer no such token.
    """

    def __init__(self, control: Control, files: Sequence[Path], tokenizer: Tokenizer) -> None:
        self.control = control
        self._ids = np.array([tokenizer.control(name) for name in control.tokens])
        for path in files:
            _check_column(path, control.column)
        self._cuts = (
            np.array(control.thresholds) if control.thresholds else _quantiles(control, files)
        )

    def prefix(self, ids: list[NDArray[Any]], scores: pa.Array, first: int) -> list[NDArray[Any]]:
        """The documents, each with its token before it.

        Args:
            ids: token ids of each document.
            scores: of each document, may hold nulls.
            first: number of the first of them in the dataset.
        """
        values = _values(scores)
        tokens = self._ids[np.searchsorted(self._cuts, values)]
        draws = mix(np.arange(first, first + len(ids)), _KEY) / 2.0**64
        bare = np.isnan(values) | (draws < self.control.drop_frac)
        return [
            document if none else np.concatenate([np.array([token], document.dtype), document])
            for document, token, none in zip(ids, tokens, bare, strict=True)
        ]


def _check_column(path: Path, column: str) -> None:
    schema = pq.read_schema(path)
    if column not in schema.names:
        raise UserError(
            f"{path} has no column '{column}'.{closest(column, schema.names)}",
            where="control.column",
            hint=f"It has: {', '.join(schema.names)}",
        )
    kind = schema.field(column).type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        raise UserError(f"'{column}' of {path} holds {kind}, not numbers", where="control.column")


def _quantiles(control: Control, files: Sequence[Path]) -> NDArray[np.float64]:
    columns = [pq.read_table(path, columns=[control.column])[control.column] for path in files]
    values = np.concatenate([_values(column) for column in columns])
    values = values[~np.isnan(values)]
    if not len(values):
        raise UserError(f"'{control.column}' has no value at all", where="control.column")
    cuts: NDArray[np.float64] = np.quantile(values, np.array(control.quantiles))
    return cuts


def _values(scores: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """float64, NaN for null."""
    values: NDArray[np.float64] = scores.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values
