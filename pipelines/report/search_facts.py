"""What several parts of a search's page need to know of its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.pairs import Pair, compare_pairs
from pipelines.report.forest import Interval
from pipelines.report.format import is_number
from pipelines.search.guards import NATURAL
from pipelines.search.live import best_so_far, natural_run
from pipelines.search.record import Candidate, Confirmation, RunEntry, SearchRecord

SLACK = 2e-6  # weights are written to six decimals
_VERDICTS = ("better", "worse", "tied")


@dataclass(frozen=True)
class Mixture:
    """A mixture under the title that the page gives it."""

    title: str
    weights: Mapping[str, float]

    def epochs(self, record: SearchRecord) -> dict[str, float]:
        """Passes of the target run over each domain."""
        budget = record.target.tokens
        return {d.name: self.weights.get(d.name, 0.0) * budget / d.tokens for d in record.domains}


@dataclass(frozen=True)
class Drawn:
    """A mixture in a picture, with the class that colours it."""

    weights: Mapping[str, float]
    class_: str
    hint: str


def shown_mixture(record: SearchRecord) -> Mixture | None:
    """The chosen mixture, the best measured one before there is one; None before any run."""
    if record.chosen is not None:
        return Mixture("chosen", record.chosen.weights)
    best = best_so_far(record)
    return None if best is None else Mixture("best so far", best.weights)


def natural_mixture(record: SearchRecord) -> Mixture:
    """The natural mixture as it is measured, within floors and caps; before that, the shares."""
    run = natural_run(record)
    shares = {domain.name: domain.share for domain in record.domains}
    return Mixture(NATURAL, shares if run is None else run.weights)


def unit(record: SearchRecord) -> str:
    """What the objective is measured in."""
    is_bpb = all(target.endswith(".bpb") for target in record.objective)
    return "bits per byte" if is_bpb else "weighted sum of losses"


def proxies(record: SearchRecord, *roles: str) -> list[RunEntry]:
    """Runs of these roles at the first size and the search's seed, which alone are comparable."""
    size, natural = record.sizes[0].preset, natural_run(record)
    alike = [run for run in record.runs if run.size == size and run.role in roles]
    return [run for run in alike if natural is None or run.seed == natural.seed]


def measured(runs: Sequence[RunEntry]) -> list[tuple[float, RunEntry]]:
    """Objectives on the search half with their runs, without those that have none."""
    pairs = [(run.objective, run) for run in runs]
    return [(value, run) for value, run in pairs if value is not None and is_number(value)]


def distinct(runs: Sequence[tuple[float, RunEntry]]) -> list[tuple[float, RunEntry]]:
    """One entry per run, the first, of those that play several roles."""
    kept: dict[str, tuple[float, RunEntry]] = {}
    for value, run in runs:
        kept.setdefault(run.id, (value, run))
    return list(kept.values())


def candidate(found: Confirmation, name: str) -> Candidate | None:
    """The confirmed mixture of this name."""
    return next((one for one in found.candidates if one.name == name), None)


def contender(record: SearchRecord) -> Candidate | None:
    """The chosen mixture as it was confirmed; the best of the others where natural is kept."""
    if record.confirmation is None:
        return None
    if record.chosen is not None and record.chosen.name != NATURAL:
        return candidate(record.confirmation, record.chosen.name)
    return next((one for one in record.confirmation.candidates if one.name != NATURAL), None)


def gain(record: SearchRecord, name: str, over: str) -> Interval | None:
    """How much lower `name` is than `over` on the confirm half; None where either is missing.

    Over natural it is the record's, Holm-adjusted; over others the same test on the same seeds.
    """
    pair = _pair(record.confirmation, name, over)
    return None if pair is None else gained(pair)


def mde(record: SearchRecord, name: str) -> float | None:
    """Smallest gain over natural that the confirmation finds in 80 % of repeats."""
    pair = _pair(record.confirmation, name, NATURAL)
    return None if pair is None else pair.mde


def gained(pair: Pair) -> Interval:
    """A pair turned from a difference of losses to a gain: above 0 is better."""
    low = None if pair.ci_high is None else -pair.ci_high
    high = None if pair.ci_low is None else -pair.ci_low
    verdict = pair.verdict if pair.verdict in _VERDICTS else "neutral"
    return Interval(pair.a, -pair.difference, low, high, verdict)


def _pair(found: Confirmation | None, name: str, over: str) -> Pair | None:
    if found is None:
        return None
    known = next((pair for pair in found.pairs if (pair.a, pair.b) == (name, over)), None)
    one, other = candidate(found, name), candidate(found, over)
    if known is not None or one is None or other is None or name == over:
        return known
    values = {c.name: dict(zip(found.seeds, c.values, strict=False)) for c in (other, one)}
    return compare_pairs(values, higher_is_better=False, test=found.test)[0]
