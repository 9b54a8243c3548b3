"""Two recipes side by side: the difference, how sure it is, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

from eval.bootstrap import percentiles
from eval.item_noise import over_items
from eval.items import Stratum
from eval.power import ALPHA
from eval.statistics import (
    MIN_SEEDS,
    Floats,
    Interval,
    Test,
    correlation,
    effect,
    holm,
    interval,
)

Verdict = Literal["better", "worse", "tied", "not enough seeds"]
Values = Mapping[str, Mapping[int, float]]  # by recipe, then by seed


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Recipe `a` against recipe `b`. Below 3 seeds all after `difference` but the verdict is None.

    Attributes:
        difference: mean of a minus mean of b.
        ci_low: 95 % interval of the difference over other seeds, by `method`; it decides.
        method: the test that was declared.
        p: two-sided, by `method`.
        p_holm: adjusted over the tests against the baseline; None for other pairs.
        mde: smallest true difference that would be found in 80 % of repeats.
        verdict: on a relative to b; `tied` when the interval includes 0, or, against the
            baseline, when the adjusted p is not below .05.
        paired: the paired interval, whichever test decides.
        welch: Welch's interval, whichever test decides.
        correlation: of the seeds' values of a and b; None where one has no spread.
        over_items: `method`'s interval with the items' variance added: over other seeds and
            other test documents. None where the items are not known, as the two that follow.
        holds_over_items: the verdict stands by that interval too.
        bootstrap_low: 95 % interval by the hierarchical bootstrap over seeds, and items if known.
    """

    a: str
    b: str
    difference: float
    verdict: Verdict
    ci_low: float | None = None
    ci_high: float | None = None
    method: Test | None = None
    p: float | None = None
    p_holm: float | None = None
    mde: float | None = None
    paired: Interval | None = None
    welch: Interval | None = None
    correlation: float | None = None
    over_items: Interval | None = None
    holds_over_items: bool | None = None
    bootstrap_low: float | None = None
    bootstrap_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """What pairs take from the recipes' items: positions along the axes are `names`.

    Attributes:
        names: of the recipes.
        means: under every draw, (resamples, recipes).
        strata: the items, None where they are not known.
    """

    names: list[str]
    means: Floats
    strata: Sequence[Stratum] | None


def compare_pairs(
    values: Values, higher_is_better: bool, test: Test, drawn: Resampled | None = None
) -> list[Pair]:
    """All pairs; those with the baseline, the first name, come first and are Holm-adjusted."""
    base, *others = values
    wanted = [(name, base) for name in others]
    against = [_pair(a, b, values, higher_is_better, test) for a, b in wanted]
    rest = [_pair(a, b, values, higher_is_better, test) for a, b in combinations(others, 2)]
    pairs = _adjusted(against) + rest
    return [_resampled(pair, values, test, drawn) for pair in pairs] if drawn else pairs


def _adjusted(against: Sequence[Pair]) -> list[Pair]:
    known = [pair.p for pair in against if pair.p is not None]
    if len(known) < len(against):
        return list(against)
    return [
        replace(pair, p_holm=p, verdict=pair.verdict if p < ALPHA else "tied")
        for pair, p in zip(against, holm(known), strict=True)
    ]


def _pair(a: str, b: str, values: Values, higher_is_better: bool, test: Test) -> Pair:
    x, y = _by_seed(values, a), _by_seed(values, b)
    difference = sum(x) / len(x) - sum(y) / len(y)
    if len(x) < MIN_SEEDS:
        return Pair(a=a, b=b, difference=difference, verdict="not enough seeds")
    paired, welch = (interval(effect(x, y, either)) for either in get_args(Test))
    decides = paired if test == "paired" else welch
    return Pair(
        a=a,
        b=b,
        difference=difference,
        verdict=_verdict(decides, higher_is_better),
        ci_low=decides.ci_low,
        ci_high=decides.ci_high,
        method=test,
        p=decides.p,
        mde=decides.mde,
        paired=paired,
        welch=welch,
        correlation=correlation(x, y),
    )


def _resampled(pair: Pair, values: Values, test: Test, drawn: Resampled) -> Pair:
    """The pair with what its items and resampled seeds say."""
    a, b = drawn.names.index(pair.a), drawn.names.index(pair.b)
    low, high = percentiles(drawn.means[:, a] - drawn.means[:, b])
    pair = replace(pair, bootstrap_low=low, bootstrap_high=high)
    if drawn.strata is None:
        return pair
    found = effect(_by_seed(values, pair.a), _by_seed(values, pair.b), test)
    both = over_items(found, drawn.strata, a, b, test)
    holds = pair.verdict == "tied" or not _includes_zero(both)
    return replace(pair, over_items=both, holds_over_items=holds)


def _by_seed(values: Values, name: str) -> list[float]:
    return [values[name][seed] for seed in sorted(values[name])]


def _verdict(decides: Interval, higher_is_better: bool) -> Verdict:
    if _includes_zero(decides):
        return "tied"
    return "better" if (decides.ci_low > 0) == higher_is_better else "worse"


def _includes_zero(found: Interval) -> bool:
    return found.ci_low <= 0 <= found.ci_high
