"""Records of a public format, as a suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from curation.config import build
from curation.errors import UserError
from eval.readers import llm_foundry, public
from eval.readers.reader import Reader, Record
from eval.suites.header import Header
from eval.suites.items import ITEM_CLASSES, Item, MultipleChoice, options_of
from eval.suites.suite import FORMAT_KEY, Suite, make_suite

OWN = "tilth"  # our own format, which no reader is for
READERS = (*llm_foundry.READERS, *public.READERS)


def public_suite(
    records: Sequence[tuple[int, Record]], path: Path, name: str, wanted: str | None
) -> Suite:
    """The suite in numbered records of the format `wanted`, or of the one their keys show.

    Items that give the right answer twice are left out, which `source` says.

    Raises:
        UserError: names file, line, key and what is wrong, or the formats if none fits.
    """
    reader = _recognise(records[0][1], wanted, f"{path}:{records[0][0]}")
    items = list(_items(reader, records, path, name))
    left_out = len(records) - len(items)
    note = f", without {left_out} items that give the right answer twice" if left_out else ""
    header = Header(
        name=name,
        version=1,
        type=reader.type,
        source=path.name + note,
        licence="see source",
        formulation="letters" if _letters(items) else reader.formulation,
        normalisation=reader.normalisation,
        baseline=_chance(items),
        delimiter=reader.delimiter,
        unconditional=reader.unconditional,
    )
    return make_suite(header, items, path)


def _recognise(record: Record, wanted: str | None, where: str) -> Reader:
    readers = [reader for reader in READERS if wanted in (None, reader.format)]
    for reader in readers:
        if reader.keys <= record.keys():
            return reader
    needed = "; ".join(f"{r.format}: {', '.join(sorted(r.keys))}" for r in readers)
    raise UserError(
        f"the record is of no known format: it has the keys {', '.join(sorted(record))}",
        where=where,
        hint=f"Formats and their keys: {needed}; {OWN}: a header with '{FORMAT_KEY}'",
    )


def _items(
    reader: Reader, records: Sequence[tuple[int, Record]], path: Path, name: str
) -> Iterator[Item]:
    kind, label = ITEM_CLASSES[reader.type], f"{reader.type} item"
    for number, record in records:
        where = f"{path}:{number}"
        fields = _fields(reader, record, where)
        if not _ambiguous(fields):
            # The line is what an item without an id is known by.
            fields["id"] = str(record.get("id", f"{name}/{number}"))
            yield build(kind, fields, where=where, label=label)


def _fields(reader: Reader, record: Record, where: str) -> Record:
    missing = sorted(reader.keys - record.keys())
    if missing:
        raise UserError(f"a {reader.format} record needs '{missing[0]}'", where=where)
    try:
        return reader.fields(record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"is no {reader.format} record: {error!r}", where=where) from None


def _ambiguous(fields: Record) -> bool:
    """Whether the right answer is given twice, as in a few pairs of BLiMP that are equal."""
    if "good" in fields:
        return bool(fields["good"] == fields["bad"])
    options, gold = fields.get("choices") or fields.get("context_options"), fields.get("gold")
    if not isinstance(options, list) or not isinstance(gold, int) or not 0 <= gold < len(options):
        return False
    return options.count(options[gold]) > 1


def _letters(items: Sequence[Item]) -> bool:
    """Whether every choice is one capital letter: the answer's place is scored, not its text."""
    return all(
        isinstance(item, MultipleChoice) and all(c.isupper() and len(c) == 1 for c in item.choices)
        for item in items
    )


def _chance(items: Sequence[Item]) -> float:
    """Expected accuracy of a uniform guess, 0 for completions."""
    options = [len(options_of(item)) for item in items]
    # Exact, so that it does not depend on the order of the items.
    return float(sum(Fraction(1, n) for n in options if n) / max(1, len(options)))
