"""The contract of what makes vectors of texts, and the way to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.embedding.models import DEFAULT_MODEL, find_model

Vectors = npt.NDArray[np.float32]
Shares = npt.NDArray[np.float32]
Texts: TypeAlias = "pa.ChunkedArray | pa.Array | Sequence[str]"
Chunks = Literal["first", "mean", "top_middle_bottom"]


class Embedder(Protocol):
    """Makes a vector of each text; that of one never depends on the others."""

    @property
    def fingerprint(self) -> str:
        """What the vectors depend on besides the texts."""
        ...

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        ...

    def embed(self, texts: Texts) -> Vectors:
        """(texts, size) of unit length; all zero for a text without anything to embed.

        Raises:
            ValueError: the model gives a vector that is not finite.
        """
        ...

    def embed_and_tell(self, texts: Texts) -> tuple[Vectors, Shares]:
        """The same, and (texts,) the share of its tokens that each vector has seen, in [0, 1].

        The share of a text without tokens is 1.
        """
        ...


def make_embedder(
    model: str = DEFAULT_MODEL,
    *,
    fast: bool = False,
    chunks: Chunks | None = None,
    cache: Path | None = None,
) -> Embedder:
    """The embedder of a model, or the fast one that is distilled from it.

    Args:
        model: the name or the folder of a sentence-transformers model.
        fast: static vectors of the model's tokens instead of the model: see `distilled`.
        chunks: what of a text beyond the model's length is embedded, null: `first`; the fast
            embedder always takes the whole text.
        cache: folder that keeps what the fast embedder distils; without, every process distils.

    Raises:
        UserError: there is no such model, or nothing fast can be distilled from it.
    """
    found = find_model(model)
    if fast:
        from curation.embedding.distilled import DistilledEmbedder

        return DistilledEmbedder(found, cache)
    from curation.embedding.sentence_transformers import SentenceTransformersEmbedder

    return SentenceTransformersEmbedder(found, chunks or "first")


def as_column(texts: Texts) -> pa.ChunkedArray:
    """The texts as an Arrow column, null as the empty text."""
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        column = texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])
    else:
        column = pa.chunked_array([pa.array(texts, pa.string())], pa.string())
    return pa.compute.fill_null(column, "")
