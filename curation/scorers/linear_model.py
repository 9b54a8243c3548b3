"""The file of a linear model over hashed n-grams or over embeddings, as `linear_score` keeps it."""

from __future__ import annotations

import functools
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.errors import UserError
from curation.scorers.hashed_ngrams import Weights


@dataclass(frozen=True)
class LinearModel:
    """Weights and a bias.

    Attributes:
        weights: one for each n-gram's place, or for each number of an embedding.
        word_ngrams: words of the longest n-grams; 0 for a model over embeddings.
        embedder: fingerprint of what made the embeddings; empty for n-grams.
        regression: the sum is the score itself, not the log-odds of a probability.
    """

    weights: Weights
    bias: float
    word_ngrams: int
    embedder: str = ""
    regression: bool = False

    def write(self, path: Path) -> None:
        """Writes the same bytes for the same model."""
        extra = {"embedder": np.array(self.embedder)} if self.embedder else {}
        extra |= {"regression": np.array(True)} if self.regression else {}
        bias, longest = np.array([self.bias]), np.array(self.word_ngrams)
        np.savez(path, weights=self.weights, bias=bias, word_ngrams=longest, **extra)  # type: ignore[arg-type]


def load_model(path: Path) -> LinearModel:
    """A model, once per process; another file in its place is another model.

    Raises:
        UserError: the file is none that `linear_score` wrote.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    return _load(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _load(path: Path, size: int, mtime_ns: int) -> LinearModel:
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no whole .npz file")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            weights, bias, longest = (found[k] for k in ("weights", "bias", "word_ngrams"))
            embedder = str(found["embedder"]) if "embedder" in found else ""
            regression = bool(found["regression"]) if "regression" in found else False
        fits = weights.dtype == np.float32 and weights.ndim == 1 and bias.size == longest.size == 1
        hashed = len(weights) >= 2 and not len(weights) & (len(weights) - 1)
        if not fits or not (embedder or hashed):
            raise ValueError("its arrays have another shape")
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        what = f"{path} is no model of linear_score: {error}"
        raise UserError(what, hint="It takes the model.npz that linear_score has trained") from None
    return LinearModel(weights, float(bias.item()), int(longest.item()), embedder, regression)
