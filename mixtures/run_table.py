"""RunTable: runs that somebody measured, as a table of weights and losses.

Either one file with both, or a file of mixtures and a file of losses joined by a key. What rows
were not used, and what was changed in those that were, is said in `notes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from curation.errors import UserError, closest
from mixtures.columns import (
    KEYS,
    Columns,
    common_key,
    loss_columns,
    weight_columns,
)
from mixtures.run_rows import joined_rows, row_keys, used_rows
from mixtures.sheet import Row, Sheet, read_sheet
from mixtures.space import Floats

ROUNDING = 5e-4  # per weight: what rounding to three decimals does to a sum
_SAME = 6  # decimals by which two mixtures are one


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """Measured runs.

    Attributes:
        domains: columns of the weights.
        targets: columns of the losses; none for mixtures that are not measured.
        keys: of the runs, all different.
        weights: (runs, domains), rows on the simplex.
        losses: (runs, targets), finite; lower is better.
        read: rows in the file of the mixtures.
        notes: what was left out or changed, and why.
    """

    domains: tuple[str, ...]
    targets: tuple[str, ...]
    keys: tuple[str, ...]
    weights: Floats
    losses: Floats
    read: int
    notes: tuple[str, ...] = ()

    def column(self, target: str) -> Floats:
        """Losses of one target, (runs,)."""
        out: Floats = self.losses[:, self.targets.index(target)]
        return out

    def means(self) -> RunTable:
        """One row per mixture, with the mean of its runs: seeds of one mixture are no test of it.

        Keys are those of the first run of each, in the order of these.
        """
        _, first, group = np.unique(
            self.weights.round(_SAME), axis=0, return_index=True, return_inverse=True
        )
        counts = np.bincount(group.ravel())
        sums = np.zeros((len(first), len(self.targets)))
        np.add.at(sums, group.ravel(), self.losses)
        order = np.argsort(first)
        return replace(
            self,
            keys=tuple(self.keys[i] for i in first[order]),
            weights=self.weights[first[order]],
            losses=(sums / counts[:, None])[order],
        )


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a table is read.

    Attributes:
        columns: which are what.
        only: column to the value that a row must have to be used.
        normalize: weights are any numbers from 0, such as token counts, and scaled to sum to 1.
    """

    columns: Columns = field(default_factory=Columns)
    only: Mapping[str, str] = field(default_factory=dict)
    normalize: bool = False


def read_runs(path: Path, losses: Path | None, how: Reading) -> RunTable:
    """Reads measured runs.

    Args:
        path: mixtures, and their losses unless those are apart.
        losses: file of the losses, with a key column that `path` has too.
        how: columns, filters and scaling.

    Raises:
        UserError: names the file, the row and the column, and the fix.
    """
    sheet, other = read_sheet(path), None if losses is None else read_sheet(losses)
    source, apart = (sheet, False) if other is None else (other, True)
    key = _key(sheet, other, how.columns)
    given = Columns(weights=how.columns.weights, losses=how.columns.losses, key=key)
    targets = loss_columns(source.columns, given, source.path, apart=apart)
    if not targets:
        hint = f"Say which with --losses-columns. There are: {', '.join(source.columns)}"
        raise UserError("found no column of losses", where=f"{source.path}", hint=hint)
    domains = weight_columns(sheet.columns, given, () if apart else targets, sheet.path)
    return _table(sheet, other, _Roles(domains, targets, key), how)


def read_like(table: RunTable, path: Path, losses: Path | None, how: Reading) -> RunTable:
    """Reads runs of the same domains, with those targets of `table` that they have.

    Args:
        table: says which columns are what.
        path: mixtures, and their losses unless those are apart; losses may be missing.
        losses: file of the losses.
        how: `how.columns` but for the key is not used.

    Raises:
        UserError: as `read_runs`; a domain has no column, or a file of losses no target.
    """
    sheet, other = read_sheet(path), None if losses is None else read_sheet(losses)
    source = sheet if other is None else other
    for domain in table.domains:
        if domain not in sheet.columns:
            raise UserError(
                f"has no column '{domain}', a weight of the first table"
                f".{closest(domain, sheet.columns)}",
                where=f"{path}",
                hint="Name weights alike in both tables; write 0 for a domain that is not used.",
            )
    targets = tuple(t for t in table.targets if t in source.columns)
    if other is not None and not targets:
        hint = f"Name losses alike in both tables: {', '.join(table.targets)}"
        raise UserError("has none of the losses of the first table", where=f"{losses}", hint=hint)
    return _table(
        sheet, other, _Roles(table.domains, targets, _key(sheet, other, how.columns)), how
    )


@dataclass(frozen=True)
class _Roles:
    """Which columns are weights, losses and key; no key where rows are named by number."""

    domains: tuple[str, ...]
    targets: tuple[str, ...]
    key: tuple[str, ...]


def _key(sheet: Sheet, other: Sheet | None, given: Columns) -> tuple[str, ...]:
    sheets = [sheet] if other is None else [sheet, other]
    for column in given.key:
        for one in sheets:
            if column not in one.columns:
                what = f"has no column '{column}' for a key.{closest(column, one.columns)}"
                hint = f"There are: {', '.join(one.columns)}"
                raise UserError(what, where=f"{one.path}", hint=hint)
    if given.key:
        return given.key
    if other is not None:
        return common_key(sheet.columns, other.columns, other.path)
    return next(((name,) for name in KEYS if name in sheet.columns), ())


def _table(sheet: Sheet, other: Sheet | None, roles: _Roles, how: Reading) -> RunTable:
    rows, notes = used_rows(sheet, how.only)
    keys = row_keys(sheet, rows, roles.key)
    weights, changes = _weights(sheet, rows, roles.domains, how)
    source, measured = sheet, rows
    if other is not None:
        source, measured = other, joined_rows(sheet, other, keys, roles.key)
    losses = [[_loss(source, row, name) for name in roles.targets] for row in measured]
    return RunTable(
        domains=roles.domains,
        targets=roles.targets,
        keys=tuple(keys),
        weights=weights,
        losses=np.array(losses, float).reshape(len(rows), len(roles.targets)),
        read=len(sheet.rows),
        notes=(*notes, *changes),
    )


def _weights(
    sheet: Sheet, rows: Sequence[Row], domains: tuple[str, ...], how: Reading
) -> tuple[Floats, list[str]]:
    """Mixtures (rows, domains), scaled to sum to exactly 1, and what was changed."""
    empty = sum(row[1].get(name) is None for row in rows for name in domains)
    found = np.array([[_weight(sheet, row, name, how) for name in domains] for row in rows])
    sums = found.sum(1)
    off = np.abs(sums - 1)
    slack = ROUNDING * len(domains)
    for row, total in zip(rows, sums.tolist(), strict=True):
        if total <= 0 or (not how.normalize and abs(total - 1) > slack):
            raise UserError(
                f"the weights of {len(domains)} domains sum to {total:.6g}, not to 1",
                where=f"{sheet.path}: row {row[0]}, columns '{domains[0]}' to '{domains[-1]}'",
                hint="--normalize divides each row by its sum; --weights-columns says which "
                "columns are weights.",
            )
    notes = [f"{empty} empty weights taken as 0"] if empty else []
    if off.max() > 1e-6:
        why = "as asked" if how.normalize else "their weights are rounded"
        count = int((off > 1e-6).sum())
        notes.append(f"{count} rows scaled to sum to 1, {why}: off by up to {off.max():.4g}")
    return found / sums[:, None], notes


def _weight(sheet: Sheet, row: Row, column: str, how: Reading) -> float:
    """A share; an empty cell is 0 where the sum of the row can tell that it is."""
    if row[1].get(column) is None and not how.normalize:
        return 0.0
    value = sheet.number(row, column, "Write the share of the domain, 0 if it is not used.")
    if value < 0:
        hint = "A share is from 0 to 1."
        raise UserError(
            f"a weight is negative: {value:g}", where=sheet.place(row, column), hint=hint
        )
    return value


def _loss(sheet: Sheet, row: Row, column: str) -> float:
    hint = "Delete the row, or name the columns to use with --losses-columns."
    return sheet.number(row, column, hint)
