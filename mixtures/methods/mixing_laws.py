"""Data Mixing Laws: losses carried to the target's steps and size, then a law over mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from curation.errors import UserError
from mixtures.methods.candidates import (
    asks,
    distinct,
    measured,
    outstanding,
    predicted,
    swarm,
    usable,
)
from mixtures.methods.fitting import Choice, fit_objective, smooth
from mixtures.methods.method import Problem, Proposal, SearchMethod, finished, methods
from mixtures.power_law import LEAST_POINTS, fit_power_laws
from mixtures.runs import Ask, Run
from mixtures.sampling import Dirichlet
from mixtures.simplex import minimise
from mixtures.space import Floats


@methods.register("mixing_laws")
@dataclass(frozen=True, kw_only=True)
class MixingLaws(SearchMethod):
    """Nested laws: runs that are short and small stand for the target run.

    1. Step law: per size, L(tokens) = c + (D0 / tokens)^alpha over the points of each run, read at
       the target's tokens; c and D0 per run and target, alpha of the size. Huber delta .02.
    2. Size law: L(params) = c + (N0 / params)^alpha over the sizes below the target's, read at its
       size; c and N0 per mixture and target. Huber delta .08.
    3. Mixing law: L_i(r) = c_i + k_i exp(sum_j t_ij r_j) per target over the mixtures, by L-BFGS
       and Huber; their weighted sum is convex for k above 0, so that its optimum is exact.

    A law that has nothing to stand on is left out, and proposals say which and why: the size law
    below three proxies smaller than the target or too few runs for all of them, the step law where
    runs have fewer than two earlier points or the target is no longer than they are.

    Deviations: targets are given, so the paper's implicit domains (boosted networks of exponential
    units, which it fits for validation text of unknown make-up) are not needed. Mixtures are drawn
    dense around the tempered natural one instead of from halved shares: an exponential cannot
    follow a loss that is steep where a domain is nearly absent, and a swarm as sparse as RegMix's
    fits that and misses the optimum. Starts are those of `power_law` and of the predictor.

    Attributes:
        sampler: of the mixtures; each is run at every size.
        points: shares of a run at which it is measured for the step law, in (0, 1); from a third of
            the run on, as the code fits: what is before it falls faster and bends the law.
        predictor: the mixing law.
        step_delta: of the step law's Huber loss.
        size_delta: of the size law's.
    """

    reference = "Data Mixing Laws, 2403.16952, sections 3 and 4; yegcjs/mixinglaws"

    sampler: Dirichlet = field(
        default_factory=lambda: Dirichlet(min_strength=2.0, max_strength=16.0)
    )
    points: tuple[float, ...] = (0.35, 0.5, 0.65, 0.8)
    predictor: Choice = "log_linear"
    step_delta: float = 0.02
    size_delta: float = 0.08

    def __post_init__(self) -> None:
        if not all(0 < point < 1 for point in self.points):
            raise ValueError(f"points must be in (0, 1). Got {self.points}.")
        if not min(self.step_delta, self.size_delta) > 0:
            raise ValueError(
                "step_delta and size_delta must be above 0. "
                f"Got {self.step_delta} and {self.size_delta}."
            )

    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """Every mixture at every size of the ladder, at once."""
        sizes, _ = _ladder(problem)
        least = _least_mixtures(problem)
        if problem.runs < least:
            raise UserError(
                f"mixing_laws needs {least} runs for {len(problem.space.domains)} domains, "
                f"there are {problem.runs}",
                where="budget.runs",
                hint="Ask for more runs, or search fewer domains.",
            )
        weights = swarm(replace(problem, runs=problem.runs // len(sizes)), self.sampler)
        longer = [problem.target.tokens > problem.sizes[size].tokens for size in sizes]
        wanted = [
            replace(ask, size=size, points=self.points if extends else ())
            for ask in asks(weights)
            for size, extends in zip(sizes, longer, strict=True)
        ]
        return outstanding(problem, runs, wanted)

    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """The optimum of the mixing law, then the best measured."""
        at_target, by = self._carried(problem, runs)
        fit = fit_objective(problem, at_target, self.predictor)
        space = problem.space
        best = minimise(smooth(fit), space.floors, space.caps, space.natural)
        optimum = predicted(fit, best.weights, f"mixing law; {by}")
        return distinct([optimum, *measured(problem, at_target)])

    def _carried(self, problem: Problem, runs: Sequence[Run]) -> tuple[list[Run], str]:
        """The runs as they would be at the target, one per mixture, and by which laws."""
        mixtures, why_no_size_law = _mixtures(problem, runs)
        curves = [
            _Curves.of(problem, [by_size[size] for by_size in mixtures]) for size in mixtures[0]
        ]
        losses, steps = self._at_tokens(problem, curves)
        if why_no_size_law:
            at_target, sizes = losses[0], f"no size law: {why_no_size_law}"
        else:
            params = np.array([problem.sizes[size].params for size in mixtures[0]], float)
            law = fit_power_laws(params, np.stack(losses, 1), self.size_delta)
            at_target = law.at(problem.target.params)
            sizes = f"size law to {problem.target.params:,} parameters"
        return _as_runs(problem, mixtures, at_target), f"{steps}; {sizes}"

    def _at_tokens(self, problem: Problem, sizes: Sequence[_Curves]) -> tuple[list[Floats], str]:
        """Losses per size, (mixtures * targets,), at the target's tokens as far as can be."""
        target = problem.target.tokens
        points = [len(curves.tokens) for curves in sizes if curves.tokens[-1] < target]
        final = [curves.losses[:, -1] for curves in sizes]
        if not points:
            return final, "no step law: the target is no longer than the runs"
        if min(points) < LEAST_POINTS:
            need = f"{LEAST_POINTS - 1} earlier points of every run, there are {min(points) - 1}"
            return final, f"no step law: it takes {need}"
        carried = [
            fit_power_laws(curves.tokens, curves.losses, self.step_delta).at(target)
            if curves.tokens[-1] < target
            else end
            for curves, end in zip(sizes, final, strict=True)
        ]
        return carried, f"step law to {target:,} tokens"


@dataclass(frozen=True)
class _Curves:
    """Runs of one size.

    Attributes:
        tokens: points that all of them share, the end last, (points,).
        losses: (mixtures * targets, points).
    """

    tokens: Floats
    losses: Floats

    @classmethod
    def of(cls, problem: Problem, runs: Sequence[Run]) -> _Curves:
        size = problem.sizes[runs[0].ask.size]
        shared = set.intersection(*({point.tokens for point in run.curve} for run in runs))
        end = min(run.tokens or size.tokens for run in runs)
        rows = [
            [*(p.losses[name] for p in run.curve if p.tokens in shared), run.losses[name]]
            for run in runs
            for name in problem.objective
        ]
        return cls(np.array([*sorted(shared), end], float), np.array(rows))


def _ladder(problem: Problem) -> tuple[tuple[int, ...], str]:
    """Sizes to run: all below the target's, or the first and why there can be no size law."""
    sizes, least = enumerate(problem.sizes), _least_mixtures(problem)
    smaller = tuple(i for i, size in sizes if size.params < problem.target.params)
    if len(smaller) < LEAST_POINTS:
        need = f"{LEAST_POINTS} proxies smaller than the target, there are {len(smaller)}"
        return (0,), f"it takes {need}"
    if problem.runs < least * len(smaller):
        need = f"{least} mixtures at {len(smaller)} sizes, there are {problem.runs} runs"
        return (0,), f"it takes {need}"
    return smaller, ""


def _least_mixtures(problem: Problem) -> int:
    """Parameters of the mixing law of a target: c, and t of each domain with k in it."""
    return len(problem.space.domains) + 1


def _mixtures(problem: Problem, runs: Sequence[Run]) -> tuple[list[dict[int, Run]], str]:
    """Per mixture its run at each size, and why there can be no size law.

    Where too few mixtures finished at every size it is the size with most of them.

    Raises:
        UserError: no run finished.
    """
    ladder, why_not = _ladder(problem)
    found = _finished_at(ladder, runs)
    if len(ladder) > 1 and len(found) < _least_mixtures(problem):
        why_not = f"{len(found)} mixtures finished at every size"
        found = max((_finished_at((size,), runs) for size in ladder), key=len)
    if not found:
        usable(runs, ladder[0])
    return found, why_not


def _finished_at(ladder: Sequence[int], runs: Sequence[Run]) -> list[dict[int, Run]]:
    """Per mixture its run at each size, for mixtures that finished at all of them."""
    mixtures: dict[tuple[float, ...], dict[int, Run]] = {}
    for run in finished(runs):
        if run.ask.size in ladder:
            mixtures.setdefault(run.ask.weights, {})[run.ask.size] = run
    whole = [by_size for by_size in mixtures.values() if len(by_size) == len(ladder)]
    return [{size: by_size[size] for size in ladder} for by_size in whole]


def _as_runs(problem: Problem, mixtures: list[dict[int, Run]], losses: Floats) -> list[Run]:
    """One run per mixture with losses (mixtures * targets,)."""
    asked = [next(iter(by_size.values())).ask.weights for by_size in mixtures]
    table = losses.reshape(len(mixtures), -1).tolist()
    return [
        Run(Ask(weights), dict(zip(problem.objective, row, strict=True)))
        for weights, row in zip(asked, table, strict=True)
    ]
