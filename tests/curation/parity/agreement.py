"""How alike two filters decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.stage import Modifier
from curation.text_rules import TextRules
from tests.curation.parity.pairs import Pair
from tests.curation.parity.peer import judge

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Agreement:
    """The decisions of both on the same texts."""

    name: str
    ours: Flags  # who drops
    theirs: Flags
    same_text: Flags  # what is left of those that both keep is the same

    @property
    def differ(self) -> Flags:
        """Where the decisions differ."""
        return self.ours != self.theirs

    @property
    def agreement(self) -> float:
        """The share of texts on which they decide alike."""
        return 1.0 - float(self.differ.mean())

    @property
    def f1(self) -> float:
        """Of our drops, datatrove's being the truth; 1 if neither drops any."""
        drops = int(self.ours.sum() + self.theirs.sum())
        return 2 * int((self.ours & self.theirs).sum()) / drops if drops else 1.0

    @property
    def same_text_frac(self) -> float:
        """Of the texts that both keep."""
        kept = ~self.ours & ~self.theirs
        return float(self.same_text[kept].mean()) if kept.any() else 1.0

    def among(self, chosen: Flags) -> Agreement:
        """The same for some of the texts."""
        return Agreement(self.name, self.ours[chosen], self.theirs[chosen], self.same_text[chosen])


def compare(pair: Pair, texts: Sequence[str]) -> Agreement:
    """Both filters over all texts; one that edits also drops what it leaves nothing of."""
    table = pa.table({"text": pa.array(texts, pa.string())})
    ours, left = _drops(pair.ours, table), list(texts)
    if pair.edits and isinstance(pair.ours, Modifier):
        left = pair.ours.edit(table)["text"].to_pylist()
    peer = pair.peer()
    found = [judge(peer, text) for text in texts]
    theirs = np.array([dropped for dropped, _ in found])
    same = np.ones(len(texts), bool)
    if pair.edits:
        same = np.array([mine == yours for mine, (_, yours) in zip(left, found, strict=True)])
        ours |= np.array([not text for text in left])
        theirs |= np.array([not text for _, text in found])
    return Agreement(pair.name, ours, theirs, same)


def _drops(stage: TextRules, table: pa.Table) -> Flags:
    measured = pa.table(stage.measure(table))
    fails = [np.asarray(rule.fails(measured)) for rule in stage.rules()]
    dropped: Flags = reduce(or_, fails)
    return dropped
