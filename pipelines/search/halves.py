"""Two halves of what the judge scores: one chooses mixtures, the other confirms the choice.

A mixture that was chosen because it scored well on some documents scores too well on them. Each
panel's documents and each suite's passages are split by hash once: the search half decides what is
searched and proposed, the confirm half is looked at when that is over. Sites are kept whole, as
documents of one site are alike, unless that leaves a half less than a quarter of the bytes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.errors import UserError
from eval.bpb import PanelScore
from eval.metrics import ItemValues
from mixtures.runs import Documents
from pipelines.scores import TrialScores
from pipelines.search.objective import Target

MIN_SHARE = 0.25  # of a panel's bytes in each half

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Losses:
    """What one model scores by target, on both halves; lower is better."""

    search: dict[str, float]
    confirm: dict[str, float]


class Halves:
    """The split of a judge's panels and suites.

    Args:
        panels: a Parquet file per panel.
        targets: what is searched for; other panels are left alone.

    Raises:
        UserError: a panel has fewer than two documents with text.
    """

    def __init__(self, panels: Mapping[str, Path], targets: Sequence[Target]) -> None:
        self.targets = targets
        self._search = {t.panel: split_panel(t.panel, panels[t.panel]) for t in targets if t.panel}

    def losses(self, scores: TrialScores) -> Losses:
        """The targets of one model on both halves."""
        pairs = {target.name: self._pair(target, scores) for target in self.targets}
        return Losses(
            search={name: pair[0] for name, pair in pairs.items()},
            confirm={name: pair[1] for name, pair in pairs.items()},
        )

    def documents(self, scores: TrialScores) -> dict[str, Documents]:
        """The documents of the search half, by target, for targets that are panels."""
        found = {}
        for target in self.targets:
            if target.panel:
                score, mask = scores.panels[target.panel], self._search[target.panel]
                sizes = score.bytes[mask].astype(np.float64)
                found[target.name] = Documents(nats=score.nats[mask], bytes=sizes)
        return found

    def _pair(self, target: Target, scores: TrialScores) -> tuple[float, float]:
        if target.panel:
            mask = self._search[target.panel]
            panel = scores.panels[target.panel]
            return _bpb(panel, mask), _bpb(panel, ~mask)
        values = scores.suites[str(target.suite)][target.metric]
        mask = split_items(values, target)
        sign = -1.0 if target.negated else 1.0
        return sign * _mean(values, mask), sign * _mean(values, ~mask)


def split_panel(name: str, path: Path) -> Mask:
    """Which documents of a panel are of the search half.

    Raises:
        UserError: it has fewer than two documents with text.
    """
    columns = pq.read_table(path, columns=["group", "record", "text"]).to_pydict()
    sizes = np.array([len(text.encode()) for text in columns["text"]])
    for keys in (columns["group"], columns["record"]):
        mask = _half(keys, sizes)
        share = sizes[mask].sum() / max(sizes.sum(), 1)
        if MIN_SHARE <= share <= 1 - MIN_SHARE:
            return mask
    if sizes[mask].sum() and sizes[~mask].sum():
        return mask  # two documents of very unlike length
    raise UserError(
        f"panel '{name}' has {np.count_nonzero(sizes)} documents with text, too few to keep half "
        "of them for the confirmation",
        where=f"panels.{name}",
        hint="Raise its 'frac' in the judge, or search for other panels.",
    )


def split_items(values: ItemValues, target: Target) -> Mask:
    """Which items of a suite are of the search half; those that share a passage stay together.

    Raises:
        UserError: all of its items share one passage.
    """
    mask = _half([str(cluster) for cluster in values.clusters], np.ones(values.n))
    if mask.all():
        hint = "Search for a suite of more passages."
        raise UserError("all items share one passage", where=f"objective.{target.name}", hint=hint)
    return mask


def _half(keys: Sequence[str], sizes: NDArray[np.float64] | NDArray[np.int64]) -> Mask:
    """Every other distinct key in the order of their hashes; keys without bytes count last."""
    weight: dict[str, float] = {}
    for key, size in zip(keys, sizes, strict=True):
        weight[key] = weight.get(key, 0.0) + float(size)
    order = sorted(weight, key=lambda key: (weight[key] == 0, _hash(key)))
    taken = set(order[::2])
    return np.array([key in taken for key in keys], bool)


def _hash(key: str) -> bytes:
    return hashlib.blake2b(f"search\0{key}".encode(), digest_size=8).digest()


def _bpb(score: PanelScore, mask: Mask) -> float:
    return float(score.nats[mask].sum() / score.bytes[mask].sum() / math.log(2))


def _mean(values: ItemValues, mask: Mask) -> float:
    return float(values.values[mask].sum() / values.weights[mask].sum())
