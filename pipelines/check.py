"""What a run would do: the resolved plan, what exists, what is missing. Touches nothing."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.alarms import Alarm, static_alarms
from curation.errors import UserError
from curation.plan import learned_from, segments
from curation.process import PlannedStage
from curation.stage import Modifier, Scorer
from pipelines.judge import Judge, check_judge, load_judge
from pipelines.prepare import sized
from pipelines.recipe import Recipe
from pipelines.sentence_scorer import sentence_scorer
from pipelines.suites import suite_name
from pipelines.targets import check_targets
from train.config import Preset
from train.phases import phase_steps, restarts
from train.schedule import branches


@dataclass(frozen=True)
class Plan:
    """A checked recipe."""

    recipe: Recipe
    sources: list[dict[str, Any]]
    passes: list[list[str]]
    missing_packages: list[str]
    judge: dict[str, Any] | None
    alarms: list[Alarm]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "recipe": self.recipe.name,
            "seed": self.recipe.seed,
            "sources": self.sources,
            "stages": [{p.label: p.stage.parameters()} for p in self.recipe.stages],
            "notes": {p.label: p.stage.notes() for p in self.recipe.stages if p.stage.notes()},
            "passes": self.passes,
            "missing_packages": self.missing_packages,
            "judge": self.judge,
            "alarms": [alarm.to_dict() for alarm in self.alarms],
        }


def check(recipe: Recipe) -> Plan:
    """Everything that can be known before running.

    Raises:
        UserError: a source matches no file, the judge is wrong, or a package is missing.
    """
    sources = []
    for source in (*recipe.sources, *recipe.references):
        files = source.files(recipe.file.parent)
        size = sum(file.size for file in files)
        about = {"name": source.name, "format": source.format, "files": len(files), "bytes": size}
        sources.append({**about, "reference": source in recipe.references})
    extractor, runs = segments(recipe.stages, recipe.sources, recipe.references)
    passes = [["read", *([extractor.label] if extractor else [])]]
    for i, run in enumerate(runs):
        first = [run.decided_by.label] if run.decided_by else [] if i else ["held_out"]
        passes.append([*first, *(p.label for p in run.stages)])
    missing = sorted({m for p in recipe.stages for m in _missing(p)})
    if missing:
        raise UserError(
            f"packages are missing: {', '.join(missing)}",
            where=str(recipe.file),
            hint=f"pip install {' '.join(missing)}",
        )
    judge = _judge(recipe)
    alarms = static_alarms(recipe.stages)
    alarms += check_targets(recipe, load_judge(recipe.judge) if recipe.judge else None)
    return Plan(recipe, sources, passes, missing, judge, alarms)


def _missing(planned: PlannedStage) -> list[str]:
    return [m for m in planned.stage.requires if importlib.util.find_spec(m) is None]


def _judge(recipe: Recipe) -> dict[str, Any] | None:
    if recipe.judge is None:
        return None
    judge = load_judge(recipe.judge)
    check_judge(judge, recipe.judge, [source.name for source in recipe.sources])
    for panel in judge.panels:
        if panel.path and not list(recipe.judge.parent.glob(panel.path)):
            where = f"{recipe.judge}: panels.{panel.name}"
            raise UserError(f"nothing matches '{panel.path}'", where=where)
    size = sized(judge)
    _check_training(recipe, judge, size)
    return {
        "file": str(recipe.judge),
        "panels": [p.name for p in judge.panels],
        "suites": [suite_name(entry) for entry in judge.suites],
        "preset": size.name,
        "params": size.model.params,
        "tokens": size.train.tokens,
        "steps": size.train.steps,
        "schedule": size.train.schedule,
        "points": list(judge.train.points),
        "seeds": list(judge.train.seeds),
        "primary": judge.primary,
    }


def _check_training(recipe: Recipe, judge: Judge, size: Preset) -> None:
    """What the judge's budget makes of the recipe's phases and the judge's points."""
    sentence_scorer(recipe)
    try:
        for name in recipe.control.tokens if recipe.control else ():
            if name not in judge.tokenizer.control and judge.tokenizer.path is None:
                hint = f"The judge's tokenizer.control has: {list(judge.tokenizer.control)}"
                raise UserError(f"no control token '{name}'", where="control.tokens", hint=hint)
        if recipe.mixture.phases:
            steps = phase_steps(recipe.mixture.phases, size.train)
            anew = restarts(recipe.mixture.phases, steps, size.train)
            branches(replace(size.train, restarts=anew), judge.train.points)
        branches(size.train, judge.train.points)
    except UserError as error:
        raise error.at(str(recipe.file)) from None


def plan_text(plan: Plan, out: Path | None) -> str:
    """A plan for the terminal."""
    recipe = plan.recipe
    lines = [f"recipe {recipe.name} ({recipe.file}), seed {recipe.seed}", "sources:"]
    for s in plan.sources:
        role = " (reference)" if s["reference"] else ""
        size = f"{s['bytes'] / 1e6:,.1f} MB"
        lines.append(f"  {s['name']}{role}: {s['format']}, {s['files']:,} files, {size}")
    lines.append("passes:")
    lines += [f"  {i + 1}. {' > '.join(labels)}" for i, labels in enumerate(plan.passes)]
    lines.append("stages:")
    for planned in recipe.stages:
        lines.append(f"  {planned.label} ({_kind(planned)})")
        lines += [f"    {k}: {_yaml(v)}" for k, v in planned.stage.parameters().items()]
        lines += [f"    {note}" for note in planned.stage.notes()]
    mixtures = [phase.weights for phase in recipe.mixture.phases] or [recipe.mixture.weights]
    shown = ", then ".join(map(str, mixtures))
    lines.append(f"mixture: {shown}, at most {recipe.mixture.max_epochs:g} epochs")
    lines.append(_judge_text(plan.judge))
    lines += [f"alarm: {alarm.message}" for alarm in plan.alarms]
    if out is not None:
        done = (out / recipe.name / "dataset" / "manifest.json").exists()
        lines.append(f"{out}: {'has a dataset of this name' if done else 'nothing yet'}")
    return "\n".join(lines)


def _judge_text(judge: dict[str, Any] | None) -> str:
    if judge is None:
        return "judge: none, so the run ends with the dataset"
    points = "".join(f", scored at {point:g} too" for point in judge["points"])
    return (
        f"judge: {judge['file']}: panels {', '.join(judge['panels'])}; "
        f"suites {', '.join(judge['suites']) or 'none'}; preset {judge['preset']} "
        f"({judge['params']:,} parameters), {judge['tokens']:,} tokens in {judge['steps']:,} "
        f"steps ({judge['schedule']}{points}), seeds {judge['seeds']}; decides by "
        f"{judge['primary']}"
    )


def _kind(planned: PlannedStage) -> str:
    stage = planned.stage
    if isinstance(stage, Modifier):
        return "modifier"
    if names := learned_from([planned]):
        return f"learns from {', '.join(sorted(names))}"
    return "local" if isinstance(stage, Scorer) else "global"


def _yaml(value: Any) -> str:
    if value is None:
        return "null"
    return str(list(value)) if isinstance(value, tuple) else str(value)
