"""A recipe: sources, ordered stages, mixture, seed, and the judge it is measured by.

Loaded strictly from YAML; paths in it are relative to the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.alarms import MAX_DROP_FRAC, Policy, read_bands
from curation.config import build, load_yaml
from curation.curate import Curation
from curation.errors import UserError
from curation.memory import parse_bytes
from curation.plan import segments
from curation.process import PlannedStage
from curation.sources.source import Source, formats
from curation.stage import Stage, stages
from pipelines.mixture_spec import MixtureSpec, check_mixture, load_mixture
from train.control import Control

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
RESERVED = ("judge", "work", "corpus", "runs")  # folders beside the recipes' own


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The top level of a recipe file."""

    name: str
    sources: tuple[Any, ...]
    seed: int = 0
    judge: str | None = None
    references: tuple[Any, ...] = ()
    curate: tuple[Any, ...] = ()
    mixture: MixtureSpec | str = field(default_factory=MixtureSpec)
    control: Control | None = None
    dropped_text: Literal["full", "none"] = "full"
    max_error_frac: float = 0.01
    max_memory: str | None = None
    expect: dict[str, Any] = field(default_factory=dict)
    max_drop_frac: float = MAX_DROP_FRAC

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in RESERVED:
            raise ValueError(
                f"'name' becomes a folder: letters, digits, '.', '_' and '-', and none of "
                f"{', '.join(RESERVED)}. Got '{self.name}' instead."
            )
        if not self.sources:
            raise ValueError("'sources' is empty: a recipe needs at least one")
        for name in ("max_error_frac", "max_drop_frac"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"'{name}' must be in [0, 1]. Got {value} instead.")
        try:
            _ = self.max_memory and parse_bytes(self.max_memory)
        except ValueError as error:
            raise ValueError(f"'max_memory' {error}") from None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A loaded recipe."""

    file: Path
    name: str
    seed: int
    judge: Path | None
    sources: tuple[Source, ...]
    references: tuple[Source, ...]
    stages: tuple[PlannedStage, ...]
    mixture: MixtureSpec
    control: Control | None  # which control token a document starts with in training
    dropped_text: Literal["full", "none"]
    max_error_frac: float
    max_memory: int | None  # bytes that the tasks of a global stage hold together; null: 2 GB
    policy: Policy  # when to raise an alarm: `expect` and `max_drop_frac`

    @property
    def curation(self) -> Curation:
        """The part that makes the dataset."""
        return Curation(
            self.name,
            self.sources,
            self.stages,
            self.file.parent,
            self.seed,
            self.dropped_text == "full",
            self.policy,
            self.references,
        )


def load_recipe(file: Path) -> Recipe:
    """The recipe in a YAML file.

    Raises:
        UserError: anything in it is wrong; nothing has run.
    """
    keys = build(_Keys, load_yaml(file), where=str(file), label="recipe")
    sources = _sources(keys.sources, f"{file}: sources")
    references = _sources(keys.references, f"{file}: references")
    planned = _stages(keys.curate, f"{file}: curate", file.parent)
    _check_names(sources + references, file)
    mixture, place = load_mixture(keys.mixture, file)
    try:
        segments(planned, sources, references)
    except UserError as error:
        raise error.at(f"{file}: curate") from None
    where = f"{file}: mixture." if place == file else f"{place}: "
    check_mixture(mixture, [source.name for source in sources], planned, where)
    return Recipe(
        file=file,
        name=keys.name,
        seed=keys.seed,
        judge=file.parent / keys.judge if keys.judge else None,
        sources=sources,
        references=references,
        stages=planned,
        mixture=mixture,
        control=keys.control,
        dropped_text=keys.dropped_text,
        max_error_frac=keys.max_error_frac,
        max_memory=parse_bytes(keys.max_memory) if keys.max_memory else None,
        policy=_policy(keys, planned, sources, file),
    )


def _policy(
    keys: _Keys, planned: tuple[PlannedStage, ...], sources: tuple[Source, ...], file: Path
) -> Policy:
    labels, names = [one.label for one in planned], [source.name for source in sources]
    bands = read_bands(keys.expect, labels, names, f"{file}: expect")
    return Policy(bands=bands, max_drop_frac=keys.max_drop_frac)


def _sources(entries: tuple[Any, ...], where: str) -> tuple[Source, ...]:
    return tuple(_source(entry, f"{where}[{i}]") for i, entry in enumerate(entries))


def _source(entry: Any, where: str) -> Source:
    if not isinstance(entry, dict) or "format" not in entry:
        hint = f"Like {{name: web, format: warc, path: a/*.warc.gz}}; formats: {', '.join(formats)}"
        raise UserError("a source needs 'name', 'format' and 'path'", where=where, hint=hint)
    values = dict(entry)
    try:
        cls = formats.get(str(values.pop("format")))
    except UserError as error:
        raise error.at(f"{where}.format") from None
    return build(cls, values, where=where, label=f"{cls.format} source")


def _stages(entries: tuple[Any, ...], where: str, root: Path) -> tuple[PlannedStage, ...]:
    planned: list[PlannedStage] = []
    for i, entry in enumerate(entries):
        for one in _stage(entry, f"{where}[{i}]", root):
            if any(one.label == other.label for other in planned):
                raise UserError(
                    f"'{one.label}' stands in the recipe already",
                    where=f"{where}[{i}]",
                    hint=f"Give one a name of its own: - {one.stage.name}: {{as: {one.label}_2}}",
                )
            planned.append(one)
    return tuple(planned)


def _stage(entry: Any, where: str, root: Path) -> list[PlannedStage]:
    """The stages that one entry of a recipe stands for."""
    if isinstance(entry, str):
        entry = {entry: None}
    if not isinstance(entry, dict) or len(entry) != 1:
        hint = "For example `- language` or `- language: {keep: [en]}`"
        raise UserError("a stage is a name, or a name with its parameters", where=where, hint=hint)
    name, params = next(iter(entry.items()))
    params = dict(params) if isinstance(params, dict) else {} if params is None else params
    label = params.pop("as", name) if isinstance(params, dict) else name
    if not isinstance(label, str) or not _NAME.fullmatch(label):
        raise UserError(f"'as' must be a name, got {label!r}", where=where)
    try:
        cls = stages.get(str(name))
    except UserError as error:
        raise error.at(where) from None
    stage = build(cls, params, where=f"{where}.{name}", label=str(name)).at(root)
    try:
        _check_files(stage)
        stage.check()
    except UserError as error:
        raise error.at(f"{where}.{name}") from None
    return [PlannedStage(*expanded) for expanded in stage.expand(label)]


def _check_files(stage: Stage) -> None:
    """Every file that a parameter names can be read."""
    for param, paths in stage.files().items():
        for path in paths:
            try:
                path.open("rb").close()
            except OSError as error:
                what = f"{path} cannot be read: {error.strerror}"
                hint = "Paths are relative to the recipe's folder"
                raise UserError(what, where=param, hint=hint) from None


def _check_names(sources: tuple[Source, ...], file: Path) -> None:
    seen: set[str] = set()
    for source in sources:
        if not _NAME.fullmatch(source.name):
            what = f"a source's name takes letters, digits, '.', '_' and '-', got '{source.name}'"
            raise UserError(what, where=f"{file}: sources")
        if source.name in seen:
            raise UserError(f"two sources are called '{source.name}'", where=f"{file}: sources")
        seen.add(source.name)
