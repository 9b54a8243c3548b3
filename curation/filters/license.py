"""Licences: from the metadata of a document, else from what its text says of itself.

Identifiers and groups are those of `curation.licenses` (SPDX, https://spdx.org/licenses).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curation import license_names, license_statements
from curation.license_statements import MAX_SHOWN, TRIGGER, Statement
from curation.licenses import NONE, OTHER, expand
from curation.stage import Annotations, Filter, Rule, stages

COLUMNS = {
    "license": pa.string(),  # the SPDX identifier that counts, `other` or `none`
    "license_expression": pa.string(),  # all that were found, in SPDX's grammar
    "found_in": pa.string(),  # `meta`, `text` or `none`
    "license_statement": pa.string(),  # what says so, at most 200 characters
}
_NOTHING = Statement(NONE, NONE, "")


@stages.register("license")
@dataclass(frozen=True, kw_only=True)
class License(Filter):
    """Finds the licence in metadata or text, and keeps or drops documents by it.

    `keep` and `drop` list SPDX identifiers (https://spdx.org/licenses), those without a version
    for all versions (`CC-BY`, `GPL-3.0`), and groups: `public_domain`, `permissive`, `copyleft`,
    `no_derivatives`, `non_commercial`, `proprietary`, `other` (none that is known) and `none`
    (nothing found). Null asks nothing. `fields` are the keys of `meta` that may hold a licence, in
    any case, the first that says something; `in_text` looks for statements in the text where they
    do not. Of licences that all hold, the one that asks most counts; of a choice, the one that
    asks least.
    """

    keep: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None
    fields: tuple[str, ...] = ("license", "licence", "licenses", "rights")
    in_text: bool = True

    decides: ClassVar[tuple[str, ...]] = ("keep", "drop")

    def __post_init__(self) -> None:
        if self.keep is not None and not self.keep:
            raise ValueError("'keep' of license is empty: that drops everything; null keeps all")
        if not self.fields and not self.in_text:
            raise ValueError("license looks nowhere: give it 'fields', or set 'in_text' to true")
        for param in ("keep", "drop"):
            try:
                expand(getattr(self, param) or ())
            except ValueError as error:
                raise ValueError(f"'{param}' of license: {error}") from None

    def columns(self) -> Annotations:
        """See `COLUMNS`."""
        return COLUMNS

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """Reads the metadata of every document, and the text of those it does not tell about."""
        found = self._from_meta(table["meta"])
        places = ["none" if one is None else "meta" for one in found]
        if self.in_text:
            vague = [one is None or one.license == OTHER for one in found]
            for row, statement in _from_text(table["text"], vague):
                found[row], places[row] = statement, "text"
        rows = [one or _NOTHING for one in found]
        values = {
            "license": [one.license for one in rows],
            "license_expression": [one.expression for one in rows],
            "found_in": places,
            "license_statement": [one.shown for one in rows],
        }
        return {name: pa.array(values[name], kind) for name, kind in COLUMNS.items()}

    def rules(self) -> tuple[Rule, ...]:
        """What may stay, then what must go."""
        keep = None if self.keep is None else expand(self.keep)
        drop = None if self.drop is None else expand(self.drop)
        return (
            Rule("keep", "license", "in", keep),
            Rule("drop", "license", "not in", drop),
        )

    def _from_meta(self, metas: pa.ChunkedArray) -> list[Statement | None]:
        keys = "|".join(re.escape(f'"{name}"') for name in self.fields)
        found: list[Statement | None] = [None] * len(metas)
        if not keys:
            return found
        named = pc.fill_null(pc.match_substring_regex(metas, f"(?i)(?:{keys})"), False)
        for row, is_named in enumerate(named.to_pylist()):
            if is_named:
                found[row] = self._of(json.loads(metas[row].as_py()))
        return found

    def _of(self, meta: Any) -> Statement | None:
        values = {key.lower(): value for key, value in meta.items()} if meta else {}
        for field in self.fields:
            text = " AND ".join(_strings(values.get(field.lower())))
            names = license_names.from_metadata(text)
            if names is not None:
                return Statement(names.license, names.expression, text[:MAX_SHOWN])
        return None


def _from_text(texts: pa.ChunkedArray, wanted: list[bool]) -> Iterable[tuple[int, Statement]]:
    """(row, statement) of the wanted texts that have one."""
    candidates = pc.and_(pc.match_substring_regex(texts, TRIGGER), pa.array(wanted, pa.bool_()))
    for row in pc.indices_nonzero(pc.fill_null(candidates, False)).to_pylist():
        statement = license_statements.find(texts[row].as_py())
        if statement is not None:
            yield row, statement


def _strings(value: Any) -> Iterable[str]:
    """The licences that a metadata value names: a string, a list, or an object about one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        named = (value.get(key) for key in ("spdx_id", "id", "type", "name", "title", "url"))
        yield from _strings(next((one for one in named if one), None))
