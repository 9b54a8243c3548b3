"""HTML extraction: agreement with annotated pages, and pages per second on one core."""

from collections.abc import Callable, Sequence
from functools import partial

import pyarrow as pa
import trafilatura

from curation.modifiers.html_text import HtmlText, extract
from tests.benchmarks.ground_truth import KINDS, Page, agreement, load_pages
from tests.benchmarks.tables import Table
from tests.benchmarks.timing import Case, compare

TIMED_EVERY = 8  # pages of the ground truth whose extraction is timed: every eighth
PEER = "trafilatura alone, its defaults"
Extract = Callable[[Page], str]


def run() -> list[Table]:
    """Quality of every extractor, then speed."""
    pages = load_pages()
    ways = {name: partial(_by_stage_function, stage) for name, stage in _stages().items()}
    ways[PEER] = _by_trafilatura
    return [_quality(pages, ways), _speed(pages[::TIMED_EVERY], ways)]


def _stages() -> dict[str, HtmlText]:
    return {
        "resiliparse": HtmlText(),
        "resiliparse, main_content: false": HtmlText(main_content=False),
        "trafilatura": HtmlText(extractor="trafilatura"),
    }


def _by_stage_function(stage: HtmlText, page: Page) -> str:
    return extract(page.frame, stage.extractor, stage.main_content)


def _by_trafilatura(page: Page) -> str:
    return trafilatura.extract(page.raw) or ""


def _quality(pages: Sequence[Page], ways: dict[str, Extract]) -> Table:
    rows = []
    for name, way in ways.items():
        found = agreement(pages, [way(page) for page in pages])
        parts = [[found[kind][key] for key in ("precision", "recall", "f1")] for kind in KINDS]
        cells = [" / ".join(f"{value:.3f}" for value in part) for part in parts]
        rows.append((f"html_text: {name}" if name != PEER else name, *cells))
        rows[-1] += (f"{found['segments']['absent']:.3f}",)
    columns = ("precision / recall / F1", *KINDS.values(), "`without` absent")
    counts = [sum(page.kind == kind for page in pages) for kind in KINDS]
    title = f"agreement with {counts[0]} articles, {counts[1]} readability, {counts[2]} segments"
    return Table(title, columns, rows, ["Definitions: tests/benchmarks/ground_truth.py."])


def _speed(pages: Sequence[Page], ways: dict[str, Extract]) -> Table:
    table = _as_table(pages)
    cases = []
    for name, stage in _stages().items():
        stage.edit(table[:2])  # starts the child
        call, edit = partial(_all, ways[name], pages), partial(stage.edit, table)
        cases.append(Case(f"html_text: {name}, in-process", call, len(pages)))
        cases.append(Case(f"html_text: {name}, through the stage", edit, len(pages)))
    cases.append(Case(PEER, partial(_all, ways[PEER], pages), len(pages)))
    note = (
        f"{len(pages)} pages. The stage hands each page to a child process and waits: one core "
        "busy at a time; processor time is that of both."
    )
    return compare("pages per second", "pages/s", cases, [note])


def _all(way: Extract, pages: Sequence[Page]) -> None:
    for page in pages:
        way(page)


def _as_table(pages: Sequence[Page]) -> pa.Table:
    return pa.table(
        {
            "id": [str(i) for i in range(len(pages))],
            "text": pa.nulls(len(pages), pa.string()),
            "raw": pa.array([page.raw for page in pages], pa.binary()),
            "content_type": pa.array([page.content_type for page in pages], pa.string()),
        }
    )
