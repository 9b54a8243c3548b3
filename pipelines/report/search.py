"""The page of a mixture search: what to use, how far to believe it, and all that was measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines.report.frame import frame, write_page
from pipelines.report.markup import Html, clip
from pipelines.report.search_answer import answer
from pipelines.report.search_checks import checks
from pipelines.report.search_confirmed import confirmed
from pipelines.report.search_mixtures import mixtures
from pipelines.report.search_predicted import predicted
from pipelines.report.search_progress import progress
from pipelines.report.search_provenance import search_provenance
from pipelines.report.search_runs import runs
from pipelines.report.search_style import search_style
from pipelines.report.search_weights import weights
from pipelines.search.record import SearchRecord, read_search

_SECTIONS: tuple[tuple[str, str, Callable[[SearchRecord], Html]], ...] = (
    ("answer", "Answer", answer),
    ("weights", "Weights", weights),
    ("confirmation", "Confirmation", confirmed),
    ("progress", "Best so far", progress),
    ("predicted", "Predicted and measured", predicted),
    ("mixtures", "Mixtures", mixtures),
    ("runs", "Runs", runs),
    ("guards", "Guards", checks),
    ("provenance", "Provenance", search_provenance),
)


def write_search_report(folder: Path) -> Path:
    """Writes `folder/report.html` from `folder/search.json`, whatever the search is at.

    The same record gives the same page.

    Raises:
        UserError: `folder` has no search.json, or it is no record of a search.
        RunError: the file is damaged.
    """
    return write_page(folder, search_page(read_search(folder), folder.resolve().name))


def search_page(record: SearchRecord, title: str) -> str:
    """The whole page as HTML."""
    method = clip(str(record.method.get("name")), 80)
    told = (
        f"Mixture search over {clip(record.name, 80)} with {method}, "
        f"for {record.target.preset} at {record.target.tokens:,} tokens"
    )
    sections = [(key, name, render(record)) for key, name, render in _SECTIONS]
    return frame(clip(title, 80), told, sections, search_style())
