"""CLIMB: a swarm that is refined in rounds, each from what the last fit holds to be best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from curation.errors import UserError
from mixtures.methods.candidates import asks, distinct, enough, measured, outstanding, ranked
from mixtures.methods.fitting import Choice, check_budget, fit_objective
from mixtures.methods.method import Problem, Proposal, SearchMethod, draw, methods
from mixtures.predictors.predictor import Fit
from mixtures.runs import Ask, Run
from mixtures.sampling import Dirichlet
from mixtures.space import Floats


@methods.register("climb")
@dataclass(frozen=True, kw_only=True)
class Climb(SearchMethod):
    """CLIMB's search (Diao et al. 2025, 2504.13161) over given domains.

    One pool of mixtures is drawn for the whole search, around the token counts. The first round
    measures its first ones; each later round fits all runs so far, takes the top of the pool's
    unmeasured mixtures, and measures a random part of it. Rounds of 64, 32 and 16 runs in the
    paper: 4:2:1 of the budget here.

    Deviations. Neither pool, top nor the concentration's strength are given in numbers: the pool is
    `pool` mixtures, the top `top` times as many as are measured, the strengths those of RegMix.
    Of its LightGBM depth 4 and leaves of 5 are given; its L1 and L2 are not, .1 each here.
    Beside the argmax of the last fit, which is CLIMB's result, the best measured mixture is
    proposed: in a reproduction the argmax lost to it (liujin99/climbmix).

    Attributes:
        split: runs of the rounds, in proportion.
        sampler: of the pool.
        pool: mixtures.
        top: most promising mixtures per one that is measured, from 1.
        predictor: a predictor's name, or {name: parameters}; one fit per target.
    """

    reference = "CLIMB, 2504.13161, section 3.2"

    split: tuple[int, ...] = (4, 2, 1)
    sampler: Dirichlet = field(default_factory=lambda: Dirichlet(temperature=1.0, max_usage=None))
    pool: int = 20_000
    top: float = 2.0
    predictor: Choice = field(
        default_factory=lambda: {"lightgbm": {"max_depth": 4, "min_leaf": 5, "l1": 0.1, "l2": 0.1}}
    )

    def __post_init__(self) -> None:
        if not self.split or min(self.split) < 1:
            raise ValueError(f"split must be parts from 1. Got {list(self.split)}.")
        if self.top < 1:
            raise ValueError(f"top must be at least 1. Got {self.top}.")

    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """What is left of the round that the runs have come to."""
        pool = self._pool(problem)
        for start, end in self._rounds(problem.runs):
            if len(runs) < end:
                chosen = self._choose(problem, runs[:start], pool, end - start)
                return outstanding(problem, runs, asks(chosen))
        return []

    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """The argmax over the pool, the best measured, and what the fit ranks next."""
        fit = fit_objective(problem, runs, self.predictor)
        return distinct(self._proposals(problem, runs, fit))

    def _proposals(self, problem: Problem, runs: Sequence[Run], fit: Fit) -> Iterator[Proposal]:
        best = ranked(fit, self._pool(problem), f"best of a pool of {self.pool:,}")
        yield next(best)
        yield next(measured(problem, runs))
        yield from best

    def _rounds(self, budget: int) -> list[tuple[int, int]]:
        """First and end run of each round."""
        if budget < len(self.split):
            raise UserError(
                f"{len(self.split)} rounds need as many runs, there are {budget}",
                where="budget.runs",
                hint="Ask for more runs, or shorten the method's split.",
            )
        count, whole = len(self.split), sum(self.split)
        shares = [round(budget * part / whole) for part in accumulate(self.split)]
        ends = [min(max(end, n), budget - count + n) for n, end in enumerate(shares, 1)]
        return list(pairwise([0, *ends]))

    def _pool(self, problem: Problem) -> Floats:
        count = max(self.pool, problem.runs)
        rng = draw(problem, "climb", "pool")
        return enough(problem, self.sampler.sample(problem.space, count, rng))

    def _choose(self, problem: Problem, runs: Sequence[Run], pool: Floats, count: int) -> Floats:
        """The mixtures of the round that comes after `runs`."""
        if not runs:
            check_budget(problem, self.predictor, pool[:count])
            return pool[:count]
        fit = fit_objective(problem, runs, self.predictor)
        made = {run.ask.weights for run in runs}
        fresh = np.array([row for row in pool if tuple(row.tolist()) not in made])
        top = np.argsort(fit.mean(fresh), kind="stable")[: round(self.top * count)]
        rng = draw(problem, "climb", len(runs))
        return np.asarray(fresh[rng.choice(top, min(count, len(top)), replace=False)])
