"""Grid search: the finest lattice of the space within the budget, and the best measured of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.errors import UserError
from mixtures.methods.candidates import asks, distinct, measured, outstanding
from mixtures.methods.method import Problem, Proposal, SearchMethod, methods
from mixtures.runs import Ask, Run
from mixtures.space import Floats, Space

_FINEST = 200  # parts that a weight is counted in: steps of .005
_SLACK = 1e-9  # bounds that are multiples of the step belong to it

Ints = NDArray[np.int64]


@methods.register("grid")
@dataclass(frozen=True, kw_only=True)
class Grid(SearchMethod):
    """A simplex lattice (Scheffe 1958): all mixtures whose weights are multiples of 1 / n.

    Of all n up to 200 it takes the one with most mixtures in the space within the budget. With
    many domains that is coarse: 8 domains and 40 runs give halves, which is what it shows.
    """

    reference = "Scheffe 1958, simplex-lattice design"

    def ask(self, problem: Problem, runs: Sequence[Run]) -> list[Ask]:
        """The whole lattice at once."""
        return outstanding(problem, runs, asks(lattice(problem.space, problem.runs)))

    def propose(self, problem: Problem, runs: Sequence[Run]) -> list[Proposal]:
        """The best measured mixtures."""
        return distinct(measured(problem, runs))


def lattice(space: Space, most: int) -> Floats:
    """The largest lattice with at most `most` mixtures in the space, (mixtures, domains).

    Raises:
        UserError: none has that few, or none has any.
    """
    sizes = {parts: _count(*_bounds(space, parts), parts) for parts in range(1, _FINEST + 1)}
    fitting = {parts: size for parts, size in sizes.items() if 0 < size <= most}
    if not fitting:
        least = min((size for size in sizes.values() if size), default=0)
        raise UserError(
            f"no lattice of at most {most} mixtures fits the constraints"
            + (f": the smallest has {least}" if least else ""),
            where="budget.runs",
            hint="Ask for more runs, widen floors and caps, or take method 'random'.",
        )
    parts = max(fitting, key=lambda n: (fitting[n], -n))
    return np.array(list(_points(*_bounds(space, parts), parts)), float) / parts


def _bounds(space: Space, parts: int) -> tuple[Ints, Ints]:
    """Fewest and most parts of each domain."""
    low = np.ceil(space.floors * parts - _SLACK).astype(np.int64)
    high = np.floor(np.minimum(space.caps, 1) * parts + _SLACK).astype(np.int64)
    return low, high


def _count(low: Ints, high: Ints, parts: int) -> int:
    """Number of lattice points within bounds, domain by domain."""
    ways = np.zeros(parts + 1)  # ways to deal k parts to the domains so far
    ways[0] = 1
    for fewest, most in zip(low, high, strict=True):
        if fewest > most:
            return 0
        ways = np.convolve(ways, np.repeat([0.0, 1.0], [fewest, most - fewest + 1]))[: parts + 1]
    return int(ways[parts]) if len(ways) > parts else 0


def _points(low: Ints, high: Ints, parts: int) -> Iterator[tuple[int, ...]]:
    """The lattice points within bounds, in ascending order."""
    if len(low) == 1:
        if low[0] <= parts <= high[0]:
            yield (parts,)
        return
    fewest, most = low[1:].sum(), high[1:].sum()
    for first in range(max(low[0], parts - most), min(high[0], parts - fewest) + 1):
        for rest in _points(low[1:], high[1:], parts - first):
            yield (first, *rest)
