"""What a fitted objective speaks for: simulated mixtures around the measured ones, and the best.

Mixtures are drawn as RegMix simulates them, Dirichlet(strength * prior), with two differences. A
table of runs does not tell natural shares, so that the prior is the mean of the measured
mixtures, which it is in expectation where these were drawn alike. And strengths reach from
RegMix's smallest to twice what the spread of the runs speaks for, so that tables of mixtures that
are all alike have candidates among them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mixtures.distances import tv
from mixtures.methods.candidates import MIN_TV, distinct, predicted, ranked
from mixtures.methods.method import Proposal
from mixtures.predictors.predictor import Fit
from mixtures.region import Region
from mixtures.sampling import Dirichlet
from mixtures.space import Floats, Space

SIMULATED, TOP = 100_000, 128  # as sail-sg/regmix
BY_VALUE, BY_BOUND = 5, 3  # next runs: by predicted objective, and by what it may be at best
BOUND = 1.96  # standard errors
_CONSIDERED = 4096  # candidates, best predicted, that are compared with runs at once
_BATCH = 8192  # candidates predicted at once: 32 MB of a kernel over 512 runs
_PARTS = 10**12  # of a weight, where shares stand for counts of tokens


class Candidates:
    """Simulated mixtures with what a fit predicts of them, best first.

    Args:
        fit: of the objective.
        measured: different mixtures, (runs, domains).
        domains: their names.
    """

    def __init__(self, fit: Fit, measured: Floats, domains: tuple[str, ...]) -> None:
        self.fit, self.measured, self.region = fit, measured, Region(measured)
        drawn = simulate(measured, domains)
        parts = (drawn[i : i + _BATCH] for i in range(0, len(drawn), _BATCH))
        means = np.concatenate([fit.mean(part) for part in parts])
        order = np.argsort(means, kind="stable")
        self.weights: Floats = drawn[order]
        self.count = len(drawn)

    def optima(self) -> Iterator[Proposal]:
        """The mean of the best, the best, and the best that is near a run if that is neither."""
        top = self.weights[:TOP]
        mean = predicted(self.fit, top.mean(0), f"mean of the {len(top)} best simulated")
        yield mean
        yield predicted(self.fit, top[0], f"best of {self.count:,} simulated")
        if not self.region.inside(np.array([mean.weights, top[0]])).any():
            near = np.flatnonzero(self.region.inside(self.weights))
            if len(near):
                best = self.weights[near[0]]
                yield predicted(self.fit, best, "best simulated inside the measured region")

    def next_runs(self) -> list[Proposal]:
        """Mixtures that differ from each other and from all that were measured."""
        pool = self._pool()
        by_value = distinct(self._by_value(pool), BY_VALUE)
        return distinct([*by_value, *self._by_bound(pool)], BY_VALUE + BY_BOUND)

    def _pool(self) -> Floats:
        """The best predicted of those that are no measured mixture."""
        pool = self.weights[:0]
        for start in range(0, len(self.weights), _CONSIDERED):
            if len(pool) < _CONSIDERED // 2:
                new = self._new(self.weights[start : start + _CONSIDERED])
                pool = np.concatenate([pool, new])
        return pool

    def _by_value(self, pool: Floats) -> Iterator[Proposal]:
        mean = self._new(self.weights[:TOP].mean(0)[None])
        for row in mean:
            yield predicted(self.fit, row, f"mean of the {TOP} best simulated")
        yield from ranked(self.fit, pool, "best predicted")

    def _by_bound(self, pool: Floats) -> Iterator[Proposal]:
        means, sds = self.fit.mean(pool), self.fit.sd(pool)
        why = f"least predicted - {BOUND} sd"
        for i in np.argsort(means - BOUND * sds, kind="stable"):
            yield Proposal(weights=pool[i], mean=float(means[i]), sd=float(sds[i]), by=why)

    def _new(self, weights: Floats) -> Floats:
        """Those that are no measured mixture."""
        far = [bool((tv(self.measured, row) >= MIN_TV).all()) for row in weights]
        return np.asarray(weights[np.array(far, bool)])


def simulate(measured: Floats, domains: tuple[str, ...], count: int = SIMULATED) -> Floats:
    """Mixtures around the measured ones (runs, domains), (count, domains); deterministic.

    Domains without weight in any run have none.
    """
    used = np.flatnonzero(measured.max(0) > 0)
    prior = measured[:, used].mean(0)
    shares = {domains[i]: max(1, round(_PARTS * p)) for i, p in zip(used, prior, strict=True)}
    if len(used) == 1:
        return np.repeat(measured[:1], count, 0)
    space = Space(tokens=shares, budget=_PARTS)
    sampler = Dirichlet(
        temperature=1.0,
        max_strength=max(Dirichlet.max_strength, 2 * _strength(measured[:, used])),
        max_usage=None,
        min_distance=None,
    )
    out = np.zeros((count, len(domains)))
    out[:, used] = sampler.sample(space, count, np.random.default_rng(0))
    return out


def _strength(weights: Floats) -> float:
    """Sum of the concentration of a Dirichlet that spreads as these do, by moments."""
    mean, spread = weights.mean(0), float(weights.var(0).sum())
    return float((mean * (1 - mean)).sum()) / max(spread, 1e-9) - 1
