"""What stages that learn from embeddings share: which model makes them, and how."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa

from curation.embedding.embedder import Chunks, Embedder, Texts, Vectors, as_column, make_embedder
from curation.embedding.models import DEFAULT_MODEL
from curation.embedding.stage import as_lists
from curation.errors import UserError
from curation.scorers.splitting import VECTOR
from curation.stage import Stage


@dataclass(frozen=True, kw_only=True)
class EmbeddingOptions(Stage):
    """The parameters that name an embedder: see the stage `embed`."""

    places: ClassVar[tuple[str, ...]] = ("cache",)

    embedding_model: str = DEFAULT_MODEL  # name or folder of a sentence-transformers model
    fast: bool = False  # static vectors of the model's tokens, several hundred times faster
    chunks: Chunks | None = None  # of a text longer than the model takes; null: `first`
    cache: Path | None = None  # folder for what `fast` distils; null: the run's work folder

    def check_embedding(self) -> None:
        """The options must fit together.

        Raises:
            ValueError: they do not.
        """
        if self.fast and self.chunks is not None:
            raise ValueError("'chunks' is for 'fast: false': the fast embedder takes whole texts")
        if not self.fast and self.cache is not None:
            raise ValueError("'cache' is for 'fast: true': only that distils anything")

    @property
    def embeds(self) -> bool:
        """Whether it needs an embedder at all."""
        return True

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors."""
        return make_embedder(
            self.embedding_model, fast=self.fast, chunks=self.chunks, cache=self.cache
        )

    def check(self) -> None:
        """See `Stage`: the model must be there, and of a kind that can serve."""
        if not self.embeds:
            return
        try:
            embedder = self.embedder
            if self.fast:
                from curation.embedding.wordpiece import load_vocabulary

                load_vocabulary(embedder.model)  # type: ignore[attr-defined]
        except UserError as error:
            raise error.at("embedding_model") from None

    def at(self, root: Path) -> Self:
        """See `Stage`; a model's folder may be given relative to `root`, too."""
        moved = super().at(root)
        folder = root / self.embedding_model
        return dataclasses.replace(moved, embedding_model=str(folder)) if folder.is_dir() else moved

    def made_from(self) -> Mapping[str, str]:
        """See `Stage`: the model counts by what its files hold."""
        return {"embedding_model": self.embedder.fingerprint} if self.embeds else {}

    def prepared(self, folder: Path) -> Self:
        """See `Stage`: what `fast` distils from the model."""
        if not self.embeds or not self.fast:
            return self
        ready = self if self.cache else dataclasses.replace(self, cache=folder)
        ready.embedder.vectors()  # type: ignore[attr-defined]
        return ready


def with_vectors(table: pa.Table, embedder: Embedder) -> pa.Table:
    """The documents with vectors in half precision, of unit length, or all zero."""
    return table.append_column(VECTOR, as_lists(embed_finite(embedder, table["text"])))


def embed_finite(embedder: Embedder, texts: Texts) -> Vectors:
    """(texts, size) of unit length; all zero also where the model gives no finite vector."""
    try:
        return embedder.embed(texts)
    except ValueError:
        return np.concatenate([_one(embedder, text) for text in as_column(texts).to_pylist()])


def _one(embedder: Embedder, text: str) -> Vectors:
    try:
        return embedder.embed([text])
    except ValueError:
        return np.zeros((1, embedder.size), np.float32)
