"""The plan of a recipe: which stages share a pass, and what they need of those before them."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from curation.document import DOCUMENT_SCHEMA
from curation.errors import UserError, closest
from curation.parts import Part
from curation.process import PlannedStage
from curation.sources.source import Source
from curation.stage import GlobalStage, Modifier, Trained


@dataclass(frozen=True)
class Segment:
    """Local stages that run in one pass, after the global stage before them, if any.

    A stage that learns from sources begins a segment: what precedes it must be finished.
    """

    decided_by: PlannedStage | None
    stages: tuple[PlannedStage, ...]

    @property
    def is_empty(self) -> bool:
        """Whether it leaves documents as they are."""
        return self.decided_by is None and not self.stages


def segments(
    stages: Sequence[PlannedStage], sources: Sequence[Source], references: Sequence[Source] = ()
) -> tuple[PlannedStage | None, list[Segment]]:
    """The extractor and the passes after it.

    Raises:
        UserError: a source yields HTML and no extractor stands first, or one stands later; or a
            stage needs a column, source or reference that is not there.
    """
    first = stages[0] if stages and _extracts(stages[0]) else None
    for planned in stages[1:]:
        if _extracts(planned):
            raise UserError(f"'{planned.label}' extracts text: it must be the first stage")
    _check_needs(stages, sources, references)
    used = learned_from(stages)
    raw = [s.name for s in sources if s.yields_raw]
    raw += [s.name for s in references if s.yields_raw and s.name in used]
    if raw and not first:
        raise UserError(
            f"source '{raw[0]}' holds HTML, and no stage extracts its text",
            hint="Put `- html_text` first in `curate:`",
        )
    names = {source.name for source in sources}
    runs = [Segment(None, ())]
    for planned in stages[1 if first else 0 :]:
        if isinstance(planned.stage, GlobalStage):
            runs.append(Segment(planned, ()))
        elif waits(planned, names):
            runs.append(Segment(None, (planned,)))
        else:
            runs[-1] = Segment(runs[-1].decided_by, (*runs[-1].stages, planned))
    return first, runs


def waits(planned: PlannedStage, sources: Container[str]) -> bool:
    """Whether what precedes a stage must be finished: it judges, or learns from, all of it."""
    learns = any(part.name in sources for _, part in parts_of(planned))
    return learns or isinstance(planned.stage, GlobalStage)


def parts_of(planned: PlannedStage) -> Iterator[tuple[str, Part]]:
    """(role, part) of all that a stage learns from; nothing if it does not learn."""
    if isinstance(planned.stage, Trained):
        for role, parts in planned.stage.samples().items():
            yield from ((role, part) for part in parts)


def learned_from(stages: Sequence[PlannedStage]) -> set[str]:
    """The names of the sources and references that some stage learns from."""
    return {part.name for planned in stages for _, part in parts_of(planned)}


def _check_needs(
    stages: Sequence[PlannedStage], sources: Sequence[Source], references: Sequence[Source]
) -> None:
    measured: dict[str, pa.DataType] = {}
    for planned in stages:
        if len(planned.stage.expand(planned.label)) > 1:
            raise ValueError(
                f"'{planned.label}' is short for several stages: plan what it expands to"
            )
        if isinstance(planned.stage, GlobalStage):
            try:
                fields = {field.name: field.type for field in DOCUMENT_SCHEMA}
                planned.stage.check_columns(fields | measured)
            except UserError as error:
                raise error.at(planned.label) from None
        known: dict[str, dict[str, pa.DataType]] = {s.name: {} for s in references}
        known |= {s.name: measured for s in sources}
        for role, part in parts_of(planned):
            _check_part(part, known, f"{planned.label}.{role}")
        measured |= planned.columns()


def _check_part(part: Part, known: Mapping[str, Mapping[str, pa.DataType]], where: str) -> None:
    if part.name not in known:
        what = f"there is no source or reference '{part.name}'.{closest(part.name, known)}"
        raise UserError(what, where=where, hint=f"Known: {', '.join(known)}")
    try:
        part.check(known[part.name])
    except UserError as error:
        raise error.at(where) from None


def _extracts(planned: PlannedStage) -> bool:
    return isinstance(planned.stage, Modifier) and planned.stage.extracts
