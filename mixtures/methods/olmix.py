"""Olmix: a log-linear law per target, and the exact optimum near the natural mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from curation.errors import UserError
from mixtures.freeze import Frozen
from mixtures.methods.candidates import asks, distinct, measured, outstanding, predicted, swarm
from mixtures.methods.fitting import Choice, check_budget, fit_objective, smooth
from mixtures.methods.method import Problem, Proposal, SearchMethod, methods
from mixtures.predictors.predictor import Fit
from mixtures.runs import Ask, Run, weights_of
from mixtures.sampling import Dirichlet
from mixtures.simplex import minimise

_RUNS_PER_PARAMETER = 3  # K >= 3 (m + 1): the law of one target has m + 1 parameters
_PATH = (1.0, 0.0, 5.0)  # of the KL term's weight: as asked, without, and nearer to natural


@methods.register("olmix")
@dataclass(frozen=True, kw_only=True)
class Olmix(SearchMethod):
    """Olmix (2602.12237): K >= 3(m+1) runs, a law c + exp(A.p) per target, a convex optimum.

    It minimises the fitted objective + kl_weight KL(p || natural) under the caps of the space. The
    swarm keeps to `min_weights` and `max_weights` but not to `max_epochs`: repetition is a
    constraint of the optimum, not of what is learnt from. With `frozen` domains the search is over
    one virtual domain in their place (mixture reuse), and m is the smaller number.

    Deviations: the objective is the problem's weighted sum instead of the plain mean of tasks; with
    frozen domains KL is taken between mixtures that have the virtual domain as one.

    Attributes:
        sampler: of the swarm: around the natural prior itself, least weight .002, dense as for
            sources; the paper's swarms over topics are sparse.
        kl_weight: lambda, from 0; .05 in the paper, for losses in bits per byte.
        frozen: weights of domains in an earlier mixture; they keep those ratios.
        predictor: whose fits are convex.
    """

    reference = "Olmix, 2602.12237, sections 3 to 5"

    sampler: Dirichlet = field(
        default_factory=lambda: Dirichlet(
            temperature=1.0, min_weight=2e-3, dense=True, max_usage=None
        )
    )
    kl_weight: float = 0.05
    frozen: dict[str, float] = field(default_factory=dict)
    predictor: Choice = "log_linear"

    def __post_init__(self) -> None:
        if self.kl_weight < 0:
            raise ValueError(f"kl_weight must be at least 0. Got {self.kl_weight}.")

    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """The whole swarm at once."""
        free = Frozen(replace(problem.space, max_epochs=None), self.frozen)
        _check_runs(problem.runs, len(free.space.domains))
        wanted = swarm(problem, self.sampler, free.space)
        if not runs:
            check_budget(_lower(problem, free), self.predictor, wanted)
        return outstanding(problem, runs, asks(free.lift(wanted)))

    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """The optimum, those with the prior at other weights, then the swarm's best measured."""
        free = Frozen(problem.space, self.frozen)
        fit = fit_objective(_lower(problem, free), _lower_runs(runs, free), self.predictor)
        proposals = [self._optimum(free, fit, factor) for factor in _PATH]
        return distinct([*proposals, *measured(problem, runs)])

    def _optimum(self, free: Frozen, fit: Fit, factor: float) -> Proposal:
        """Where the fitted objective and `factor` times the KL term are least."""
        space, kl_weight = free.space, factor * self.kl_weight
        found = minimise(smooth(fit), space.floors, space.caps, space.natural, kl_weight=kl_weight)
        at = predicted(fit, found.weights, f"optimum with KL x {kl_weight:g}")
        return replace(at, weights=free.lift(found.weights))


def _check_runs(runs: int, domains: int) -> None:
    least = _RUNS_PER_PARAMETER * (domains + 1)
    if runs < least:
        raise UserError(
            f"olmix needs {least} runs for {domains} domains, there are {runs}",
            where="budget.runs",
            hint="Ask for more runs, or freeze domains that did not change.",
        )


def _lower(problem: Problem, free: Frozen) -> Problem:
    """The problem over free and virtual domains."""
    owners = {name: at for name, at in problem.owners.items() if at in free.space.domains}
    return replace(problem, space=free.space, owners=owners)


def _lower_runs(runs: Sequence[Run], free: Frozen) -> list[Run]:
    """The runs that keep the frozen ratios, over free and virtual domains."""
    if not runs:
        return []
    weights = weights_of(runs)
    low = free.lower(weights)
    kept = np.abs(free.lift(low) - weights).max(1) < 1e-6
    return [
        replace(run, ask=replace(run.ask, weights=tuple(row.tolist())))
        for run, row, keeps in zip(runs, low, kept.tolist(), strict=True)
        if keeps
    ]
