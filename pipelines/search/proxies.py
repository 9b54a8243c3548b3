"""Proxies: one run per mixture, size and seed, each made once.

DIR/runs/<preset>-<tokens>-seed<seed>-<hash>/    a run; its name follows from what it is

Every search in one output folder finds the runs of the others, whatever they were made for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from curation.backends import Backend
from curation.workshop import Progress
from mixtures.runs import Ask, Documents, Measured, Run
from mixtures.space import Floats, Space
from pipelines.prepare import Bench
from pipelines.scores import TrialScores, read_scores
from pipelines.search.halves import Halves
from pipelines.search.record import Role, RunEntry
from pipelines.search.spec import SearchSpec
from pipelines.swarm import Ended, run_swarm
from pipelines.trial import SCORES, Trial, TrialResult
from train.config import Preset, TrainConfig
from train.shards import TokenShards
from train.spec import ProxySpec, identity

RUNS = "runs"
DIGITS = 6  # of a weight: mixtures that differ by less than a window in a million are one run


@dataclass(frozen=True)
class Size:
    """A model that mixtures are measured with, and the share of each domain that it sees."""

    preset: Preset
    window_frac: float

    @property
    def tokens(self) -> int:
        """Of a run."""
        return whole_steps(self.preset.train)


@dataclass(frozen=True)
class Wanted:
    """A run to make, and what for; the fields are those of `RunEntry`, and of `Ask`."""

    role: Role
    name: str
    weights: Floats
    size: Size
    seed: int
    round: int | None = None
    points: tuple[float, ...] = ()


@dataclass(frozen=True)
class Made:
    """A run that was made.

    Attributes:
        entry: of the record.
        curve: points before its end, measured on the search half.
        documents: of the search half, by target; empty if it failed.
    """

    entry: RunEntry
    curve: tuple[Measured, ...] = ()
    documents: dict[str, Documents] | None = None

    def run(self, ask: Ask) -> Run:
        """As the method that asked is told."""
        return Run(
            ask,
            self.entry.losses,
            curve=self.curve,
            tokens=self.entry.tokens,
            documents=self.documents or {},
            failure=self.entry.failure,
        )


class Proxies:
    """Makes runs of mixtures and scores them.

    Args:
        spec: of the search.
        bench: its judge, ready.
        shards: tokens of the domains.
        dataset: hash of the dataset.
        space: with the domains, in order.
        out: the output folder.
        backend: where runs are made.
        progress: hears of their steps.
    """

    def __init__(
        self,
        spec: SearchSpec,
        bench: Bench,
        shards: TokenShards,
        dataset: str,
        space: Space,
        out: Path,
        backend: Backend,
        progress: Progress,
    ) -> None:
        self.spec, self.bench, self.shards, self.dataset = spec, bench, shards, dataset
        self.space, self.out, self.backend, self.progress = space, out, backend, progress
        self.halves = Halves(bench.panel_files, spec.targets)

    def make(
        self, wanted: Sequence[Wanted], heard: Callable[[Made], None] | None = None
    ) -> list[Made]:
        """The runs, in the order of `wanted`; those that exist are read.

        `heard` is told of each run as it ends, once, whatever number of times it is wanted.
        """
        trials = [self._trial(one) for one in wanted]
        first = {t.folder: one for t, one in reversed(list(zip(trials, wanted, strict=True)))}

        def ended(end: Ended) -> None:
            if heard is not None:
                heard(self._made(first[end.folder], end))

        every = list({trial.folder: trial for trial in trials}.values())
        swarm = run_swarm(every, self.out / "work", self.backend, self.progress, ended)
        pairs = zip(trials, wanted, strict=True)
        return [self._made(one, swarm.ended[trial.folder]) for trial, one in pairs]

    def _trial(self, wanted: Wanted) -> Trial:
        recipe, size = self.spec.recipe, wanted.size
        spec = ProxySpec(
            recipe=recipe.name,
            shards=self.shards.folder,
            weights=self._named(wanted.weights),
            max_epochs=None,  # the search keeps to its caps, and whoever breaks them says so
            preset=size.preset.name,
            model=size.preset.model,
            train=size.preset.train,
            numerics=self.bench.numerics,
            seed=wanted.seed,
            judge=self.bench.fingerprint,
            dataset_fingerprint=self.dataset,
            points=wanted.points,
            init_from=self.bench.init_from,
            window_frac=size.window_frac,
        )
        name = f"{size.preset.name}-{size.tokens}-seed{wanted.seed}"
        folder = self.out / RUNS / f"{name}-{identity(spec, self.shards)[:12]}"
        good = recipe.control.good if recipe.control else None
        bench = self.bench  # all that it measures: a search for something else finds it there
        files = (bench.tokenizer_file, bench.panel_files, bench.suite_files)
        return Trial(spec, folder, *files, good)

    def _named(self, weights: Floats) -> dict[str, float]:
        """Weights by domain, without those that are 0."""
        rounded = np.round(weights, DIGITS).tolist()
        return {name: w for name, w in zip(self.space.domains, rounded, strict=True) if w > 0}

    def _made(self, wanted: Wanted, end: Ended) -> Made:
        entry = RunEntry(
            id=end.folder.name,
            role=wanted.role,
            name=wanted.name,
            round=wanted.round,
            size=wanted.size.preset.name,
            tokens=wanted.size.tokens,
            seed=wanted.seed,
            weights=self._named(wanted.weights),
            allowed=bool(self.space.inside(wanted.weights, slack=10**-DIGITS)),
            state="failed" if end.result is None else "done",
            failure=end.failure,
        )
        if end.result is None:
            return Made(entry)
        scores = TrialScores(end.result.scores, end.result.suites)
        losses, record = self.halves.losses(scores), end.result.record
        entry = replace(
            entry,
            epochs={name: passes for name, passes in record["epochs"].items() if passes},
            losses=losses.search,
            confirm_losses=losses.confirm,
            objective=self._objective(losses.search),
            confirm_objective=self._objective(losses.confirm),
            seconds=round(record["wall_s"], 3),
        )
        return Made(entry, self._curve(end.folder, end.result), self.halves.documents(scores))

    def _objective(self, losses: dict[str, float]) -> float:
        return float(sum(target.weight * losses[target.name] for target in self.spec.targets))

    def _curve(self, folder: Path, result: TrialResult) -> tuple[Measured, ...]:
        """The points of a run before its end."""
        found = []
        for point in result.record["curve"][:-1]:
            path = (folder / point["model"]).with_name(SCORES)
            scores = read_scores(path, result.record["fingerprint"])
            assert scores is not None, "a trial scores every point before it ends"
            found.append(Measured(point["tokens"], self.halves.losses(scores).search))
        return tuple(found)


def whole_steps(train: TrainConfig) -> int:
    """Tokens that a run trains on: its budget in whole steps."""
    return train.steps * train.batch_tokens


def matched_frac(preset: Preset, target: Preset) -> float:
    """Share of each domain for a run that repeats it as often as the target does.

    N_proxy = N * R_proxy / R_target (Repetition mismatch, arXiv 2606.07597).
    """
    return min(1.0, whole_steps(preset.train) / whole_steps(target.train))
