"""Measured runs: a mixture, and what a model trained on it scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mixtures.space import Floats


@dataclass(frozen=True)
class Ask:
    """A run that a method wants.

    Attributes:
        weights: share of each domain, in the order of the space, summing to 1.
        size: index in the problem's `sizes`.
        points: shares of the run's tokens, in (0, 1), at which it is measured as well.
    """

    weights: tuple[float, ...]
    size: int = 0
    points: tuple[float, ...] = ()


@dataclass(frozen=True)
class Measured:
    """Targets at one point of a run.

    Attributes:
        tokens: trained on so far.
        losses: by target; lower is better.
    """

    tokens: int
    losses: Mapping[str, float]


@dataclass(frozen=True)
class Documents:
    """How one model predicts the documents of a target.

    Attributes:
        nats: negative log-likelihood per document, (documents,).
        bytes: UTF-8 bytes per document, (documents,).
    """

    nats: Floats
    bytes: Floats


@dataclass(frozen=True)
class Run:
    """A run that was made.

    Attributes:
        ask: what was asked for.
        losses: at its end, by target; empty if it failed.
        curve: earlier points, ascending in tokens.
        tokens: trained on; 0 where it is not known.
        documents: by target, for methods that combine models document by document.
        failure: why there is no loss; empty for a finished run.
    """

    ask: Ask
    losses: Mapping[str, float]
    curve: tuple[Measured, ...] = ()
    tokens: int = 0
    documents: Mapping[str, Documents] = field(default_factory=dict)
    failure: str = ""


def weights_of(runs: Sequence[Run]) -> Floats:
    """The mixtures of runs, (runs, domains)."""
    return np.array([run.ask.weights for run in runs], float)


def losses_of(runs: Sequence[Run], target: str) -> Floats:
    """The final losses of runs on one target, (runs,)."""
    return np.array([run.losses[target] for run in runs], float)
