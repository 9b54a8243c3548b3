"""How often the judge declares a winner between a recipe and itself.

Runs of one recipe are dealt at random into two groups of k; whatever the test then calls a winner
is a false one. The test is the comparison's own (`eval.statistics.effect`), at its own level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.errors import UserError
from eval.power import ALPHA
from eval.statistics import MIN_SEEDS, TEST, Test, effect, p_values


@dataclass(frozen=True, kw_only=True)
class FalseWinners:
    """The share of splits with a winner, and what it rests on.

    Attributes:
        runs: values given.
        seeds: per group (k).
        splits: random disjoint k-against-k splits.
        rate: share of the splits with p < .05, in [0, 1].
        mean_mde: mean of the MDE that the splits would have printed.
        sd: of the runs, n - 1.
    """

    runs: int
    seeds: int
    splits: int
    test: Test
    rate: float
    mean_mde: float
    sd: float


def false_winners(
    values: Sequence[float], seeds: int, test: Test = TEST, splits: int = 10_000, rng_seed: int = 0
) -> FalseWinners:
    """Splits `values`, one primary metric per run of one recipe, and tests group against group.

    Raises:
        UserError: fewer than 2 x `seeds` runs, or `seeds` below what a verdict needs.
    """
    runs = np.asarray(values, float)
    if seeds < MIN_SEEDS or len(runs) < 2 * seeds:
        raise UserError(
            f"{seeds} against {seeds} runs cannot be drawn from {len(runs)}",
            hint=f"Give at least {2 * max(seeds, MIN_SEEDS)} runs and {MIN_SEEDS} seeds a group.",
        )
    a, b = np.split(runs[draw_splits(len(runs), seeds, splits, rng_seed)], 2, axis=1)
    found = effect(a, b, test)
    return FalseWinners(
        runs=len(runs),
        seeds=seeds,
        splits=splits,
        test=test,
        rate=float((p_values(found) < ALPHA).mean()),
        mean_mde=found.needed * float(found.error.mean()),
        sd=float(runs.std(ddof=1)),
    )


def draw_splits(runs: int, seeds: int, splits: int, rng_seed: int = 0) -> NDArray[np.int64]:
    """Distinct run numbers, (splits, 2 x seeds): a group in the first half, one in the second."""
    keys = np.random.default_rng(rng_seed).random((splits, runs))
    drawn: NDArray[np.int64] = np.argsort(keys, axis=1)[:, : 2 * seeds]
    return drawn
