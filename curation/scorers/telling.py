"""The n-grams that speak loudest for each class, as the classifier itself scores them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from curation.scorers.splitting import Sample
from curation.text import Rows

DOCUMENTS = 2000  # of each class that are looked at
MIN_FRAC, MIN_COUNT = 0.01, 5  # of the documents of a class: rarer n-grams tell little
CANDIDATES = 20_000  # the most frequent ones
SHOWN = 20  # per class


def telling_ngrams(
    sample: Sample,
    pieces: Callable[[str], list[str]],
    n_gram: int,
    score: Callable[[pa.ChunkedArray], Rows],
) -> dict[str, list[dict[str, Any]]]:
    """Frequent n-grams of highest margin for each class, the loudest first.

    The margin of an n-gram is the log-odds of a text that is nothing else, less the median of all
    frequent n-grams. The shares are of documents that hold it.

    Args:
        sample: documents of both classes.
        pieces: cuts a text as the classifier does.
        n_gram: the longest ones it knows.
        score: probabilities of the positive class.
    """
    counts = {}
    looked_at = {}
    for positive in (True, False):
        rows = np.flatnonzero(sample.positive == positive)[:DOCUMENTS]
        texts = sample.texts.take(pa.array(rows)).to_pylist()
        counts[positive] = _documents_with(texts, pieces, n_gram)
        looked_at[positive] = len(texts)
    found = _frequent(counts, looked_at)
    odds = _log_odds(score(pa.chunked_array([found], pa.string())))
    margins = odds - np.median(odds) if len(odds) else odds
    sides = {
        "positives": np.argsort(-margins, kind="stable")[:SHOWN],
        "negatives": np.argsort(margins, kind="stable")[:SHOWN],
    }
    return {
        side: [
            {
                "ngram": found[i],
                "margin": float(margins[i]),
                "positives_frac": counts[True][found[i]] / looked_at[True],
                "negatives_frac": counts[False][found[i]] / looked_at[False],
            }
            for i in places
            if (margins[i] > 0 if side == "positives" else margins[i] < 0)
        ]
        for side, places in sides.items()
    }


def _documents_with(
    texts: Iterable[str], pieces: Callable[[str], list[str]], n_gram: int
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_ngrams(pieces(text), n_gram)))
    return counts


def _ngrams(pieces: list[str], n_gram: int) -> Iterator[str]:
    for n in range(1, n_gram + 1):
        yield from (" ".join(pieces[i : i + n]) for i in range(len(pieces) - n + 1))


def _frequent(counts: dict[bool, Counter[str]], looked_at: dict[bool, int]) -> list[str]:
    """Those frequent in a class; the most frequent first, ties by themselves."""
    least = {side: max(MIN_COUNT, MIN_FRAC * n) for side, n in looked_at.items()}
    frequent = {g for side, found in counts.items() for g, n in found.items() if n >= least[side]}
    total = counts[True] + counts[False]
    return sorted(frequent, key=lambda gram: (-total[gram], gram))[:CANDIDATES]


def _log_odds(scores: Rows) -> Rows:
    safe = np.clip(scores, 1e-9, 1 - 1e-9)
    odds: Rows = np.log(safe) - np.log1p(-safe)
    return odds
