"""The objective: a weighted sum of a judge's metrics, each of them lower-is-better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from curation.errors import UserError, closest
from eval.metrics import is_better_higher
from eval.scorecard import MEAN_BPB
from pipelines.judge import Judge
from pipelines.suites import known_metrics


@dataclass(frozen=True, kw_only=True)
class Target:
    """A metric that is searched for.

    Attributes:
        name: `panels.<panel>.bpb` or `suites.<suite>.<metric>`.
        weight: in the objective, above 0.
        panel: whose bits per byte it is, or
        suite: whose metric,
        metric: called so.
    """

    name: str
    weight: float
    panel: str | None = None
    suite: str | None = None
    metric: str = "bpb"

    @property
    def negated(self) -> bool:
        """Whether it is better higher: its loss is then the metric times -1."""
        return self.suite is not None and is_better_higher(self.metric)


def read_objective(
    given: Mapping[str, float] | None, judge: Judge, judge_file: Path, where: str
) -> tuple[Target, ...]:
    """The targets of an objective; their weights sum to 1.

    Args:
        given: weight by metric; None for the judge's primary. `panels.mean_bpb` stands for all
            panels alike.
        judge: with the metrics.
        judge_file: where it was read.
        where: file and key path, for messages.

    Raises:
        UserError: the judge measures no such metric, or a weight is not above 0.
    """
    known = _known(judge, judge_file)
    weights: dict[str, float] = {}
    for name, weight in ({judge.primary: 1.0} if given is None else given).items():
        _check(name, weight, [MEAN_BPB, *known], f"{where}.{name}", judge_file)
        parts = [n for n, t in known.items() if t.panel] if name == MEAN_BPB else [name]
        for part in parts:
            weights[part] = weights.get(part, 0.0) + weight / len(parts)
    if not weights:
        raise UserError("is empty", where=where, hint="Leave it out for the judge's primary.")
    total = sum(weights.values())
    return tuple(replace(known[name], weight=weight / total) for name, weight in weights.items())


def _known(judge: Judge, judge_file: Path) -> dict[str, Target]:
    """All metrics that may be searched for."""
    found = [Target(name=f"panels.{p.name}.bpb", weight=1.0, panel=p.name) for p in judge.panels]
    for suite, metrics in known_metrics(judge.suites, judge_file).items():
        for name in metrics:
            metric = name.removeprefix(f"suites.{suite}.")
            found.append(Target(name=name, weight=1.0, suite=suite, metric=metric))
    return {target.name: target for target in found}


def _check(name: str, weight: float, known: list[str], where: str, judge_file: Path) -> None:
    if name not in known:
        raise UserError(
            f"the judge has no metric '{name}'.{closest(name, known)}",
            where=where,
            hint=f"{judge_file} has: {', '.join(known)}",
        )
    if weight <= 0:
        hint = "Metrics know their direction: what is better higher enters negated."
        raise UserError(f"a weight must be > 0. Got {weight:g}.", where=where, hint=hint)
