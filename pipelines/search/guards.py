"""Guards: what every search measures besides what its method asks for.

Baselines, because a search that does not beat the natural mixture found nothing; proposals,
because the best prediction of a predictor is chosen for its error too; the noise of seeds; and
whether two sizes of proxies agree. None of it counts in the method's budget.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

from curation.errors import UserError
from eval.power import ALPHA
from eval.proxy_validity import MIN_RECIPES, proxy_validity
from mixtures.methods.method import Proposal
from mixtures.simplex import scale
from mixtures.space import Floats, Space
from pipelines.search.proxies import DIGITS, Size, Wanted
from pipelines.search.record import Agreement, NoiseFloor, RunEntry
from train.config import Preset
from train.order import n_windows, seen_windows
from train.shards import TokenShards

NATURAL, UNIFORM, TEMPERED = "natural", "uniform", "natural^0.5"
POWER = 0.8
MAX_MISMATCH = 0.1  # of a domain's epochs in a proxy, relative to those of the target
# (z_.975 + z_.80) sqrt(2): two single runs of known sd, a normal approximation
SDS_NEEDED = float(stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(POWER)) * 2**0.5

_Key = tuple[tuple[str, float], ...]


def baselines(space: Space) -> dict[str, Floats]:
    """The simple mixtures that critics of the papers ask for: weak baselines made gains look large.

    The natural mixture, the uniform one and the square root of the natural (RegMix's prior) keep
    to floors and caps: what is cut off goes to the others in proportion. A single domain is
    measured whatever its cap: its run is a baseline, and is not chosen where the cap forbids it.
    """
    count = len(space.domains)
    mixtures = {
        NATURAL: space.natural,
        UNIFORM: np.full(count, 1 / count),
        TEMPERED: np.sqrt(space.natural) / np.sqrt(space.natural).sum(),
    }
    found = {n: scale(w, space.floors, space.caps) for n, w in mixtures.items()}
    return found | {f"only {n}": row for n, row in zip(space.domains, np.eye(count), strict=True)}


def wanted_baselines(space: Space, sizes: Sequence[Size], seeds: Sequence[int]) -> list[Wanted]:
    """Every baseline at both ends of the sizes, and natural with every seed at the first."""
    found = [
        Wanted("baseline", name, weights, size, seeds[0])
        for size in _ends(sizes)
        for name, weights in baselines(space).items()
    ]
    natural = found[0].weights
    return found + [Wanted("baseline", NATURAL, natural, sizes[0], seed) for seed in seeds[1:]]


def wanted_proposals(
    proposals: Sequence[Proposal], sizes: Sequence[Size], seed: int
) -> list[Wanted]:
    """The proposals, to be measured at both ends of the sizes."""
    return [
        Wanted("proposal", f"proposal {i}", proposal.weights, size, seed)
        for size in _ends(sizes)
        for i, proposal in enumerate(proposals, 1)
    ]


def _ends(sizes: Sequence[Size]) -> Sequence[Size]:
    return sizes if len(sizes) == 1 else (sizes[0], sizes[-1])


def noise_floor(runs: Sequence[RunEntry], size: str) -> NoiseFloor:
    """The spread of the natural mixture's seeds at one size."""
    values = {
        run.seed: run.objective
        for run in runs
        if run.name == NATURAL and run.size == size and run.role == "baseline"
    }
    known = [value for value in values.values() if value is not None]
    sd = statistics.stdev(known) if len(known) > 1 else None
    return NoiseFloor(seeds=len(known), sd=sd, mde=None if sd is None else SDS_NEEDED * sd)


def best_measured(runs: Sequence[RunEntry], size: str, seed: int) -> RunEntry | None:
    """The allowed mixture with the smallest objective on the search half; None if all failed.

    Only runs that are alike compete: of one size, of one seed, at the end of training.
    """
    alike = [r for r in runs if r.size == size and r.seed == seed and r.role != "confirm"]
    known = [(r.objective, i) for i, r in enumerate(alike) if r.allowed and r.objective is not None]
    return alike[min(known)[1]] if known else None


def agreement(
    runs: Sequence[RunEntry], sizes: Sequence[Size], seeds: Sequence[int]
) -> Agreement | None:
    """How alike the first and the last size order the mixtures that both measured."""
    if len(sizes) == 1:
        return None
    small, large = (_measured(runs, size.preset.name, seeds[0]) for size in _ends(sizes))
    shared = [key for key in small if key in large]
    names = {key: small[key].name for key in shared}
    validity = None
    if len(shared) >= MIN_RECIPES:
        validity = proxy_validity(_per_seed(small, names), _per_seed(large, names))
    return Agreement(
        small=sizes[0].preset.name,
        large=sizes[-1].preset.name,
        mixtures=tuple(names.values()),
        validity=validity,
    )


def _measured(runs: Sequence[RunEntry], size: str, seed: int) -> dict[_Key, RunEntry]:
    alike = [r for r in runs if r.size == size and r.seed == seed and r.role != "confirm"]
    return {tuple(sorted(r.weights.items())): r for r in reversed(alike) if r.state == "done"}


def _per_seed(
    runs: Mapping[_Key, RunEntry], names: Mapping[_Key, str]
) -> dict[str, dict[int, float]]:
    found = {names[key]: runs[key] for key in names}
    return {n: {r.seed: r.objective} for n, r in found.items() if r.objective is not None}


def check_domains(shards: TokenShards, domains: Sequence[str], sizes: Sequence[Preset]) -> None:
    """Checks that each domain fills a training window of every size.

    Raises:
        UserError: one does not.
    """
    context = max(size.model.context for size in sizes)
    for name in domains:
        if not n_windows(shards.sources[name].tokens, context):
            raise UserError(
                f"its {shards.sources[name].documents:,} documents have "
                f"{shards.sources[name].tokens:,} tokens, less than one training window of "
                f"{context + 1:,}",
                where=f"domain {name}",
                hint=f"Add data, or leave it out: constraints: {{max_weights: {{{name}: 0}}}}",
            )


def unmatched(shards: TokenShards, domains: Sequence[str], sizes: Sequence[Size]) -> Iterator[str]:
    """Warnings about domains of so few windows that a share of them is not a whole number."""
    for size in sizes:
        for name in domains:
            windows = n_windows(shards.sources[name].tokens, size.preset.model.context)
            exact = windows * size.window_frac
            if abs(seen_windows(windows, size.window_frac) / exact - 1) > MAX_MISMATCH:
                yield (
                    f"domain '{name}' has {windows:,} windows, of which a {size.preset.name} run "
                    f"of {size.tokens:,} tokens should see {exact:.2g}: its repetition is matched "
                    "roughly"
                )


def moved(space: Space) -> Iterator[str]:
    """Warnings about baselines that floors or caps have changed."""
    plain = {NATURAL: space.natural, UNIFORM: np.full(len(space.domains), 1 / len(space.domains))}
    for name, weights in plain.items():
        share = float(np.abs(baselines(space)[name] - weights).sum()) / 2
        if share > 10**-DIGITS:
            yield f"the constraints move {share:.1%} of the {name} mixture between domains"
