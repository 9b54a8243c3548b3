"""Personal data: e-mail and IP addresses, telephone, card and account numbers, and secrets.

Kinds, shapes and their sources (RFC 5322, RFC 6890, E.164, ISO/IEC 7812, ISO 13616, the formats
that vendors document) stand in `curation.pii`, one file each. Redacting e-mail and public IP
addresses is FineWeb's practice (Penedo et al. 2024, arXiv 2406.17557); there is no threshold that
the literature agrees on, so none drops by default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa

from curation import text
from curation.pii.redact import redact
from curation.pii.scan import KINDS, Kind, find
from curation.stage import Annotations, Filter, Modifier, Rule, stages

COLUMNS = {f"num_{kind}": pa.int64() for kind in KINDS}  # findings
PLACEHOLDERS: dict[Kind, str] = {
    "email": "<EMAIL>",
    "ipv4": "<IP_ADDRESS>",
    "ipv6": "<IP_ADDRESS>",
    "phone": "<PHONE>",
    "credit_card": "<CREDIT_CARD>",
    "iban": "<IBAN>",
    "secret": "<SECRET>",
}
BRACKETS, MAX_PLACEHOLDER = "<>[]{}|", 24  # no token of a vendor is so short


@stages.register("pii")
@dataclass(frozen=True, kw_only=True)
class Pii(Filter, Modifier):
    """Counts personal data of every kind, replaces it, or drops documents that have too much.

    Kinds in `redact` are replaced by their placeholder in the documents that stay; the others are
    counted only. `max_email: 20` drops documents with more than 20 addresses (lists of members),
    `max_secret: 0` those with any secret. IP addresses that are private, reserved or for
    documentation (IANA) are left alone unless `private_ips`. Redacted text has nothing more to
    redact.
    """

    redact: tuple[Kind, ...] = KINDS
    max_email: int | None = None  # findings in a document
    max_ipv4: int | None = None
    max_ipv6: int | None = None
    max_phone: int | None = None
    max_credit_card: int | None = None
    max_iban: int | None = None
    max_secret: int | None = None
    private_ips: bool = False
    placeholders: dict[Kind, str] = field(default_factory=dict)  # instead of `<EMAIL>` and so on

    decides: ClassVar[tuple[str, ...]] = tuple(f"max_{kind}" for kind in KINDS)

    def __post_init__(self) -> None:
        for name in (*self.redact, *self.placeholders):
            if name not in KINDS:
                raise ValueError(f"pii has no kind '{name}'. It has: {', '.join(KINDS)}")
        for param in self.decides:
            most = getattr(self, param)
            if most is not None and most < 0:
                raise ValueError(f"'{param}' of pii must be 0 or more. Got {most} instead.")
        for name, placeholder in self.placeholders.items():
            if not _is_inert(placeholder):
                raise ValueError(
                    f"The placeholder of '{name}' must be letters, spaces, '_' or '-' between two "
                    f"of {' '.join(BRACKETS)}, at most {MAX_PLACEHOLDER} characters, so that no "
                    f"text beside it makes it personal data. Got '{placeholder}' instead."
                )

    def columns(self) -> Annotations:
        """See `COLUMNS`."""
        return COLUMNS

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """Counts the findings of every kind, redacted or not."""
        data, offsets = text.buffers(table["text"])
        found = find(data, offsets, private_ips=self.private_ips)
        shape = (len(KINDS), len(table))
        places = found.kinds * len(table) + found.rows
        counts = np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape)
        return dict(zip(COLUMNS, map(pa.array, counts), strict=True))

    def rules(self) -> tuple[Rule, ...]:
        """In the order of the kinds."""
        params = self.parameters()
        return tuple(Rule(f"max_{k}", f"num_{k}", "max", params[f"max_{k}"]) for k in KINDS)

    def edit(self, table: pa.Table) -> pa.Table:
        """Puts placeholders into the texts with findings of the kinds in `redact`."""
        placeholders = {kind: {**PLACEHOLDERS, **self.placeholders}[kind] for kind in self.redact}
        texts = table["text"].combine_chunks()
        edited = redact(texts, placeholders, private_ips=self.private_ips)
        if edited is texts:
            return table
        place = table.column_names.index("text")
        return table.set_column(place, table.schema.field(place), edited)


def _is_inert(placeholder: str) -> bool:
    """Whether no detector reads into it: it has bounds, and nothing to be found."""
    bounded = {placeholder[:1], placeholder[-1:]} <= set(BRACKETS)
    named = any(char.isalpha() for char in placeholder)
    plain = all(char.isalpha() or char in " _-" or char in BRACKETS for char in placeholder)
    return bounded and named and plain and len(placeholder) <= MAX_PLACEHOLDER
