"""BiMix: a law of each domain's own share and of the tokens read, and the optimum of their sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from curation.errors import UserError
from mixtures.bimix_law import LEAST_SHARE, BiMixLaw, fit_bimix_law
from mixtures.methods.candidates import (
    asks,
    distinct,
    measured,
    outstanding,
    predicted,
    swarm,
    usable,
)
from mixtures.methods.fitting import smooth
from mixtures.methods.method import Problem, Proposal, SearchMethod, methods
from mixtures.runs import Ask, Run
from mixtures.sampling import Dirichlet
from mixtures.simplex import minimise, project
from mixtures.space import Floats

_LEAST_RUNS = 3  # that a law of one share needs


@methods.register("bimix")
@dataclass(frozen=True, kw_only=True)
class BiMix(SearchMethod):
    """BiMix (Ge et al. 2024, 2405.14908): L_i(r_i, s) = (A_i / r_i^alpha_i) (B_i / s^beta_i + C_i).

    A few runs, each measured at several points, give one law per target, jointly in the share of
    the target's domain and in the tokens read. It is read at the tokens of the target run, and the
    weighted sum of targets, which is convex, is minimised. Where runs have no earlier points the
    law is that of the share alone. Every target must be held-out text of a domain.

    The paper's proxy without a law, shares in proportion to exp(entropy), is proposed second where
    runs tell how well documents are predicted. Deviations: the entropy is the least cross-entropy
    of any run in nats per byte, not per token of a conditional model of its own; mixtures are drawn
    dense around the tempered natural one, as the law has no value for an absent domain.

    Attributes:
        sampler: of the mixtures; that of `mixing_laws`.
        points: shares of a run at which it is measured, in (0, 1), where the target is longer;
            those of `mixing_laws`, so that the two share their runs.
    """

    reference = "BiMix, 2405.14908, section 3"

    sampler: Dirichlet = field(
        default_factory=lambda: Dirichlet(min_strength=2.0, max_strength=16.0)
    )
    points: tuple[float, ...] = (0.35, 0.5, 0.65, 0.8)

    def __post_init__(self) -> None:
        if not all(0 < point < 1 for point in self.points):
            raise ValueError(f"points must be in (0, 1). Got {self.points}.")

    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """The whole swarm at once."""
        _owned(problem)
        if problem.runs < _LEAST_RUNS:
            raise UserError(
                f"bimix needs {_LEAST_RUNS} runs, there are {problem.runs}",
                where="budget.runs",
                hint="Ask for more runs.",
            )
        longer = problem.target.tokens > problem.sizes[0].tokens
        wanted = asks(swarm(problem, self.sampler))
        points = self.points if longer else ()
        return outstanding(problem, runs, [replace(ask, points=points) for ask in wanted])

    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """The optimum of the laws, then of the entropies, then the best measured."""
        done, space = usable(runs), problem.space
        fit = _Laws.of(problem, done)
        best = minimise(smooth(fit), space.floors, space.caps, space.natural)
        optimum = predicted(
            fit, best.weights, "law of share and tokens" if fit.joint else "law of share"
        )
        return distinct([optimum, *_by_entropy(problem, done), *measured(problem, done)])


@dataclass(frozen=True)
class _Laws:
    """The objective at the target run: a `Fit`."""

    laws: tuple[BiMixLaw, ...]
    parts: Floats
    own: list[int]
    tokens: int

    @classmethod
    def of(cls, problem: Problem, runs: Sequence[Run]) -> _Laws:
        own = _owned(problem)
        laws = [_law(problem, runs, *pair) for pair in zip(problem.objective, own, strict=True)]
        parts = np.array(list(problem.objective.values()))
        return cls(tuple(laws), parts, own, problem.target.tokens)

    @property
    def joint(self) -> bool:
        """Whether tokens are in it."""
        return all(law.scale > 0 for law in self.laws)

    def mean(self, weights: Floats) -> Floats:
        return np.asarray(self._losses(weights) @ self.parts)

    def sd(self, weights: Floats) -> Floats:
        """As if the errors of the laws were independent of each other."""
        errors = np.array([law.error for law in self.laws])
        return np.asarray(np.sqrt((self._losses(weights) ** 2) @ (self.parts * errors) ** 2))

    def _losses(self, weights: Floats) -> Floats:
        pairs = zip(self.laws, self.own, strict=True)
        return np.stack([law.at(weights[:, domain], self.tokens) for law, domain in pairs], 1)


def _owned(problem: Problem) -> list[int]:
    """The domain of each target.

    Raises:
        UserError: a target has none.
    """
    own = {name: problem.own(name) for name in problem.objective}
    for name, domain in own.items():
        if domain is None:
            raise UserError(
                f"bimix predicts the loss on a domain from its share, and '{name}' is none",
                where=f"objective.{name}",
                hint="Take panels held out of the domains, or another method.",
            )
    return [domain for domain in own.values() if domain is not None]


def _law(problem: Problem, runs: Sequence[Run], target: str, domain: int) -> BiMixLaw:
    """Of all points of all runs."""
    rows = [
        (run.ask.weights[domain], tokens, losses[target])
        for run in runs
        for tokens, losses in (
            *((point.tokens, point.losses) for point in run.curve),
            (run.tokens or problem.sizes[0].tokens, run.losses),
        )
    ]
    shares, tokens, values = np.array(rows, float).T
    if problem.space.caps[domain] - problem.space.floors[domain] < LEAST_SHARE:
        shares[:] = 1.0  # there is nothing to choose, and the share may be 0
    return fit_bimix_law(shares, tokens, values)


def _by_entropy(problem: Problem, runs: Sequence[Run]) -> Iterator[Proposal]:
    """Shares in proportion to exp(nats per byte) of the domains' held-out text."""
    shares = np.zeros(len(problem.space.domains))
    for target, domain in zip(problem.objective, _owned(problem), strict=True):
        texts = [run.documents[target] for run in runs if target in run.documents]
        if not texts:
            return
        shares[domain] = np.exp(min(text.nats.sum() / text.bytes.sum() for text in texts))
    weights = project(shares / shares.sum(), problem.space.floors, problem.space.caps)
    yield Proposal(weights, by="exp(entropy) of held-out text")
