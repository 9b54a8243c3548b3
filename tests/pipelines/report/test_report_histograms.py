"""Histograms: bins, thresholds, counts, and how they are drawn."""

import math
import re
from collections import Counter

import numpy as np
import pytest

from pipelines.report.histograms import HEIGHT, LEFT, RIGHT, WIDTH, draw_categories, draw_histogram
from pipelines.report.measures import make_bins, measures
from pipelines.report.results import load_results
from pipelines.report.tally import HERE, KEPT, Categories, Histogram, tally


def shapes(markup, name, class_):
    """Attributes of the shapes of a class, in drawing order."""
    found = [
        dict(re.findall(r'([\w-]+)="([^"]*)"', m)) for m in re.findall(f"<{name} [^>]*>", markup)
    ]
    return [shape for shape in found if class_ in shape.get("class", "").split()]


def widths(markup, class_):
    return [float(shape["width"]) for shape in shapes(markup, "rect", class_)]


def rule(param, bound, threshold):
    return {"param": param, "column": "s.x", "bound": bound, "threshold": threshold}


def manifest(rules):
    return {"stages": [{"label": "s", "rules": rules}]}


def histogram(values, rules):
    (measure,) = measures(manifest(rules))
    array = np.asarray(values, dtype=float)
    bins = make_bins(array, rules, integers=False)
    counts = np.stack([bins.count(array), *np.zeros((2, len(bins.edges) - 1), int)])
    return Histogram(measure, bins, counts)


def quarter(chart, value):
    low, high = chart.bins.edges[0], chart.bins.edges[-1]
    return (value - low) / (high - low)


def test_histogram_threshold_line_stands_at_its_value():
    chart = histogram([0.0, 1.0], [rule("min_x", "min", 0.25)])
    drawn = draw_histogram(chart, "t")
    (line,) = shapes(drawn, "line", "threshold")
    inner = WIDTH - LEFT - RIGHT
    assert float(line["x1"]) == pytest.approx(LEFT + inner * quarter(chart, 0.25), abs=0.01)
    (tint,) = shapes(drawn, "rect", "tint")
    assert float(tint["x"]) == LEFT
    assert float(tint["width"]) == pytest.approx(inner * quarter(chart, 0.25), abs=0.01)
    assert "≥ 0.25" in drawn


def test_histogram_with_a_log_axis_places_the_line_by_its_logarithm():
    values = np.geomspace(1, 10_000, 4001)
    chart = histogram(values, [rule("max_x", "max", 100.0)])
    assert chart.bins.log
    (line,) = shapes(draw_histogram(chart, "t"), "line", "threshold")
    low, high = chart.bins.edges[0], chart.bins.edges[-1]
    share = math.log(100 / low) / math.log(high / low)
    inner = WIDTH - LEFT - RIGHT
    assert float(line["x1"]) == pytest.approx(LEFT + inner * share, abs=0.01)


def test_histogram_bars_stack_to_the_counts():
    bins = make_bins(np.array([0.0, 1.0, 2.0]), [rule("min_x", "min", 1)], integers=True)
    counts = np.array([[0, 30, 60], [20, 0, 0], [0, 10, 0]])
    (measure,) = measures(manifest([rule("min_x", "min", 1)]))
    drawn = draw_histogram(Histogram(measure, bins, counts), "t")
    heights = {
        c: [float(s["height"]) for s in shapes(drawn, "rect", c)] for c in ("stay", "gone", "other")
    }
    assert heights["stay"][1] == pytest.approx(2 * heights["stay"][0], abs=0.02)
    assert heights["gone"][0] == pytest.approx(heights["stay"][1] / 3, abs=0.02)
    bottoms = [float(s["y"]) + float(s["height"]) for s in shapes(drawn, "rect", "gone")]
    assert bottoms == pytest.approx([HEIGHT - 22.0], abs=0.02)
    other, stay = shapes(drawn, "rect", "other")[0], shapes(drawn, "rect", "stay")[0]
    assert float(other["y"]) + float(other["height"]) == pytest.approx(float(stay["y"]), abs=0.02)


@pytest.mark.parametrize("bound", ["min", "max"])
@pytest.mark.parametrize("integers", [True, False])
def test_bins_never_straddle_a_threshold(bound, integers):
    values = np.arange(0, 1000.0)
    bins = make_bins(values, [rule("x", bound, 137)], integers=integers)
    kept = values >= 137 if bound == "min" else values <= 137
    both = (bins.count(values[kept]) > 0) & (bins.count(values[~kept]) > 0)
    assert not both.any()


def test_bins_give_what_lies_beyond_an_outer_threshold_a_bin_of_its_own():
    values = np.array([*np.geomspace(10, 5000, 2000), 500_000.0])
    bins = make_bins(values, [rule("max_x", "max", 100_000)], integers=True)
    assert bins.edges[-1] > 100_000
    assert bins.count(values)[-1] == 1


def test_bins_of_few_integers_are_centred_and_cut_outside():
    bins = make_bins(np.array([0.0, 3.0]), [], integers=True)
    assert list(bins.edges) == [-0.5, 0.5, 1.5, 2.5, 3.5]
    assert bins.cut(rule("x", "min", 2)) == 1.5
    assert bins.cut(rule("x", "max", 2)) == 2.5


def test_bins_take_in_outliers_and_leave_out_nan():
    bins = make_bins(np.linspace(0, 1, 100), [], integers=False)
    assert bins.count(np.array([-5.0, 0.5, 7.0, np.nan])).sum() == 3
    assert make_bins(np.array([np.nan]), [], integers=False) is None
    assert make_bins(np.array([2.5]), [], integers=False).count(np.array([2.5])).sum() == 1


def test_tally_counts_every_measured_document_once(example):
    recipe = next(r for r in load_results(example).recipes if r.name == "curated")
    charts = {c.measure.column: c for c in tally(recipe, measures(recipe.manifest))}
    reasons = {row["stage"]: row["reasons"] for row in recipe.funnel}
    words, language = charts["gopher_quality.num_words"], charts["language"]
    assert isinstance(words, Histogram)
    assert isinstance(language, Categories)
    assert words.counts.sum() == 601
    assert words.counts[KEPT].sum() == recipe.funnel[-1]["documents_out"]
    fired = reasons["gopher_quality"]
    assert words.counts[HERE].sum() == fired["min_words"] + fired["max_words"]
    assert language.counts[HERE].total() == reasons["language"]["keep"]
    assert set(language.counts[KEPT]) == {"en"}


def test_measures_leave_out_rules_that_are_off():
    rules = [rule("min_x", "min", 1), rule("max_x", "max", None)]
    assert [m.params for m in measures(manifest(rules))] == [["min_x"]]


def test_categories_are_proportional():
    (measure,) = measures(manifest([rule("keep", "in", ["en"])]))
    chart = Categories(measure, (Counter(en=30), Counter(de=15), Counter()))
    drawn = draw_categories(chart, "t")
    (kept,), (gone,) = widths(drawn, "stay"), widths(drawn, "gone")
    assert kept == pytest.approx(2 * gone, abs=0.01)
