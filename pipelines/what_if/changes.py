"""What `what-if` is asked: changed parameters of a finished dataset's stages, checked strictly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.config import build, parse_yaml
from curation.dataset import Dataset
from curation.document import DOCUMENT_SCHEMA
from curation.errors import UserError, closest
from curation.plan import waits
from curation.process import PlannedStage
from curation.stage import Filter, Rule, Scorer, Stage, stages

SHAPE = "STAGE.PARAM=VALUE, like gopher_quality.min_words=30"
Variant = tuple[PlannedStage, ...]  # the stages of a segment, with changed parameters


@dataclass(frozen=True)
class Target:
    """A parameter of a stage."""

    stage: str  # the label
    param: str

    def __str__(self) -> str:
        return f"{self.stage}.{self.param}"


@dataclass(frozen=True)
class Change:
    """A parameter and its new value."""

    target: Target
    value: Any


@dataclass(frozen=True)
class Segment:
    """The stages that a change reaches before one that judges or learns from the whole corpus."""

    every: tuple[PlannedStage, ...]  # all stages, as they were when the dataset was made
    start: int  # place of the first changed stage
    end: int  # of the last stage before such a one

    @property
    def stages(self) -> Variant:
        """Those of the segment."""
        return self.every[self.start : self.end + 1]

    def stage(self, label: str) -> Stage:
        """The stage of that label, as it was."""
        return self.every[self.labels.index(label)].stage

    @property
    def labels(self) -> list[str]:
        """Of all stages: a stage's place is its index here."""
        return [planned.label for planned in self.every]

    @property
    def later(self) -> list[str]:
        """Labels of the stages after it."""
        return self.labels[self.end + 1 :]


def parse_target(text: str) -> Target:
    """`STAGE.PARAM`. A label may hold dots, a parameter holds none.

    Raises:
        UserError: the text has another shape.
    """
    stage, dot, param = text.rpartition(".")
    if not (stage and dot and param):
        raise UserError(f"'{text}' names no parameter of a stage", hint=f"Like {SHAPE}")
    return Target(stage, param)


def parse_change(text: str) -> Change:
    """`STAGE.PARAM=VALUE`; the value is YAML, as in a recipe.

    Raises:
        UserError: the text has another shape, or the value is no YAML.
    """
    target, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"'{text}' gives no value", hint=f"Like {SHAPE}")
    return Change(parse_target(target), parse_yaml(value, target))


def find_segment(home: Path, targets: Sequence[Target]) -> Segment:
    """The segment in which all `targets` stand, in the recipe folder `home`.

    Raises:
        UserError: no such stage or parameter, one that a threshold does not decide, stages of two
            segments, or a stage whose version is not the dataset's.
    """
    manifest = Dataset(home / "dataset").manifest
    about, sources = manifest["stages"], {source["name"] for source in manifest["sources"]}
    every = tuple(_planned(entry, home) for entry in about)
    places = [_place(every, target) for target in targets]
    start, last = min(places), max(places)
    stop = next((i for i in range(start + 1, len(every)) if waits(every[i], sources)), len(every))
    if last >= stop:
        first, second, between = (every[i].label for i in (start, last, stop))
        what = f"'{between}' needs all that '{first}' leaves: "
        what += f"'{first}' and '{second}' cannot be answered together"
        raise UserError(what, hint="Ask about one of them at a time")
    _check_versions(about[start:stop], every[start:stop], home)
    return Segment(every, start, stop - 1)


def _check_versions(about: Sequence[dict[str, Any]], now: Variant, home: Path) -> None:
    """Stages of another version may have measured something else."""
    for entry, planned in zip(about, now, strict=True):
        if entry["version"] != planned.stage.version:
            versions = f"version {entry['version']}, now it is {planned.stage.version}"
            what = f"'{planned.label}' measured this dataset as {versions}"
            raise UserError(what, where=str(home), hint="Run `tilth run` on the recipe again")


def _planned(entry: dict[str, Any], home: Path) -> PlannedStage:
    cls = stages.get(entry["name"])
    stage = build(cls, entry["params"], where=f"{home}: {entry['label']}", label=entry["name"])
    return PlannedStage(entry["label"], stage)


def _place(every: Sequence[PlannedStage], target: Target) -> int:
    """Where the stage stands whose rules read the parameter."""
    labels = [planned.label for planned in every]
    if target.stage not in labels:
        hint = f"Its stages: {', '.join(labels)}" if labels else "It has no stages"
        what = f"the recipe has no stage '{target.stage}'.{closest(target.stage, labels)}"
        raise UserError(what, where=str(target), hint=hint)
    place = labels.index(target.stage)
    stage = every[place].stage
    if target.param not in stage.parameters():  # says so in the recipe's own words
        build(type(stage), {target.param: None}, where=target.stage, label=stage.name)
    decides = stage.decides if isinstance(stage, Filter) else ()
    if target.param not in decides:
        what = f"'{target.param}' changes what {target.stage} does, not a threshold on what it "
        what += "measured: it needs a new run"
        hint = f"Thresholds: {', '.join(decides)}" if decides else "It has no thresholds"
        raise UserError(what, where=str(target), hint=hint)
    return place


def vary(segment: Segment, changes: Sequence[Change]) -> Variant:
    """The segment's stages with changed parameters.

    Raises:
        UserError: a value is impossible, or the field it judges has been overwritten since.
    """
    variant = []
    for place, planned in enumerate(segment.stages, segment.start):
        ours = [change for change in changes if change.target.stage == planned.label]
        new = _changed(planned, ours) if ours else planned
        _check_fields(segment, place, new)
        variant.append(new)
    return tuple(variant)


def _changed(planned: PlannedStage, changes: Sequence[Change]) -> PlannedStage:
    old = planned.stage
    values = json.loads(json.dumps(old.parameters()))  # as a recipe spells them
    values |= {change.target.param: change.value for change in changes}
    return PlannedStage(
        planned.label, build(type(old), values, where=planned.label, label=old.name)
    )


def check_variant(segment: Segment, variant: Variant) -> None:
    """What construction does not check: names in a model, say.

    Raises:
        UserError: a changed stage cannot work as told.
    """
    for old, new in zip(segment.stages, variant, strict=True):
        if new == old or not _is_equipped(old.stage):
            continue
        try:
            new.stage.check()
        except UserError as error:
            raise error.at(new.label) from None


def _is_equipped(stage: Stage) -> bool:
    """Whether the stage's files and packages are at hand: measuring needs them, deciding does not.

    Its paths are relative to the folder of a recipe that may lie elsewhere now.
    """
    if not all(path.exists() for paths in stage.files().values() for path in paths):
        return False
    try:
        stage.check()
    except UserError:
        return False
    return True


def _check_fields(segment: Segment, place: int, new: PlannedStage) -> None:
    """No later stage has overwritten a field of the document that a changed rule judges."""
    fields = {name for rule in changed_rules(segment.every[place], new) for name in rule.reads}
    for later in segment.every[place + 1 :]:
        filled = set(later.stage.columns()) if isinstance(later.stage, Scorer) else set()
        lost = fields & filled & set(DOCUMENT_SCHEMA.names)
        if lost:
            what = f"'{later.label}' has overwritten '{lost.pop()}', which {new.label} judged"
            raise UserError(what, where=new.label, hint="It needs a new run")


def changed_rules(old: PlannedStage, new: PlannedStage) -> list[Rule]:
    """The rules of `new` that `old` did not have."""
    had = old.rules()
    return [rule for rule in new.rules() if rule not in had]
