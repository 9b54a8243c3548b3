"""Steps that methods share: swarms, what is left to ask, and lists of distinct proposals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from curation.errors import UserError
from mixtures.distances import tv
from mixtures.methods.method import Problem, Proposal, draw, finished
from mixtures.predictors.predictor import Fit
from mixtures.runs import Ask, Run
from mixtures.sampling import Dirichlet
from mixtures.simplex import project
from mixtures.space import Floats, Space

MIN_TV = 0.02  # of two proposals: less than this share moved is the same mixture to a reader
_BATCH = 256  # of the standard errors, which may cost more than the means
PROPOSALS = 5  # the loop confirms three, and a mixture may fail to beat what was measured


def swarm(problem: Problem, sampler: Dirichlet, space: Space | None = None) -> Floats:
    """Mixtures for the whole budget of runs, (mixtures, domains).

    The draws belong to the seed and the sampler, not to the method: methods that sample alike
    ask for the same runs, which are then made once.

    Raises:
        UserError: the space has too few distinct mixtures.
    """
    rng = draw(problem, "swarm")
    return enough(problem, sampler.sample(space or problem.space, problem.runs, rng))


def enough(problem: Problem, found: Floats) -> Floats:
    """`found`, if it holds a mixture for every run.

    Raises:
        UserError: it does not.
    """
    if len(found) < problem.runs:
        raise UserError(
            f"found {len(found)} distinct mixtures for {problem.runs} runs",
            where="constraints",
            hint="Widen floors and caps, lower min_distance, or set budget.runs lower.",
        )
    return found


def asks(weights: Floats, size: int = 0) -> list[Ask]:
    """Asks for mixtures, (mixtures, domains)."""
    return [Ask(weights=tuple(row), size=size) for row in weights.tolist()]


def outstanding(problem: Problem, runs: Sequence[Run], wanted: Sequence[Ask]) -> list[Ask]:
    """What of `wanted` has no run yet, within what is left of the budget."""
    made = {run.ask for run in runs}
    return [ask for ask in wanted if ask not in made][: max(0, problem.runs - len(runs))]


def usable(runs: Sequence[Run], size: int = 0) -> list[Run]:
    """The finished runs of one size.

    Raises:
        UserError: there are none.
    """
    found = [run for run in finished(runs) if run.ask.size == size]
    if not found:
        failures = [run.failure for run in runs if run.failure]
        what = f"all {len(runs)} runs failed" if runs else "no run was made"
        hint = f"The first: {failures[0]}" if failures else "Run what is asked for first."
        raise UserError(what, where="search", hint=hint)
    return found


def measured(problem: Problem, runs: Sequence[Run]) -> Iterator[Proposal]:
    """The mixtures of runs, best measured first; those outside the space moved to its edge."""
    for run in sorted(usable(runs), key=problem.value):
        weights = np.array(run.ask.weights)
        if problem.space.inside(weights):
            yield Proposal(weights, by="measured")
        else:
            edge = project(weights, problem.space.floors, problem.space.caps)
            yield Proposal(edge, by="measured outside the constraints, moved inside")


def predicted(fit: Fit, weights: Floats, by: str) -> Proposal:
    """One mixture (domains,) with what the fit expects of it."""
    row = weights[None]
    return Proposal(weights=weights, mean=float(fit.mean(row)[0]), sd=float(fit.sd(row)[0]), by=by)


def ranked(fit: Fit, weights: Floats, by: str) -> Iterator[Proposal]:
    """Mixtures (mixtures, domains) by predicted objective, best first, as far as they are asked."""
    means = fit.mean(weights)
    order = np.argsort(means, kind="stable")
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        for row, sd in zip(rows, fit.sd(weights[rows]), strict=True):
            yield Proposal(weights=weights[row], mean=float(means[row]), sd=float(sd), by=by)


def distinct(proposals: Iterable[Proposal], count: int = PROPOSALS) -> list[Proposal]:
    """The first `count` that are `MIN_TV` or more from all before them."""
    kept: list[Proposal] = []
    for proposal in proposals:
        if len(kept) == count:
            break
        if all(float(tv(proposal.weights, other.weights)) >= MIN_TV for other in kept):
            kept.append(proposal)
    return kept
