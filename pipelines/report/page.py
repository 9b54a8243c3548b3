"""The page: every section in order, in one file that asks the network for nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pipelines.report.classifiers import classifiers
from pipelines.report.curves import curves
from pipelines.report.duplicates import duplicates
from pipelines.report.funnel import funnel
from pipelines.report.glance import glance
from pipelines.report.histograms import histograms
from pipelines.report.labels import labels
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.mixture import mixture
from pipelines.report.planted import planted
from pipelines.report.provenance import provenance
from pipelines.report.results import Results, load_results
from pipelines.report.samples import samples
from pipelines.report.scorecards import scorecards
from pipelines.report.style import style_sheet
from pipelines.report.verdict import sentence, verdict

# Nothing may load or run; the style sheet is inline, the icon is an empty data URL.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def write_report(folder: Path) -> Path:
    """Write `folder/report.html` from whatever a run has left there so far.

    The same files give the same page: it holds no time of its own.

    Raises:
        UserError: `folder` is not there, or one of its JSON files cannot be read.
    """
    target = folder / "report.html"
    page = _page(load_results(folder))
    # A reader never sees half a page, and a broken one never replaces a good one.
    draft = target.with_suffix(".html.tmp")
    draft.write_text(page, encoding="utf-8")
    os.replace(draft, target)
    return target


def _first(results: Results) -> Html:
    return join([sentence(results), glance(results), verdict(results), scorecards(results)])


_SECTIONS: tuple[tuple[str, str, Callable[[Results], Html]], ...] = (
    ("verdict", "Verdict", _first),
    ("funnel", "Funnel", funnel),
    ("scores", "Scores and thresholds", histograms),
    ("classifiers", "Classifiers", classifiers),
    ("labels", "Labels", labels),
    ("duplicates", "Duplicates", duplicates),
    ("dropped", "Dropped documents", samples),
    ("training", "Training", curves),
    ("mixture", "Mixture", mixture),
    ("planted", "Planted trouble", planted),
    ("provenance", "Provenance", provenance),
)


def _page(results: Results) -> str:
    filled = [(key, title, render(results)) for key, title, render in _SECTIONS]
    shown = [section for section in filled if section[2]]
    body = tag(
        "body",
        _header(results),
        _contents([(key, title) for key, title, _ in shown]),
        tag("main", *(_section(*section) for section in shown)),
    )
    return "<!doctype html>\n" + tag("html", _head(results), body, lang="en") + "\n"


def _head(results: Results) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{_title(results)} · tilth report"),
        tag("style", Html(style_sheet())),
    )


def _header(results: Results) -> Html:
    names = ", ".join(clip(recipe.name, 80) for recipe in results.recipes)
    told = f"Recipes: {names}" if names else "No recipe has left anything here yet."
    return tag("header", tag("p", "tilth report"), tag("h1", _title(results)), tag("p", told))


def _title(results: Results) -> str:
    return clip(results.path.resolve().name, 80)


def _contents(entries: list[tuple[str, str]]) -> Html:
    links = [tag("li", tag("a", title, href=f"#{key}")) for key, title in entries]
    return tag("nav", tag("ul", *links), aria_label="Sections")


def _section(key: str, title: str, content: Html) -> Html:
    return tag("section", tag("h2", title), content, id=key)
