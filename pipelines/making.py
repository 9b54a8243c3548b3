"""What runs and searches make first: a dataset by a recipe, and its tokens.

DIR/work, DIR/<recipe>/{dataset,dropped,errors.jsonl}, DIR/<recipe>/tokens
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.backends import Backend
from curation.curate import curate
from curation.dataset import Dataset
from curation.rounds import DEFAULT_MEMORY
from curation.sources.files import remember_hashes
from curation.workshop import Progress, Workshop
from pipelines.prepare import Bench, load_tokenizer
from pipelines.recipe import Recipe
from pipelines.sentence_scorer import sentence_scorer
from train.domains import SOURCE
from train.shards import TokenShards, tokenize_dataset
from train.tokenizer import all_cores


def make_workshop(
    recipes: Sequence[Recipe], out: Path, backend: Backend, progress: Progress
) -> Workshop:
    """Where the datasets of `recipes` are made, in `out/work`."""
    remember_hashes(out / "work" / "hashes.json")
    return Workshop(
        folder=out / "work",
        backend=backend,
        progress=progress,
        run_id=uuid.uuid4().hex[:12],
        max_error_frac=min(recipe.max_error_frac for recipe in recipes),
        max_memory=_memory(recipes, backend),
    )


def _memory(recipes: Sequence[Recipe], backend: Backend) -> int:
    """What the command line allows, else what the most modest recipe does."""
    allowed = [recipe.max_memory for recipe in recipes if recipe.max_memory]
    return backend.max_memory or min(allowed, default=DEFAULT_MEMORY)


def make_dataset(
    recipe: Recipe, bench: Bench | None, workshop: Workshop, out: Path
) -> dict[str, Any]:
    """The manifest of `out/<recipe>/dataset`, made or found finished.

    Args:
        recipe: see `against_judge`.
        bench: its judge, if it has one: what it holds out is left out.
        workshop: where passes are made.
        out: the output folder.

    Raises:
        UserError: a file that the recipe names is wrong.
        RunError: the run cannot go on; finished work stays valid.
    """
    held_out = bench.panels.held_out if bench else None
    return curate(recipe.curation, workshop, out / recipe.name, held_out)


def make_tokens(
    recipe: Recipe, bench: Bench, workshop: Workshop, out: Path, by: str
) -> TokenShards:
    """The dataset's tokens by the values of its column `by`, made or found finished.

    Those by another column than the source have a folder of their own, `tokens-<column>`.

    Raises:
        UserError: the dataset has no such column, or its values are no domains.
    """
    home = out / recipe.name
    folder = home / ("tokens" if by == SOURCE else f"tokens-{by}")
    workshop.progress(f"tokenize {recipe.name}", 0, 1)
    with all_cores():
        files, tokenizer = Dataset(home / "dataset").shards, load_tokenizer(bench)
        scorer = sentence_scorer(recipe)
        shards = tokenize_dataset(files, tokenizer, folder, recipe.control, by, scorer)
    workshop.progress(f"tokenize {recipe.name}", 1, 1)
    return shards
