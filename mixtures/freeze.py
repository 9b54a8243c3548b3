"""Frozen domains: several that keep their ratios, searched as one virtual domain.

Olmix's mixture reuse (2602.12237): where some domains changed and others did not, the others keep
the ratios of the mixture found before, and only the changed ones and the weight of the rest
together are searched, with fewer runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from curation.errors import UserError, closest
from mixtures.space import Floats, Space


@dataclass(frozen=True)
class Frozen:
    """A space seen with some of its domains as one.

    Attributes:
        full: the space with all domains.
        ratios: weights of the frozen domains in an earlier mixture, from 0, above 0 together; no
            entries freeze nothing.
    """

    full: Space
    ratios: Mapping[str, float]

    def __post_init__(self) -> None:
        _check(self.full, self.ratios)

    @cached_property
    def space(self) -> Space:
        """The free domains in their order, and the virtual one last.

        Its floor and cap are those at which the first of its domains meets one of its own.

        Raises:
            UserError: no mixture keeps both the ratios and the bounds.
        """
        if not self.ratios:
            return self.full
        tokens, frozen = self.full.tokens, self._shares > 0
        floors, caps = self.lower(self.full.floors), self.lower(self.full.caps)
        floors[-1] = (self.full.floors[frozen] / self._shares[frozen]).max()
        caps[-1] = (self.full.caps[frozen] / self._shares[frozen]).min()
        if floors[-1] > min(1.0, caps[-1]):
            raise UserError(
                f"keeping the ratios needs at least {floors[-1]:.4g} of the budget for "
                f"{' + '.join(self.ratios)}, which may have at most {min(1.0, caps[-1]):.4g}",
                where="frozen",
                hint="Change the ratios, freeze fewer domains, or widen floors and caps.",
            )
        names = (*self._free, "+".join(self.ratios))
        counts = [tokens[name] for name in self._free] + [sum(tokens[name] for name in self.ratios)]
        return Space(
            tokens=dict(zip(names, counts, strict=True)),
            budget=self.full.budget,
            min_weights=dict(zip(names, floors.tolist(), strict=True)),
            max_weights=dict(zip(names, np.minimum(caps, 1).tolist(), strict=True)),
        )

    def lower(self, weights: Floats) -> Floats:
        """Mixtures of all domains as mixtures of `space`: (..., domains) to (..., fewer)."""
        if not self.ratios:
            return np.array(weights)
        names = self.full.domains
        free = weights[..., [names.index(name) for name in self._free]]
        rest = weights[..., [names.index(name) for name in self.ratios]].sum(-1, keepdims=True)
        return np.concatenate([free, rest], -1)

    def lift(self, weights: Floats) -> Floats:
        """Mixtures of `space` as mixtures of all domains."""
        if not self.ratios:
            return np.array(weights)
        lifted = weights[..., -1:] * self._shares
        for column, name in enumerate(self._free):
            lifted[..., self.full.domains.index(name)] = weights[..., column]
        return np.asarray(lifted)

    @property
    def _free(self) -> list[str]:
        return [name for name in self.full.tokens if name not in self.ratios]

    @property
    def _shares(self) -> Floats:
        """Share of each domain in the virtual one, (domains,); 0 for free ones."""
        total = sum(self.ratios.values())
        return np.array([self.ratios.get(name, 0.0) / total for name in self.full.tokens])


def _check(space: Space, ratios: Mapping[str, float]) -> None:
    for name, ratio in ratios.items():
        if name not in space.tokens:
            hint = f"Domains: {', '.join(space.tokens)}"
            what = f"there is no domain '{name}'.{closest(name, space.tokens)}"
            raise UserError(what, where=f"frozen.{name}", hint=hint)
        if not (np.isfinite(ratio) and ratio >= 0):
            raise UserError(f"must be a finite number >= 0. Got {ratio}.", where=f"frozen.{name}")
        if ratio == 0 and space.min_weights.get(name, 0.0) > 0:
            what = "is frozen at 0 and has a least weight above 0"
            raise UserError(what, where=f"frozen.{name}", hint="Drop one of the two.")
    if ratios and sum(ratios.values()) <= 0:
        raise UserError("all ratios are 0", where="frozen", hint="Give one domain a ratio > 0.")
    if ratios and len(ratios) == len(space.tokens):
        hint = "Leave the domains that changed out."
        raise UserError("all domains are frozen: nothing is searched", where="frozen", hint=hint)
