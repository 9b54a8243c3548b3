"""Learning the weights of `linear_score`: classes or values, from hashed n-grams or embeddings.

Hashed n-grams of many documents fill no memory: they are made batch by batch, for averaged
stochastic gradient descent. Embeddings are few numbers: their problems are solved outright.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curation.clustering.vectors import unit_vectors
from curation.errors import UserError
from curation.scorers.hashed_ngrams import sparse_rows
from curation.scorers.linear_model import LinearModel
from curation.scorers.splitting import Places, Sample
from curation.text import Rows

_BATCH = 1_000  # documents per step of training
_STEP = 0.25  # of averaged least squares on rows of length 1 (Bach & Moulines, arXiv 1306.2119)
_MAX_ITER = 1_000  # of L-BFGS


@dataclass(frozen=True)
class Plan:
    """How to learn: `LinearScore`'s parameters; `embedder` is empty for hashed n-grams."""

    n_features: int
    word_ngrams: int
    alpha: float
    epoch: int
    seed: int
    embedder: str


def learn_classes(sample: Sample, plan: Plan) -> LinearModel:
    """Logistic regression.

    Raises:
        UserError: the weights diverge.
    """
    if plan.embedder:
        from sklearn.linear_model import LogisticRegression

        given = {"C": 1 / (plan.alpha * len(sample.positive)), "max_iter": _MAX_ITER}
        return _solved(LogisticRegression(**given), sample, sample.positive, plan)
    from sklearn.linear_model import SGDClassifier

    learner = SGDClassifier(
        loss="log_loss", alpha=plan.alpha, average=True, random_state=plan.seed % 2**32
    )

    def step(rows: Places, matrix: Any) -> None:
        learner.partial_fit(matrix, sample.positive[rows], [False, True])

    return _descended(learner, step, sample.texts, plan)


@dataclass(frozen=True)
class Labelled:
    """Documents with a number each."""

    sample: Sample  # its `positive` says nothing
    values: Rows


def learn_values(given: Labelled, plan: Plan) -> LinearModel:
    """Least squares with an L2 penalty.

    Raises:
        UserError: the weights diverge.
    """
    mean = float(given.values.mean())  # taken off, since steps of the intercept are small
    values = given.values - mean
    if plan.embedder:
        from sklearn.linear_model import Ridge

        model = _solved(Ridge(alpha=plan.alpha * len(values)), given.sample, values, plan)
    else:
        from sklearn.linear_model import SGDRegressor

        learner = SGDRegressor(
            alpha=plan.alpha,
            average=True,
            learning_rate="constant",
            eta0=_STEP,
            random_state=plan.seed % 2**32,
        )

        def step(rows: Places, matrix: Any) -> None:
            learner.partial_fit(matrix, values[rows])

        model = _descended(learner, step, given.sample.texts, plan)
    bias, weights = model.bias + mean, model.weights
    return LinearModel(weights, bias, model.word_ngrams, plan.embedder, regression=True)


def _solved(learner: Any, sample: Sample, wanted: Any, plan: Plan) -> LinearModel:
    """Over embeddings, on one thread; documents without a vector are left out."""
    from threadpoolctl import threadpool_limits

    assert sample.vectors is not None  # what `attach` adds
    vectors, there = unit_vectors(sample.vectors)
    if not there.any():
        what = "the embedding model gives no document of the sample a finite vector"
        raise UserError(what, hint="Take another model")
    with threadpool_limits(1):
        learner.fit(vectors[there].astype(np.float64), wanted[there])
    return _model(learner, 0, plan)


def _descended(
    learner: Any, step: Callable[[Places, Any], None], texts: pa.ChunkedArray, plan: Plan
) -> LinearModel:
    """Over hashed n-grams; every epoch takes the documents in a new order."""
    for rows, matrix in _batches(texts, plan):
        step(rows, matrix)
    return _model(learner, plan.word_ngrams, plan)


def _batches(texts: pa.ChunkedArray, plan: Plan) -> Iterator[tuple[Places, Any]]:
    from scipy.sparse import csr_matrix

    draw = np.random.default_rng(plan.seed)
    for _ in range(plan.epoch):
        order = draw.permutation(len(texts))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            places, bounds, values = sparse_rows(
                texts.take(pa.array(rows)), plan.n_features, plan.word_ngrams
            )
            yield rows, csr_matrix((values, places, bounds), (len(rows), plan.n_features))


def _model(learner: Any, word_ngrams: int, plan: Plan) -> LinearModel:
    weights = np.ravel(learner.coef_)
    if not np.isfinite(weights).all():
        hint = f"Raise 'alpha' (now {plan.alpha:g}), or give it more documents"
        raise UserError("the weights diverge on these samples", hint=hint)
    bias = float(np.ravel(learner.intercept_)[0])
    return LinearModel(weights.astype(np.float32), bias, word_ngrams, plan.embedder)
