"""Control tokens: a document or a sentence starts with a token that says how good it is.

Conditional training (Korbak et al. 2023, arXiv 2302.08582): the model learns from bad documents
too, but learns them as bad, and at evaluation reads the token of good ones first. In their runs it
kept nearly all of the ability of plain training and produced about as little of the bad as
filtering did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.document import DOCUMENT_SCHEMA, conform
from curation.errors import UserError, closest
from curation.stage import Scorer
from train.order import Ints, mix
from train.sentences import split_sentences

if TYPE_CHECKING:  # recipes hold a Control and have no use for the tokenizers library
    from train.tokenizer import Tokenizer

DROP_FRAC = 0.01  # Korbak et al.: what lets the model do without any token
_KEY = 0x436F6E74726F6C  # of the draw of documents that stay without one
_MOST_SENTENCES = 2**24  # of a document: keeps its draws apart from the next one's


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
        drop_frac: share of documents, or sentences, that get no token, in [0, 1).
        per: what gets a token of its own. A sentence is scored alone, by the stage of the recipe
            that `column` is of; Korbak et al. mark sentences for toxicity and personal data.
    """

    column: str
    tokens: tuple[str, ...]
    good: str
    thresholds: tuple[float, ...] | None = None
    quantiles: tuple[float, ...] | None = None
    drop_frac: float = DROP_FRAC
    per: Literal["document", "sentence"] = "document"

    def __post_init__(self) -> None:
        if self.per == "sentence" and self.thresholds is None:
            raise ValueError("'control' per sentence needs 'thresholds': quantiles are documents'")
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
    """Token ids of one dataset's documents, with control tokens.

    Args:
        control: by what rule.
        files: the dataset, for quantiles.
        tokenizer: with the tokens.
        scorer: of sentences, the stage that `control.column` is of; None per document.

    Raises:
        UserError: a file has no such column of numbers, or the tokenizer no such token.
    """

    def __init__(
        self,
        control: Control,
        files: Sequence[Path],
        tokenizer: Tokenizer,
        scorer: Scorer | None = None,
    ) -> None:
        self.control, self._tokenizer, self._scorer = control, tokenizer, scorer
        self._ids = np.array([tokenizer.control(name) for name in control.tokens])
        for path in files if scorer is None else ():
            _check_column(path, control.column)
        self._cuts = (
            np.array(control.thresholds) if control.thresholds else _quantiles(control, files)
        )

    def encode(
        self, texts: Sequence[str], scores: pa.Array | None, first: int
    ) -> list[NDArray[Any]]:
        """The ids of documents, the first of which is number `first` of the dataset.

        Args:
            texts: one per document.
            scores: of each document, may hold nulls; not used per sentence.
            first: so that what gets no token does not depend on batches.
        """
        numbers = np.arange(first, first + len(texts))
        if self._scorer is None:
            assert scores is not None
            return self._marked(texts, _values(scores), numbers)
        parts = [split_sentences(text) for text in texts]
        sentences = [sentence for part in parts for sentence in part]
        bounds = np.cumsum([0, *map(len, parts)])
        places = np.arange(len(sentences)) - np.repeat(bounds[:-1], np.diff(bounds))
        keys = np.repeat(numbers, np.diff(bounds)) * _MOST_SENTENCES + places
        marked = self._marked(sentences, self._score(self._scorer, sentences), keys)
        return [np.concatenate(marked[start:stop]) for start, stop in pairwise(bounds)]

    def _score(self, scorer: Scorer, sentences: list[str]) -> NDArray[np.float64]:
        rows = {"id": [""] * len(sentences), "text": sentences, "source": [""] * len(sentences)}
        empty = {f.name: pa.nulls(len(sentences), f.type) for f in DOCUMENT_SCHEMA}
        table = conform(pa.table({**empty, **rows}), DOCUMENT_SCHEMA)
        return _values(scorer.measure(table)[self.control.column.partition(".")[2]])

    def _marked(
        self, texts: Sequence[str], values: NDArray[np.float64], numbers: Ints
    ) -> list[NDArray[Any]]:
        """Each text's ids behind its token; `numbers` draw those that stay without one."""
        tokens = self._ids[np.searchsorted(self._cuts, values)]
        draws = mix(numbers, _KEY) / 2.0**64
        bare = np.isnan(values) | (draws < self.control.drop_frac)
        return [
            ids if none else np.concatenate([np.array([token], ids.dtype), ids])
            for ids, token, none in zip(self._tokenizer.encode(texts), tokens, bare, strict=True)
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
