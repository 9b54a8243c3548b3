"""The first line of a suite file: what the suite is and how its items are put to a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from eval.suites.items import ItemType

Formulation = Literal["cloze", "letters", "sentence"]
Normalisation = Literal["none", "bytes", "pmi"]
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class Header:
    """Describes a suite.

    Attributes:
        name: as metrics carry it; lower-case letters, digits, `_` and `-`.
        version: raised whenever an item or the header changes.
        type: of all items.
        source: where the items come from.
        licence: of the items.
        formulation: `cloze` scores the answer's own words, `letters` the letter that stands for
            them (models below about 1B parameters are at chance), `sentence` whole sentences.
        normalisation: what `centered_accuracy` is taken of: `none` compares log p(answer),
            `bytes` that per byte of the answer, `pmi` log p(answer | context) minus
            log p(answer | `unconditional`).
        baseline: accuracy of guessing, in [0, 1).
        delimiter: stands between context and continuation; belongs to neither.
        unconditional: the context that stands for none, such as `Answer:`; null: PMI is not
            measured, which doubles the cost.
    """

    name: str
    version: int
    type: ItemType
    source: str
    licence: str
    formulation: Formulation
    normalisation: Normalisation = "none"
    baseline: float = 0.0
    delimiter: str = " "
    unconditional: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"'name' takes a-z, 0-9, _ and -. Got {self.name!r} instead.")
        if self.version < 1:
            raise ValueError(f"'version' must be >= 1. Got {self.version} instead.")
        if not 0 <= self.baseline < 1:
            raise ValueError(f"'baseline' must be in [0, 1). Got {self.baseline} instead.")
        choice = self.type == "multiple_choice"
        if self.normalisation != "none" and not choice:
            raise ValueError(f"'normalisation' of a {self.type} suite must be 'none'")
        if self.unconditional is not None and not choice:
            raise ValueError("'unconditional' is for multiple_choice suites")
        if self.normalisation == "pmi" and self.unconditional is None:
            raise ValueError("'normalisation: pmi' needs 'unconditional', the context without one")
