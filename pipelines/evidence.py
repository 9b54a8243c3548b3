"""`against: eval`: the evidence of a judge's suites and panels, for the stages that look for it.

`targets: eval` is resolved besides: see `pipelines.targets`.

DIR/judge/evidence.parquet    every text of every item of the suites, and every panel's documents
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curation.decontaminate.stage import Decontaminate
from curation.errors import UserError
from curation.files import write_parquet
from curation.process import PlannedStage
from eval.evidence import EVIDENCE_SCHEMA, write_evidence
from eval.readers.read import read_suite
from pipelines.prepare import Bench
from pipelines.recipe import Recipe
from pipelines.targets import with_targets

EVIDENCE = "evidence.parquet"


def against_judge(recipe: Recipe, bench: Bench | None, folder: Path) -> Recipe:
    """`recipe` with the judge's evidence in place of `against: eval` and `targets: eval`.

    Args:
        recipe: as loaded.
        bench: its judge, if it has one.
        folder: of the judge, where the evidence is written once.

    Raises:
        UserError: it looks for the evidence of a judge and has none, or ranks by what is scored.
    """
    recipe = with_targets(recipe, bench, folder)
    asking = [planned.label for planned in recipe.stages if _asks(planned)]
    if not asking:
        return recipe
    if bench is None:
        raise UserError(
            "there is no judge whose suites and panels could be looked for",
            where=f"{recipe.file}: {asking[0]}.against",
            hint="Name a `judge:` in the recipe, or files of evidence in place of `eval`",
        )
    path = folder / EVIDENCE
    if not path.exists():
        _write(bench, path)
    stages = tuple(_looking_for(planned, path) for planned in recipe.stages)
    return replace(recipe, stages=stages)


def _looking_for(planned: PlannedStage, path: Path) -> PlannedStage:
    stage = planned.stage
    if isinstance(stage, Decontaminate) and stage.against == "eval":
        return replace(planned, stage=stage.looking_for((path,)))
    return planned


def _asks(planned: PlannedStage) -> bool:
    return isinstance(planned.stage, Decontaminate) and planned.stage.against == "eval"


def _write(bench: Bench, path: Path) -> None:
    """Suites by their names; panels as `panels.<name>`, each document an item."""
    write_evidence(map(read_suite, bench.suite_files.values()), path)
    tables = [pq.read_table(path)]
    for name, file in bench.panel_files.items():
        panel = pq.read_table(file, columns=["record", "text"])
        constant = {"suite": f"panels.{name}", "field": "text"}
        columns = {key: pa.repeat(pa.scalar(value), len(panel)) for key, value in constant.items()}
        columns |= {"item": panel["record"], "text": panel["text"]}
        tables.append(pa.table(columns).select(EVIDENCE_SCHEMA.names).cast(EVIDENCE_SCHEMA))
    write_parquet(path, pa.concat_tables(tables))
