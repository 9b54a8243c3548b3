"""Learning-rate schedules: the factor on the peak rate as a pure function of the step.

    wsd       climb, stay, fall linearly to 0 over the last `decay_frac` (arXiv 2404.06395)
    linear    climb, fall linearly to 0
    cosine    climb, fall as half a cosine to `min_frac`
    infinite  climb, cool down to `stable_frac`, stay, anneal exponentially to `min_frac`: the
              stay needs no horizon, so training can always go on from it (arXiv 2403.08763)
    rewarm    `cosine` that climbs from `min_frac`, where the run before it ended

`wsd` with half of the steps in its decay is the default: it beat a fall over the whole run for
runs of under about 1,000 steps (2.229 against 2.298 bits per byte in our sweep at xs). It also
makes a curve over tokens cheap: one trunk at the peak rate, and from it a branch per point that
decays on its own (`branches`).
"""

from __future__ import annotations

import math
from dataclasses import replace

from curation.errors import UserError
from train.config import TrainConfig


def rate(config: TrainConfig, step: int) -> float:
    """Factor on the peak learning rate at `step` (from 0), in (0, 1].

    The first step has a rate above 0 and so has the last: none is wasted.
    """
    first, config = _leg(config, step)
    return _FACTORS[config.schedule](config, step - first)


def branches(config: TrainConfig, points: tuple[float, ...]) -> dict[int, int]:
    """Where the models of a run's points branch off: first step of the branch to its end.

    Of `wsd` a branch is the decay of the run that would end there; of any other schedule it has
    no steps, and the model is the run's own at that moment.

    Args:
        config: of the run.
        points: shares of its tokens, in (0, 1); the end is always a point.

    Raises:
        UserError: two points fall on one step, or a branch would start inside the warm-up.
    """
    out = {}
    for point in sorted(points):
        end = round(point * config.steps)
        decay = round(config.decay_frac * end) if config.schedule == "wsd" else 0
        if config.restarts and decay:
            raise UserError("a run whose phases have schedules of their own has no decay branches")
        if not 0 < end < config.steps or end - decay in out:
            raise UserError(f"{point:g} of {config.steps} steps is no step of its own: {points}")
        if end - decay < _warmup(config):
            raise UserError(f"the branch that ends at {point:g} would start inside the warm-up")
        out[end - decay] = end
    return out


def _leg(config: TrainConfig, step: int) -> tuple[int, TrainConfig]:
    """First step and schedule of the part of the run that `step` lies in."""
    begun = [restart for restart in config.restarts if restart.step <= step]
    ends = [restart.step for restart in config.restarts if restart.step > step]
    if not begun and not ends:
        return 0, config
    first, stop = begun[-1].step if begun else 0, ends[0] if ends else config.steps
    leg = replace(config, tokens=(stop - first) * config.batch_tokens, restarts=())
    if begun:
        at = begun[-1]
        leg = replace(
            leg, schedule=at.schedule, warmup_frac=at.warmup_frac, decay_frac=at.decay_frac
        )
    return first, leg


def _warmup(config: TrainConfig) -> int:
    return round(config.warmup_frac * config.steps)


def _climb(config: TrainConfig, step: int) -> float:
    """From above 0 at the first step to 1 at the first step after the warm-up."""
    return min(1.0, (step + 1) / (_warmup(config) + 1))


def _half_cosine(low: float, passed: float) -> float:
    """From 1 to `low` as `passed` goes from 0 to 1."""
    return low + (1 - low) / 2 * (1 + math.cos(math.pi * passed))


def _wsd(config: TrainConfig, step: int) -> float:
    decay = round(config.decay_frac * config.steps)
    return min(_climb(config, step), (config.steps - step) / (decay + 1))


def _linear(config: TrainConfig, step: int) -> float:
    return min(_climb(config, step), (config.steps - step) / max(1, config.steps - _warmup(config)))


def _cosine(config: TrainConfig, step: int) -> float:
    warmup = _warmup(config)
    if step < warmup:
        return _climb(config, step)
    return _half_cosine(config.min_frac, (step - warmup) / max(1, config.steps - warmup))


def _rewarm(config: TrainConfig, step: int) -> float:
    if step < _warmup(config):
        return config.min_frac + (1 - config.min_frac) * _climb(config, step)
    return _cosine(config, step)


def _infinite(config: TrainConfig, step: int) -> float:
    warmup = _warmup(config)
    cooldown = round(config.cooldown_frac * config.steps)
    decay = round(config.decay_frac * config.steps)
    stable, annealed = config.stable_frac, step - (config.steps - decay)
    if step < warmup:
        return _climb(config, step)
    if step < warmup + cooldown:
        return _half_cosine(stable, (step - warmup) / cooldown)
    return float(stable * (config.min_frac / stable) ** (max(0, annealed) / max(1, decay)))


_FACTORS = {
    "wsd": _wsd,
    "linear": _linear,
    "cosine": _cosine,
    "infinite": _infinite,
    "rewarm": _rewarm,
}
