"""Swarm: many trials side by side, one thread each, and a table of how far they are.

FOLDER/swarm.csv   a row per trial, renewed while they run: state, steps, time left; and in the end
                   every metric, with the weights of its mixture beside them

A trial that was killed goes on from its checkpoint, in another worker or in the next swarm; one
that is finished is not run again. One that diverges leaves the others alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from curation.backends import Backend
from curation.errors import RunError
from curation.files import write_bytes
from curation.workshop import Progress
from pipelines.tables import csv_text
from pipelines.trial import Trial, TrialResult, run_trial
from pipelines.watch import watch
from train.numerics import gpu_share

TABLE = "swarm.csv"
State = Literal["waiting", "training", "done", "failed"]


@dataclass(frozen=True)
class Ended:
    """How a trial ended: with a result, or with the reason why not."""

    folder: Path
    result: TrialResult | None
    failure: str = ""


class Swarm:
    """The trials and how they ended.

    Args:
        trials: all of them.
        table: the file of rows.
    """

    def __init__(self, trials: Sequence[Trial], table: Path) -> None:
        self.trials, self.table = trials, table
        self.ended: dict[Path, Ended] = {}
        self._first: tuple[float, list[int]] | None = None  # time and steps when it was first told

    def results(self) -> list[TrialResult]:
        """One per trial, in the order of `trials`.

        Raises:
            RunError: trials failed; names all that did.
        """
        failures = [end.failure for end in self.ended.values() if end.failure]
        if failures:
            reasons = "\n".join(f"  {reason}" for reason in failures)
            raise RunError(f"{len(failures)} of {len(self.trials)} trials failed:\n{reasons}")
        found = [self.ended[trial.folder].result for trial in self.trials]
        return [result for result in found if result is not None]

    def write(self, steps: list[int]) -> None:
        """Renews the table; `steps` are those that each trial has behind it."""
        now = time.monotonic()
        began, before = self._first = self._first or (now, steps)
        rows = []
        for trial, step, first in zip(self.trials, steps, before, strict=True):
            pace = (step - first) / (now - began) if step > first else None  # steps per second
            rows.append(self._row(trial, step, pace))
        write_bytes(self.table, csv_text(rows).encode())

    def _row(self, trial: Trial, step: int, pace: float | None) -> dict[str, Any]:
        spec, end = trial.spec, self.ended.get(trial.folder)
        state: State = "training" if step else "waiting"
        if end is not None:
            state = "failed" if end.failure else "done"
        left = (spec.train.steps - step) / pace if pace and state == "training" else None
        row = {
            "run": trial.folder.name,
            "recipe": spec.recipe,
            "seed": spec.seed,
            "preset": spec.preset,
            "tokens": spec.train.tokens,
            "state": state,
            "step": step,
            "steps": spec.train.steps,
            "seconds_left": None if left is None else round(left),
            "failure": end.failure if end else "",
        }
        if isinstance(spec.weights, dict):
            row |= {f"weights.{name}": weight for name, weight in spec.weights.items()}
        if end and end.result:
            row |= end.result.record["curve"][-1]["metrics"]
        return row


def run_swarm(
    trials: Sequence[Trial],
    folder: Path,
    backend: Backend,
    progress: Progress,
    heard: Callable[[Ended], None] | None = None,
) -> Swarm:
    """Trains and scores what is missing of `trials`.

    Args:
        trials: each with a folder of its own.
        folder: for the table.
        backend: trials run on its workers, on a GPU several at a time where models are small.
        progress: hears of the steps of all trials together.
        heard: hears how each trial ended, as soon as it has.

    Raises:
        UserError: a trial asks for what its data cannot give.
    """
    if len({trial.folder for trial in trials}) < len(trials):
        raise ValueError("two trials of a swarm have one folder")
    swarm = Swarm(trials, folder / TABLE)
    share = max((_gpus(trial) for trial in trials), default=0.0)
    with watch(trials, progress, swarm.write):
        for end in backend.run(train_trial, list(trials), num_gpus=share):
            swarm.ended[end.folder] = end
            if heard is not None:
                heard(end)
    return swarm


def train_trial(trial: Trial) -> Ended:
    """Runs a trial; what stops this one and need not stop the others is its failure."""
    try:
        return Ended(trial.folder, run_trial(trial))
    except RunError as error:
        return Ended(trial.folder, None, str(error))


def _gpus(trial: Trial) -> float:
    spec = trial.spec
    return gpu_share(spec.model) if spec.numerics.device == "cuda" else 0.0
