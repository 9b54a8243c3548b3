"""Personal data: speed of finding and replacing it, precision and recall, against datatrove."""

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from curation.modifiers.pii import Pii
from curation.pii.scan import KINDS
from curation.process import PlannedStage, process
from tests.benchmarks.data import SHARED, as_table, size, texts
from tests.benchmarks.tables import Table
from tests.benchmarks.timing import Case, quotients, rates, spread
from tests.curation.pii.finding import Entity, entities
from tests.curation.pii.labelled import Labelled, labelled
from tests.curation.pii.scoring import embedded
from tests.curation.pii.scoring import rates as score

MB = 16.0
Finder = Callable[[list[str]], list[list[Entity]]]


def run() -> list[Table]:
    """Rates, then what both find in labelled and in real text."""
    found, name = texts(MB)
    return [_speed(found, name), _quality(), _counts(found, name)]


def _speed(found: list[str], name: str) -> Table:
    table, planned = as_table(found), [PlannedStage("pii", Pii())]
    formatter = _formatter()
    process(table[:10], planned)  # compiled, or from the cache
    cases = [
        Case("tilth: measure, decide, edit, tables", partial(process, table, planned), size(found)),
        Case("tilth: measure and edit", partial(_measure_and_edit, table), size(found)),
        Case(
            "datatrove: PIIFormatter.format", partial(_each, formatter.format, found), size(found)
        ),
    ]
    measured = rates(cases)
    peer = measured[cases[-1].name]
    rows = [(n, r.typical, median(quotients(r, peer)), spread(r.core)) for n, r in measured.items()]
    note = f"{size(found):.1f} MB of {name}, {len(found)} documents."
    return Table("finding and replacing", ("", "MB/s per core", "ratio", "spread"), rows, [note])


def _measure_and_edit(table: Any) -> None:
    stage = Pii()
    stage.measure(table)
    stage.edit(table)


def _each(function: Callable[[str], Any], found: list[str]) -> None:
    for text in found:
        function(text)


def _quality() -> Table:
    """Precision and recall per kind on each labelled set that there is."""
    sets: dict[str, list[Labelled]] = {"made": labelled()}
    if (SHARED / "pii").is_dir():
        sets["embedded"] = embedded()
    rows = []
    for name, cases in sets.items():
        found = {n: score(cases, finder([c.text for c in cases])) for n, finder in FINDERS.items()}
        for kind in KINDS:
            if any(kind in scores for scores in found.values()):
                labels = max(s[kind][2] for s in found.values() if kind in s)
                pairs = [_pair(scores.get(kind)) for scores in found.values()]
                rows.append((f"{kind}, {name}", labels, *pairs))
    columns = ("precision / recall", "labels", *FINDERS)
    notes = [
        "Exact spans. embedded: ../shared/data/pii, its reserved addresses not wanted; one address "
        "in it is real and not labelled. made: tests/curation/pii/labelled.py.",
        "datatrove has e-mail and IP addresses only.",
    ]
    return Table("labelled texts", columns, rows, notes)


def _pair(scores: tuple[float, float, int] | None) -> str:
    return f"{scores[0]:.3f} / {scores[1]:.3f}" if scores and scores[1] else "none found"


def _counts(found: list[str], name: str) -> Table:
    rows: list[tuple[Any, ...]] = []
    counted = {n: [e[2] for spans in finder(found) for e in spans] for n, finder in FINDERS.items()}
    for kind in KINDS:
        rows.append((kind, *(kinds.count(kind) for kinds in counted.values())))
    return Table(f"findings in {size(found):.1f} MB of {name}", ("", *FINDERS), rows)


def _formatter() -> Any:
    from datatrove.pipeline.formatters import PIIFormatter

    return PIIFormatter()


def _datatrove(found: list[str]) -> list[list[Entity]]:
    """The spans that PIIFormatter would replace."""
    formatter = _formatter()
    return [_spans(formatter, text) for text in found]


def _spans(formatter: Any, text: str) -> list[Entity]:
    spans = [(*m.span(), "email") for m in formatter.emails_replacer.regex.finditer(text)]
    replacer = formatter.ip_replacer
    matches = (m for m in replacer.regex.finditer(text) if replacer.validator(m.group()))
    return spans + [(*m.span(), "ipv4") for m in matches]


FINDERS: dict[str, Finder] = {"tilth": entities, "datatrove": _datatrove}
