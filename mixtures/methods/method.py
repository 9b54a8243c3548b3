"""SearchMethod: what every search has in common, and the ask/tell around it.

A method is a frozen dataclass of parameters and keeps no state: what to measure next and what to
propose are functions of the problem and of the runs so far. A search that was killed goes on by
telling it the runs that are finished.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from curation.registry import Registry
from mixtures.runs import Ask, Run
from mixtures.space import Floats, Space


@dataclass(frozen=True, kw_only=True)
class Size:
    """A proxy that a run may be made with.

    Attributes:
        name: of the preset.
        params: of its model.
        tokens: of its run.
    """

    name: str
    params: int
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is searched for.

    Attributes:
        space: the mixtures that are allowed.
        objective: weight of each target in the loss that is minimised, above 0, summing to 1.
        owners: target to the domain whose held-out text it is, for targets that are one.
        runs: most proxy runs.
        sizes: of the proxies, ascending; the first is what one-size methods use.
        target: the run that the mixture is for.
        seed: of every draw.
    """

    space: Space
    objective: Mapping[str, float]
    runs: int
    sizes: tuple[Size, ...]
    target: Size
    owners: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    def own(self, target: str) -> int | None:
        """Index of the domain that the target belongs to."""
        owner = self.owners.get(target)
        return None if owner is None else self.space.domains.index(owner)

    def value(self, run: Run) -> float:
        """The objective of a finished run."""
        return sum(weight * run.losses[name] for name, weight in self.objective.items())


@dataclass(frozen=True)
class Proposal:
    """A mixture to take, before it is measured.

    Attributes:
        weights: (domains,), inside the space.
        mean: its predicted objective; None for methods that do not predict.
        sd: standard error of it, or None.
        by: what predicted it.
    """

    weights: Floats
    mean: float | None = None
    sd: float | None = None
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class SearchMethod(ABC):
    """One published way to search."""

    name: ClassVar[str]
    reference: ClassVar[str]  # paper and where in it, as the catalogue prints it

    @abstractmethod
    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """The runs to make next, side by side; empty when the method has what it needs.

        Never more than what is left of `problem.runs`. Failed runs count, and are not repeated.

        Raises:
            UserError: the budget is too small for the method, or all runs failed.
        """

    @abstractmethod
    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """Mixtures that the runs speak for, best first, at least one."""


methods: Registry[SearchMethod] = Registry("method", "mixtures.methods")


class Search:
    """A method at work on a problem: ask, measure, tell, until nothing is asked."""

    def __init__(self, method: SearchMethod, problem: Problem) -> None:
        self.method, self.problem = method, problem
        self.runs: list[Run] = []

    def ask(self) -> list[Ask]:
        """The runs to make next; empty when the search is over."""
        with threadpool_limits(1):  # sums over several threads differ in their last bits
            return self.method.ask(self.problem, self.runs)

    def tell(self, runs: Sequence[Run]) -> None:
        """Takes what was measured, in the order of the asking."""
        self.runs.extend(runs)

    def propose(self) -> list[Proposal]:
        """What the method takes the best mixtures to be."""
        with threadpool_limits(1):
            return self.method.propose(self.problem, self.runs)


def finished(runs: Sequence[Run]) -> list[Run]:
    """Those that did not fail."""
    return [run for run in runs if not run.failure]


def draw(problem: Problem, *parts: object) -> np.random.Generator:
    """Random numbers that belong to a place in a search: same seed and parts, same numbers."""
    words = [ord(letter) for part in parts for letter in f"{part}\0"]
    return np.random.default_rng([problem.seed, *words])
