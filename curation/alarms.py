"""Alarms: what a recipe, or the funnel of its run, shows that its author should look at.

Alarms are policy, not identity: they change no dataset and no fingerprint.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pyarrow as pa

from curation.config import build, convert
from curation.errors import UserError, closest
from curation.process import PlannedStage
from curation.stage import Rule

MAX_DROP_FRAC = 0.95  # of a source: a stage that drops more is reported
FEW = 20  # documents of a source: below, nearly all is no news, unless nothing is left at all
# A filter that fires on none of n documents fires on at most 3/n of such documents, with 95 %
# confidence (the rule of three; Hanley and Lippman-Hand 1983): fewer than 1 in 1000 from here on.
MANY = 3000
MANY_BYTES = 1_000_000  # of text: MANY one-line documents are no corpus

Json = dict[str, Any]


@dataclass(frozen=True)
class Alarm:
    """One thing to look at. `source` is None if it is about all documents."""

    kind: Literal[
        "outside_band",
        "dropped_nearly_all",
        "matched_nothing",
        "never_fires",
        "learned_nothing",
        "not_decontaminated",
    ]
    stage: str
    source: str | None
    message: str

    def to_dict(self) -> Json:
        """As the manifest holds it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Band:
    """A share of the documents that enter a stage, both ends included."""

    min: float = 0.0
    max: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.min <= self.max <= 1:
            raise ValueError(
                f"a band needs 0 <= min <= max <= 1. Got [{self.min:g}, {self.max:g}] instead."
            )


@dataclass(frozen=True, kw_only=True)
class StageBands(Band):
    """What a stage should keep of all documents and, where it is said, of single sources."""

    sources: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When to raise an alarm. `bands` are by stage label and source, None for all documents."""

    bands: Mapping[tuple[str, str | None], Band] = field(default_factory=dict)
    max_drop_frac: float = MAX_DROP_FRAC


def read_bands(
    expect: Mapping[str, Any], stages: Sequence[str], sources: Sequence[str], where: str
) -> dict[tuple[str, str | None], Band]:
    """The bands in a recipe's `expect:`.

    Of every stage label, `[min, max]`, or `{min: , max: , sources: {name: [min, max]}}`.

    Raises:
        UserError: no such stage or source, or an impossible band.
    """
    bands: dict[tuple[str, str | None], Band] = {}
    for label, value in expect.items():
        place = f"{where}.{label}"
        _check_known("stage", label, stages, place)
        band = _band(value, StageBands, place)
        bands[label, None] = band
        for source, part in band.sources.items() if isinstance(band, StageBands) else ():
            _check_known("source", source, sources, f"{place}.sources.{source}")
            bands[label, source] = _band(part, Band, f"{place}.sources.{source}")
    return bands


def _band(value: Any, kind: type[Band], where: str) -> Band:
    if isinstance(value, dict):
        return build(kind, value, where=where, label="a band")
    if not isinstance(value, list) or len(value) != 2:
        raise UserError(f"a band is [min, max], got {value}", where=where)
    low, high = (convert(end, float, where=where, label="a band's end") for end in value)
    return build(Band, {"min": low, "max": high}, where=where)


def _check_known(what: str, name: str, known: Sequence[str], where: str) -> None:
    if name not in known:
        hint = f"The recipe's {what}s: {', '.join(known)}" if known else f"It has no {what}s"
        raise UserError(
            f"there is no {what} '{name}'.{closest(name, known)}", where=where, hint=hint
        )


def find_alarms(
    stages: Sequence[PlannedStage], funnel: Iterable[Json], policy: Policy
) -> list[Alarm]:
    """All alarms of a finished run: those of its stages, then those of its funnel, in order."""
    found = static_alarms(stages)
    active = {p.label for p in stages if any(rule.threshold is not None for rule in p.rules())}
    for row in funnel:
        found += _outside_bands(row, policy)
        found += _nearly_all(row, policy)
        if row["stage"] in active and (row["stage"], None) not in policy.bands:
            found += _matched_nothing(row)
    return found


def untaught(classifiers: Iterable[Json]) -> list[Alarm]:
    """Classifiers that may be no better than chance, by the interval of their held-out AUC."""
    found = []
    for one in classifiers:
        auc = one["auc"]
        if auc["ci_low"] <= 0.5:
            interval = f"{auc['value']:.2f} [{auc['ci_low']:.2f}, {auc['ci_high']:.2f}]"
            message = f"{one['stage']} may have learned nothing: held-out AUC {interval}"
            found.append(Alarm("learned_nothing", one["stage"], None, message))
    return found


def _outside_bands(row: Json, policy: Policy) -> Iterator[Alarm]:
    label = row["stage"]
    for source, counts in [(None, row), *row["by_source"].items()]:
        band = policy.bands.get((label, source))
        before, after = counts["documents_in"], counts["documents_out"]
        if band is None or not before or band.min <= after / before <= band.max:
            continue
        of = f" of source '{source}'" if source else ""
        what = f"{label} kept {after / before:.1%}{of}, outside [{band.min:g}, {band.max:g}]"
        message = f"{what}: {after:,} of {before:,} documents"
        yield Alarm("outside_band", label, source, message)


def _nearly_all(row: Json, policy: Policy) -> Iterator[Alarm]:
    """Nearly all of a source that no band is about, and whatever leaves nothing at all."""
    label, alone = row["stage"], len(row["by_source"]) == 1
    for source, counts in row["by_source"].items():
        before, gone = counts["documents_in"], counts["documents_in"] - counts["documents_out"]
        banded = (label, source) in policy.bands or (alone and (label, None) in policy.bands)
        nearly_all = before >= FEW and gone > policy.max_drop_frac * before and not banded
        if nearly_all or (before and row["documents_out"] == 0):
            what = f"{label} dropped {gone / before:.0%} of source '{source}'"
            message = f"{what}: {gone:,} of {before:,} documents"
            yield Alarm("dropped_nearly_all", label, source, message)


def _matched_nothing(row: Json) -> Iterator[Alarm]:
    """A filter that drops no document of a corpus in which something should have been bad."""
    fired = sum(count for reason, count in row["reasons"].items() if reason != "error")
    if not fired and row["documents_in"] >= MANY and row["bytes_in"] >= MANY_BYTES:
        message = f"{row['stage']} dropped none of {row['documents_in']:,} documents"
        yield Alarm("matched_nothing", row["stage"], None, message)


def static_alarms(stages: Iterable[PlannedStage]) -> list[Alarm]:
    """Rules that cannot fire whatever the documents are: known before anything runs."""
    found = []
    for planned in stages:
        rules = [rule for rule in planned.rules() if rule.threshold is not None]
        for i, rule in enumerate(rules):
            why = _beyond_range(planned, rule) or _shadowed(rule, rules[:i])
            if why:
                what = f"{planned.label}.{rule.param} {_shown(rule.threshold)} can never fire"
                message = f"{what}: {why}; null switches it off"
                found.append(Alarm("never_fires", planned.label, None, message))
    return found


def _beyond_range(planned: PlannedStage, rule: Rule) -> str | None:
    """Why no value of the rule's statistic fails it, if its range is known and says so."""
    name = rule.column.removeprefix(f"{planned.label}.")
    low, high = _range(name, planned.columns().get(rule.column))
    if not isinstance(rule.threshold, int | float):
        return None
    if rule.bound == "min" and rule.threshold <= low:
        return f"{name} is never below {low:g}"
    if rule.bound == "max" and rule.threshold >= high:
        return f"{name} is never above {high:g}"
    return None


def _range(name: str, kind: pa.DataType | None) -> tuple[float, float]:
    """What a statistic can be, by the names that all stages share."""
    if name.endswith("_frac"):
        return 0, 1
    counted = kind is not None and pa.types.is_integer(kind)
    if counted or name.endswith(("_ratio", "_len")):
        return 0, math.inf
    return -math.inf, math.inf


def _shadowed(rule: Rule, earlier: Iterable[Rule]) -> str | None:
    """The earlier rule that drops every document this one would, if there is one."""
    for other in earlier:
        same = (other.column, other.bound) == (rule.column, rule.bound)
        if same and other.when in (None, rule.when) and _as_strict(other, rule):
            shown = f"{other.param} {_shown(other.threshold)}"
            return f"{shown} judges {rule.column} before it and is as strict"
    return None


def _as_strict(other: Rule, rule: Rule) -> bool:
    if rule.bound == "in":
        return set(other.threshold) <= set(rule.threshold)
    if rule.bound == "not in":
        return set(other.threshold) >= set(rule.threshold)
    if rule.bound == "min":
        return bool(other.threshold >= rule.threshold)
    return bool(other.threshold <= rule.threshold)


def _shown(threshold: Any) -> str:
    return str(list(threshold)) if isinstance(threshold, tuple) else str(threshold)
