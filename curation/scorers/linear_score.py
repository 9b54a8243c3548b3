"""Quality by a linear model over hashed n-grams of words, or over embeddings.

* n-grams: logistic regression on a document's single words and pairs, as GPT-3's filter of Common
  Crawl was (Brown et al. 2020, arXiv 2005.14165, appendix A).
* embeddings: a linear head on a sentence model that stays as it is. Good text against random text,
  by top, middle and bottom of each file and ranked per language, is SnowCoder's annotator
  (arXiv 2409.02326), which takes the mean of the chunks' scores where this takes the score of their
  mean; regression on scores of another model is FineWeb-Edu's (arXiv 2406.17557), which keeps those
  of 3 and more of 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from curation.clustering.vectors import unit_vectors
from curation.embedding.embedder import Vectors
from curation.errors import UserError
from curation.parts import Part
from curation.scorers.classifier import Classifier
from curation.scorers.embedding_options import EmbeddingOptions, with_vectors
from curation.scorers.hashed_ngrams import Weights, weighted_sums, words
from curation.scorers.linear_learning import Plan, learn_classes, learn_values
from curation.scorers.linear_model import LinearModel, load_model
from curation.scorers.regression import labelled_documents, split_labelled, tell_regression
from curation.scorers.score_filter import ScoreFilter
from curation.scorers.splitting import Sample
from curation.stage import stages
from curation.text import Rows

ALPHA = {"hashed": 1e-6, "embedding": 1e-3}


@stages.register("linear_score")
@dataclass(frozen=True, kw_only=True)
class LinearScore(Classifier, EmbeddingOptions):
    """Scores documents by a linear model over their hashed words, or over their embeddings.

    Like `fasttext_score`, trained on given parts or loaded from the `.npz` that an earlier run has
    trained; over words several times faster to apply. With `label` it is a regression, and `score`
    the predicted value; `min_score: 3` on scores from 0 to 5 is FineWeb-Edu's.

    Attributes:
        features: `hashed` words, or an `embedding` of the text.
        labelled: references, or parts, whose documents have a `label`, in place of positives and
            negatives.
        label: key of their `meta` that holds a number; documents without one are left out.
        word_ngrams: 1 for single words, 2 for pairs, too.
        n_features: places of hashed n-grams, a power of two.
        alpha: of the L2 penalty; null: 1e-6 for hashed features, 1e-3 for embeddings.
        epoch: passes over the sample, for classes by hashed features.
    """

    version: ClassVar[int] = 2
    model_file: ClassVar[str] = "model.npz"

    features: Literal["hashed", "embedding"] = "hashed"
    labelled: tuple[str | dict[str, Any], ...] = ()
    label: str | None = None
    word_ngrams: int = 2
    n_features: int = 2**20
    alpha: float | None = None
    epoch: int = 5

    def __post_init__(self) -> None:
        if self.label is None and not self.labelled:
            super().__post_init__()
        else:
            self._check_regression()
        size = self.n_features
        if size < 2 or size & (size - 1) or size > 2**30:
            raise ValueError(
                "'n_features' of linear_score must be a power of two, at most 2^30. "
                f"Got {size} instead."
            )
        if self.word_ngrams not in (1, 2):
            raise ValueError(
                f"'word_ngrams' of linear_score must be 1 or 2. Got {self.word_ngrams} instead."
            )
        for name in ("alpha", "epoch"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"'{name}' of linear_score must be > 0. Got {value} instead.")
        if self.embeds:
            self.check_embedding()

    def _check_regression(self) -> None:
        ScoreFilter.__post_init__(self)
        if self.positives or self.negatives:
            raise ValueError("'label' of linear_score is learned from 'labelled' documents alone")
        if self.label is None or bool(self.labelled) == (self.model is not None):
            raise ValueError(
                "a regression of linear_score needs 'label' and either 'model', or 'labelled' "
                "documents to learn from"
            )

    @property
    def embeds(self) -> bool:
        """See `EmbeddingOptions`."""
        return self.features == "embedding"

    @property
    def longest(self) -> int:
        """Words of the longest n-grams that it knows, or is asked about."""
        return 1 if self.embeds else self.word_ngrams

    @property
    def strength(self) -> float:
        """Of the L2 penalty."""
        return ALPHA[self.features] if self.alpha is None else self.alpha

    def check(self) -> None:
        """The embedding model must be there; a file must hold weights for such features."""
        EmbeddingOptions.check(self)
        if self.model is not None:
            self._weights()

    def _weights(self) -> LinearModel:
        """The model, of the kind that the parameters say.

        Raises:
            UserError: it is another.
        """
        assert self.model is not None
        found = load_model(self.model)
        if found.regression != (self.label is not None):
            what = "is a regression" if found.regression else "tells classes apart"
            hint = "Give its 'label'" if found.regression else "Leave 'label' out"
            raise UserError(f"{self.model} {what}", where="label", hint=hint)
        if found.embedder != (self.embedder.fingerprint if self.embeds else ""):
            what = "embeddings of this kind" if self.embeds else "hashed words"
            hint = "Give 'features', 'embedding_model', 'fast' and 'chunks' as it was trained with"
            raise UserError(f"{self.model} was not learned from {what}", hint=hint)
        return found

    def samples(self) -> dict[str, tuple[Part, ...]]:
        """See `Trained`: the two classes, or the labelled documents."""
        labelled = tuple(map(Part.parse, self.labelled))
        return super().samples() | ({"labelled": labelled} if labelled else {})

    @property
    def sample_columns(self) -> tuple[str, ...]:
        """See `Trained`."""
        return ("meta",) if self.labelled else ()

    @property
    def attaches(self) -> bool:
        """See `Trained`."""
        return self.embeds

    def attach(self, drawn: pa.Table) -> pa.Table:
        """See `Trained`: the vectors."""
        return with_vectors(drawn, self.embedder) if self.embeds else drawn

    def fit(self, samples: Mapping[str, pa.Table], folder: Path, seed: int) -> dict[str, Any]:
        """See `Classifier`; a regression, too, learns from 90 % of the distinct documents."""
        if self.label is None:
            return super().fit(samples, folder, seed)
        split = split_labelled(labelled_documents(samples["labelled"], self.label))
        learn_values(split.train, self._plan(seed)).write(folder / self.model_file)
        predicted = self.fitted(folder).score_sample(split.held_out.sample)
        return {"documents": split.counts, **tell_regression(predicted, split.held_out, seed)}

    def train(self, sample: Sample, path: Path, seed: int) -> None:
        """See `Classifier`."""
        learn_classes(sample, self._plan(seed)).write(path)

    def _plan(self, seed: int) -> Plan:
        embedder = self.embedder.fingerprint if self.embeds else ""
        return Plan(self.n_features, self.word_ngrams, self.strength, self.epoch, seed, embedder)

    def pieces(self, document: str) -> list[str]:
        """Its words, lower-cased."""
        return words(document)

    def score(self, texts: pa.ChunkedArray) -> Rows:
        """The probability that each text is a positive, or the predicted value."""
        assert self.model is not None
        model = load_model(self.model)
        if not self.embeds:
            return self._scores(model, weighted_sums(texts, model.weights, model.word_ngrams))
        return self._scores(model, products(self.embedder.embed(texts), model.weights))

    def score_sample(self, sample: Sample) -> Rows:
        """See `Classifier`; by the vectors that the sample has."""
        if not self.embeds or sample.vectors is None:
            return self.score(sample.texts)
        assert self.model is not None
        model = load_model(self.model)
        return self._scores(model, products(unit_vectors(sample.vectors)[0], model.weights))

    def _scores(self, model: LinearModel, sums: Rows) -> Rows:
        return sums + model.bias if model.regression else logistic(sums + model.bias)


def logistic(values: Rows) -> Rows:
    """1 / (1 + exp(-values)), without overflow."""
    small = np.exp(-np.abs(values))
    found: Rows = np.where(values >= 0, 1 / (1 + small), small / (1 + small))
    return found


def products(vectors: Vectors, weights: Weights) -> Rows:
    """Each vector times the weights, summed number by number: the same in any batch."""
    found: Rows = (vectors.astype(np.float64) * weights).sum(axis=1)
    return found
