"""MixMin: the mixture whose ensemble of single-domain models predicts the target best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.errors import UserError
from mixtures.methods.candidates import asks, distinct, measured, outstanding, usable
from mixtures.methods.method import Problem, Proposal, SearchMethod, methods
from mixtures.runs import Ask, Documents, Run
from mixtures.simplex import minimise
from mixtures.space import Floats

_LEAST = 1e-300  # weight, so that a domain that is not allowed has a finite logarithm


@methods.register("mixmin")
@dataclass(frozen=True, kw_only=True)
class MixMin(SearchMethod):
    """One run per domain, then a convex problem instead of more runs.

    For a class of models rich enough, the model trained on a mixture is the mixture of the models
    trained on its parts. So with p_i the model of domain i it takes the weights that minimise

        - sum_targets objective * sum_x log(sum_i w_i p_i(x)) / bytes

    which is the bits per byte of the ensemble, by exponentiated gradient from the uniform mixture,
    first step 1, at most 100.

    Deviations. Documents of a target are pooled by bytes, as its loss is, where the paper averages
    a per-token loss over documents. Its fixed step of 1 leaves long documents at uniform, as their
    gradient is divided by their length: here the loss is that of a whole document and the step is
    found by backtracking. Its stop, all gradients below 1e-4, cannot happen on a simplex, where
    they sum to a constant: here it is the duality gap. Floors and caps hold in every step. A domain
    whose run failed gets what they leave it. The paper knows neither repeats nor the other
    domains' help to a model: it takes what a domain's model predicts for what the domain is worth.

    Attributes:
        max_steps: of the gradient, from 1.
        tolerance: most nats per document that the optimum may still be better by, above 0.
    """

    reference = "Thudi et al. 2025 (2502.10510), section 4; code: mixmin_gen.py"

    max_steps: int = 100
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        if self.max_steps < 1 or not self.tolerance > 0:
            raise ValueError(
                "max_steps must be at least 1 and tolerance above 0. "
                f"Got {self.max_steps} and {self.tolerance}."
            )

    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """One run per domain, on nothing else."""
        domains = len(problem.space.domains)
        if problem.runs < domains:
            raise UserError(
                f"mixmin needs a run per domain: {domains}, not {problem.runs}",
                where="budget.runs",
                hint="Raise budget.runs, or search fewer domains.",
            )
        return outstanding(problem, runs, asks(np.eye(domains)))

    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """The optimum of the ensemble, then the best single domains as far as they are allowed."""
        vertices = usable([run for run in runs if max(run.ask.weights) == 1])
        ensembles = [_Ensemble.of(vertices, target) for target in problem.objective]
        parts = np.array(list(problem.objective.values()))
        scale = float(parts @ [ensemble.bits_per_document for ensemble in ensembles])

        def loss(weights: Floats) -> tuple[float, Floats]:
            values, gradients = zip(*(e.loss(weights) for e in ensembles), strict=True)
            return scale * float(parts @ values), scale * (parts @ np.array(gradients))

        space, domains = problem.space, len(problem.space.domains)
        best = minimise(
            loss,
            space.floors,
            space.caps,
            np.full(domains, 1 / domains),
            tolerance=self.tolerance,
            max_steps=self.max_steps,
        )
        by = "ensemble of single-domain models"
        optimum = Proposal(weights=best.weights, mean=best.value / scale, by=by)
        return distinct([optimum, *measured(problem, vertices)])


@dataclass(frozen=True)
class _Ensemble:
    """The documents of a target under the models of the domains.

    Attributes:
        log_p: of each document by each model, (documents, domains); -inf for a failed run.
        bytes: of each document, (documents,).
    """

    log_p: Floats
    bytes: Floats

    @classmethod
    def of(cls, vertices: Sequence[Run], target: str) -> _Ensemble:
        found = {int(np.argmax(run.ask.weights)): _documents(run, target) for run in vertices}
        any_found = next(iter(found.values()))
        log_p = np.full((len(any_found.bytes), len(vertices[0].ask.weights)), -np.inf)
        for domain, documents in found.items():
            log_p[:, domain] = -documents.nats
        return cls(log_p, any_found.bytes)

    @property
    def bits_per_document(self) -> float:
        """Nats of a document of mean length at a bit per byte."""
        return math.log(2) * float(self.bytes.mean())

    def loss(self, weights: Floats) -> tuple[float, Floats]:
        """Bits per byte of the ensemble, and its gradient (domains,)."""
        joint = self.log_p + np.log(np.maximum(weights, _LEAST))
        top = joint.max(1, keepdims=True)
        log_mixed = top + np.log(np.exp(joint - top).sum(1, keepdims=True))
        bits = math.log(2) * self.bytes.sum()
        return -float(log_mixed.sum() / bits), -np.exp(self.log_p - log_mixed).sum(0) / bits


def _documents(run: Run, target: str) -> Documents:
    if target not in run.documents:
        raise UserError(
            f"mixmin combines models document by document, and target '{target}' has none",
            where=f"objective.{target}",
            hint="Take panels of text as targets, or another method.",
        )
    return run.documents[target]
