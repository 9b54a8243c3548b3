"""Random search: a Dirichlet swarm, and the best measured of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mixtures.methods.candidates import asks, distinct, measured, outstanding, swarm
from mixtures.methods.method import Problem, Proposal, SearchMethod, methods
from mixtures.runs import Ask, Run
from mixtures.sampling import Dirichlet


@methods.register("random")
@dataclass(frozen=True, kw_only=True)
class Random(SearchMethod):
    """What every method has to beat at equal runs; it predicts nothing.

    Attributes:
        sampler: of the swarm; RegMix's, so that the two share their runs.
    """

    reference = "Bergstra and Bengio 2012; draws of RegMix (2407.01492)"

    sampler: Dirichlet = field(default_factory=Dirichlet)

    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """The whole swarm at once."""
        return outstanding(problem, runs, asks(swarm(problem, self.sampler)))

    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """The best measured mixtures inside the space."""
        return distinct(measured(problem, runs))
