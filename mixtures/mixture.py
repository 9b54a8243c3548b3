"""Mixture: which share of a token budget each domain gets, and how often that repeats it.

Repeats are weights here, never copied rows: a weight above a domain's share of the tokens means
that the trainer passes over the domain more than once. `max_epochs` bounds that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from curation.errors import UserError, closest
from mixtures import distances
from mixtures.space import Floats

Weights = Literal["natural", "uniform"] | dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Simplex weights over domains, with the tokens that each domain has.

    Build one with `natural`, `uniform` or `from_weights`: they normalise and apply the cap.

    Attributes:
        weights: share of the budget per domain, in [0, 1], summing to 1.
        tokens: tokens available per domain, each once.
        budget: tokens to train on.
        max_epochs: most passes over any domain; None for no limit.
        used: tokens already taken from domains, by earlier phases of the same run; they count
            towards `max_epochs`.
    """

    weights: dict[str, float]
    tokens: dict[str, int]
    budget: int
    max_epochs: float | None = None
    used: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.weights.keys() != self.tokens.keys():
            raise ValueError("weights and tokens must name the same domains")
        if not math.isclose(sum(self.weights.values()), 1.0, abs_tol=1e-9):
            raise ValueError(f"weights must sum to 1, got {sum(self.weights.values())}")

    @classmethod
    def of(
        cls,
        weights: Weights,
        tokens: Mapping[str, int],
        budget: int,
        max_epochs: float | None = None,
        used: Mapping[str, float] | None = None,
    ) -> Mixture:
        """The mixture that a recipe spells: `natural`, `uniform`, or explicit weights.

        Raises:
            UserError: as `from_weights`.
        """
        if weights == "natural":
            return cls.natural(tokens, budget, max_epochs, used)
        if weights == "uniform":
            return cls.uniform(tokens, budget, max_epochs, used)
        return cls.from_weights(weights, tokens, budget, max_epochs, used)

    @classmethod
    def natural(
        cls,
        tokens: Mapping[str, int],
        budget: int,
        max_epochs: float | None = None,
        used: Mapping[str, float] | None = None,
    ) -> Mixture:
        """Each domain in proportion to its tokens: every token is seen equally often.

        Raises:
            UserError: there are no tokens, or the cap cannot fill the budget.
        """
        return cls.from_weights(
            {d: float(n) for d, n in tokens.items()}, tokens, budget, max_epochs, used
        )

    @classmethod
    def uniform(
        cls,
        tokens: Mapping[str, int],
        budget: int,
        max_epochs: float | None = None,
        used: Mapping[str, float] | None = None,
    ) -> Mixture:
        """The same weight for each domain that has tokens.

        Raises:
            UserError: there are no tokens, or the cap cannot fill the budget.
        """
        weights = {domain: float(n > 0) for domain, n in tokens.items()}
        return cls.from_weights(weights, tokens, budget, max_epochs, used)

    @classmethod
    def from_weights(
        cls,
        weights: Mapping[str, float],
        tokens: Mapping[str, int],
        budget: int,
        max_epochs: float | None = None,
        used: Mapping[str, float] | None = None,
    ) -> Mixture:
        """Explicit weights, normalised; a domain without a weight gets none.

        Args:
            weights: non-negative numbers with a positive sum, for some or all domains.
            tokens: tokens available per domain.
            budget: tokens to train on, above 0.
            max_epochs: most passes over any domain, above 0; None for no limit.
            used: tokens that earlier phases took from each domain.

        Raises:
            UserError: a weight, the budget or the cap is impossible, a domain is unknown or
                empty, or the capped domains cannot fill the budget.
        """
        _check_numbers(weights, tokens, budget, max_epochs)
        total = sum(weights.values())
        wanted = {domain: weights.get(domain, 0.0) / total for domain in tokens}
        used = used or {}
        limits = _limits(wanted, tokens, budget, max_epochs, used)
        capped = _cap(wanted, limits)
        return cls(
            weights=capped, tokens=dict(tokens), budget=budget, max_epochs=max_epochs, used=used
        )

    @property
    def epochs(self) -> dict[str, float]:
        """Passes over each domain that the budget asks for; 0 for a domain that is not used."""
        return {
            domain: weight * self.budget / self.tokens[domain] if weight else 0.0
            for domain, weight in self.weights.items()
        }

    def l1(self, other: Mixture) -> float:
        """Sum of absolute differences of the weights, in [0, 2]."""
        return float(distances.l1(*self._beside(other)))

    def tv(self, other: Mixture) -> float:
        """Total variation: the share of the budget that differs, in [0, 1]."""
        return float(distances.tv(*self._beside(other)))

    def kl(self, other: Mixture) -> float:
        """KL(self || other) in nats; infinite if `other` lacks a domain that this one uses."""
        return float(distances.kl(*self._beside(other)))

    def _beside(self, other: Mixture) -> tuple[Floats, Floats]:
        """Both weights in one order; a domain that one of them does not know has none."""
        names = list(self.weights | other.weights)
        p, q = (np.array([m.weights.get(name, 0.0) for name in names]) for m in (self, other))
        return p, q


def _check_numbers(
    weights: Mapping[str, float], tokens: Mapping[str, int], budget: int, max_epochs: float | None
) -> None:
    for domain, weight in weights.items():
        if domain not in tokens:
            raise UserError(
                f"there is no domain '{domain}'.{closest(domain, tokens)}",
                where=f"weights.{domain}",
                hint=f"Domains with data: {', '.join(sorted(tokens)) or 'none'}",
            )
        if not (math.isfinite(weight) and weight >= 0):
            raise UserError(
                f"a weight must be a finite number >= 0. Got {weight} instead.",
                where=f"weights.{domain}",
            )
    if budget <= 0:
        raise UserError(f"the token budget must be above 0. Got {budget} instead.")
    if max_epochs is not None and not max_epochs > 0:
        raise UserError(f"must be above 0, or null. Got {max_epochs}.", where="max_epochs")
    if sum(tokens.values()) == 0:
        raise UserError("the corpus has no tokens to train on", hint="Did a stage drop everything?")
    if sum(weights.values()) <= 0:
        raise UserError("all weights are 0", where="weights", hint="Give one domain a weight > 0.")


def _limits(
    wanted: Mapping[str, float],
    tokens: Mapping[str, int],
    budget: int,
    max_epochs: float | None,
    taken: Mapping[str, float],
) -> dict[str, float]:
    """Largest weight per domain: what is left of `max_epochs` passes over it, of the budget."""
    if max_epochs is None:
        empty = [d for d, weight in wanted.items() if weight and not tokens[d]]
        if empty:
            raise UserError(
                "the domain has a weight but no tokens",
                where=f"weights.{empty[0]}",
                hint="Give it weight 0, more data, or set max_epochs.",
            )
        return dict.fromkeys(wanted, 1.0)
    left = {d: max(0.0, max_epochs * tokens[d] - taken.get(d, 0.0)) for d in wanted}
    weighted = [d for d, weight in wanted.items() if weight]
    unique, gone = (sum(n.get(d, 0) for d in weighted) for n in (tokens, taken))
    if sum(left[d] for d in weighted) < budget:
        phases = f" less the {gone:,.0f} of earlier phases" if gone else ""
        raise UserError(
            f"{unique:,} unique tokens at {max_epochs:g} epochs give {unique * max_epochs:,.0f}"
            f"{phases}, but the budget is {budget:,}",
            where="mixture.max_epochs",
            hint=f"Lower the token budget, raise max_epochs to {_needed(budget + gone, unique)}, "
            "or add data (weaker filters, more sources).",
        )
    return {d: left[d] / budget for d in wanted}


def _needed(budget: float, unique: float) -> str:
    """The smallest cap that fills the budget, rounded up to a tenth."""
    return f"{math.ceil(10 * budget / unique) / 10:g}" if unique else "anything: there is no data"


def _cap(wanted: Mapping[str, float], limits: Mapping[str, float]) -> dict[str, float]:
    """Cut weights to their limits; the excess goes to the others in proportion to their weight."""
    fixed: dict[str, float] = {}
    while True:
        free = {d: w for d, w in wanted.items() if d not in fixed}
        total = sum(free.values())
        if total == 0:  # every used domain is at its limit: the limits add up to 1
            return {d: fixed.get(d, 0.0) / sum(fixed.values()) for d in wanted}
        scale = (1.0 - sum(fixed.values())) / total
        over = [d for d, w in free.items() if w * scale > limits[d]]
        if not over:
            return {d: fixed[d] if d in fixed else wanted[d] * scale for d in wanted}
        fixed.update((d, limits[d]) for d in over)
