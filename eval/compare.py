"""Comparison: which recipes are better, worse or tied, and how sure that is.

Only recipes measured alike are compared: one judge, one budget, one model size, the same seeds.
The metric that decides is the judge's primary one; panels are shown beside it to describe, not
to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

from curation.errors import UserError, closest
from eval.scorecard import Scorecard, sample_sd
from eval.statistics import (
    MIN_SEEDS,
    Interval,
    correlated,
    holm,
    paired_interval,
    welch_interval,
)

Verdict = Literal["better", "worse", "tied", "not enough seeds"]
Method = Literal["paired", "welch"]
ALPHA = 0.05  # of a family of tests against one baseline


@dataclass(frozen=True, kw_only=True)
class RecipeResult:
    """One recipe on the primary metric; `sd` is None for one seed."""

    name: str
    mean: float
    sd: float | None
    per_seed: dict[int, float]
    tokens: int
    unique_tokens: int
    epochs: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Recipe `a` against recipe `b`.

    Attributes:
        difference: mean of a minus mean of b.
        ci_low: 95 % interval of the difference by `method`; None below 3 seeds, as all that
            follows.
        method: `paired` if the seeds' values are positively correlated, else `welch`.
        p: two-sided, by `method`.
        p_holm: adjusted over the tests against the baseline; None for other pairs.
        mde: smallest true difference that would be found in 80 % of repeats.
        verdict: on a relative to b; `tied` when the interval includes 0, or, against the
            baseline, when the adjusted p is not below .05.
        paired: the paired interval.
        welch: Welch's interval.
    """

    a: str
    b: str
    difference: float
    ci_low: float | None
    ci_high: float | None
    method: Method | None
    p: float | None
    p_holm: float | None
    mde: float | None
    verdict: Verdict
    paired: Interval | None
    welch: Interval | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The content of `comparison.json`; `asdict` of it is plain JSON data."""

    judge: str
    primary: str
    higher_is_better: bool
    baseline: str
    seeds: list[int]
    recipes: list[RecipeResult]
    pairs: list[Pair]
    panels: dict[str, list[Pair]]


def compare(scorecards: Sequence[Scorecard], baseline: str | None = None) -> Comparison:
    """Compares two or more recipes, paired by seed.

    Args:
        scorecards: one per recipe.
        baseline: name of the recipe that others are tested against; the first if None.

    Raises:
        UserError: fewer than two, two of one name, an unknown baseline, or scorecards that were
            not measured alike (says in what they differ).
    """
    names = [card.recipe for card in scorecards]
    _check_names(names, baseline)
    _check_alike(scorecards)
    first = baseline or names[0]
    cards = sorted(scorecards, key=lambda card: card.recipe != first)  # stable: baseline first
    primary = cards[0].metrics[cards[0].primary]
    panels = {
        name: _pairs({c.recipe: c.panels[name].bpb for c in cards}, higher_is_better=False)
        for name in cards[0].panels
    }
    values = {card.recipe: card.metrics[card.primary].per_seed for card in cards}
    return Comparison(
        judge=cards[0].judge,
        primary=cards[0].primary,
        higher_is_better=primary.higher_is_better,
        baseline=first,
        seeds=sorted(cards[0].seeds),
        recipes=[_result(card) for card in cards],
        pairs=_pairs(values, primary.higher_is_better),
        panels=panels,
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


def _check_alike(cards: Sequence[Scorecard]) -> None:
    properties: dict[str, Callable[[Scorecard], Any]] = {
        "judge": lambda card: card.judge,
        "primary metric": lambda card: card.primary,
        "token budget": lambda card: sorted({run["tokens"] for run in card.runs}),
        "steps": lambda card: sorted({run["steps"] for run in card.runs}),
        "parameters": lambda card: sorted({run["params"] for run in card.runs}),
        "seeds": lambda card: sorted(card.seeds),
        "panels": lambda card: sorted(card.panels),
    }
    for what, read in properties.items():
        for card in cards[1:]:
            if read(card) != read(cards[0]):
                raise UserError(
                    f"'{cards[0].recipe}' and '{card.recipe}' differ in {what}: "
                    f"{read(cards[0])} and {read(card)}",
                    hint="Only recipes measured by one judge can be compared: run them together.",
                )


def _result(card: Scorecard) -> RecipeResult:
    metric = card.metrics[card.primary]
    return RecipeResult(
        name=card.recipe,
        mean=metric.mean,
        sd=sample_sd(list(metric.per_seed.values())),
        per_seed=metric.per_seed,
        tokens=card.tokens,
        unique_tokens=card.unique_tokens,
        epochs=card.epochs,
    )


def _pairs(values: Mapping[str, Mapping[int, float]], higher_is_better: bool) -> list[Pair]:
    """All pairs; those with the baseline, the first name, come first and are Holm-adjusted."""
    base, *others = values
    against_base = [_pair(name, base, values, higher_is_better) for name in others]
    rest = [_pair(a, b, values, higher_is_better) for a, b in combinations(others, 2)]
    p_values = [pair.p for pair in against_base if pair.p is not None]
    if len(p_values) == len(against_base):
        adjusted = holm(p_values)
        against_base = [
            replace(pair, p_holm=p, verdict=pair.verdict if p < ALPHA else "tied")
            for pair, p in zip(against_base, adjusted, strict=True)
        ]
    return against_base + rest


def _pair(
    a: str, b: str, values: Mapping[str, Mapping[int, float]], higher_is_better: bool
) -> Pair:
    seeds = sorted(values[a])
    x, y = [values[a][s] for s in seeds], [values[b][s] for s in seeds]
    difference = sum(x) / len(x) - sum(y) / len(y)
    if len(seeds) < MIN_SEEDS:
        return Pair(
            a=a,
            b=b,
            difference=difference,
            ci_low=None,
            ci_high=None,
            method=None,
            p=None,
            p_holm=None,
            mde=None,
            verdict="not enough seeds",
            paired=None,
            welch=None,
        )
    paired, welch = paired_interval(x, y), welch_interval(x, y)
    method: Method = "paired" if correlated(x, y) else "welch"
    chosen = paired if method == "paired" else welch
    return Pair(
        a=a,
        b=b,
        difference=difference,
        ci_low=chosen.ci_low,
        ci_high=chosen.ci_high,
        method=method,
        p=chosen.p,
        p_holm=None,
        mde=chosen.mde,
        verdict=_verdict(chosen, higher_is_better),
        paired=paired,
        welch=welch,
    )


def _verdict(interval: Interval, higher_is_better: bool) -> Verdict:
    if interval.ci_low <= 0 <= interval.ci_high:
        return "tied"
    return "better" if (interval.ci_low > 0) == higher_is_better else "worse"
