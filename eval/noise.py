"""The noise floor of every metric, and how far recipes stand out of it.

signal = the largest difference of recipes' means; noise = the pooled within-recipe sd over seeds.
Not the sd of all runs together: that holds the signal, and every ratio ends up alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from eval.scorecard import Scorecard


@dataclass(frozen=True, kw_only=True)
class Noise:
    """One metric over recipes.

    Attributes:
        floor: pooled within-recipe sd of one run.
        signal: largest mean less smallest mean.
        snr: signal / floor; None where no seed differs from another.
    """

    floor: float
    signal: float
    snr: float | None


def noise(cards: Sequence[Scorecard]) -> dict[str, Noise]:
    """By metric, for those that every recipe has with two seeds or more; best ratio first."""
    shared = [name for name in cards[0].metrics if all(name in card.metrics for card in cards)]
    found = {name: _noise(cards, name) for name in shared}
    known = [(name, one) for name, one in found.items() if one is not None]
    return dict(sorted(known, key=lambda pair: -(pair[1].snr or 0.0)))


def _noise(cards: Sequence[Scorecard], name: str) -> Noise | None:
    metrics = [card.metrics[name] for card in cards]
    sds = [metric.sd for metric in metrics if metric.sd is not None]
    if len(sds) < len(metrics):
        return None
    # Recipes have the same seeds, so that their variances weigh alike.
    floor = math.sqrt(sum(sd**2 for sd in sds) / len(sds))
    signal = max(m.mean for m in metrics) - min(m.mean for m in metrics)
    return Noise(floor=floor, signal=signal, snr=signal / floor if floor > 0 else None)
