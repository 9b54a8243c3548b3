"""The retention curve of one threshold: what each value in the range of its statistic keeps."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from curation.config import parameters
from curation.dataset import Dataset
from curation.errors import UserError
from curation.stage import Rule, Stage
from pipelines.tables import table
from pipelines.what_if.answer import recipes_with
from pipelines.what_if.changes import (
    Change,
    Segment,
    Target,
    Variant,
    check_variant,
    find_segment,
    parse_change,
    parse_target,
    vary,
)
from pipelines.what_if.flows import Flow, Tally, entering, passing, total
from pipelines.what_if.rejudge import BATCH, batches, rejudge, shards

# Even in the bulk, and denser towards both ends, where thresholds stand.
QUANTILES = (0, 0.001, 0.01, *(round(0.05 * i, 2) for i in range(1, 20)), 0.99, 0.999, 1)
BAR = 40  # characters


@dataclass(frozen=True)
class Point:
    """What passes the segment at one value of the parameter."""

    value: Any  # None switches the rule off
    marks: list[str]  # `now`, `default`
    kept: dict[str, Flow]  # by source; includes what is unmeasured


@dataclass(frozen=True)
class Curve:
    """The retention curve of one parameter in one recipe."""

    recipe: str
    param: str  # STAGE.PARAM
    segment: list[str]
    entering: dict[str, Flow]  # what came to the segment's first stage, by source
    points: list[Point]  # by value; `off` where it keeps most

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def sweep(
    folder: Path, param: str, changes: Sequence[str] = (), recipe: str | None = None
) -> list[Curve]:
    """One curve per recipe in `folder` that has the stage, or for `recipe` alone.

    Args:
        folder: an output folder, or a recipe's folder in it.
        param: `STAGE.PARAM`, of a threshold on a number.
        changes: further parameters of the same segment, each `STAGE.PARAM=VALUE`.
        recipe: its name.

    Raises:
        UserError: as `what_if`, and for a parameter that is no threshold on a number.
    """
    target, parsed = parse_target(param), [parse_change(text) for text in changes]
    targets = [target, *(change.target for change in parsed)]
    return [_curve(home, target, parsed, targets) for home in recipes_with(targets, folder, recipe)]


def _curve(
    home: Path, target: Target, changes: Sequence[Change], targets: Sequence[Target]
) -> Curve:
    manifest = Dataset(home / "dataset").manifest
    segment = find_segment(home, targets)
    stage = segment.stage(target.stage)
    rules = _rules(segment, target)
    present, default = getattr(stage, target.param), _default(stage, target.param)
    measured = _values(home, rules, whole="float" not in parameters(type(stage))[target.param])
    variants = _variants(segment, target, changes, [*measured, present, *default, None])
    tally = Tally([source["name"] for source in manifest["sources"]], len(variants))
    for moves in rejudge(home, segment, list(variants.values())):
        tally.add(moves)
    now, points = passing(manifest, segment), []
    for i, value in enumerate(variants):
        marks = ["now"] * (value == present) + ["default"] * (value in default)
        points.append(Point(value, marks, _kept(now, tally.enter(i), tally.leave(i))))
    return Curve(
        recipe=manifest["recipe"],
        param=str(target),
        segment=[planned.label for planned in segment.stages],
        entering=entering(manifest, segment),
        points=sorted(points, key=lambda point: _order(point.value, rules[0].bound)),
    )


def _rules(segment: Segment, target: Target) -> list[Rule]:
    """The rules that compare a number with the parameter."""
    planned = segment.every[segment.labels.index(target.stage)]
    present, kinds = getattr(planned.stage, target.param), planned.columns()
    rules = [rule for rule in planned.rules() if rule.param == target.param]
    numeric = present is None or isinstance(present, int | float)
    for rule in rules:
        numeric &= rule.bound in ("min", "max") and _is_number(kinds.get(rule.column, pa.string()))
    if not rules or not numeric:
        hint = f"Ask about single values: tilth what-if DIR {target}=VALUE"
        raise UserError(f"'{target}' is no threshold on a number", hint=hint)
    return rules


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _default(stage: Stage, param: str) -> list[Any]:
    """The parameter's default, if it has one."""
    [found] = [f.default for f in dataclasses.fields(stage) if f.name == param]
    return [] if found is dataclasses.MISSING else [found]


def _values(home: Path, rules: Sequence[Rule], *, whole: bool) -> list[float]:
    """Quantiles of what the rules judge, to three digits.

    The most frequent value counts once: most documents have, say, no duplicate line at all.
    """
    columns = list(dict.fromkeys(rule.column for rule in rules))
    files = [*shards(home, "dataset"), *shards(home, "dropped")]
    parts = [
        batch[column].drop_null().to_numpy().astype(np.float64)
        for file in files
        for batch in batches(file, columns, BATCH)
        for column in columns
    ]
    every, counts = np.unique(np.concatenate([np.zeros(0), *parts]), return_counts=True)
    if not len(every):
        return []
    counts[counts.argmax()] = 1
    ends = np.cumsum(counts)
    places = np.searchsorted(ends, np.array(QUANTILES) * (ends[-1] - 1), side="right")
    rounded = [float(f"{value:.3g}") for value in every[places].tolist()]
    return [round(value) for value in rounded] if whole else rounded


def _variants(
    segment: Segment, target: Target, changes: Sequence[Change], values: Sequence[Any]
) -> dict[Any, Variant]:
    """A variant for each of `values` that the stage takes."""
    check_variant(segment, vary(segment, changes))
    variants = {}
    for value in values:
        try:
            variants[value] = vary(segment, [*changes, Change(target, value)])
        except UserError:  # beyond what the parameter, or another one beside it, allows
            continue
    return variants


def _kept(now: dict[str, Flow], enter: dict[str, Flow], leave: dict[str, Flow]) -> dict[str, Flow]:
    """What passes after a change, by source."""
    return {source: now[source].after(enter[source], leave[source]) for source in now}


def _order(value: Any, bound: str) -> float:
    """`off` stands where the threshold keeps most."""
    if value is None:
        return math.inf if bound == "max" else -math.inf
    return float(value)


def curve_text(curve: Curve) -> str:
    """A curve for the terminal: aligned columns and bars."""
    base = total(curve.entering.values()).documents
    kept = [total(point.kept.values()) for point in curve.points]
    rows = [_row(point.value, flow, base) for point, flow in zip(curve.points, kept, strict=True)]
    lines = table(("value", "documents", "kept", "unmeasured", "MB"), rows, left=0).split("\n")
    ends = [
        f"{_bar(f, base)} {', '.join(p.marks)}" for p, f in zip(curve.points, kept, strict=True)
    ]
    return "\n".join(
        [
            f"recipe {curve.recipe}: {curve.param}",
            f"kept at the end of {' > '.join(curve.segment)}, of {base:,} that enter there",
            *(f"{line}  {end}".rstrip() for line, end in zip(lines, ["", *ends], strict=True)),
        ]
    )


def _row(value: Any, kept: Flow, base: int) -> list[str]:
    return [
        "off" if value is None else f"{value:,}",
        f"{kept.documents:,}",
        f"{kept.documents / base:.1%}" if base else "-",
        f"{kept.unmeasured:,}",
        "?" if kept.bytes is None else f"{kept.bytes / 1e6:,.2f}",
    ]


def _bar(kept: Flow, base: int) -> str:
    """Full blocks for what is known to stay, light ones for what was not measured."""
    whole = round(BAR * kept.documents / max(base, 1))
    known = round(BAR * (kept.documents - kept.unmeasured) / max(base, 1))
    return ("█" * known + "░" * (whole - known)).ljust(BAR)
