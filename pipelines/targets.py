"""What recipes may rank documents by: never items that their judge scores.

DIR/judge/targets/<name>.parquet    evidence of the halves of suites that `targets: eval` means
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from curation.alarms import Alarm
from curation.decontaminate.evidence import EVIDENCE_SCHEMA, read_evidence
from curation.decontaminate.stage import Decontaminate
from curation.errors import UserError, closest
from curation.process import PlannedStage
from curation.scorers.benchmark_rank import BenchmarkRank
from curation.scorers.target_examples import examples_of
from eval.evidence import item_fields, write_evidence
from eval.readers.read import read_suite
from eval.suites.suite import Suite
from pipelines.judge import Judge
from pipelines.prepare import Bench
from pipelines.recipe import Recipe
from pipelines.suites import scored_suites, suite_name


def check_targets(recipe: Recipe, judge: Judge | None) -> list[Alarm]:
    """Whether ranking by benchmarks leaves the judge able to tell anything.

    What references hold is not compared with what is scored: keep test items out of them.

    Raises:
        UserError: a stage would rank by items that are scored, and is not forced to; or nothing
            looks for test items after it.
    """
    found = []
    for planned, stage in _ranking(recipe):
        try:
            if not stage.force:
                _check_unscored(stage, judge, recipe)
            elif stage.targets == "eval":
                _wanted(stage, judge)
            alarm = _check_decontaminated(recipe, planned, stage)
        except UserError as error:
            raise error.at(f"{recipe.file}: {planned.label}") from None
        found += [alarm] if alarm else []
    return found


def with_targets(recipe: Recipe, bench: Bench | None, folder: Path) -> Recipe:
    """`recipe` with evidence of the judge's suites in place of `targets: eval`.

    Args:
        recipe: as loaded.
        bench: its judge, if it has one.
        folder: of the judge, where the evidence is written once.

    Raises:
        UserError: see `check_targets`.
    """
    check_targets(recipe, bench.judge if bench else None)
    targeted = {
        planned.label: _targeting(stage, bench, folder / "targets")
        for planned, stage in _ranking(recipe)
        if stage.targets == "eval" and bench
    }
    stages = tuple(
        replace(planned, stage=targeted.get(planned.label, planned.stage))
        for planned in recipe.stages
    )
    return replace(recipe, stages=stages) if targeted else recipe


def _ranking(recipe: Recipe) -> Iterator[tuple[PlannedStage, BenchmarkRank]]:
    """The stages that learn from rankings."""
    for planned in recipe.stages:
        if isinstance(planned.stage, BenchmarkRank) and planned.stage.samples():
            yield planned, planned.stage


def _targeting(stage: BenchmarkRank, bench: Bench, folder: Path) -> BenchmarkRank:
    """The stage with the judge's evidence besides its own."""
    files = []
    for name in _wanted(stage, bench.judge):
        files.append(folder / f"{name}.parquet")
        if not files[-1].exists():
            suite = read_suite(bench.target_files.get(name) or bench.suite_files[name])
            write_evidence([suite], files[-1])
    return stage.looking_at((*stage.evidence, *files))


def _wanted(stage: BenchmarkRank, judge: Judge | None) -> tuple[str, ...]:
    """The suites of the judge that `targets: eval` means.

    Raises:
        UserError: there is none of such a name, or none at all.
    """
    if judge is None:
        what = "there is no judge whose suites could be targeted"
        raise UserError(what, hint="Name a `judge:` in the recipe, or references in `targets`")
    known = [suite_name(entry) for entry in judge.suites]
    wanted = stage.suites or judge.targets or (tuple(known) if stage.force else ())
    for name in wanted:
        if name not in known and not stage.evidence:
            what = f"the judge has no suite '{name}'.{closest(name, known)}"
            raise UserError(what, where="suites", hint=f"It has: {', '.join(known) or 'none'}")
    if not wanted:
        what = "`targets: eval` takes the suites that the judge splits, and it splits none"
        raise UserError(what, where="targets", hint=_fix(known))
    return tuple(name for name in wanted if name in known)


def _fix(names: list[str]) -> str:
    return (
        f"Add `targets: [{', '.join(names)}]` to the judge: half of the items of each can be "
        "ranked by, and only the other half is scored. Or give `force: true`"
    )


def _check_unscored(stage: BenchmarkRank, judge: Judge | None, recipe: Recipe) -> None:
    if stage.targets == "eval":
        scored = [n for n in _wanted(stage, judge) if judge and n not in judge.targets]
        if scored:
            what = f"would rank documents by items that are scored: all of {', '.join(scored)}"
            raise UserError(what, where="suites", hint=_fix(scored))
    if stage.evidence and judge is not None and recipe.judge is not None:
        _check_evidence(stage, judge, recipe.judge)


def _check_evidence(stage: BenchmarkRank, judge: Judge, file: Path) -> None:
    """No example of the stage's evidence is an item that is scored."""
    suites = scored_suites(judge.suites, judge.targets, file)
    scored = {text: suite.name for suite in suites for text in _texts(_evidence(suite))}
    found = [t for t in _texts(read_evidence(stage.files()["evidence"])) if t in scored]
    if found:
        names = ", ".join(sorted({scored[text] for text in found}))
        what = f"{len(found):,} examples of the evidence are items that are scored: of {names}"
        hint = "Give it a train split, or `targets: eval` with the suites in the judge's `targets`;"
        raise UserError(what, where="evidence", hint=f"{hint} or `force: true`")


def _evidence(suite: Suite) -> pa.Table:
    rows = [
        {"suite": suite.name, "item": item.id, "field": field, "text": text}
        for item in suite.items
        for field, text in item_fields(item)
    ]
    return pa.Table.from_pylist(rows, EVIDENCE_SCHEMA)


def _texts(evidence: pa.Table) -> list[str]:
    """Every example, in lower case and with single spaces."""
    return [" ".join(t.lower().split()) for t in examples_of(evidence)["text"].to_pylist()]


def _check_decontaminated(
    recipe: Recipe, planned: PlannedStage, stage: BenchmarkRank
) -> Alarm | None:
    """What is nearest to a test may be the test: something must look for it afterwards."""
    after = recipe.stages[recipe.stages.index(planned) + 1 :]
    if any(isinstance(one.stage, Decontaminate) and one.stage.action != "mark" for one in after):
        return None
    what = "keeps what is most like its targets, and no `decontaminate` looks for them afterwards"
    if stage.targets == "eval" or stage.evidence:
        hint = "Put `- decontaminate: {against: eval}` after it, or files of evidence for `eval`"
        raise UserError(what, hint=hint)
    return Alarm("not_decontaminated", planned.label, None, f"{planned.label} {what}")
