"""Gradient-boosted trees: the predictor of RegMix and CLIMB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from curation.errors import UserError
from mixtures.predictors.predictor import Predictor, predictors
from mixtures.space import Floats

_LEAST_RUNS = 8  # two leaves of the fewest runs that a leaf may hold, on four fifths of them
FOLDS = 5  # of the residuals that the standard error rests on


@predictors.register("lightgbm")
@dataclass(frozen=True, kw_only=True)
class LightGBM(Predictor):
    """LightGBM regression on the weights, deterministic and on one thread.

    RegMix's constants (Liu et al. 2024, 2407.01492, sail-sg/regmix): gbdt, rate 1e-2, 1,000 rounds.
    Deviation: no early stopping; RegMix stops on the mixtures that it then reports, and holding
    runs out costs more than it saves where they are few. CLIMB (2504.13161) adds L1 and L2
    regularisation, depth 4 and 5 runs per leaf: {lightgbm: {max_depth: 4, min_leaf: 5, l1: .1,
    l2: .1}}; it does not give the strengths.

    Attributes:
        rounds: trees.
        rate: learning rate.
        leaves: most leaves of a tree; 31 is the library's.
        max_depth: of a tree; -1 for no limit.
        min_leaf: fewest runs of a leaf; less than the library's 20 where there are few runs.
        l1: penalty on leaf values.
        l2: squared penalty.
    """

    rounds: int = 1000
    rate: float = 0.01
    leaves: int = 31
    max_depth: int = -1
    min_leaf: int = 20
    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.leaves < 2 or self.min_leaf < 1 or self.rate <= 0:
            raise ValueError("'rounds', 'leaves', 'min_leaf' and 'rate' of lightgbm must be > 0")

    def fit(self, weights: Floats, losses: Floats, own: int | None = None) -> LightGBMFit:
        """See `Predictor`; needs no `own`."""
        if len(losses) < _LEAST_RUNS:
            what = f"lightgbm needs {_LEAST_RUNS} runs, there are {len(losses)}"
            raise UserError(what, where="runs", hint="Measure more mixtures, or take gp.")
        return LightGBMFit(self, weights, losses, self._train(weights, losses))

    def _train(self, weights: Floats, losses: Floats) -> Any:
        import lightgbm

        parameters = {
            "objective": "regression", "learning_rate": self.rate, "num_leaves": self.leaves,
            "max_depth": self.max_depth, "lambda_l1": self.l1, "lambda_l2": self.l2,
            "min_data_in_leaf": min(self.min_leaf, max(1, len(losses) // 4)),
            "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": 0,
            "verbose": -1,
        }  # fmt: skip
        return lightgbm.train(parameters, lightgbm.Dataset(weights, losses), self.rounds)


@dataclass(frozen=True)
class LightGBMFit:
    """Trees; their standard error is that of runs left out, the same for every mixture."""

    predictor: LightGBM
    weights: Floats
    losses: Floats
    trees: Any

    def mean(self, weights: Floats) -> Floats:
        """See `Fit`."""
        return np.asarray(self.trees.predict(weights, num_threads=1))

    def sd(self, weights: Floats) -> Floats:
        """See `Fit`; fits the trees `FOLDS` times more when it is first asked for."""
        return np.full(len(weights), self._error)

    @cached_property
    def _error(self) -> float:
        residuals: list[Sequence[float]] = []
        for fold in range(FOLDS):
            out = np.arange(len(self.losses)) % FOLDS == fold
            trees = self.predictor._train(self.weights[~out], self.losses[~out])
            residuals.append(self.losses[out] - trees.predict(self.weights[out], num_threads=1))
        return max(float(np.sqrt(np.mean(np.concatenate(residuals) ** 2))), 1e-9)
