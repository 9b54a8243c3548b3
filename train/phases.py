"""Phases: a run's mixtures one after another, each over its share of the tokens.

Of this form are a general blend followed by a better one (Reuse, Don't Retrain, arXiv 2407.07263),
three phases of ever better code (SnowCoder, arXiv 2409.02326), and annealing on a probe's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from curation.errors import UserError
from mixtures.mixture import Weights
from train.config import Restart, ScheduleName, TrainConfig


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A mixture over a part of a run; one phase may leave out its size: it takes the rest.

    Attributes:
        weights: `natural`, `uniform`, or a weight per source.
        tokens: its size in tokens,
        frac: or as a share of the run's, in (0, 1].
        schedule: of the learning rate from here on; None: the one at work goes on.
        warmup_frac: share of the schedule's steps; None: that of the run.
        decay_frac: likewise.
    """

    weights: Weights
    tokens: int | None = None
    frac: float | None = None
    schedule: ScheduleName | None = None
    warmup_frac: float | None = None
    decay_frac: float | None = None

    def __post_init__(self) -> None:
        if self.tokens is not None and self.frac is not None:
            raise ValueError("a phase has 'tokens' or 'frac', not both")
        if self.tokens is not None and self.tokens < 1:
            raise ValueError(f"'tokens' must be > 0. Got {self.tokens} instead.")
        if self.frac is not None and not 0 < self.frac <= 1:
            raise ValueError(f"'frac' must be in (0, 1]. Got {self.frac} instead.")
        fracs = (self.warmup_frac or 0.0, self.decay_frac or 0.0)
        if min(fracs) < 0 or sum(fracs) > 1:
            raise ValueError("'warmup_frac' and 'decay_frac' must be >= 0 and sum to at most 1")
        if self.schedule is None and (self.warmup_frac, self.decay_frac) != (None, None):
            raise ValueError("'warmup_frac' and 'decay_frac' of a phase need a 'schedule'")


def phase_steps(phases: Sequence[Phase], train: TrainConfig) -> list[int]:
    """Optimiser steps of each phase, whole and at least one; together the run's.

    Raises:
        UserError: the sizes do not add up to the run, or a phase has less than a step.
    """
    fracs = [_frac(phase, train) for phase in phases]
    given = sum(frac for frac in fracs if frac is not None)
    n_open = fracs.count(None)
    slack = 0.5 / train.steps  # sizes in tokens need not be whole steps
    if n_open > 1 or given > 1 + slack or (n_open == 0 and given < 1 - slack):
        raise UserError(
            f"the phases are {given:.4g} of the {train.tokens:,} tokens of the run, and "
            f"{n_open} of {len(phases)} leave out their size",
            where="mixture.phases",
            hint="Sizes add up to the run, or exactly one phase has none and takes the rest.",
        )
    filled = [max(0.0, 1 - given) if frac is None else frac for frac in fracs]
    ends = [round(total / sum(filled) * train.steps) for total in accumulate(filled)]
    steps = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    for i, n in enumerate(steps):
        if n < 1:
            what = f"is less than one step of {train.batch_tokens:,} tokens"
            raise UserError(what, where=f"mixture.phases[{i}]", hint="Give it more tokens.")
    return steps


def restarts(
    phases: Sequence[Phase], steps: Sequence[int], train: TrainConfig
) -> tuple[Restart, ...]:
    """The schedules that phases bring, at the steps where they begin."""
    starts = accumulate(steps, initial=0)
    return tuple(
        Restart(
            step=start,
            schedule=phase.schedule,
            warmup_frac=_or(phase.warmup_frac, train.warmup_frac),
            decay_frac=_or(phase.decay_frac, train.decay_frac),
        )
        for phase, start in zip(phases, starts, strict=False)
        if phase.schedule
    )


def _frac(phase: Phase, train: TrainConfig) -> float | None:
    if phase.tokens is None:
        return phase.frac
    return phase.tokens / (train.steps * train.batch_tokens)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
