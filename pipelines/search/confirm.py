"""Confirmation: fresh seeds, and documents that chose nothing, decide what is believed.

The best of many measured mixtures is partly lucky, and a predictor's optimum partly wrong. What
the search ends with is compared with the natural mixture once more, by the judge's own test; where
it is not better beyond the noise, the natural mixture stays.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from eval.pairs import Pair, compare_pairs
from eval.scorecard import sample_sd
from eval.statistics import Test
from mixtures.space import Floats, Space
from pipelines.search.guards import NATURAL, UNIFORM, baselines, best_measured
from pipelines.search.proxies import DIGITS, Size, Wanted
from pipelines.search.record import (
    Candidate,
    Chosen,
    Confirmation,
    ProposalEntry,
    RunEntry,
    SizeEntry,
)

BEST = "best measured"
BESIDE = 3  # mixtures beside the proposals: natural, uniform, the best measured


def fresh_seeds(used: Sequence[int], count: int) -> tuple[int, ...]:
    """Seeds that no proxy had."""
    return tuple(max(used) + 1 + i for i in range(count))


def candidates(
    space: Space,
    proposals: Sequence[ProposalEntry],
    runs: Sequence[RunEntry],
    size: str,
    seed: int,
) -> dict[str, Floats]:
    """What is confirmed: natural, uniform, the proposals, the best measured mixture; each once."""
    found = {name: baselines(space)[name] for name in (NATURAL, UNIFORM)}
    found |= {p.name: row(space, p.weights) for p in proposals}
    best = best_measured(runs, size, seed)
    if best is not None:
        found[BEST] = row(space, best.weights)
    kept: dict[str, Floats] = {}
    for name, weights in found.items():
        if not any(np.abs(weights - other).max() < 2 * 10**-DIGITS for other in kept.values()):
            kept[name] = weights
    return kept


def row(space: Space, weights: Mapping[str, float]) -> Floats:
    """Weights by domain as an array, (domains,)."""
    return np.array([weights.get(name, 0.0) for name in space.domains])


def wanted_confirmations(
    mixtures: Mapping[str, Floats], size: Size, seeds: Sequence[int]
) -> list[Wanted]:
    """A run per mixture and seed; seeds outermost, so that all mixtures have results early."""
    return [
        Wanted("confirm", name, weights, size, seed)
        for seed in seeds
        for name, weights in mixtures.items()
    ]


def confirmation(
    space: Space,
    mixtures: Mapping[str, Floats],
    runs: Sequence[RunEntry],
    size: Size,
    seeds: Sequence[int],
    test: Test,
) -> Confirmation | None:
    """The comparison with natural; None where a run of natural has failed."""
    values = {name: _by_seed(runs, name) for name in mixtures}
    whole = {name: found for name, found in values.items() if len(found) == len(seeds)}
    if NATURAL not in whole:
        return None
    pairs = compare_pairs(whole, higher_is_better=False, test=test) if len(whole) > 1 else []
    known = [_candidate(space, name, mixtures[name], found) for name, found in whole.items()]
    known.sort(key=lambda one: (one.name != NATURAL, one.mean))
    return Confirmation(
        size=SizeEntry(
            preset=size.preset.name,
            params=size.preset.model.params,
            tokens=size.tokens,
            window_frac=size.window_frac,
        ),
        seeds=tuple(seeds),
        test=test,
        candidates=tuple(known),
        pairs=tuple(pair for pair in pairs if pair.b == NATURAL),
    )


def _by_seed(runs: Sequence[RunEntry], name: str) -> dict[int, float]:
    confirmed = [r for r in runs if r.role == "confirm" and r.name == name]
    return {r.seed: r.confirm_objective for r in confirmed if r.confirm_objective is not None}


def _candidate(space: Space, name: str, weights: Floats, values: Mapping[int, float]) -> Candidate:
    found = [values[seed] for seed in sorted(values)]
    return Candidate(
        name=name,
        weights=named(space, weights),
        epochs=named(space, space.epochs(weights)),
        values=tuple(found),
        mean=statistics.fmean(found),
        sd=sample_sd(found),
    )


def named(space: Space, values: Floats) -> dict[str, float]:
    """An array over domains by name, to six decimals, without zeros."""
    rounded = np.round(values, DIGITS).tolist()
    return {name: value for name, value in zip(space.domains, rounded, strict=True) if value}


def choose(
    space: Space, found: Confirmation | None, runs: Sequence[RunEntry], size: str, seed: int
) -> Chosen:
    """The mixture to use: the best of those confirmed as better than natural, else natural.

    Without a confirmation it is the best measured one, and the verdict says so.
    """
    if found is None:
        return _unconfirmed(space, runs, size, seed)
    verdicts = {pair.a: pair for pair in found.pairs}
    ahead = [c for c in found.candidates if c.name != NATURAL]
    better = [c for c in ahead if verdicts[c.name].verdict == "better"]
    winner = better[0] if better else found.candidates[0]
    pair = verdicts[better[0].name] if better else verdicts[ahead[0].name] if ahead else None
    return Chosen(
        name=winner.name,
        weights=winner.weights,
        epochs=winner.epochs,
        verdict="better" if better else "tied",
        reason=_reason(pair, len(found.seeds), bool(better)),
    )


def _reason(pair: Pair | None, seeds: int, better: bool) -> str:
    if pair is None or pair.ci_low is None or pair.ci_high is None or pair.mde is None:
        return "natural is kept: nothing else was confirmed"
    gain = (
        f"{-pair.difference:+.4f} [{-pair.ci_high:+.4f}, {-pair.ci_low:+.4f}] over natural with "
        f"{seeds} fresh seeds on the confirm half"
    )
    if better:
        return f"{pair.a} gains {gain}"
    return (
        f"tied: the best other mixture, {pair.a}, gains {gain}, and gains below {pair.mde:.4f} "
        "are not found reliably; natural is kept"
    )


def _unconfirmed(space: Space, runs: Sequence[RunEntry], size: str, seed: int) -> Chosen:
    best = best_measured(runs, size, seed)
    weights = baselines(space)[NATURAL] if best is None else row(space, best.weights)
    name = NATURAL if best is None else best.name
    reason = "no run finished" if best is None else "the best measured on the search half"
    return Chosen(
        name=name,
        weights=named(space, weights),
        epochs=named(space, space.epochs(weights)),
        verdict="not confirmed",
        reason=f"{reason}, not confirmed with fresh seeds",
    )
