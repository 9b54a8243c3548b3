"""The objective of a search in a table of runs: `NAME=W,NAME=W` over its columns of losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from curation.errors import UserError, closest
from eval.metrics import is_better_higher
from mixtures.run_table import RunTable

_WHERE = "--objective"


def read_table_objective(text: str | None, targets: Sequence[str]) -> dict[str, float]:
    """Weight by target, summing to 1; all targets alike where nothing is said.

    Args:
        text: a target may be named by a part of its name that no other has; `=W` left out is 1.
        targets: columns of losses.

    Raises:
        UserError: there is no such target, several fit, or a weight is no number above 0.
    """
    if text is None:
        return {target: 1 / len(targets) for target in targets}
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.strip().rpartition("=") if "=" in part else (part.strip(), "", "1")
        target = _target(name.strip(), targets)
        if target in weights:
            raise UserError(f"'{target}' is named twice", where=_WHERE)
        weights[target] = _weight(target, number)
    total = sum(weights.values())
    return {target: weight / total for target, weight in weights.items()}


def _target(name: str, targets: Sequence[str]) -> str:
    fits = [t for t in targets if t == name] or [t for t in targets if name and name in t]
    if len(fits) != 1:
        what = (
            f"'{name}' fits {', '.join(fits)}"
            if fits
            else f"the table has no loss '{name}'.{closest(name, targets)}"
        )
        raise UserError(what, where=_WHERE, hint=f"Losses: {', '.join(targets)}")
    return fits[0]


def _weight(target: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = float("nan")
    if not 0 < weight < float("inf"):
        hint = "Losses are lower-is-better; what is better higher must be negated in the table."
        raise UserError(
            f"the weight of '{target}' must be > 0. Got '{text}'.", where=_WHERE, hint=hint
        )
    return weight


def lower_is_better(table: RunTable) -> RunTable:
    """The table with metrics of our suites that are better higher negated, which its notes say."""
    negated = [t for t in table.targets if t.startswith("suites.") and is_better_higher(_metric(t))]
    if not negated:
        return table
    signs = np.array([-1.0 if target in negated else 1.0 for target in table.targets])
    note = f"better higher, negated: {', '.join(negated)}"
    return replace(table, losses=table.losses * signs, notes=(*table.notes, note))


def _metric(target: str) -> str:
    """`accuracy.phenomenon` of `suites.<suite>.accuracy.phenomenon`."""
    return ".".join(target.split(".")[2:])
