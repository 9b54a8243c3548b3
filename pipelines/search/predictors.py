"""How well predictors predict the runs of a search that they were not fitted to."""

from __future__ import annotations

import math
from collections.abc import Iterator

from curation.errors import UserError
from mixtures.methods.method import Search, finished
from mixtures.runs import losses_of, weights_of
from mixtures.selection import Score, select
from pipelines.search.record import PredictorScore


def predictor_scores(search: Search) -> tuple[PredictorScore, ...]:
    """Cross-validation of all candidates on each target, from the runs of the first size.

    Empty for methods that take no predictor, and where the runs are too few to be split.
    """
    choice = getattr(search.method, "predictor", None)
    if choice is None:
        return ()
    name = choice if isinstance(choice, str) else next(iter(choice))
    try:
        return tuple(_scores(search, name))
    except UserError:  # too few runs for any candidate: there is nothing to show
        return ()


def _scores(search: Search, name: str) -> Iterator[PredictorScore]:
    """`name` is the method's predictor, or `auto` for the candidate of least error."""
    problem = search.problem
    done = [run for run in finished(search.runs) if run.ask.size == 0]
    for target in problem.objective if done else ():
        found = select(weights_of(done), losses_of(done, target), problem.own(target))
        chosen = found.name if name == "auto" else name
        known = [score for score in found.scores if math.isfinite(score.rmse)]
        yield from (score_entry(target, score, chosen) for score in known)


def score_entry(target: str, score: Score, chosen: str) -> PredictorScore:
    """A cross-validation of a predictor, for a record; `chosen` names the one in use."""
    return PredictorScore(
        target=target,
        predictor=score.name,
        spearman=score.spearman if math.isfinite(score.spearman) else None,
        rmse=score.rmse,
        chosen=score.name == chosen,
    )
