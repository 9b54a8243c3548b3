"""The stage that scores sentences for control tokens: the one that `control.column` is of."""

from __future__ import annotations

from curation.errors import UserError
from curation.learning import needs_model
from curation.stage import Scorer
from pipelines.recipe import Recipe


def sentence_scorer(recipe: Recipe) -> Scorer | None:
    """The stage, or None where control tokens are per document.

    Raises:
        UserError: the recipe has no such stage, or it must learn first.
    """
    if recipe.control is None or recipe.control.per == "document":
        return None
    column, where = recipe.control.column, f"{recipe.file}: control.column"
    label, _, name = column.partition(".")
    planned = next((one for one in recipe.stages if one.label == label), None)
    if planned is None or not isinstance(planned.stage, Scorer):
        hint = "Like toxicity.score, of a stage that scores documents."
        raise UserError(f"no stage of the recipe makes '{column}'", where=where, hint=hint)
    if name not in planned.stage.columns():
        hint = f"'{label}' makes {', '.join(f'{label}.{c}' for c in planned.stage.columns())}"
        raise UserError(f"no stage of the recipe makes '{column}'", where=where, hint=hint)
    if needs_model(planned):
        hint = "Give it the model that an earlier run has trained: model: PATH"
        raise UserError(f"'{label}' is trained in the run itself", where=where, hint=hint)
    return planned.stage
