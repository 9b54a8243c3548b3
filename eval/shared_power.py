"""A power law of compute, L(C) = E + k C^-g, with one exponent for all recipes.

For grids too small for Chinchilla's five constants. The exponent is shared because a recipe's few
points cannot tell a higher floor from a slower fall; what differs between recipes is E and k.
For a given g the law is linear in E and k, so that only g is searched, on a grid; intervals come
from resampled residuals, because runs are few and their budgets are chosen, not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curation.errors import UserError
from eval.chinchilla import ScalingRun
from eval.power import ALPHA
from eval.statistics import Floats

MIN_BUDGETS = 3  # of one recipe
MIN_SPAN = 4.0  # largest budget over smallest: .25x to 1x, what decay branches give
MAX_ASIDE = 0.1  # in ln N and ln D: 10 %, more than rounding to whole steps and heads
RESAMPLES = 1_000

_EXPONENTS = np.geomspace(0.005, 2.0, 1200)  # steps of half a per cent


@dataclass(frozen=True, kw_only=True)
class RecipeLaw:
    """E and k of one recipe, with 95 % intervals; `k` is at the geometric mean of all budgets."""

    floor: float
    floor_interval: tuple[float, float]
    k: float
    k_interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class SharedFit:
    """The law of every recipe.

    Attributes:
        g: exponent of compute, shared; with its 95 % interval.
        recipes: what each recipe has of its own.
        centre: FLOPs at which k is stated: L(C) = E + k (C / centre)^-g.
        convention: which parameters N counts in C = 6 N D.
        runs: how many were fitted.
    """

    g: float
    g_interval: tuple[float, float]
    recipes: dict[str, RecipeLaw]
    centre: float
    convention: str
    runs: int

    def predict(self, recipe: str, flops: float) -> float:
        """The recipe's loss at that compute."""
        law = self.recipes[recipe]
        return law.floor + law.k * math.pow(flops / self.centre, -self.g)


def refusal_of_shared(runs: Mapping[str, Sequence[ScalingRun]]) -> str:
    """Why E + k C^-g cannot be fitted; empty if it can."""
    budgets = 0
    for recipe, given in runs.items():
        line = sorted({(run.flops, run.params, run.tokens) for run in given})
        if len({flops for flops, _, _ in line}) < MIN_BUDGETS:
            return f"'{recipe}' has {len(line)} budgets, E + k C^-g needs {MIN_BUDGETS}"
        if not _is_straight([(math.log(n), math.log(d)) for _, n, d in line]):
            return f"'{recipe}' has sizes and durations off a single line of growing compute"
        if line[-1][0] < MIN_SPAN * line[0][0]:
            return f"'{recipe}' spans {line[-1][0] / line[0][0]:.2g}x of compute, not {MIN_SPAN:g}x"
        budgets += len(line)
    constants = 2 * len(runs) + 1
    if budgets <= constants:
        return f"{budgets} budgets for {constants} constants"
    return ""


def _is_straight(points: Sequence[tuple[float, float]]) -> bool:
    """Whether (ln N, ln D) lie on the way from the first to the last point.

    One size at several durations does, and so does a ladder of sizes at one duration per
    parameter; elsewhere the loss is no function of compute alone.
    """
    start, end = np.array(points[0]), np.array(points[-1])
    way = end - start
    steps = np.array(points) - start
    aside = np.abs(steps[:, 0] * way[1] - steps[:, 1] * way[0]) / np.linalg.norm(way)
    along = (steps * way).sum(1)
    return bool(
        (way >= 0).all() and (aside <= MAX_ASIDE).all() and (np.diff(along) > 0).all(),
    )


def fit_shared(
    runs: Mapping[str, Sequence[ScalingRun]], convention: str, resamples: int = RESAMPLES
) -> SharedFit:
    """Least squares; `eval.scaling.fit_scaling` checks first that the runs allow it.

    Raises:
        UserError: the losses do not fall along a power law of compute.
    """
    every = np.log([run.flops for given in runs.values() for run in given])
    centre = float(every.mean())
    logs = [np.log([run.flops for run in given]) - centre for given in runs.values()]
    losses = [np.array([[run.loss for run in given]]) for given in runs.values()]
    g, constants = _fit(logs, losses)
    _check(float(g[0]), {name: float(c[0, 1]) for name, c in zip(runs, constants, strict=True)})
    drawn_g, drawn = _fit(logs, _redrawn(logs, losses, float(g[0]), constants, resamples))
    return SharedFit(
        g=float(g[0]),
        g_interval=_middle(drawn_g),
        recipes={
            name: RecipeLaw(
                floor=float(found[0, 0]),
                floor_interval=_middle(other[:, 0]),
                k=float(found[0, 1]),
                k_interval=_middle(other[:, 1]),
            )
            for name, found, other in zip(runs, constants, drawn, strict=True)
        },
        centre=math.exp(centre),
        convention=convention,
        runs=len(every),
    )


def _fit(logs: Sequence[Floats], losses: Sequence[Floats]) -> tuple[Floats, list[Floats]]:
    """The best shared exponent of each row of losses, and (E, k) of each recipe."""
    total = sum(_squares(x, y) for x, y in zip(logs, losses, strict=True))
    best = np.argmin(np.asarray(total), axis=1)
    constants = []
    for x, y in zip(logs, losses, strict=True):
        powers = np.exp(-_EXPONENTS[best][:, None] * x)
        constants.append(np.stack(_line(powers, y), axis=1))
    return _EXPONENTS[best], constants


def _squares(x: Floats, y: Floats) -> Floats:
    """Residual sum of squares of each row of y for every exponent, (rows, exponents)."""
    powers = np.exp(-_EXPONENTS[:, None] * x)
    centred = powers - powers.mean(1, keepdims=True)
    around = y - y.mean(1, keepdims=True)
    explained = (around @ centred.T) ** 2 / (centred**2).sum(1)
    squares: Floats = (around**2).sum(1, keepdims=True) - explained
    return squares


def _line(powers: Floats, y: Floats) -> tuple[Floats, Floats]:
    """E and k of y = E + k power, row by row."""
    centred = powers - powers.mean(1, keepdims=True)
    k = (centred * (y - y.mean(1, keepdims=True))).sum(1) / (centred**2).sum(1)
    return y.mean(1) - k * powers.mean(1), k


def _redrawn(
    logs: Sequence[Floats],
    losses: Sequence[Floats],
    g: float,
    constants: Sequence[Floats],
    resamples: int,
) -> list[Floats]:
    """Fitted losses plus residuals drawn from all recipes', widened for the constants fitted."""
    rng = np.random.default_rng(0)
    fitted = [c[:, :1] + c[:, 1:] * np.exp(-g * x) for x, c in zip(logs, constants, strict=True)]
    residuals = np.concatenate([(y - f)[0] for y, f in zip(losses, fitted, strict=True)])
    free = len(residuals) - 2 * len(logs) - 1
    residuals *= math.sqrt(len(residuals) / free)
    return [f + rng.choice(residuals, (resamples, f.shape[1])) for f in fitted]


def _check(g: float, factors: Mapping[str, float]) -> None:
    for name, k in factors.items():
        if k <= 0:
            raise UserError(f"the losses of '{name}' do not fall with compute: k = {k:.3g}")
    if g in (_EXPONENTS[0], _EXPONENTS[-1]):
        raise UserError(
            f"the losses follow no power law of compute: its exponent ends at {g:.3g}, the edge "
            "of what is searched"
        )


def _middle(draws: Floats) -> tuple[float, float]:
    low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2])
    return float(low), float(high)
