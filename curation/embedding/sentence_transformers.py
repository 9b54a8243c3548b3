"""Vectors by a sentence-transformers model; long documents in chunks of the model's length.

On a CPU every chunk goes through the model by itself, on one thread: without padding and without
neighbours a vector is the same whatever else there is to embed. On a GPU chunks go in batches, and
the last bits of a vector depend on its batch.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from curation.embedding.embedder import Chunks, Shares, Texts, Vectors, as_column
from curation.embedding.models import Model
from curation.errors import UserError
from curation.fingerprint import fingerprint
from curation.text import Rows

MAX_CHUNKS = 16  # of one document, spread evenly: a book must not take an hour
GPU_BATCH = 128
_FALLBACK_LENGTH = 512  # tokens, of a model that does not say


class Chunk(NamedTuple):
    """A part of a text: characters [start, stop), and how many tokens they are."""

    start: int
    stop: int
    tokens: int


@dataclass(frozen=True)
class SentenceTransformersEmbedder:
    """The model itself; see `curation.embedding.embedder.Embedder`.

    Attributes:
        chunks: of a text longer than the model takes: the `first` as many tokens; the `mean` of the
            vectors of all consecutive chunks (of `MAX_CHUNKS`, if there are more), by tokens; or of
            three, the `top_middle_bottom` (SnowCoder, arXiv 2409.02326).
    """

    model: Model
    chunks: Chunks = "first"

    @property
    def fingerprint(self) -> str:
        """See `Embedder`."""
        return fingerprint({"model": self.model.fingerprint, "chunks": self.chunks})

    @property
    def size(self) -> int:
        """See `Embedder`."""
        return self.model.size

    def embed(self, texts: Texts) -> Vectors:
        """See `Embedder`."""
        return self.embed_and_tell(texts)[0]

    def embed_and_tell(self, texts: Texts) -> tuple[Vectors, Shares]:
        """See `Embedder`."""
        found = as_column(texts).to_pylist()
        with one_thread():
            every = list(_chunked(self.model, found))
            chosen = [_choose(chunks, self.chunks) for chunks in every]
            parts = [
                text[chunk.start : chunk.stop]
                for text, chunks in zip(found, chosen, strict=True)
                for chunk in chunks
            ]
            vectors = self._encode(parts)
        seen, total = _tokens(chosen), _tokens(every)
        shares = np.divide(seen, total, out=np.ones(len(found)), where=total > 0)
        return _joined(vectors, chosen), shares.astype(np.float32)

    def _encode(self, parts: Sequence[str]) -> Vectors:
        if not parts:
            return np.empty((0, self.size), np.float32)
        model = load(self.model)
        batch = GPU_BATCH if model.device.type == "cuda" else 1
        found: Vectors = model.encode(
            list(parts), batch_size=batch, normalize_embeddings=True, show_progress_bar=False
        )
        if found.shape[1] != self.size:
            what = f"makes vectors of {found.shape[1]} numbers, its settings say {self.size}"
            raise UserError(what, where=str(self.model.folder))
        if not np.isfinite(found).all():
            raise ValueError("the model gives a vector that is not finite")
        return found


def _tokens(chunks: Sequence[Sequence[Chunk]]) -> Rows:
    return np.array([sum(chunk.tokens for chunk in of) for of in chunks], np.float64)


def _joined(vectors: Vectors, chosen: Sequence[Sequence[Chunk]]) -> Vectors:
    """A unit vector per document from those of its chunks; zeros where it has none."""
    out = np.zeros((len(chosen), vectors.shape[1]), np.float32)
    at = 0
    for row, chunks in enumerate(chosen):
        for chunk in chunks:
            out[row] += chunk.tokens / chunks[0].tokens * vectors[at]
            at += 1
    return unit_length(out)


def unit_length(vectors: Vectors) -> Vectors:
    """Each row divided by its length; rows of zeros stay."""
    lengths = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1, keepdims=True))
    found: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return found


@functools.lru_cache(maxsize=2)
def load(model: Model) -> Any:
    """The model, once per process; on a GPU if there is one.

    Raises:
        UserError: the folder holds no such model.
    """
    import torch
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return SentenceTransformer(str(model.folder), device=device, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        what = f"holds no sentence-transformers model: {str(error)[:300]}"
        raise UserError(what, where=str(model.folder)) from None


def length(model: Model) -> int:
    """Tokens that the model takes, those that mark begin and end apart."""
    most = load(model).max_seq_length or _FALLBACK_LENGTH
    return int(most - tokenizer(model).num_special_tokens_to_add(False))


@functools.lru_cache(maxsize=2)
def tokenizer(model: Model) -> Any:
    """The model's tokenizer, without padding or truncation.

    Raises:
        UserError: it is none of the `tokenizers` library.
    """
    from tokenizers import Tokenizer

    backend = getattr(load(model).tokenizer, "backend_tokenizer", None)
    if backend is None:
        what = "has a tokenizer that does not tell which characters a token is of"
        raise UserError(what, where=str(model.folder))
    ours = Tokenizer.from_str(backend.to_str())
    ours.no_truncation()
    ours.no_padding()
    return ours


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch: workers share the machine, and rounding does not depend on it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _chunked(model: Model, texts: Sequence[str]) -> Iterator[list[Chunk]]:
    """Each text in consecutive chunks as long as the model takes; none of a blank text."""
    most = length(model)
    for text in texts:
        spans = [] if not text.strip() else _spans(model, text)
        yield [
            Chunk(part[0][0], part[-1][1], len(part))
            for part in (spans[at : at + most] for at in range(0, len(spans), most))
        ]


def _spans(model: Model, text: str) -> list[tuple[int, int]]:
    """The characters that each token is of; the whole text where the tokenizer knows nothing."""
    found = tokenizer(model).encode(text, add_special_tokens=False).offsets
    return [span for span in found if span[0] < span[1]] or [(0, len(text))]


def _choose(chunks: list[Chunk], how: Chunks) -> list[Chunk]:
    if how == "first" or len(chunks) <= 1:
        return chunks[:1]
    most = 3 if how == "top_middle_bottom" else MAX_CHUNKS
    if len(chunks) <= most:
        return chunks
    return [chunks[i * (len(chunks) - 1) // (most - 1)] for i in range(most)]
