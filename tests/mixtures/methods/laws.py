"""A problem whose losses follow a log-linear law exactly, c + exp(A.p)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mixtures.methods.method import Problem, Search, SearchMethod, Size
from mixtures.runs import Ask, Run
from mixtures.space import Floats, Space

DOMAINS = ("web", "books", "code", "wiki")
SIZE = Size(name="smoke", params=1000, tokens=1000)
SPACE = Space(tokens=dict(zip(DOMAINS, (600, 200, 150, 50), strict=True)), budget=1000)
FLOOR = np.array([1.2, 0.8, 1.5])
SLOPES = np.array([[-1.2, 0.1, 0.3, -0.4], [0.2, -1.4, 0.2, -0.6], [0.4, 0.3, -2.0, 0.1]])
PARTS = {"prose": 0.4, "novels": 0.35, "programs": 0.25}


def law(weights: Floats) -> Floats:
    """Losses (mixtures, targets) of mixtures (mixtures, domains)."""
    return np.asarray(FLOOR + np.exp(weights @ SLOPES.T))


def value(weights: Floats) -> float:
    """The objective of one mixture, and with it what any search minimises."""
    return float(law(weights[None])[0] @ np.array(list(PARTS.values())))


def gradient(weights: Floats) -> Floats:
    """Of the objective at one mixture."""
    terms = np.exp(SLOPES @ weights) * np.array(list(PARTS.values()))
    return np.asarray(terms @ SLOPES)


def problem(runs: int, seed: int = 0, **changes: object) -> Problem:
    """A search on it."""
    plain = Problem(space=SPACE, objective=PARTS, runs=runs, sizes=(SIZE,), target=SIZE, seed=seed)
    return replace(plain, **changes)  # type: ignore[arg-type]


def measure(asks: Sequence[Ask]) -> list[Run]:
    """What a swarm would do."""
    losses = law(np.array([ask.weights for ask in asks]))
    return [
        Run(ask=ask, losses=dict(zip(PARTS, row.tolist(), strict=True)))
        for ask, row in zip(asks, losses, strict=True)
    ]


def searched(method: SearchMethod, where: Problem) -> Search:
    """A search to its end."""
    search = Search(method, where)
    while asks := search.ask():
        search.tell(measure(asks))
    return search
