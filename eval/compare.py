"""Comparison: which recipes are better, worse or tied, and how sure that is.

Only recipes measured alike are compared: one judge, one budget, one model size, the same seeds.
The metric and the test that decide are the judge's, declared before training; panels and other
metrics are shown beside them to describe, not to decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curation.errors import UserError, closest
from eval.bootstrap import RESAMPLES, resample_items, resample_seeds
from eval.budget import check_alike, repeated
from eval.items import RecipeItems, Stratum, metric, strata_of
from eval.multiplier import By, CurvePoint, Multiplier, multiplier
from eval.noise import Noise, noise
from eval.pairs import Pair, Resampled, Values, compare_pairs
from eval.ranks import Rank, ranks
from eval.scorecard import Scorecard, sample_sd
from eval.statistics import MIN_SEEDS, TEST, Floats, Test


@dataclass(frozen=True, kw_only=True)
class RecipeResult:
    """One recipe on the primary metric.

    Attributes:
        sd: over seeds; None for one seed.
        epochs: passes over each source.
        repeated: sources that were read more than four times.
        seconds: wall time of all runs; None where it was not recorded.
        rank: where the recipe may stand; None below 3 seeds.
        token_multiplier: over the baseline; None for itself, and where its curve is not given.
        compute_multiplier: the same in FLOPs.
    """

    name: str
    mean: float
    sd: float | None
    per_seed: dict[int, float]
    tokens: int
    unique_tokens: int
    epochs: dict[str, float]
    repeated: list[str]
    flops: int
    seconds: float | None
    rank: Rank | None
    token_multiplier: Multiplier | None
    compute_multiplier: Multiplier | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The content of `comparison.json`; `asdict` of it is plain JSON data.

    `test` was declared before training. `noise` is by metric, the clearest first.
    """

    judge: str
    primary: str
    higher_is_better: bool
    test: Test
    baseline: str
    seeds: list[int]
    recipes: list[RecipeResult]
    pairs: list[Pair]
    panels: dict[str, list[Pair]]
    noise: dict[str, Noise]


def compare(
    scorecards: Sequence[Scorecard],
    baseline: str | None = None,
    *,
    test: Test = TEST,
    items: Mapping[str, RecipeItems] | None = None,
    curve: Sequence[CurvePoint] | None = None,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compares two or more recipes over the same seeds.

    Args:
        scorecards: one per recipe.
        baseline: name of the recipe that others are tested against; the first if None.
        test: as the judge declared it.
        items: scores of every document and test item by recipe, for intervals over them.
        curve: the baseline's primary metric at several budgets, for multipliers.
        resamples: of the bootstrap.

    Raises:
        UserError: fewer than two, two of one name, an unknown baseline, or scorecards that were
            not measured alike (says in what they differ).
    """
    names = [card.recipe for card in scorecards]
    _check_names(names, baseline)
    check_alike(scorecards)
    first = baseline or names[0]
    cards = sorted(scorecards, key=lambda card: card.recipe != first)  # stable: baseline first
    primary = cards[0].metrics[cards[0].primary]
    values = {card.recipe: card.metrics[card.primary].per_seed for card in cards}
    drawn = _resample(values, cards[0].primary, test, items, resamples)
    places = ranks(drawn.means, primary.higher_is_better) if drawn else [None] * len(cards)
    panels = {
        name: compare_pairs({c.recipe: c.panels[name].bpb for c in cards}, False, test)
        for name in cards[0].panels
    }
    return Comparison(
        judge=cards[0].judge,
        primary=cards[0].primary,
        higher_is_better=primary.higher_is_better,
        test=test,
        baseline=first,
        seeds=sorted(cards[0].seeds),
        recipes=[
            _result(card, rank, None if card.recipe == first else curve, test)
            for card, rank in zip(cards, places, strict=True)
        ],
        pairs=compare_pairs(values, primary.higher_is_better, test, drawn),
        panels=panels,
        noise=noise(cards),
    )


def _check_names(names: Sequence[str], baseline: str | None) -> None:
    if len(names) < 2:
        raise UserError("a comparison takes at least two recipes", hint="Name another folder.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"two scorecards are of the recipe '{twice[0]}'", hint="Rename one.")
    if baseline is not None and baseline not in names:
        raise UserError(
            f"there is no recipe '{baseline}'.{closest(baseline, names)}",
            where="baseline",
            hint=f"Compared are: {', '.join(names)}",
        )


def _resample(
    values: Values,
    primary: str,
    test: Test,
    items: Mapping[str, RecipeItems] | None,
    resamples: int,
) -> Resampled | None:
    """The recipes' means over other seeds, and other items where they are known."""
    names, seeds = list(values), sorted(next(iter(values.values())))
    if len(seeds) < MIN_SEEDS:
        return None
    table = np.array([[values[name][seed] for seed in seeds] for name in names])
    strata = strata_of(primary, {name: items[name] for name in names}, seeds) if items else None
    if strata:
        _check_items(strata, table, primary)
    draws = resample_items(strata, resamples) if strata else table
    means = resample_seeds(draws, test, resamples)
    return Resampled(names=names, means=means, strata=strata)


def _check_items(strata: Sequence[Stratum], table: Floats, primary: str) -> None:
    if not np.allclose(metric(strata), table, rtol=1e-6):
        raise UserError(
            f"the items do not add up to the scorecards' {primary}",
            hint="Delete items.npz and scorecard.json of these recipes and run again.",
        )


def _result(
    card: Scorecard, rank: Rank | None, curve: Sequence[CurvePoint] | None, test: Test
) -> RecipeResult:
    found = card.metrics[card.primary]
    seconds = [run.get("wall_s") for run in card.runs]

    def times(by: By, budget: int) -> Multiplier | None:
        if curve is None:
            return None
        higher = found.higher_is_better
        return multiplier(curve, found.per_seed, budget, by=by, higher_is_better=higher, test=test)

    return RecipeResult(
        name=card.recipe,
        mean=found.mean,
        sd=sample_sd(list(found.per_seed.values())),
        per_seed=found.per_seed,
        tokens=card.tokens,
        unique_tokens=card.unique_tokens,
        epochs=card.epochs,
        repeated=repeated(card.epochs),
        flops=card.flops,
        seconds=None if None in seconds else float(sum(s for s in seconds if s is not None)),
        rank=rank,
        token_multiplier=times("tokens", card.tokens),
        compute_multiplier=times("flops", card.flops),
    )
