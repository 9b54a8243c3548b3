"""The noise floor of every metric, and how far recipes stand out of it.

signal = the largest difference of recipes' means; noise = the pooled within-recipe sd over seeds.
Not the sd of all runs together: that holds the signal, and every ratio ends up alike.

Besides, how far a metric ranks recipes as bits per byte do: perplexity and task scores disagree
more often than not at larger sizes (Aioli, arXiv 2411.05735; QuRating, arXiv 2402.09739).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from eval.scorecard import MEAN_BPB, Scorecard

MIN_RECIPES = 3  # two recipes correlate fully, whatever they are


@dataclass(frozen=True, kw_only=True)
class Noise:
    """One metric over recipes.

    Attributes:
        floor: pooled within-recipe sd of one run.
        signal: largest mean less smallest mean.
        snr: signal / floor; None where no seed differs from another.
        bpb_rank: Spearman's correlation of recipes' means with `panels.mean_bpb`, 1 where both
            call the same recipes better; None below three recipes, or where one ties them all.
    """

    floor: float
    signal: float
    snr: float | None
    bpb_rank: float | None


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
    snr = signal / floor if floor > 0 else None
    return Noise(floor=floor, signal=signal, snr=snr, bpb_rank=_bpb_rank(cards, name))


def _bpb_rank(cards: Sequence[Scorecard], name: str) -> float | None:
    metrics = [card.metrics[name] for card in cards]
    bpb = [card.metrics[MEAN_BPB].mean for card in cards if MEAN_BPB in card.metrics]
    means = [-m.mean if m.higher_is_better else m.mean for m in metrics]
    if len(bpb) < max(MIN_RECIPES, len(cards)) or min(len(set(bpb)), len(set(means))) < 2:
        return None
    return float(stats.spearmanr(means, bpb).statistic)
