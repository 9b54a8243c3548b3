"""Cross-validation of the predictors on the runs of a search."""

import numpy as np
import pytest

from curation.config import build
from mixtures.methods.method import Problem, Search, Size, methods
from mixtures.runs import Ask, Run
from mixtures.space import Space
from pipelines.search.predictors import predictor_scores

SIZE = Size(name="tiny", params=1000, tokens=1000)
SPACE = Space(tokens={"a": 600, "b": 300, "c": 100}, budget=900)
PROBLEM = Problem(space=SPACE, objective={"t": 1.0}, runs=30, sizes=(SIZE,), target=SIZE)


def searched(name: str, runs: int, **parameters: object) -> Search:
    """A search whose runs follow c + exp(A.p) to the last digit; one of them failed."""
    search = Search(build(methods.get(name), parameters, where=name), PROBLEM)
    weights = np.random.default_rng(0).dirichlet(np.ones(3), runs)
    losses = 1 + np.exp(weights @ np.array([0.5, -1.0, 1.5]))
    asks = [Ask(weights=tuple(row)) for row in weights.tolist()]
    search.tell([Run(a, {"t": float(v)}) for a, v in zip(asks, losses, strict=True)])
    search.tell([Run(asks[0], {}, failure="diverged")])
    return search


def test_predictor_of_the_law_is_chosen() -> None:
    found = {s.predictor: s for s in predictor_scores(searched("regmix", 29, predictor="auto"))}
    assert [name for name, score in found.items() if score.chosen] == ["log_linear"]
    assert found["log_linear"].spearman == pytest.approx(1.0, abs=0.01)
    assert found["log_linear"].rmse < found["linear"].rmse
    assert {score.target for score in found.values()} == {"t"}


def test_predictor_that_the_method_names_is_marked() -> None:
    found = predictor_scores(searched("olmix", 29, predictor="linear"))
    assert [score.predictor for score in found if score.chosen] == ["linear"]


def test_methods_without_a_predictor_and_too_few_runs_have_no_scores() -> None:
    assert predictor_scores(searched("random", 29)) == ()
    assert predictor_scores(searched("regmix", 2, predictor="auto")) == ()
