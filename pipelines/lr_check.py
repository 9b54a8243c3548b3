"""`tilth run --lr-check`: is the learning rate that all recipes share one of the good ones?

A rate that is too low or too high for the budget ranks recipes by how they bear it. The first
recipe is trained at half and at twice the rate too; where one of these is better than noise
allows, the best rate lies at the edge of what was tried, or beyond, and nothing is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from curation.backends import Backend
from curation.errors import UserError
from curation.files import write_json
from curation.workshop import Progress
from eval.pairs import Pair, compare_pairs
from eval.scorecard import Metric, make_scorecard
from eval.statistics import Test
from pipelines.swarm import run_swarm
from pipelines.trial import Trial, TrialResult

LR_CHECK = "lr-check.json"
FACTORS = (1.0, 0.5, 2.0)  # of the rates of both optimisers, the recipes' own first


@dataclass(frozen=True)
class RateCheck:
    """The primary metric at each rate.

    Attributes:
        recipe: the one that was trained.
        primary: name of the metric.
        mean: by rate, as `x0.5`.
        pairs: the other rates against `x1`.
    """

    recipe: str
    primary: str
    mean: dict[str, float]
    pairs: list[Pair]

    @property
    def better(self) -> list[str]:
        """Rates that are better than `x1`, beyond noise."""
        return [pair.a for pair in self.pairs if pair.verdict == "better"]

    def __str__(self) -> str:
        """One line for the terminal."""
        means = ", ".join(f"{rate} {mean:.4f}" for rate, mean in self.mean.items())
        return f"learning rates of {self.recipe}, {self.primary}: {means}"


def check_rate(
    trials: Sequence[Trial],
    primary: str,
    test: Test,
    out: Path,
    backend: Backend,
    progress: Progress,
) -> RateCheck:
    """Trains what is missing and writes `out/lr-check.json`.

    Args:
        trials: of one recipe, one per seed; those at their own rate are used as they are.
        primary: the metric that decides.
        test: as the judge declared it.
        out: the output folder.
        backend: see `run_swarm`.
        progress: see `run_swarm`.

    Raises:
        UserError: another rate is better.
    """
    by_rate = {f"x{factor:g}": [_at(t, factor) for t in trials] for factor in FACTORS}
    swarm = run_swarm(
        [t for some in by_rate.values() for t in some], out / "work", backend, progress
    )
    results = iter(swarm.results())
    metrics = {
        rate: _metric([next(results) for _ in some], primary) for rate, some in by_rate.items()
    }
    values = {rate: metric.per_seed for rate, metric in metrics.items()}
    pairs = compare_pairs(values, metrics["x1"].higher_is_better, test)
    found = RateCheck(
        recipe=trials[0].spec.recipe,
        primary=primary,
        mean={rate: metric.mean for rate, metric in metrics.items()},
        pairs=[pair for pair in pairs if pair.b == "x1"],
    )
    write_json(out / LR_CHECK, asdict(found))
    if found.better:
        hint = f"Set the judge's train.lr_scale to {found.better[0][1:]} times what it is."
        raise UserError(f"{found}: {found.better[0]} is better", where="--lr-check", hint=hint)
    return found


def _at(trial: Trial, factor: float) -> Trial:
    if factor == 1:
        return trial
    train = trial.spec.train
    scaled = replace(train, lr=train.lr * factor, muon_lr=train.muon_lr * factor)
    folder = trial.folder.parent.parent / "lr-check" / f"x{factor:g}" / trial.folder.name
    return replace(trial, spec=replace(trial.spec, train=scaled), folder=folder)


def _metric(results: Sequence[TrialResult], primary: str) -> Metric:
    card = make_scorecard(
        results[0].recipe,
        "",
        primary,
        [result.record for result in results],
        {result.seed: result.scores for result in results},
        {result.seed: result.suites for result in results},
    )
    return card.metrics[primary]
