"""Brute force: the optimum of a function of mixtures that is cheap to evaluate.

What a search found is judged by it, wherever a "run" takes no time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mixtures.methods.grid import lattice
from mixtures.space import Floats, Space


def lattice_descent(
    function: Callable[[Floats], Floats], space: Space, points: int = 5_000, step: float = 1e-3
) -> Floats:
    """The minimum (domains,) of a function of mixtures: (mixtures, domains) to (mixtures,).

    The finest lattice of at most `points` mixtures, then `exchange_descent` from it.

    Raises:
        UserError: no lattice of so few points fits the space.
    """
    return exchange_descent(function, lattice(space, points), space, step)


def exchange_descent(
    function: Callable[[Floats], Floats], starts: Floats, space: Space, step: float = 1e-3
) -> Floats:
    """The best mixture (domains,) that exchanges lead to from the best five of `starts`.

    An exchange moves weight from one domain to another, within floors and caps; its size starts at
    .1 and is halved whenever none helps, until it is below `step`.

    Args:
        function: (mixtures, domains) to (mixtures,).
        starts: mixtures of the space, (mixtures, domains).
        space: the mixtures that are allowed.
        step: smallest exchange.
    """
    order = np.argsort(function(starts), kind="stable")[:5]
    ends = np.stack([_descend(function, starts[i], space, step) for i in order])
    return np.asarray(ends[int(np.argmin(function(ends)))])


def _descend(
    function: Callable[[Floats], Floats], weights: Floats, space: Space, finest: float
) -> Floats:
    size, value = 0.1, float(function(weights[None])[0])
    while size >= finest:
        moved = _exchanges(weights, size, space)
        values = function(moved)
        if values.min() < value - 1e-12:
            weights, value = moved[int(values.argmin())], float(values.min())
        else:
            size /= 2
    return weights


def _exchanges(weights: Floats, size: float, space: Space) -> Floats:
    """Every move of up to `size` from one domain to another that floors and caps allow."""
    giver, taker = np.nonzero(~np.eye(len(weights), dtype=bool))
    spare = np.maximum(weights - space.floors, 0)[giver]
    room = np.maximum(space.caps - weights, 0)[taker]
    amount = np.minimum(np.minimum(spare, room), size)
    moved = np.repeat(weights[None], len(giver), 0)
    rows = np.arange(len(giver))
    moved[rows, giver] -= amount
    moved[rows, taker] += amount
    return moved
