"""The numbers in the pictures: widths, positions, counts."""

import math
import re

import pytest

from pipelines.report import svg
from pipelines.report.curves import Curve, smooth
from pipelines.report.curves import draw as draw_curves
from pipelines.report.forest import Interval, dots, forest
from pipelines.report.format import count
from pipelines.report.funnel import WIDTH
from pipelines.report.funnel import draw as draw_funnel
from pipelines.report.mixture import Share
from pipelines.report.mixture import draw as draw_mixture
from pipelines.report.scale import Scale


def shapes(markup, name, class_):
    """Attributes of the shapes of a class, in drawing order."""
    found = [
        dict(re.findall(r'([\w-]+)="([^"]*)"', m)) for m in re.findall(f"<{name} [^>]*>", markup)
    ]
    return [shape for shape in found if class_ in shape.get("class", "").split()]


def widths(markup, class_):
    return [float(shape["width"]) for shape in shapes(markup, "rect", class_)]


def test_funnel_bars_are_proportional_to_documents():
    rows = [
        {"stage": "first", "documents_in": 1000, "documents_out": 600},
        {
            "stage": "second",
            "documents_in": 600,
            "documents_out": 150,
            "by_source": {"a": {"documents_out": 50}, "b": {"documents_out": 100}},
        },
    ]
    drawn = draw_funnel(rows, ["a", "b"], "documents", count)
    expected = [0.6 * WIDTH, 0.05 * WIDTH, 0.1 * WIDTH]
    assert widths(drawn, "kept") == pytest.approx(expected, abs=0.01)
    assert widths(drawn, "gone") == pytest.approx([0.4 * WIDTH, 0.45 * WIDTH], abs=0.01)
    assert "150 · 25 %" in drawn


def test_funnel_shows_a_single_lost_document():
    rows = [{"stage": "s", "documents_in": 10_000_000, "documents_out": 9_999_999}]
    drawn = draw_funnel(rows, [], "documents", count)
    assert widths(drawn, "gone") == [1.0]
    assert "&gt;99.9 %" in drawn


def test_funnel_of_nothing_has_no_bars():
    rows = [{"stage": "s", "documents_in": 0, "documents_out": 0}]
    drawn = draw_funnel(rows, [], "documents", count)
    assert widths(drawn, "gone") == []
    assert widths(drawn, "kept") == [0.0]


def test_forest_places_point_interval_and_zero():
    drawn = forest([Interval("a", -0.5, -1.0, 0.0, "tied")], "t", higher_is_better=False)
    (point,) = shapes(drawn, "circle", "tied")
    (zero,) = shapes(drawn, "line", "zero")
    bar = shapes(drawn, "line", "interval")[0]
    assert float(bar["x2"]) == float(zero["x1"])
    middle = (float(bar["x1"]) + float(bar["x2"])) / 2
    assert float(point["cx"]) == pytest.approx(middle, abs=0.01)
    assert "← better" in drawn
    assert "better →" in forest([Interval("a", 1, 0, 2)], "t", higher_is_better=True)


def test_forest_without_interval_draws_the_point_alone():
    drawn = forest([Interval("a", 0.2, None, None)], "t", higher_is_better=False)
    assert len(shapes(drawn, "circle", "neutral")) == 1
    assert shapes(drawn, "line", "interval") == []


def test_dots_are_as_many_as_finite_seeds():
    drawn = dots([("a", {"0": 1.0, "1": 2.0, "2": math.nan}), ("b", {})], "t")
    centres = [float(s["cx"]) for s in shapes(drawn, "circle", "soft")]
    (mean,) = shapes(drawn, "rect", svg.colour(0))
    assert len(centres) == 2
    assert float(mean["x"]) + 1.5 == pytest.approx(sum(centres) / 2, abs=0.01)


def test_mixture_bars_are_proportional_to_epochs():
    drawn = draw_mixture([Share("a", 1, 1, {"x": 0.5, "y": 2.0})], ["x", "y"])
    x, y = widths(drawn, svg.colour(0))
    assert y == pytest.approx(4 * x, abs=0.01)
    (line,) = shapes(drawn, "line", "threshold")
    assert float(line["x1"]) == pytest.approx(150 + 2 * x, abs=0.01)


def test_curves_fall_from_left_to_right():
    drawn = draw_curves([Curve("r, seed 0", "c0", [(0, 8.0), (100, 4.0)])], "t")
    ((x1, y1), (x2, y2)) = [p.split() for p in re.search(r'd="M([^"]+)"', drawn)[1].split("L")]
    assert (float(x1), float(x2)) == (44.0, 448.0)
    assert float(y1) < float(y2)


def test_smooth_keeps_short_curves_and_means_of_long_ones():
    points = [(float(i), float(2 * i)) for i in range(10)]
    assert smooth(points) == points
    assert smooth(points, at_most=5) == [(0.5 + 2 * i, 1.0 + 4 * i) for i in range(5)]
    assert smooth([]) == []


def test_scale_holds_values_at_its_ends():
    scale = Scale(1, 100, 0, 10, log=True)
    assert [scale(v) for v in (0, 1, 10, 100, 1e9)] == pytest.approx([0, 0, 5, 10, 10])
    assert Scale(2, 2, 0, 10)(2) == 5


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale(0, 1, 0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (Scale(-0.07, 0.01, 0, 1), [-0.06, -0.04, -0.02, 0]),
        (Scale(3, 2000, 0, 1, log=True), [10, 100, 1000]),
    ],
)
def test_scale_ticks_are_round(scale, ticks):
    assert scale.ticks() == pytest.approx(ticks)


def test_funnel_of_many_sources_sums_the_small_ones():
    sources = [f"s{i}" for i in range(9)]
    parts = {name: {"bytes_out": 10} for name in sources}
    rows = [{"stage": "s", "bytes_in": 90, "bytes_out": 90, "by_source": parts}]
    drawn = draw_funnel(rows, sources, "bytes", count)
    assert widths(drawn, "kept") == pytest.approx([WIDTH / 9] * 5 + [WIDTH * 4 / 9], abs=0.01)
    assert "kept of other sources" in drawn
