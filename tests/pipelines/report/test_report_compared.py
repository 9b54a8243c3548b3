"""The tables of recipes compared: everything that a verdict rests on, in words and numbers."""

from pipelines.report.compared import badge, compared
from pipelines.report.forest import Interval, forest
from pipelines.report.results import Results
from pipelines.report.verdict import intervals, sentence, verdict

MULTIPLIER = {"value": 1.62, "ci_low": 1.21, "ci_high": 2.0, "smallest": 0.25, "largest": 2.0}
PAIR = {
    **{"a": "new", "b": "raw", "difference": -0.04, "ci_low": -0.05, "ci_high": -0.03},
    **{"verdict": "better", "p_holm": 0.0123, "mde": 0.0456, "holds_over_items": False},
    **{"bootstrap_low": -0.06, "bootstrap_high": -0.02},
    "over_items": {"ci_low": -0.09, "ci_high": 0.01, "p": 0.1, "mde": 0.1},
}
RECIPE = {
    **{"name": "new", "mean": 1.86, "sd": 0.006, "per_seed": {"0": 1.85, "1": 1.86, "2": 1.87}},
    **{"tokens": 491_520, "unique_tokens": 301_000, "epochs": {"web": 4.5, "books": 1.0}},
    **{"repeated": ["web"], "rank": {"low": 1, "high": 2, "p_best": 0.875}, "flops": 2.2e12},
    **{"seconds": 180.0, "token_multiplier": MULTIPLIER, "compute_multiplier": None},
}
COMPARISON = {
    **{"primary": "panels.mean_bpb", "higher_is_better": False, "baseline": "raw"},
    **{"seeds": [0, 1, 2], "pairs": [PAIR], "recipes": [{"name": "raw"}, RECIPE]},
    **{"test": "welch", "noise": {"panels.mean_bpb": {"floor": 0.006, "signal": 0.04, "snr": 6.7}}},
}


def shown(comparison=COMPARISON):
    return compared(comparison, intervals(comparison, comparison["pairs"]), "bits per byte")


def test_tables_show_all_that_the_verdict_rests_on():
    page = shown()
    for text in (
        *("−0.0400 [−0.0500, −0.0300]", "[−0.0900, +0.0100]", "[−0.0600, −0.0200]", "0.0123"),
        *("0.0456", "1 to 2", "0.88", "1.62× [1.21×, ≥ 2×]", "492k", "301k", "4.50 !", "3 min 0 s"),
        *("▲ better", " *", "! new read web more than four times.", "6.7"),
        "* Not sure to hold on other documents or test items of the same kind.",
        "Verdicts are by Welch&#x27;s t test over seeds, declared before training.",
    ):
        assert text in page, text


def test_tables_of_a_comparison_of_an_earlier_version_have_dashes():
    old = {k: v for k, v in COMPARISON.items() if k not in ("test", "noise")}
    old |= {"recipes": [{"name": "raw"}, {"name": "new"}]}
    old |= {"pairs": [{k: PAIR[k] for k in ("a", "b", "difference", "verdict")}]}
    page = shown(old)
    assert "Noise floor" not in page
    assert "declared" not in page
    assert page.count("–") > 20


def test_multiplier_bounds_are_named():
    below = MULTIPLIER | {"value": 0.25, "ci_low": None, "ci_high": None}
    page = shown(COMPARISON | {"recipes": [RECIPE | {"token_multiplier": below}]})
    assert "≤ 0.25×" in page


def test_sentence_says_when_documents_may_decide_otherwise(tmp_path):
    told = sentence(Results(tmp_path, [], COMPARISON))
    assert "new is better than raw" in told
    assert "Over other documents or test items of the same kind this is not sure" in told
    sure = PAIR | {"over_items": {"ci_low": -0.06, "ci_high": -0.01}}
    assert "not sure" not in sentence(Results(tmp_path, [], COMPARISON | {"pairs": [sure]}))


def test_forest_draws_the_wide_interval_behind_the_other(tmp_path):
    drawn = forest([Interval("new", -0.04, -0.05, -0.03, "better", (-0.09, 0.01))], "t", False)
    assert drawn.index('class="wide"') < drawn.index('class="interval better"')
    assert 'class="wide"' not in forest([Interval("new", -0.04, -0.05, -0.03)], "t", False)
    assert "the thin line is over documents or test items too" in verdict(
        Results(tmp_path, [], COMPARISON)
    )


def test_badge_without_a_verdict_says_so():
    assert "no verdict" in badge("not enough seeds")
