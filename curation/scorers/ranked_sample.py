"""From a sample of documents and examples of target sets to a classifier of words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation import text
from curation.clustering.vectors import unit_vectors
from curation.embedding.embedder import Vectors
from curation.errors import UserError
from curation.scorers.classifier import Classifier
from curation.scorers.evaluation import spearman
from curation.scorers.splitting import MIN_DOCUMENTS, VECTOR, Sample, split_samples
from curation.scorers.target_examples import Benchmark, first_of_each
from curation.scorers.target_ranks import Value, rank_documents
from curation.text import Rows


def learn_ranks(
    documents: pa.Table,
    benchmarks: Sequence[Benchmark],
    *,
    value: Value,
    positive_frac: float,
    learner: Classifier,
    folder: Path,
    seed: int,
) -> dict[str, Any]:
    """Ranks distinct documents, trains on the top against as many of the rest, and measures.

    Args:
        documents: `id`, `text`, `url`, `source` and `vector`, in a random order.
        benchmarks: whose examples have a `vector`, too.
        value: what ranks come to.
        positive_frac: of the ranked documents, the positives.
        learner: writes its model into `folder`.
        folder: of the model.
        seed: of the recipe.

    Returns:
        The metrics of the classifier on held-out documents, and `ranking`: what was ranked by
        what, and how the score agrees with the rank.

    Raises:
        UserError: nothing can be ranked or learned.
    """
    distinct = documents.take(pa.array(first_of_each(documents["text"])))
    vectors, there = unit_vectors(distinct[VECTOR])
    ranked_documents = distinct.filter(pa.array(there))
    top = round(positive_frac * len(ranked_documents))
    _check_enough(len(documents), len(distinct), len(ranked_documents), top)
    examples, of = _examples(benchmarks)
    ranked = rank_documents(vectors[there], examples)
    order = ranked.order(value)
    positives, rest = np.sort(order[:top]), np.sort(order[top:])
    samples = {
        "positives": ranked_documents.take(pa.array(positives)),
        "negatives": ranked_documents.take(pa.array(rest[:top])),
    }
    split = split_samples(samples)
    metrics = learner.fit_split(split, folder, seed)
    scores = learner.fitted(folder).score(split.held_out.texts)
    agreement = spearman(scores, _values(ranked_documents, ranked.values(value), split.held_out))
    nearest = of[ranked.nearest[positives]]
    ranking = {
        "value": value,
        "documents": len(ranked_documents),
        "without_vector": len(distinct) - len(ranked_documents),
        "positives": top,
        "spearman": agreement,
        "targets": [
            _about(one, int((of == i).sum()), float((nearest == i).mean()))
            for i, one in enumerate(benchmarks)
        ],
    }
    return {**metrics, "ranking": ranking}


def _check_enough(drawn: int, distinct: int, ranked: int, top: int) -> None:
    if top >= MIN_DOCUMENTS:
        return
    what = f"the top of {ranked:,} documents with a vector is {top:,}: {drawn:,} were drawn, "
    what += f"{distinct:,} of them distinct; at least {MIN_DOCUMENTS} positives are needed"
    hint = "Name more documents, or raise 'max_documents' or 'positive_frac'"
    raise UserError(what, hint=hint)


def _examples(benchmarks: Sequence[Benchmark]) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """The vectors of all examples that have one, and which benchmark each is of."""
    parts, of = [], []
    for number, one in enumerate(benchmarks):
        vectors, there = unit_vectors(one.examples[VECTOR])
        if not there.any():
            what = f"the embedding model gives none of the {len(there)} examples of target set "
            raise UserError(f"{what}'{one.name}' a finite vector", hint="Take another model")
        parts.append(vectors[there])
        of.append(np.full(int(there.sum()), number))
    return np.concatenate(parts), np.concatenate(of)


def _about(one: Benchmark, ranking: int, share: float) -> dict[str, Any]:
    """A target set, and the share of the positives that one of its examples ranks best."""
    drawn = len(one.examples)
    return {
        "name": one.name,
        "examples": ranking,
        "without_vector": drawn - ranking,
        "positives_frac": share,
    }


def _values(documents: pa.Table, values: Rows, held_out: Sample) -> Rows:
    """The value of the rank of each held-out text."""
    hashes = text.hash_rows(*text.buffers(documents["text"]))
    order = np.argsort(hashes)
    wanted = text.hash_rows(*text.buffers(held_out.texts))
    found: Rows = values[order[np.searchsorted(hashes[order], wanted)]]
    return found
