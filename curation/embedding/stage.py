"""Vectors of documents, for stages that compare meanings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa

from curation.embedding.distilled import DistilledEmbedder
from curation.embedding.embedder import Chunks, Embedder, Vectors, make_embedder
from curation.embedding.models import DEFAULT_MODEL
from curation.embedding.wordpiece import load_vocabulary
from curation.stage import Annotations, Scorer, stages


@stages.register("embed")
@dataclass(frozen=True, kw_only=True)
class Embed(Scorer):
    """Adds a vector of each text, by a sentence-transformers model or one distilled from it.

    `vector` has unit length, and is all zero for a text without anything to embed; later stages
    say how many those are. A document for which the model gives no finite vector goes as an error.
    `covered_frac` is the share of the text's tokens that the vector has seen: below 1 where the
    text is longer than the model takes. Vectors are computed once per slice; neither `dataset/`
    nor `dropped/` holds them, unless `keep` is true.
    """

    places: ClassVar[tuple[str, ...]] = ("cache",)

    model: str = DEFAULT_MODEL  # name or folder
    fast: bool = False  # static vectors of the model's tokens: for full corpora on CPUs
    chunks: Chunks | None = None  # of a text longer than the model takes; null: `first`
    keep: bool = False  # the vectors in the dataset
    cache: Path | None = None  # folder for what `fast` distils; null: the run's work folder

    def __post_init__(self) -> None:
        if self.fast and self.chunks is not None:
            raise ValueError("'chunks' is for 'fast: false': the fast embedder takes whole texts")
        if not self.fast and self.cache is not None:
            raise ValueError("'cache' is for 'fast: true': only that distils anything")

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors."""
        return make_embedder(self.model, fast=self.fast, chunks=self.chunks, cache=self.cache)

    @property
    def passing(self) -> tuple[str, ...]:
        """See `Scorer`."""
        return () if self.keep else ("vector",)

    def check(self) -> None:
        """See `Stage`: the model must be there, and of a kind that can serve."""
        embedder = self.embedder
        if isinstance(embedder, DistilledEmbedder):
            load_vocabulary(embedder.model)

    def at(self, root: Path) -> Self:
        """See `Stage`; a model's folder may be given relative to `root`, too."""
        moved = super().at(root)
        folder = root / self.model
        return dataclasses.replace(moved, model=str(folder)) if folder.is_dir() else moved

    def made_from(self) -> Mapping[str, str]:
        """See `Stage`: the model counts by what its files hold."""
        return {"model": self.embedder.fingerprint}

    def prepared(self, folder: Path) -> Self:
        """See `Stage`: what `fast` distils from the model."""
        if not self.fast:
            return self
        ready = self if self.cache else dataclasses.replace(self, cache=folder)
        embedder = ready.embedder
        assert isinstance(embedder, DistilledEmbedder)
        embedder.vectors()
        return ready

    def columns(self) -> Annotations:
        """See `Scorer`."""
        size = self.embedder.size
        return {"vector": pa.list_(pa.float16(), size), "covered_frac": pa.float32()}

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """See `Scorer`."""
        vectors, covered = self.embedder.embed_and_tell(table["text"])
        return {"vector": as_lists(vectors), "covered_frac": pa.array(covered)}


def as_lists(vectors: Vectors) -> pa.FixedSizeListArray:
    """(n, size) vectors as a column of half-precision lists."""
    flat = pa.array(np.ascontiguousarray(vectors, np.float16).reshape(-1), pa.float16())
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
