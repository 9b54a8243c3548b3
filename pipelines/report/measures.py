"""Which annotation columns rules read, and how to bin their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.report.format import is_number
from pipelines.report.results import Json

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_N_BINS = 32
_MAX_WHOLE = 32  # up to here every integer gets a bin of its own
_WIDE, _LARGE = 100.0, 20.0  # a log axis: high/low at least _WIDE, and high above _LARGE
_TAIL = 0.002  # the axis leaves out this share on either side; the end bins take it in


@dataclass(frozen=True)
class Measure:
    """A column and the rules of one stage that read it and are not switched off."""

    stage: str
    column: str
    rules: tuple[Json, ...]

    @property
    def params(self) -> list[str]:
        """The parameters that may fire: the drop reasons."""
        return [rule["param"] for rule in self.rules]


@dataclass(frozen=True)
class Bins:
    """Edges of the bins. With `whole`, each bin is centred on an integer."""

    edges: Floats
    log: bool = False
    whole: bool = False

    def count(self, values: Floats) -> Counts:
        """How many values fall in each bin; those outside go to the ends, NaN nowhere."""
        finite = values[np.isfinite(values)]
        places = np.searchsorted(self.edges, finite, side="right") - 1
        last = len(self.edges) - 2
        return np.bincount(np.clip(places, 0, last), minlength=last + 1).astype(np.int64)

    def cut(self, rule: Json) -> float:
        """Where the rule's line stands. Equality keeps, so it goes outside of a whole bin."""
        threshold = float(rule["threshold"])
        if not self.whole:
            return threshold
        return threshold - 0.5 if rule["bound"] == "min" else threshold + 0.5


def measures(manifest: Json) -> list[Measure]:
    """Every column that an active rule reads, in stage and rule order."""
    found: list[Measure] = []
    for stage in manifest.get("stages", []):
        active = [r for r in stage.get("rules", []) if r.get("threshold") is not None]
        for column in dict.fromkeys(rule["column"] for rule in active):
            rules = tuple(rule for rule in active if rule["column"] == column)
            found.append(Measure(stage["label"], column, rules))
    return found


def make_bins(values: Floats, rules: Sequence[Json], integers: bool) -> Bins | None:
    """Bins that show the bulk of `values` and every threshold; None if there is nothing to show.

    No bin lies on both sides of a threshold.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    numeric = [rule for rule in rules if is_number(rule["threshold"])]
    limits, cuts = [rule["threshold"] for rule in numeric], sorted({_edge(r) for r in numeric})
    low, high = np.quantile(finite, [_TAIL, 1 - _TAIL])
    low, high = float(min([low, *limits])), float(max([high, *limits]))
    # Outliers join the end bins, but not across a threshold that is itself the end.
    beyond = (low in limits and finite.min() < low, high in limits and finite.max() > high)
    if integers and high - low <= _MAX_WHOLE:
        first, last = np.floor(low) - beyond[0], np.ceil(high) + beyond[1]
        return Bins(np.arange(first - 0.5, last + 1.0), whole=True)
    # A count of zero has no logarithm: it joins the bin of one.
    floor = 1.0 if integers and 0 <= low < 1 else low
    if floor > 0 and high > _LARGE and high / floor >= _WIDE:
        spaced = _spaced(float(np.log(floor)), float(np.log(high)), beyond, np.log(cuts))
        return Bins(_exact(np.exp(spaced), cuts), log=True)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return Bins(_exact(_spaced(low, high, beyond, np.array(cuts)), cuts))


def _edge(rule: Json) -> float:
    """The smallest value right of the rule's line: equality keeps, and bins hold their low edge."""
    threshold = float(rule["threshold"])
    return threshold if rule["bound"] == "min" else float(np.nextafter(threshold, np.inf))


def _spaced(low: float, high: float, beyond: tuple[bool, bool], cuts: Floats) -> Floats:
    """Even edges, a bin more on a side with values beyond it, edges near a cut moved onto it."""
    step = (high - low) / _N_BINS
    low, high = low - step * beyond[0], high + step * beyond[1]
    even = np.linspace(low, high, _N_BINS + sum(beyond) + 1)
    far = [edge for edge in even if all(abs(edge - cut) > step / 2 for cut in cuts)]
    return np.sort(np.array([*far, *cuts]))


def _exact(edges: Floats, cuts: Sequence[float]) -> Floats:
    """`edges` with those that stand for a cut freed of rounding."""
    for cut in cuts:
        edges[np.argmin(np.abs(edges - cut))] = cut
    return edges
