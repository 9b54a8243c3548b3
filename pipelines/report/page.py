"""The page: every section in order, in one file that asks the network for nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines.report.classifiers import classifiers
from pipelines.report.clusters import clusters
from pipelines.report.curves import curves
from pipelines.report.duplicates import duplicates
from pipelines.report.frame import frame, write_page
from pipelines.report.funnel import funnel
from pipelines.report.glance import glance
from pipelines.report.histograms import histograms
from pipelines.report.labels import labels
from pipelines.report.markup import Html, clip, join
from pipelines.report.mixture import mixture
from pipelines.report.planted import planted
from pipelines.report.provenance import provenance
from pipelines.report.results import Results, load_results
from pipelines.report.samples import samples
from pipelines.report.scorecards import scorecards
from pipelines.report.verdict import sentence, verdict


def write_report(folder: Path) -> Path:
    """Write `folder/report.html` from whatever a run has left there so far.

    The same files give the same page: it holds no time of its own.

    Raises:
        UserError: `folder` is not there, or one of its JSON files cannot be read.
    """
    return write_page(folder, _page(load_results(folder)))


def _first(results: Results) -> Html:
    return join([sentence(results), glance(results), verdict(results), scorecards(results)])


_SECTIONS: tuple[tuple[str, str, Callable[[Results], Html]], ...] = (
    ("verdict", "Verdict", _first),
    ("funnel", "Funnel", funnel),
    ("scores", "Scores and thresholds", histograms),
    ("classifiers", "Classifiers", classifiers),
    ("labels", "Labels", labels),
    ("duplicates", "Duplicates", duplicates),
    ("clusters", "Clusters", clusters),
    ("dropped", "Dropped documents", samples),
    ("training", "Training", curves),
    ("mixture", "Mixture", mixture),
    ("planted", "Planted trouble", planted),
    ("provenance", "Provenance", provenance),
)


def _page(results: Results) -> str:
    names = ", ".join(clip(recipe.name, 80) for recipe in results.recipes)
    told = f"Recipes: {names}" if names else "No recipe has left anything here yet."
    title = clip(results.path.resolve().name, 80)
    return frame(title, told, [(key, name, render(results)) for key, name, render in _SECTIONS])
