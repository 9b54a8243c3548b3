"""Dirichlet sampling of mixtures around the natural distribution, as swarms are drawn.

RegMix (2407.01492, `mixture_config/synthesize_mixture.py`) draws Dirichlet(strength * prior), the
prior tempered, the strength log-uniform over 15 values; rejects draws that use a domain more than
k times its natural share; and sets weights that a proxy could not tell from 0 to 0. WebOrganizer
(2502.10341) keeps mixtures apart by a least distance. Olmix (2602.12237) draws around the natural
prior itself, and over sources only mixtures that have all of them ("dense").

Deviations. A space may have floors and caps: draws outside are rejected as well, and where they
starve the sampler the rest are further draws projected onto the space (`simplex.project`), which
puts mass on its faces. Draws are taken until enough are found instead of always x100 and then a
random choice: the same distribution, as draws are independent. Weights are not rounded to multiples
of the least weight, so that they sum to 1. The largest usage is a multiple of the natural share, as
RegMix has it, also where the prior is tempered (WebOrganizer: of the tempered one). WebOrganizer
calls its distance total variation and computes the largest absolute difference: here each has its
own name.

The 512 mixtures that RegMix published are denser than its constants make them: 9.3 of 17 domains
have a weight, and 6.5 in 512 draws of this sampler.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixtures.distances import Distance, distances
from mixtures.simplex import project
from mixtures.space import Floats, Space

_SWARM, _BLOCK = 1 << 10, 1 << 16  # draws at once: up to 10 MB of 20 domains
_SAME = 1e-5  # cell per domain in which two mixtures are one; RegMix: L1 distance
_PATIENCE = 40  # mixtures' worth of draws before yield is judged


@dataclass(frozen=True, kw_only=True)
class Dirichlet:
    """Where mixtures are drawn from; the defaults are RegMix's.

    Attributes:
        temperature: exponent on the natural shares, from 0 (uniform) to 1 (natural).
        min_strength: smallest sum of the concentration, above 0; small draws few domains.
        max_strength: largest.
        strengths: how many, evenly spaced in their logarithm.
        min_weight: below it a weight is 0, in [0, 1).
        dense: reject such mixtures instead, so that all domains have a weight.
        max_usage: most of a weight over the natural share of its domain, from 1; null for any.
        min_distance: least distance of two mixtures; 0 drops repeated ones only, null none.
        distance: that it is measured by: l1, tv, linf or hellinger.
        oversample: draws per mixture kept at which rejection has starved; from 1.
    """

    temperature: float = 0.5
    min_strength: float = 0.1
    max_strength: float = 5.0
    strengths: int = 15
    min_weight: float = 2e-4
    dense: bool = False
    max_usage: float | None = 15.0
    min_distance: float | None = 0.0
    distance: Distance = "tv"
    oversample: int = 100

    def __post_init__(self) -> None:
        _check(self)

    def prior(self, space: Space) -> Floats:
        """The tempered natural distribution, (domains,)."""
        tempered = space.natural**self.temperature
        return np.asarray(tempered / tempered.sum())

    def sample(self, space: Space, count: int, rng: np.random.Generator) -> Floats:
        """At most `count` mixtures of the space, (mixtures, domains), in the order of drawing.

        Fewer where the space is too small for that many at `min_distance`.
        """
        floors, caps = self._bounds(space)

        def inside() -> Floats:
            drawn = self._draw(space, rng, count)
            return drawn[((drawn >= floors) & (drawn <= caps)).all(1)]

        def projected() -> Floats:
            return project(self._draw(space, rng, count), floors, caps)

        kept = self._fill(np.empty((0, len(space.domains))), inside, count)
        return self._fill(kept, projected, count)

    def _fill(self, kept: Floats, draws: Callable[[], Floats], count: int) -> Floats:
        """`kept` with draws added, up to `count` or until one in `oversample` is not kept."""
        before, made = len(kept), 0
        while len(kept) < count and made <= self.oversample * (len(kept) - before + _PATIENCE):
            blocks = math.ceil((count - len(kept)) / _block(count))
            kept = self._keep(kept, np.concatenate([draws() for _ in range(blocks)]), count)
            made += blocks * _block(count)
        return kept

    def _bounds(self, space: Space) -> tuple[Floats, Floats]:
        """Floors and caps; `dense` and `max_usage` give way where they would leave no mixture."""
        floors, caps = space.floors, space.caps
        if self.dense:
            dense = np.maximum(floors, np.minimum(self.min_weight, caps))
            floors = dense if dense.sum() <= 1 else floors
        if self.max_usage is not None:
            used = np.minimum(caps, np.maximum(space.natural * self.max_usage, floors))
            caps = used if used.sum() >= 1 else caps
        return floors, caps

    def _draw(self, space: Space, rng: np.random.Generator, count: int) -> Floats:
        """A block of mixtures, their small weights at 0 unless `dense`: (block, domains)."""
        grid = np.geomspace(self.min_strength, self.max_strength, self.strengths)
        strength = rng.choice(grid, size=(_block(count), 1))
        drawn = dirichlet(strength * self.prior(space), rng)
        if not self.dense:
            drawn[drawn < np.minimum(self.min_weight, drawn.max(1, keepdims=True))] = 0.0
        return np.asarray(drawn / drawn.sum(1, keepdims=True))

    def _keep(self, kept: Floats, drawn: Floats, count: int) -> Floats:
        """`kept` and what of `drawn` is far enough from it and from each other, up to `count`."""
        if not self.min_distance:
            both = np.concatenate([kept, drawn])
            return both[:count] if self.min_distance is None else both[_distinct(both)][:count]
        measure = distances[self.distance]
        found = np.empty((count, drawn.shape[1]))
        found[: len(kept)], size = kept, len(kept)
        for weights in drawn:
            if size < count and (measure(found[:size], weights) >= self.min_distance).all():
                found[size], size = weights, size + 1
        return found[:size]


def dirichlet(concentration: Floats, rng: np.random.Generator) -> Floats:
    """One draw per row of concentrations above 0, (mixtures, domains).

    By logarithms of gamma variates, G(a) = G(a + 1) U^(1/a): at concentrations of 1e-3 the
    variates themselves are all 0 in float64.
    """
    logs = np.log(rng.standard_gamma(concentration + 1))
    logs -= rng.standard_exponential(concentration.shape) / concentration
    weights = np.exp(logs - logs.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _block(count: int) -> int:
    """Draws to take at once: the same for all swarms, so that a larger one starts as a smaller."""
    return _SWARM if count <= _SWARM else _BLOCK


def _distinct(weights: Floats) -> NDArray[np.int64]:
    """Row of the first of each set of mixtures that share all cells, ascending."""
    cells = np.round(weights / _SAME).astype(np.uint64)
    words = np.random.default_rng(0).integers(1, 1 << 63, weights.shape[1], dtype=np.uint64)
    first = np.unique(cells @ words, return_index=True)[1]  # sums modulo 2^64 tell rows apart
    return np.sort(first)


def _check(sampler: Dirichlet) -> None:
    if not 0 <= sampler.temperature <= 1:
        raise ValueError(f"temperature must be in [0, 1]. Got {sampler.temperature}.")
    if not 0 < sampler.min_strength <= sampler.max_strength:
        raise ValueError(
            "min_strength must be above 0 and at most max_strength. "
            f"Got {sampler.min_strength} and {sampler.max_strength}."
        )
    if sampler.strengths < 1 or sampler.oversample < 1:
        raise ValueError("strengths and oversample must be at least 1.")
    if not 0 <= sampler.min_weight < 1:
        raise ValueError(f"min_weight must be in [0, 1). Got {sampler.min_weight}.")
    if sampler.max_usage is not None and sampler.max_usage < 1:
        raise ValueError(f"max_usage must be at least 1. Got {sampler.max_usage}.")
    if sampler.min_distance is not None and sampler.min_distance < 0:
        raise ValueError(f"min_distance must be at least 0. Got {sampler.min_distance}.")
