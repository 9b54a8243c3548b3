"""Distances between mixtures; arrays broadcast over all but the last axis, the domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from mixtures.space import Floats

Distance = Literal["l1", "tv", "linf", "hellinger"]


def l1(p: Floats, q: Floats) -> Floats:
    """Sum of absolute differences, in [0, 2]."""
    return np.asarray(np.abs(p - q).sum(-1))


def tv(p: Floats, q: Floats) -> Floats:
    """Total variation, half of L1: the share that would have to move; in [0, 1]."""
    return 0.5 * l1(p, q)


def linf(p: Floats, q: Floats) -> Floats:
    """Largest absolute difference of a domain, in [0, 1]."""
    return np.asarray(np.abs(p - q).max(-1))


def hellinger(p: Floats, q: Floats) -> Floats:
    """Euclidean distance of the square roots, over sqrt(2); in [0, 1]."""
    return np.asarray(np.sqrt(0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(-1)))


def kl(p: Floats, q: Floats) -> Floats:
    """Kullback-Leibler divergence of q from p, sum p ln(p / q), in nats.

    A domain without weight in p adds 0; infinite where p has a domain that q has not.
    """
    p, q = np.broadcast_arrays(p, q)
    terms = np.zeros(p.shape)
    used = p > 0
    with np.errstate(divide="ignore"):
        terms[used] = p[used] * np.log(p[used] / q[used])
    return np.asarray(terms.sum(-1))


distances: dict[Distance, Callable[[Floats, Floats], Floats]] = {
    "l1": l1,
    "tv": tv,
    "linf": linf,
    "hellinger": hellinger,
}
