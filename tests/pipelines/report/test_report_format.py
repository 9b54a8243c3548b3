"""Numbers as people write them, and what the verdict's sentence says."""

import math

import pytest

from pipelines.report import format as fmt
from pipelines.report.forest import Interval, interval_text
from pipelines.report.results import Results
from pipelines.report.verdict import intervals, sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (2.5, "2.5"),
        (999, "999"),
        (1000, "1k"),
        (12_345, "12.3k"),
        (999_600, "1M"),
        (4_560_000, "4.56M"),
        (-1500, "-1.5k"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_count(value, text):
    assert fmt.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(12, "12 B"), (4_500_000, "4.5 MB"), (123_456, "123 kB"), (None, "–")]
)
def test_size(value, text):
    assert fmt.size(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (881, 1000, "88.1 %"),
        (0, 10, "0 %"),
        (10, 10, "100 %"),
        (1, 10_000_000, "<0.1 %"),
        (9_999_999, 10_000_000, ">99.9 %"),
        (1, 0, "–"),
        (None, 5, "–"),
    ],
)
def test_percent_never_rounds_to_all_or_nothing(part, whole, text):
    assert fmt.percent(part, whole) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.44, "0.4 s"), (38.2, "38 s"), (245, "4 min 5 s"), (7380, "2 h 3 min"), (None, "–")],
)
def test_seconds(value, text):
    assert fmt.seconds(value) == text


def test_differences_carry_a_sign_and_a_real_minus():
    assert fmt.signed(0.5, 2) == "+0.50"
    assert fmt.signed(-0.5, 2) == "−0.50"
    assert interval_text(Interval("a", -0.1, -0.2, 0.05)) == "−0.1000 [−0.2000, +0.0500]"
    assert interval_text(Interval("a", -0.1, None, None)) == "−0.1000"


def test_axis_labels_share_their_decimals():
    assert fmt.aligned([1.86, 1.88, 1.9]) == ["1.86", "1.88", "1.90"]
    assert fmt.aligned([-0.02, 0.0, 0.02], sign=True) == ["−0.02", "0.00", "+0.02"]
    assert fmt.aligned([10, 1000, 100_000]) == ["10", "1k", "100k"]
    assert fmt.aligned([0.001, 0.1, 10]) == ["0.001", "0.1", "10"]
    assert fmt.aligned([]) == []


def test_compact_shows_any_threshold():
    assert fmt.compact(["en", "de"]) == "en, de"
    assert fmt.compact(True) == "True"
    assert fmt.compact(100_000) == "100k"
    assert fmt.compact(None) == "–"


def comparison(pair, **more):
    head = {"primary": "panels.mean_bpb", "higher_is_better": False, "baseline": "raw"}
    recipes = [{"name": "raw"}, {"name": "new"}]
    return head | {"seeds": [0, 1, 2], "recipes": recipes, "pairs": [pair]} | more


def told(tmp_path, content):
    return str(sentence(Results(tmp_path, [], content)))


NEW = {"a": "new", "b": "raw", "difference": -0.04, "ci_low": -0.05, "ci_high": -0.03}


def test_intervals_turn_pairs_that_start_with_the_baseline():
    mirrored = {"a": "raw", "b": "new", "difference": 0.04, "ci_low": 0.03, "ci_high": 0.05}
    expected = [Interval("new", -0.04, -0.05, -0.03, "better")]
    assert intervals(comparison({}), [NEW | {"verdict": "better"}]) == expected
    assert intervals(comparison({}), [mirrored | {"verdict": "worse"}]) == expected


def test_intervals_leave_out_pairs_without_the_baseline_or_a_number():
    pairs = [NEW | {"b": "other"}, NEW | {"difference": None}, NEW | {"difference": math.nan}]
    assert intervals(comparison({}), pairs) == []


def test_sentence_of_a_winner(tmp_path):
    text = told(tmp_path, comparison(NEW | {"verdict": "better"}))
    wanted = (
        "new is better than raw, by 0.0400 bits per byte (95 % interval 0.0300 to 0.0500, 3 seeds)"
    )
    assert wanted in text


def test_sentence_where_the_baseline_is_best_says_so(tmp_path):
    worse = NEW | {"difference": 0.04, "ci_low": 0.03, "ci_high": 0.05, "verdict": "worse"}
    far = worse | {"a": "far", "difference": 0.5, "ci_low": 0.4, "ci_high": 0.6}
    text = told(tmp_path, comparison(worse, pairs=[worse, far]))
    assert "No recipe is better than raw: new, the closest of 2, is worse by 0.0400" in text
    assert "best mean" not in text
    alone = told(tmp_path, comparison(worse))
    assert "new is worse than raw, by 0.0400 bits per byte" in alone


def test_sentence_of_a_tie_says_what_would_have_been_seen(tmp_path):
    tie = NEW | {"ci_low": -0.09, "ci_high": 0.01, "verdict": "tied", "mde": 0.06}
    text = told(tmp_path, comparison(tie))
    assert "new and raw are tied: −0.0400 bits per byte, 95 % interval −0.0900 to +0.0100" in text
    assert "A true difference below about 0.0600 would not show here." in text


def test_sentence_without_an_interval_gives_no_verdict(tmp_path):
    single = NEW | {"ci_low": None, "ci_high": None, "verdict": None}
    assert "without an interval, no verdict" in told(tmp_path, comparison(single, seeds=[0]))
