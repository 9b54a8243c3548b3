"""Hierarchical bootstrap: seeds outside, items inside, the same items for every recipe.

Run noise (another initialisation and order) and item noise (other test documents) are resampled
together. With five seeds or more, seeds are drawn with replacement and deviations from the mean
stretched by sqrt(S / (S - 1)), because resampled means vary less than means of S seeds do by that
factor (Davison and Hinkley, Bootstrap Methods and their Application, 1997, 2.3). With fewer there
are at most 35 distinct resamples; means are then drawn from Student's t around the observed ones,
the distribution that the t interval on seed means rests on.

Both draws err on the wide side where seeds and items interact: the interaction is counted in
either (Owen 2007, The pigeonhole bootstrap).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eval.items import Stratum
from eval.power import ALPHA
from eval.statistics import CLAIM_SEEDS, Floats, Test

RESAMPLES = 10_000
MAX_CLUSTERS = 1024  # more items than that are dealt at random into so many clusters of them
_CHUNK = 2_000_000  # item draws held in memory at a time
_RNG_SEED = 0


def resample_items(strata: Sequence[Stratum], resamples: int = RESAMPLES) -> Floats:
    """The metric under every draw of items, (resamples, recipes, seeds)."""
    rng = np.random.default_rng(_RNG_SEED)
    total = sum(_resample_stratum(_clustered(one, rng), resamples, rng) for one in strata)
    mean: Floats = np.asarray(total) / len(strata)
    return mean


def resample_seeds(
    values: Floats, test: Test, resamples: int = RESAMPLES, stream: int = 1
) -> Floats:
    """Recipes' means under every draw of seeds, (resamples, recipes).

    Args:
        values: (recipes, seeds), or (resamples, recipes, seeds) where items were drawn before.
        test: `paired` draws the same seeds for all recipes, `welch` draws for each its own.
        resamples: draws; those of `values` if it has them.
        stream: of random numbers; another one draws independently.
    """
    rng = np.random.default_rng([_RNG_SEED, stream])
    count = len(values) if values.ndim == 3 else resamples
    drawn = np.broadcast_to(values, (count, *values.shape[-2:]))
    if values.shape[-1] < CLAIM_SEEDS:
        return _student_means(drawn, test, rng)
    return _resampled_means(drawn, test, rng)


def percentiles(draws: Floats) -> tuple[float, float]:
    """The middle 95 % of the draws."""
    low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2])
    return float(low), float(high)


def _clustered(stratum: Stratum, rng: np.random.Generator) -> Stratum:
    """The stratum with its items, if there are too many, summed into clusters."""
    n = len(stratum.sizes)
    if n <= MAX_CLUSTERS:
        return stratum
    order = rng.permutation(n)
    starts = np.linspace(0, n, MAX_CLUSTERS, endpoint=False).astype(np.int64)
    return Stratum(
        parts=np.add.reduceat(stratum.parts[..., order], starts, axis=-1),
        sizes=np.add.reduceat(stratum.sizes[order], starts),
    )


def _resample_stratum(stratum: Stratum, resamples: int, rng: np.random.Generator) -> Floats:
    recipes, seeds, n = stratum.parts.shape
    columns = np.vstack([stratum.parts.reshape(-1, n), stratum.sizes]).T  # (items, sums wanted)
    rows = max(1, _CHUNK // n)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    sums = np.concatenate([_item_counts(n, size, rng) @ columns for size in sizes])
    ratios: Floats = (sums[:, :-1] / sums[:, -1:]).reshape(resamples, recipes, seeds)
    return ratios


def _item_counts(n: int, rows: int, rng: np.random.Generator) -> Floats:
    """How often each of n items is drawn in n draws with replacement, (rows, n)."""
    draws = rng.integers(0, n, (rows, n), dtype=np.int32)
    flat = (draws + n * np.arange(rows, dtype=np.int64)[:, None]).ravel()
    return np.bincount(flat, minlength=rows * n).reshape(rows, n).astype(np.float64)


def _resampled_means(values: Floats, test: Test, rng: np.random.Generator) -> Floats:
    resamples, recipes, seeds = values.shape
    groups = 1 if test == "paired" else recipes
    drawn = rng.integers(0, seeds, (resamples, groups, seeds))
    picked = np.take_along_axis(values, np.broadcast_to(drawn, values.shape), axis=-1).mean(-1)
    centre = values.mean(-1)
    means: Floats = centre + math.sqrt(seeds / (seeds - 1)) * (picked - centre)
    return means


def _student_means(values: Floats, test: Test, rng: np.random.Generator) -> Floats:
    """Means with Student's noise; for `paired`, with the covariance that the seeds show."""
    resamples, recipes, seeds = values.shape
    groups = 1 if test == "paired" else recipes
    normal = rng.standard_normal((resamples, groups, seeds))
    chi = np.sqrt(rng.chisquare(seeds - 1, (resamples, groups)) / (seeds - 1))
    centre = values.mean(-1)
    # Deviations times independent normals: normal, with the seeds' own (co)variance.
    noise = ((values - centre[..., None]) * normal).sum(-1) / math.sqrt(seeds * (seeds - 1))
    means: Floats = centre + noise / chi
    return means
