"""Which documents other thresholds let in and drop, per source, with examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curation.dataset import Dataset
from curation.errors import UserError, closest
from pipelines.explain import recipe_folders
from pipelines.report.markup import visible
from pipelines.tables import table
from pipelines.what_if.changes import (
    SHAPE,
    Change,
    Segment,
    Target,
    check_variant,
    find_segment,
    parse_change,
    vary,
)
from pipelines.what_if.examples import Example, Sample
from pipelines.what_if.flows import Flow, Tally, passing, total
from pipelines.what_if.rejudge import BATCH, DROP, batches, rejudge, shards


@dataclass(frozen=True)
class Answer:
    """What changed parameters do to one recipe's documents, at the end of a segment."""

    recipe: str
    changes: dict[str, dict[str, Any]]  # of every parameter: `from` and `to`
    segment: list[str]  # the first changed stage to the last before one that waits for all
    now: dict[str, Flow]  # what passes the segment today, by source
    enter: dict[str, Flow]
    leave: dict[str, Flow]
    judged_later: list[str]  # stages after the segment, which have not judged what enters
    copies_of_leavers: int  # dropped there as duplicates of documents that leave
    examples: list[Example]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def what_if(folder: Path, changes: Sequence[str], recipe: str | None = None) -> list[Answer]:
    """One answer per recipe in `folder` that has the stages, or for `recipe` alone.

    Args:
        folder: an output folder, or a recipe's folder in it.
        changes: each `STAGE.PARAM=VALUE`.
        recipe: its name.

    Raises:
        UserError: no such recipe, stage or parameter, an impossible value, or a parameter that
            needs a new run.
    """
    parsed = [parse_change(text) for text in changes]
    if not parsed:
        raise UserError("no change is given", hint=f"Like {SHAPE}, or --sweep STAGE.PARAM")
    homes = recipes_with([change.target for change in parsed], folder, recipe)
    return [_answer(home, parsed) for home in homes]


def recipes_with(targets: Sequence[Target], folder: Path, recipe: str | None) -> list[Path]:
    """The folders of the finished recipes to ask: `recipe`, or all that have the stages.

    If none has them, the one with the most stages, which can say what it has instead.

    Raises:
        UserError: there is no finished recipe, or none of that name.
    """
    homes = {home.resolve().name: home for home in recipe_folders(folder)}
    if recipe is not None:
        if recipe not in homes:
            what = f"there is no recipe '{recipe}'.{closest(recipe, homes)}"
            raise UserError(what, where=str(folder), hint=f"Finished: {', '.join(homes)}")
        return [homes[recipe]]
    labels = {home: _labels(home) for home in homes.values()}
    wanted = {target.stage for target in targets}
    having = [home for home, names in labels.items() if wanted <= names]
    return having or [max(labels, key=lambda home: len(labels[home]))]


def _labels(home: Path) -> set[str]:
    return {stage["label"] for stage in Dataset(home / "dataset").manifest["stages"]}


def _answer(home: Path, changes: Sequence[Change]) -> Answer:
    manifest = Dataset(home / "dataset").manifest
    segment = find_segment(home, [change.target for change in changes])
    variant = vary(segment, changes)
    check_variant(segment, variant)
    tally = Tally([source["name"] for source in manifest["sources"]], 1)
    sample, leavers = Sample(), [pa.array([], pa.string())]
    for moves in rejudge(home, segment, [variant]):
        tally.add(moves)
        sample.add(moves)
        leavers += moves.table.filter(pa.array(moves.now))["id"].chunks
    old = {planned.label: planned.stage.parameters() for planned in segment.stages}
    new = {planned.label: planned.stage.parameters() for planned in variant}
    targets = [change.target for change in changes]
    return Answer(
        recipe=manifest["recipe"],
        changes={
            str(t): {"from": old[t.stage][t.param], "to": new[t.stage][t.param]} for t in targets
        },
        segment=[planned.label for planned in segment.stages],
        now=passing(manifest, segment),
        enter=tally.enter(0),
        leave=tally.leave(0),
        judged_later=segment.later,
        copies_of_leavers=_copies(home, segment, pa.concat_arrays(leavers)),
        examples=list(sample.examples(segment, variant)),
    )


def _copies(home: Path, segment: Segment, leavers: pa.Array) -> int:
    """Documents that a later global stage dropped for the sake of `leavers`."""
    if not segment.later or not len(leavers):
        return 0
    later, count = pa.array(segment.later, pa.string()), 0
    for file in shards(home, "dropped"):
        for batch in batches(file, ["survivor_id", *DROP], BATCH):
            then = pc.is_in(batch["drop_stage"], value_set=later)
            ours = pc.is_in(batch["survivor_id"], value_set=leavers)
            count += pc.sum(pc.and_(then, ours)).as_py() or 0
    return count


def answer_text(answer: Answer) -> str:
    """An answer for the terminal."""
    changes = [
        f"{name} {_yaml(c['from'])} -> {_yaml(c['to'])}" for name, c in answer.changes.items()
    ]
    lines = [
        f"recipe {answer.recipe}: {', '.join(changes)}",
        f"documents and MB at the end of {' > '.join(answer.segment)}",
        _flow_table(answer),
        *_caveats(answer),
    ]
    for enters, title in ((True, "enter, for example:"), (False, "leave, for example:")):
        examples = [example for example in answer.examples if example.enters == enters]
        if examples:
            lines += ["", title, *(line for e in examples for line in _example_lines(e))]
    return "\n".join(lines)


def _flow_table(answer: Answer) -> str:
    counts = ("now", "enter", "unmeasured", "leave", "then")
    header = ("source", *counts, "MB now", "MB enter", "MB leave")
    rows = [
        _flow_row(name, now, answer.enter[name], answer.leave[name])
        for name, now in answer.now.items()
        if now.documents or answer.enter[name].documents
    ]
    if len(rows) != 1:
        parts = (total(flows.values()) for flows in (answer.now, answer.enter, answer.leave))
        rows.append(_flow_row("all", *parts))
    return table(header, rows)


def _flow_row(name: str, now: Flow, enter: Flow, leave: Flow) -> tuple[str, ...]:
    then = now.after(enter, leave).documents
    documents = (now.documents, enter.documents, enter.unmeasured, leave.documents, then)
    return (
        name,
        *(f"{n:,}" for n in documents),
        _mb(now.bytes),
        _mb(enter.bytes),
        _mb(leave.bytes),
    )


def _caveats(answer: Answer) -> Iterator[str]:
    """What the numbers do not know."""
    enter, leave = total(answer.enter.values()), total(answer.leave.values())
    later = ", ".join(answer.judged_later)
    if enter.unmeasured:
        yield (
            f"{enter.unmeasured:,} of the {enter.documents:,} that enter were dropped before later "
            "stages here measured or edited them: those may still drop them"
        )
    if enter.documents and later:
        yield f"all {enter.documents:,} that enter would still be judged by {later}"
    if answer.copies_of_leavers:
        yield (
            f"{answer.copies_of_leavers:,} documents were dropped as duplicates of what leaves: "
            f"{later} would judge them again"
        )
    if enter.bytes is None or leave.bytes is None:
        yield "?: the texts of dropped documents were not kept (dropped_text: none)"


def _example_lines(example: Example) -> list[str]:
    why = (
        f"{example.stage}.{example.param}: measured {example.value}, threshold {example.threshold}"
    )
    told = f"  {example.id} ({example.source}) {why}", f"    {example.text}"
    return [visible(line) for line in told]


def _mb(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:,.2f}"


def _yaml(value: Any) -> str:
    if value is None:
        return "null"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list | tuple) else str(value)
