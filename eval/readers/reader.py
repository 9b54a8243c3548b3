"""What a reader of a public format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eval.suites.header import Formulation, Normalisation
from eval.suites.items import ItemType

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Turns records of one shape into items.

    Attributes:
        format: what `format:` calls it; the shapes of one format share it.
        keys: those that every record has; they tell formats apart.
        type: of the items.
        fields: the item's fields of a record, `id` apart. A `KeyError`, `TypeError` or
            `ValueError` says that the record is malformed.
        formulation: as in `Header`.
        normalisation: as in `Header`, the format's usual one.
        delimiter: as in `Header`.
        unconditional: as in `Header`.
    """

    format: str
    keys: frozenset[str]
    type: ItemType
    fields: Callable[[Record], Record]
    formulation: Formulation = "cloze"
    normalisation: Normalisation = "none"
    delimiter: str = " "
    unconditional: str | None = None
