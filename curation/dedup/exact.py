"""Exact duplicates: documents whose text is the same, byte for byte or normalised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from curation.dedup.duplicates import Compared, DuplicateStage, every_row
from curation.dedup.forms import Form, hash_forms
from curation.stage import stages


@stages.register("exact_dedup")
@dataclass(frozen=True, kw_only=True)
class ExactDedup(DuplicateStage):
    """Keeps one of the documents of equal text, by default the first in corpus order.

    `normalise` says when texts are equal, from `none`, byte for byte, and `whitespace`, to `case`,
    `alphanumeric` and `digits`: see `curation.dedup.forms`. They are if 128 bits of MurmurHash3
    are: see `curation.hash128` for how sure that is. Texts of which nothing is left are equal.
    """

    normalise: Form = "whitespace"

    version: ClassVar[int] = 2
    reason: ClassVar[str] = "duplicate"
    similarity: ClassVar[float | None] = 1.0

    @property
    def reads(self) -> tuple[str, ...]:
        """The text, and what decides which one stays."""
        return tuple(dict.fromkeys(("text", *self.policy.reads)))

    def compared(self, table: pa.Table) -> Compared:
        """The texts."""
        return every_row(table, hash_forms(table["text"], self.normalise))
