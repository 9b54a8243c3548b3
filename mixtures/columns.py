"""Columns of a table of runs: which are weights, which are losses, and which names a run.

Losses are, by the first rule that finds any, the columns that
    1. fit the patterns given,
    2. start with loss, losses, metric, metrics, panels or val, before one of . / _
    3. end in loss, bpb, nll, perplexity or ppl, and do not start with train,
    4. are left in a file of losses, its key and facts about the run taken away.
Weights are the columns that
    1. fit the patterns given,
    2. start with weight, weights or mixture, before one of . / _
    3. are left in the file of the mixtures, its key, facts about the run and losses taken away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from curation.errors import UserError, closest

KEYS = ("run", "index", "key", "id", "name")  # that name a run, most telling first
STATE = "state"
# What `swarm.csv` says of a run, and the keys: neither weights nor losses.
FACTS = frozenset(
    {*KEYS, STATE, "recipe", "seed", "preset", "tokens", "step", "steps", "seconds_left", "failure"}
)
_WEIGHTS = re.compile(r"(weights?|mixture)[./_]")
_LOSSES = re.compile(r"(loss(es)?|metrics?|panels|val)[./_]")
_LOSS_ENDS = re.compile(r"(?!train).*(loss|bpb|nll|perplexity|ppl)$")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the user says of the columns; patterns as of file names, such as `*_loss`.

    Attributes:
        weights: patterns; none for the rules of this module.
        losses: patterns; none for the rules.
        key: columns that together name a run; none for the rules.
    """

    weights: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


def loss_columns(
    columns: Sequence[str], given: Columns, path: Path, *, apart: bool
) -> tuple[str, ...]:
    """The losses among columns of a file; `apart` where it holds nothing else.

    Raises:
        UserError: a pattern fits no column.
    """
    if given.losses:
        return fitting(columns, given.losses, path)
    open_to = [c for c in columns if c not in FACTS and c not in given.key]
    for rule in (_LOSSES, _LOSS_ENDS):
        found = tuple(c for c in open_to if rule.match(c))
        if found:
            return found
    return tuple(open_to) if apart else ()


def weight_columns(
    columns: Sequence[str], given: Columns, losses: Sequence[str], path: Path
) -> tuple[str, ...]:
    """The weights among columns of a file.

    Raises:
        UserError: a pattern fits no column, or fewer than two columns are left.
    """
    if given.weights:
        found = fitting(columns, given.weights, path)
    else:
        taken = {*FACTS, *given.key, *losses}
        named = tuple(c for c in columns if _WEIGHTS.match(c))
        found = named or tuple(c for c in columns if c not in taken)
    if len(found) < 2:
        raise UserError(
            f"a mixture has two weights or more, found {len(found)}: {', '.join(found) or 'none'}",
            where=f"{path}",
            hint=f"Say which with --weights-columns. There are: {', '.join(columns)}",
        )
    return found


def fitting(columns: Sequence[str], patterns: Sequence[str], path: Path) -> tuple[str, ...]:
    """Columns that fit one of the patterns, in the order of the file.

    Raises:
        UserError: a pattern fits none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(column, pattern) for column in columns):
            raise UserError(
                f"no column fits '{pattern}'.{closest(pattern, columns)}",
                where=f"{path}",
                hint=f"There are: {', '.join(columns)}",
            )
    return tuple(c for c in columns if any(fnmatchcase(c, p) for p in patterns))


def common_key(weights: Sequence[str], losses: Sequence[str], path: Path) -> tuple[str, ...]:
    """The column by which two files are joined: the only one in both, or the first of `KEYS`.

    Raises:
        UserError: there is none, or which it is cannot be told.
    """
    both = [column for column in weights if column in losses]
    named = [name for name in KEYS if name in both]
    if named or len(both) == 1:
        return (named[0] if named else both[0],)
    shared = f"share {', '.join(both)}" if both else "have no column in common"
    raise UserError(
        f"the files {shared}: nothing says which rows belong together",
        where=f"{path}",
        hint="Name the column that both have with --key.",
    )


def short_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Names without the parts, at . / _ or -, that all of them start with."""
    parts = [re.split(r"(?<=[./_-])", column) for column in columns]
    shared = 0
    while all(len(p) > shared + 1 for p in parts) and len({p[shared] for p in parts}) == 1:
        shared += 1
    return tuple("".join(p[shared:]) for p in parts)


def owner(target: str, domains: Sequence[str]) -> str | None:
    """The domain whose text a target is: whose short name is in the target's, as whole words.

    The longest where several are; None where none is, or two are alike.
    """
    found: list[tuple[int, str]] = []
    for domain, short in zip(domains, short_names(domains), strict=True):
        if re.search(rf"(?<![A-Za-z0-9]){re.escape(short)}(?![A-Za-z0-9])", target):
            found.append((len(short), domain))
    found.sort(reverse=True)
    if not found or (len(found) > 1 and found[0][0] == found[1][0]):
        return None
    return found[0][1]
