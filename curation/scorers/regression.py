"""Documents with numeric labels: read, split, and how well a prediction of the label does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curation.errors import UserError
from curation.scorers.evaluation import auc_interval, spearman
from curation.scorers.linear_learning import Labelled
from curation.scorers.splitting import MIN_DOCUMENTS, VECTOR, Flags, Sample, hold_out
from curation.text import Rows

LABEL = "_label"


@dataclass(frozen=True)
class LabelledSplit:
    """What to learn from, what to measure on, and how many documents went where."""

    train: Labelled
    held_out: Labelled
    counts: dict[str, Any]


def labelled_documents(table: pa.Table, label: str) -> pa.Table:
    """The documents whose `meta` has a number under `label`, with it as a column.

    Raises:
        UserError: fewer than 20 have one, or all have the same.
    """
    values = np.array([_number(meta, label) for meta in table["meta"].to_pylist()], np.float64)
    there = np.isfinite(values)
    if there.sum() < MIN_DOCUMENTS:
        what = f"{int(there.sum()):,} of {len(table):,} labelled documents have a number in "
        what += f"'meta.{label}', at least {MIN_DOCUMENTS} are needed"
        raise UserError(what, hint="Name the key of their meta in 'label'")
    if len(np.unique(values[there])) == 1:
        raise UserError(f"'meta.{label}' is {values[there][0]:g} in all documents that have it")
    return table.append_column(LABEL, pa.array(values)).filter(pa.array(there))


def split_labelled(table: pa.Table) -> LabelledSplit:
    """Holds out a tenth of the distinct documents, by site: see `splitting.hold_out`."""
    documents, held = hold_out(table)
    counts = {
        "labelled": {
            "sampled": len(table),
            "distinct": len(documents),
            "train": int((~held).sum()),
            "held_out": int(held.sum()),
        }
    }
    return LabelledSplit(_labelled(documents, ~held), _labelled(documents, held), counts)


def tell_regression(predicted: Rows, held_out: Labelled, seed: int) -> dict[str, Any]:
    """Errors, correlation, and how it ranks: `auc` of documents above the median of the labels."""
    values = held_out.values
    above = values > np.median(values)
    above = above if above.any() else values >= np.median(values)
    errors = predicted - values
    spread = float(np.square(values - values.mean()).sum())
    found: dict[str, Any] = {
        "rmse": float(np.sqrt(np.square(errors).mean())),
        "r2": 1 - float(np.square(errors).sum()) / spread if spread else None,
        "spearman": spearman(predicted, values),
    }
    return {"auc": _auc(predicted, above, seed), "regression": found}


def _auc(predicted: Rows, above: Flags, seed: int) -> dict[str, float]:
    if above.all() or not above.any():
        what = "the held-out documents all have the same label: nothing would tell what is learned"
        raise UserError(what, hint="Label more documents")
    return auc_interval(predicted, above, seed)


def _labelled(table: pa.Table, chosen: Flags) -> Labelled:
    rows = table.filter(pa.array(chosen))
    vectors = rows[VECTOR] if VECTOR in rows.column_names else None
    sample = Sample(rows["text"], np.zeros(len(rows), bool), vectors)
    return Labelled(sample, rows[LABEL].to_numpy())


def _number(meta: str | None, label: str) -> float:
    """NaN where there is no number."""
    found = json.loads(meta or "{}")
    value = found.get(label) if isinstance(found, dict) else None
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
    )
