"""Space: the mixtures that a search may choose from.

Domains are in one fixed order, and weights are arrays in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curation.errors import UserError, closest

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Space:
    """Domains, and what the target run may take of each.

    Attributes:
        tokens: unique tokens per domain, each above 0.
        budget: tokens of the target run.
        max_epochs: most passes over a domain in the target run; None for no limit.
        min_weights: least weight of a domain, in [0, 1]; of those not named 0.
        max_weights: largest weight, in (0, 1]; of those not named 1.
    """

    tokens: Mapping[str, int]
    budget: int
    max_epochs: float | None = None
    min_weights: Mapping[str, float] = field(default_factory=dict)
    max_weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)

    @property
    def domains(self) -> tuple[str, ...]:
        """Names, in the order of every array of weights."""
        return tuple(self.tokens)

    @property
    def natural(self) -> Floats:
        """Shares of the tokens, (domains,)."""
        counts = self._counts
        out: Floats = counts / counts.sum()
        return out

    @property
    def floors(self) -> Floats:
        """Least weights, (domains,)."""
        return np.array([self.min_weights.get(name, 0.0) for name in self.tokens])

    @property
    def caps(self) -> Floats:
        """Largest weights, (domains,): of `max_weights` and of what `max_epochs` passes fill."""
        named = np.array([self.max_weights.get(name, 1.0) for name in self.tokens])
        if self.max_epochs is None:
            return named
        filled: Floats = np.minimum(named, self.max_epochs * self._counts / self.budget)
        return filled

    def epochs(self, weights: Floats) -> Floats:
        """Passes over each domain that the target run makes, shape of `weights` (..., domains)."""
        out: Floats = weights * self.budget / self._counts
        return out

    @property
    def _counts(self) -> Floats:
        return np.array(list(self.tokens.values()), float)

    def inside(self, weights: Floats, slack: float = 1e-9) -> NDArray[np.bool_]:
        """Which of the mixtures (..., domains) keep to floors and caps."""
        low, high = self.floors - slack, self.caps + slack
        return np.asarray(((weights >= low) & (weights <= high)).all(-1))


def _check(space: Space) -> None:
    if len(space.tokens) < 2:
        raise UserError(
            f"a search needs two domains, there are {len(space.tokens)}",
            hint="Name sources, or an annotation column with several values.",
        )
    if space.budget < 1:
        raise UserError(f"the target's budget must be above 0. Got {space.budget}.")
    for name, count in space.tokens.items():
        if count < 1:
            raise UserError(f"domain '{name}' has no tokens", hint="Leave it out.")
    for label, bounds in (("min_weights", space.min_weights), ("max_weights", space.max_weights)):
        for name, weight in bounds.items():
            where = f"constraints.{label}.{name}"
            if name not in space.tokens:
                hint = f"Domains: {', '.join(space.tokens)}"
                what = f"there is no domain '{name}'.{closest(name, space.tokens)}"
                raise UserError(what, where=where, hint=hint)
            if not 0 <= weight <= 1:
                raise UserError(f"must be in [0, 1]. Got {weight:g}.", where=where)
    _check_feasible(space)


def _check_feasible(space: Space) -> None:
    floors, caps = space.floors, space.caps
    for name, low, high in zip(space.domains, floors, caps, strict=True):
        if low > high:
            raise UserError(
                f"needs at least {low:.4g} of the budget and may have at most {high:.4g}",
                where=f"domain {name}",
                hint="Lower its min_weights, raise max_epochs, or lower the target's tokens.",
            )
    if floors.sum() > 1 + 1e-9:
        raise UserError(f"min_weights sum to {floors.sum():.4g}, more than 1", where="constraints")
    if caps.sum() < 1 - 1e-9:
        raise UserError(
            f"the domains may fill at most {caps.sum():.4g} of the target's budget of "
            f"{space.budget:,} tokens",
            where="constraints",
            hint="Raise max_epochs or max_weights, lower the target's tokens, or add data.",
        )
