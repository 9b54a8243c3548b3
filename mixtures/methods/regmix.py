"""RegMix: one swarm, one regression, and the mean of the best simulated mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mixtures.methods.candidates import asks, distinct, outstanding, predicted, ranked, swarm
from mixtures.methods.fitting import Choice, check_budget, fit_objective
from mixtures.methods.method import Problem, Proposal, SearchMethod, draw, methods
from mixtures.runs import Ask, Run
from mixtures.sampling import Dirichlet


def _simulation() -> Dirichlet:
    """Dirichlet(natural), as the notebook of the paper simulates."""
    return Dirichlet(
        temperature=1.0, min_strength=1.0, max_strength=1.0, strengths=1, min_weight=0.0,
        max_usage=None, min_distance=None,
    )  # fmt: skip


@methods.register("regmix")
@dataclass(frozen=True, kw_only=True)
class RegMix(SearchMethod):
    """RegMix (Liu et al. 2024, 2407.01492): regression on a Dirichlet swarm.

    512 proxies in the paper; here the budget decides. Deviations: the objective may be a weighted
    sum of targets, with one regression each; simulated mixtures keep to floors and caps.

    Attributes:
        sampler: of the swarm.
        predictor: a predictor's name, or {name: parameters}; one fit per target.
        simulation: of the candidates.
        simulated: candidates; 100,000 in the code, 1,000,000 in the paper.
        top: best candidates that are averaged; 128 in the code, 100 in the paper.
    """

    reference = "RegMix, 2407.01492, section 3 and sail-sg/regmix"

    sampler: Dirichlet = field(default_factory=Dirichlet)
    predictor: Choice = "lightgbm"
    simulation: Dirichlet = field(default_factory=_simulation)
    simulated: int = 100_000
    top: int = 128

    def __post_init__(self) -> None:
        if not 1 <= self.top <= self.simulated:
            raise ValueError(f"top must be from 1 to simulated, {self.simulated}. Got {self.top}.")

    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """The whole swarm at once."""
        wanted = swarm(problem, self.sampler)
        if not runs:
            check_budget(problem, self.predictor, wanted)
        return outstanding(problem, runs, asks(wanted))

    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """The mean of the best candidates, then the best candidates themselves."""
        fit = fit_objective(problem, runs, self.predictor)
        rng = draw(problem, "regmix", "simulation")
        simulated = self.simulation.sample(problem.space, self.simulated, rng)
        best = simulated[np.argsort(fit.mean(simulated), kind="stable")[: self.top]]
        mean = predicted(fit, best.mean(0), f"mean of the {len(best)} best of {len(simulated):,}")
        return distinct([mean, *ranked(fit, best, f"best of {len(simulated):,} simulated")])
