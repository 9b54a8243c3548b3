"""What classifiers of documents share: two classes of samples, and metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.parts import Part
from curation.scorers.evaluation import evaluate
from curation.scorers.score_filter import ScoreFilter
from curation.scorers.splitting import Sample, Split, split_samples
from curation.scorers.telling import telling_ngrams
from curation.text import Rows

ROLES = ("positives", "negatives")


@dataclass(frozen=True, kw_only=True)
class Classifier(ScoreFilter):
    """A probability that a document is like the positives, learned or by a model that is given."""

    positives: tuple[str | dict[str, Any], ...] = ()  # see `curation.parts`
    negatives: tuple[str | dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_probabilities()
        given = [role for role in ROLES if getattr(self, role)]
        if len(given) != (0 if self.model else len(ROLES)):
            raise ValueError(
                f"{self.name} needs either 'model', or 'positives' and 'negatives' to learn from. "
                f"Got {', '.join(given) or ('both' if self.model else 'none')} instead."
            )
        positives, negatives = ([p.describe() for p in self._parts(role)] for role in ROLES)
        both = [part for part in positives if part in negatives]
        if both:
            raise ValueError(
                f"{json.dumps(both[0], ensure_ascii=False)} of {self.name} is among the positives "
                "and the negatives: nothing tells them apart"
            )

    def _parts(self, role: str) -> tuple[Part, ...]:
        return tuple(Part.parse(given) for given in getattr(self, role))

    def samples(self) -> dict[str, tuple[Part, ...]]:
        """The two classes."""
        return {role: self._parts(role) for role in ROLES if getattr(self, role)}

    def fit(self, samples: Mapping[str, pa.Table], folder: Path, seed: int) -> dict[str, Any]:
        """Trains on 90 % of the distinct documents and measures on the others."""
        return self.fit_split(split_samples(samples), folder, seed)

    def fit_split(self, split: Split, folder: Path, seed: int) -> dict[str, Any]:
        """Trains on what is to be learned from, and measures on what is held out."""
        self.train(split.train, folder / self.model_file, seed)
        ready = self.fitted(folder)
        scores = ready.score_sample(split.held_out)
        return {
            "documents": split.counts,
            **evaluate(scores, split.held_out.positive, seed),
            "telling": telling_ngrams(split.train, self.pieces, self.longest, ready.score),
        }

    def score_sample(self, sample: Sample) -> Rows:
        """The score of each text of a sample."""
        return self.score(sample.texts)

    @property
    def longest(self) -> int:
        """Words of the longest n-grams that it knows."""
        return 1

    def pieces(self, document: str) -> list[str]:
        """The text cut as the classifier cuts it."""
        raise NotImplementedError

    def train(self, sample: Sample, path: Path, seed: int) -> None:
        """Writes the model that is learned from `sample`.

        Raises:
            UserError: training fails.
        """
        raise NotImplementedError
