"""A fast embedder for full corpora: static vectors of a model's tokens, distilled from the model.

Every token of the vocabulary goes through the model once, alone. Their vectors are centred and
turned onto their principal components, without the first few, which hold how frequent a token is
and not what it means (Mu & Viswanath 2018, arXiv 1702.01417); frequent tokens weigh less (SIF,
Arora et al. 2017, with Zipf's law for the frequency: a WordPiece vocabulary is in its order). A
text is the sum of its tokens' vectors, each by the root of how often it occurs. Like model2vec
(github.com/MinishLab/model2vec), except for the root and the left-out components: both raise the
agreement with the model, see `tests/benchmarks/bench_embed.py`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.embedding.embedder import Shares, Texts, Vectors, as_column
from curation.embedding.models import Model
from curation.embedding.sentence_transformers import load, one_thread, tokenizer
from curation.embedding.wordpiece import (
    Vocabulary,
    Word,
    find_tokens,
    load_vocabulary,
    normalized,
    powers,
)
from curation.files import atomic
from curation.fingerprint import fingerprint
from curation.jit import kernel
from curation.text import Bytes, Offsets, buffers

VERSION = 1  # of what is distilled and how texts are summed
SIZE = 256  # principal components
SKIPPED = 3  # of them, the first
SMOOTHING = 1e-4  # of SIF: a token weighs a / (a + its frequency)
_BATCH = 1024  # tokens that go through the model at a time
_FIRST_WORD = 999  # of BERT's vocabulary: what comes before are special and unused tokens
_RARE = 1e-7  # the frequency of those

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DistilledEmbedder:
    """Static vectors distilled from `model`; see `curation.embedding.embedder.Embedder`."""

    model: Model
    cache: Path | None = None  # folder for what is distilled

    @property
    def fingerprint(self) -> str:
        """See `Embedder`."""
        return fingerprint({"distilled": VERSION, "model": self.model.fingerprint})

    @property
    def size(self) -> int:
        """See `Embedder`."""
        return min(SIZE, self.model.size - SKIPPED)

    def embed(self, texts: Texts) -> Vectors:
        """See `Embedder`."""
        vocabulary = load_vocabulary(self.model)
        data, offsets = buffers(normalized(as_column(texts), vocabulary))
        return _embed(data, offsets, vocabulary, self.vectors())

    def embed_and_tell(self, texts: Texts) -> tuple[Vectors, Shares]:
        """See `Embedder`: the whole of every text is seen."""
        found = self.embed(texts)
        return found, np.ones(len(found), np.float32)

    def vectors(self) -> Vectors:
        """(vocabulary, size) of each token, times its weight; distilled at the first call."""
        return _vectors(self.model, self.size, self.cache, self.fingerprint)


@functools.lru_cache(maxsize=2)
def _vectors(model: Model, size: int, cache: Path | None, name: str) -> Vectors:
    if cache is None:
        return distil(model, size)
    path = cache / f"distilled-{name}.npy"
    if not path.exists():
        with atomic(path) as temporary, temporary.open("wb") as file:
            np.save(file, distil(model, size))
    found: Vectors = np.load(path, mmap_mode="r")
    return found


def distil(model: Model, size: int) -> Vectors:
    """(vocabulary, size): every token through the model, its principal components, its weight."""
    from threadpoolctl import threadpool_limits

    tokens = load_vocabulary(model).size
    frequency = zipf(tokens)
    weight = SMOOTHING / (SMOOTHING + frequency)
    with one_thread(), threadpool_limits(1):
        found = _token_vectors(model, tokens)
        turned = _components(found, frequency * weight, size)
    return (turned * weight[:, None]).astype(np.float32)


def zipf(tokens: int) -> Floats:
    """(tokens,) the frequency of each token of a vocabulary in the order of frequency."""
    rank = np.maximum(np.arange(tokens) - _FIRST_WORD + 1.0, 1.0)
    return np.where(np.arange(tokens) < _FIRST_WORD, _RARE, 1 / (rank * np.log(max(tokens, 2))))


def _token_vectors(model: Model, tokens: int) -> Floats:
    import torch

    ours, encoder = tokenizer(model), load(model)
    first, last = ours.encode("").ids  # what BERT puts around a text: [CLS] and [SEP]
    parts = []
    for start in range(0, tokens, _BATCH):
        own = torch.arange(start, min(start + _BATCH, tokens), device=encoder.device)
        ids = torch.stack([torch.full_like(own, first), own, torch.full_like(own, last)], dim=1)
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        with torch.inference_mode():
            parts.append(encoder(given)["sentence_embedding"].cpu().numpy().astype(np.float64))
    return np.concatenate(parts)


def _components(vectors: Floats, frequency: Floats, size: int) -> Floats:
    """The components after the first few of the cloud of tokens, each as often as it occurs."""
    share = (frequency / frequency.sum())[:, None]
    centred = vectors - (share * vectors).sum(axis=0)
    _, axes = np.linalg.eigh((share * centred).T @ centred)  # ascending
    chosen: Floats = axes[:, ::-1][:, SKIPPED : SKIPPED + size]
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    turned: Floats = centred @ (chosen * signs)
    return turned


@kernel
def _embed(data: Bytes, offsets: Offsets, vocabulary: Vocabulary, vectors: Any) -> Vectors:
    size = vectors.shape[1]
    out = np.zeros((len(offsets) - 1, size), np.float32)
    word = Word(np.empty(401, np.uint64), powers())
    most = 0
    for row in range(len(out)):
        most = max(most, offsets[row + 1] - offsets[row])
    ids = np.empty(most + 1, np.int32)
    for row in range(len(out)):
        count = find_tokens(data, offsets[row], offsets[row + 1], vocabulary, word, ids)
        found = np.sort(ids[:count])
        at = 0
        while at < count:
            end = at + 1
            while end < count and found[end] == found[at]:
                end += 1
            often = np.float32(np.sqrt(np.float64(end - at)))
            for i in range(size):
                out[row, i] += often * vectors[found[at], i]
            at = end
        _to_unit(out[row])
    return out


@kernel
def _to_unit(vector: Vectors) -> None:
    total = 0.0
    for value in vector:
        total += np.float64(value) * np.float64(value)
    if total > 0:
        scale = np.float32(1 / np.sqrt(total))
        for i in range(len(vector)):
            vector[i] *= scale
