"""The page of a search: what it says, its pictures' numbers, unfinished and hostile records."""

import re
from dataclasses import replace

import numpy as np
import pytest

from curation.errors import UserError
from eval.pairs import Pair
from pipelines.cli import main
from pipelines.report.forest import interval_text
from pipelines.report.search import search_page, write_search_report
from pipelines.report.search_answer import answer
from pipelines.report.search_checks import checks, repetition
from pipelines.report.search_confirmed import confirmed
from pipelines.report.search_facts import distinct, gain, gained, mde, shown_mixture, unit
from pipelines.report.search_mixtures import mixtures, ranked
from pipelines.report.search_predicted import predicted
from pipelines.report.search_progress import (
    baseline_lines,
    best_single,
    progress,
    spread,
)
from pipelines.report.search_provenance import search_provenance
from pipelines.report.search_runs import runs
from pipelines.report.search_simplex import place
from pipelines.report.search_weights import bound, weights
from pipelines.search.confirm import choose
from pipelines.search.guards import NATURAL, UNIFORM, baselines
from pipelines.search.record import Domain, NoiseFloor, SizeEntry, write_search
from tests.pipelines.report.search_records import (
    LARGE,
    SEED,
    SMALL,
    TARGET,
    Planted,
    baseline_runs,
    confirmation_of,
    failed,
    make_record,
    search_runs,
    start,
)
from tests.pipelines.report.test_report_pictures import shapes
from tests.pipelines.report.test_report_structure import Outline

HOSTILE = "<script>alert(1)</script>"
SECTIONS = ["answer", "weights", "confirmation", "progress", "predicted"]
SECTIONS += ["mixtures", "runs", "guards", "provenance"]


@pytest.fixture(scope="module")
def record():
    """A finished search over eight domains."""
    return make_record()


@pytest.fixture(scope="module")
def page(record):
    """Its page."""
    return search_page(record, "found")


def cells(markup, name):
    """Texts of the row that `name` begins."""
    row = re.search(rf'<tr><th scope="row">(?:<span[^>]*>)?{re.escape(name)}<.*?</tr>', markup)
    return [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td.*?</td>", row[0])]


def unfinished(record, state):
    """The record as it was when the search reached `state`."""
    roles = {"baselines": 0, "searching": 1, "measuring": 2, "confirming": 3}[state]
    seen = ("baseline", "search", "proposal")[:roles]
    nothing = {"confirmation": None, "chosen": None}
    if state != "confirming":
        nothing |= {"proposals": (), "agreement": None}
    if state == "baselines":
        nothing |= {"rounds": (), "noise": None, "predictors": (), "asked": 0}
    kept = tuple(run for run in record.runs if run.role in seen)
    return replace(record, state=state, runs=kept, **nothing)


def test_search_page_has_every_section_in_order_and_closes_every_element(page):
    outline = Outline(page)
    assert outline.open == []
    assert [s["id"] for s in outline.all("section") if "id" in s] == SECTIONS
    assert [link["href"] for link in outline.all("a")] == [f"#{key}" for key in SECTIONS]


def test_search_page_loads_nothing(page):
    for tag, attributes in Outline(page).elements:
        assert tag not in {"script", "img", "iframe", "object", "use", "image"}
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:,"))
    assert "default-src &#x27;none&#x27;" in page
    assert not re.search(r"url\(|@import", page)


def test_search_page_pictures_have_titles_and_tables_have_headers(page):
    pictures = page.count("<svg ")
    assert pictures >= 12
    assert pictures == len(re.findall(r"<svg [^>]*role=\"img\"[^>]*><title>[^<]+</title>", page))
    assert page.count("<table") == page.count("<caption>") >= 10
    assert not re.search(r'd="M"|="nan"|="inf"', page)


def test_search_page_is_written_beside_the_record_and_the_same_twice(record, page, tmp_path):
    folder = tmp_path / "found"
    write_search(record, folder)
    assert write_search_report(folder) == folder / "report.html"
    first = (folder / "report.html").read_text("utf-8")
    assert first == page
    assert write_search_report(folder).read_text("utf-8") == first
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "search.json"]


def test_search_report_command_finds_the_record(record, tmp_path, capsys):
    write_search(record, tmp_path)
    assert main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}\n"
    assert "Mixture search over curated" in (tmp_path / "report.html").read_text("utf-8")


def test_search_report_without_a_record_is_a_user_error(tmp_path):
    with pytest.raises(UserError) as error:
        write_search_report(tmp_path)
    assert error.value.where == str(tmp_path)


def test_answer_names_the_mixture_its_verdict_and_the_line_for_a_recipe(record):
    shown = answer(record)
    chosen = record.chosen
    assert f"<strong>{chosen.name}</strong>" in shown
    assert "▲ better" in shown
    assert chosen.reason[1:] in shown
    assert "<code>mixture: mixture.yaml</code>" in shown


def test_answer_gains_are_those_of_the_confirmation(record):
    shown, name = answer(record), record.chosen.name
    (pair,) = (pair for pair in record.confirmation.pairs if pair.a == name)
    means = {one.name: one.mean for one in record.confirmation.candidates}
    for other in (NATURAL, UNIFORM):
        found = gain(record, name, other)
        assert found.difference == pytest.approx(means[other] - means[name])
        assert f"Gain over {other}</h3><p><strong>{found.difference:+.4f}</strong>" in shown
        assert f"[{found.low:+.4f}, {found.high:+.4f}]" in shown
    assert gain(record, name, NATURAL).low == -pair.ci_high
    assert mde(record, name) == pair.mde
    assert f"<strong>{pair.mde:.4f}</strong>" in shown


def test_answer_of_a_tie_keeps_natural_and_tells_of_the_best_other():
    world = Planted()
    known = baselines(world.space)
    world.optimum = known[NATURAL]
    near = world.inside(known[NATURAL] * np.array([1.01, 0.98, *[1.0] * 6]))
    made, found = confirmation_of(world, {NATURAL: known[NATURAL], "proposal 1": near})
    chosen = choose(world.space, found, made, SMALL.preset, SEED)
    tied = replace(start(world), runs=tuple(made), confirmation=found, chosen=chosen, state="done")
    shown = answer(tied)
    assert "= tied" in shown
    assert "<strong>natural</strong>" in shown
    assert "Gain of proposal 1 over natural" in shown
    assert "Tied: the best other mixture, proposal 1" in shown


def test_answer_without_confirmation_says_not_confirmed():
    world = Planted()
    made = baseline_runs(world)
    chosen = choose(world.space, None, made, SMALL.preset, SEED)
    shown = answer(replace(start(world), runs=tuple(made), chosen=chosen, state="done"))
    assert "? not confirmed" in shown
    assert "Gain over natural, not confirmed" in shown


def test_gain_with_too_few_seeds_has_no_interval():
    world = Planted()
    made, found = confirmation_of(world, {NATURAL: world.space.natural, "a": world.optimum}, (3, 4))
    two = replace(start(world), runs=tuple(made), confirmation=found)
    assert interval_text(gain(two, "a", NATURAL)) == f"{gain(two, 'a', NATURAL).difference:+.4f}"
    assert "too few seeds" in answer(two)
    assert "no verdict" in confirmed(two)


def test_gained_turns_signs_and_ends():
    pair = Pair(a="a", b=NATURAL, difference=-0.2, verdict="better", ci_low=-0.3, ci_high=-0.1)
    found = gained(pair)
    assert (found.difference, found.low, found.high, found.verdict) == (0.2, 0.1, 0.3, "better")


def test_weights_have_epochs_of_the_target_run_and_the_cap_that_binds(record):
    shown = weights(record)
    domain = record.domains[-1]
    weight = record.chosen.weights[domain.name]
    assert weight == pytest.approx(domain.cap, abs=1e-6)
    row = cells(shown, domain.name)
    assert row[1] == "3.2 %"
    assert row[4] == f"{weight * TARGET.tokens / domain.tokens:.2f}" == "4.00"
    assert row[-1] == "at its cap"
    assert cells(shown, "web")[-1] == ""


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(0.3, "at its cap"), (0.299, ""), (0.301, "over its cap"), (0.1, "at its floor"), (0.101, "")],
)
def test_bound_names_the_limit_that_holds(weight, expected):
    domain = Domain(name="d", documents=1, tokens=9, share=0.5, min_weight=0.1, cap=0.3)
    assert re.sub("<[^>]*>", "", bound(domain, weight)) == expected


def test_bound_of_a_domain_without_limits_is_none():
    domain = Domain(name="d", documents=1, tokens=9, share=0.5, min_weight=0.0, cap=1.0)
    assert bound(domain, 1.0) == bound(domain, 0.0) == ""


def test_weights_bars_are_proportional(record):
    shown = weights(record)
    chosen = [float(s["width"]) for s in shapes(shown, "rect", "stay")]
    found = {
        cells(shown, name)[1]: width for name, width in zip(_order(shown), chosen, strict=True)
    }
    scale = chosen[0] / record.chosen.weights[_order(shown)[0]]
    for name, width in zip(_order(shown), chosen, strict=True):
        assert width == pytest.approx(scale * record.chosen.weights[name], abs=0.02)
    assert len(found) > 4


def _order(shown):
    return re.findall(r'<tr><th scope="row">([a-z]+)<', shown)


def test_weights_of_sixty_domains_fold_the_smallest():
    shown = weights(start(Planted(tuple(f"topic {i}" for i in range(60)))))
    assert "The other 36 domains" in shown
    assert shown.count('<th scope="row">topic') == 60


def test_confirmation_draws_a_row_per_pair_and_names_the_chosen(record):
    shown = confirmed(record)
    drawn = [s for s in shapes(shown, "line", "interval") if s["y1"] == s["y2"]]
    assert len(drawn) == len(record.confirmation.pairs)
    assert f"{record.chosen.name}, chosen" in shown
    assert "baseline" in cells(shown, NATURAL)
    assert "Welch&#x27;s t test" in shown


def test_progress_draws_every_run_and_the_best_never_rises(record):
    shown = progress(record)
    made = [r for r in record.runs if r.size == SMALL.preset and r.role in ("search", "proposal")]
    done = [r for r in made if r.state == "done"]
    dots = [s for c in ("c0", "chosen", "barred") for s in shapes(shown, "circle", c)]
    assert len(dots) == len(done)
    assert len(shapes(shown, "circle", "worse")) == len(made) - len(done) == 2
    (best,) = re.findall(r'<path d="M([^"]+)" class="curve best"', shown)
    heights = [float(point.split()[1]) for point in best.split("L")]
    assert heights == sorted(heights)
    assert re.findall(r">(round \d|proposals)</text>", shown)[::-1] == [
        "round 1",
        "round 2",
        "round 3",
        "proposals",
    ]


def test_progress_draws_baselines_as_lines_and_noise_as_a_band(record):
    shown = progress(record)
    lines = baseline_lines(record)
    assert set(lines) >= {NATURAL, UNIFORM, "natural^0.5"}
    assert sum(name.startswith("best single: ") for name in lines) == 1
    (band,) = shapes(shown, "rect", "noise")
    ((top, bottom),) = [(float(band["y"]), float(band["y"]) + float(band["height"]))]
    natural = [float(s["y1"]) for s in shapes(shown, "line", "zero")]
    assert any(y == pytest.approx((top + bottom) / 2, abs=0.02) for y in natural)
    assert "noise floor" not in progress(replace(record, noise=NoiseFloor(seeds=1)))


def test_progress_tells_of_runs_of_other_sizes(record):
    other = next(run for run in record.runs if run.role == "search")
    more = replace(other, id="x", size=LARGE.preset)
    shown = progress(replace(record, runs=(*record.runs, more)))
    assert "1 runs of other sizes" in shown


def test_progress_says_when_the_best_single_domain_is_not_allowed(record):
    runs = [replace(r, allowed=not r.name.startswith("only ")) for r in record.runs]
    name = best_single(record)[1].name
    shown = progress(replace(record, runs=tuple(runs)))
    assert f"The target may not have {name}: its floors or caps forbid it." in shown


def test_progress_of_runs_that_all_failed_says_so(record):
    lost = tuple(failed(run) for run in record.runs if run.role == "search")
    assert "No run that the method asked for is measured yet." in progress(
        replace(record, runs=lost)
    )


def test_progress_of_mixtures_that_are_all_barred_has_no_best(record):
    barred = tuple(replace(r, allowed=False) for r in record.runs)
    shown = progress(replace(record, runs=barred))
    assert "curve best" not in shown
    assert shapes(shown, "circle", "barred")


def test_spread_moves_labels_apart_and_leaves_the_rest():
    assert spread([30.0, 10.0, 12.0], 15.0) == [40.0, 10.0, 25.0]
    assert spread([100.0, 10.0], 15.0) == [100.0, 10.0]
    assert spread([], 15.0) == []


def test_predicted_points_lie_on_the_diagonal_where_the_prediction_held(record):
    one = replace(record.proposals[0], mean=2.1, measured=2.1)
    two = replace(record.proposals[1], mean=2.0, measured=2.2)
    shown = predicted(replace(record, proposals=(one, two)))
    exact, off = shapes(shown, "circle", "chosen")
    (diagonal,) = shapes(shown, "line", "zero")
    slope = (float(diagonal["y2"]) - float(diagonal["y1"])) / (
        float(diagonal["x2"]) - float(diagonal["x1"])
    )
    on_line = float(diagonal["y1"]) + slope * (float(exact["cx"]) - float(diagonal["x1"]))
    assert float(exact["cy"]) == pytest.approx(on_line, abs=0.1)
    assert float(off["cy"]) < float(exact["cy"])
    assert "+0.2000" in cells(shown, "proposal 2")


def test_predicted_shows_scores_of_predictors_and_which_is_chosen(record):
    assert cells(predicted(record), "panels.a.bpb") == [
        "✓ 0.962 (0.0051)",
        "0.931 (0.0068)",
        "– (0.0123)",
    ]


def test_predicted_of_a_method_that_does_not_predict_says_so(record):
    plain = tuple(replace(one, mean=None, sd=None, by="") for one in record.proposals)
    shown = predicted(replace(record, proposals=plain, predictors=()))
    assert "climb proposes without predicting." in shown
    assert "Cross-validation" not in shown


def test_mixtures_are_a_line_each_coloured_by_fifths(record):
    shown = mixtures(record)
    made = [r for r in record.runs if r.size == SMALL.preset and r.seed == SEED]
    made = [r for r in made if r.state == "done" and len(r.weights) > 1]
    drawn = re.findall(r'<path d="M[^"]*" class="run (q\d)"', shown)
    assert len(drawn) == len({run.id for run in made})
    assert {c: drawn.count(c) for c in set(drawn)}.keys() == {"q0", "q1", "q2", "q3", "q4"}
    assert drawn[0] == "q4"
    assert drawn[-1] == "q0"
    assert re.findall(r'class="mark (\w+)"', shown) == ["natural", "best", "chosen"]


def test_ranked_puts_the_smallest_objective_last(record):
    pairs = [(2.0, record.runs[0]), (1.0, record.runs[1]), (3.0, record.runs[2])]
    assert [one.class_ for one in ranked(pairs)] == ["q3", "q1", "q0"]


def test_distinct_keeps_the_first_entry_of_a_run(record):
    one = record.runs[0]
    other = replace(one, name="again")
    assert distinct([(1.0, one), (2.0, record.runs[1]), (1.0, other)]) == [
        (1.0, one),
        (2.0, record.runs[1]),
    ]


def test_mixtures_of_three_domains_are_dots_in_a_triangle():
    small = make_record(("web", "books", "code"), n_runs=10)
    shown = mixtures(small)
    assert "<path" not in shown
    assert len(shapes(shown, "circle", "run")) > 10
    assert [s["class"].split()[1] for s in shapes(shown, "circle", "ring")] == [
        "natural",
        "best",
        "chosen",
    ]


def test_place_puts_pure_mixtures_in_the_corners():
    names = ("a", "b", "c")
    top, left, right = (place({name: 1.0}, names) for name in names)
    assert left[1] == right[1] > top[1]
    assert top[0] == pytest.approx((left[0] + right[0]) / 2)
    middle = place(dict.fromkeys(names, 1 / 3), names)
    assert middle == pytest.approx((top[0], (top[1] + left[1] + right[1]) / 3), abs=1e-6)


def test_runs_list_every_entry_with_its_failure(record):
    shown = runs(record)
    assert shown.count('<tr><th scope="row">') == len(record.runs)
    assert "<b>failed</b>: the loss is not finite at step 37" in shown
    assert "done, not allowed" in shown
    natural = cells(shown, NATURAL)
    assert natural[0] == SMALL.preset
    assert natural[5] == "44.2 %"


def test_runs_over_many_domains_name_the_largest_weights():
    world = Planted(tuple(f"topic {i}" for i in range(60)))
    shown = runs(replace(start(world), runs=tuple(baseline_runs(world))))
    assert "largest weights" in shown
    assert "topic 0 29%, topic 1 13%" in shown


def test_checks_show_warnings_noise_agreement_and_repetition(record):
    shown = checks(record)
    assert "<li>the constraints move 12.0% of the uniform mixture between domains</li>" in shown
    assert f"sd {record.noise.sd:.4f} over 3 seeds of natural" in shown
    assert "of 55 pairs ordered alike" in shown
    assert "as the target&#x27;s" in shown
    assert "3 of 3; measured less predicted" in shown


@pytest.mark.parametrize(
    ("window_frac", "expected"),
    [
        (0.05, "as the target's"),
        (0.0504, "as the target's"),
        (1.0, "0.05 times"),
        (0.025, "2 times"),
    ],
)
def test_repetition_is_matched_when_the_window_share_is_that_of_the_tokens(window_frac, expected):
    size = SizeEntry(preset="smoke", params=1, tokens=250_000, window_frac=window_frac)
    assert repetition(size, TARGET).startswith(expected)


def test_provenance_counts_every_run_once_and_shows_the_spec(record):
    shared = replace(record.runs[0], role="proposal", name="again")
    shown = search_provenance(replace(record, runs=(*record.runs, shared)))
    assert cells(shown, "all")[0] == str(len(record.runs))
    tokens = sum(r.tokens for r in record.runs if r.state == "done")
    assert cells(shown, "all")[2] == f"{tokens / 1e6:.3g}M"
    searched = [r for r in record.runs if r.role == "search" and r.state == "done"]
    flops = sum(6 * SMALL.params * r.tokens for r in searched)
    assert cells(shown, "search")[3] == f"{flops:.3g}"
    assert "recipe: curated.yaml" in shown
    assert "f00df00d" in shown


def test_unit_of_an_objective_with_other_metrics_is_named(record):
    assert unit(record) == "bits per byte"
    mixed = {"panels.a.bpb": 0.5, "suites.x.accuracy": 0.5}
    shown = search_page(replace(record, objective=mixed, negated=("suites.x.accuracy",)), "t")
    assert "weighted sum of losses" in shown
    assert "higher: enters negated" in shown


@pytest.mark.parametrize("state", ["baselines", "searching", "measuring", "confirming"])
def test_unfinished_search_has_a_whole_page(record, state):
    part = unfinished(record, state)
    page = search_page(part, "at work")
    assert Outline(page).open == []
    assert "Nothing is confirmed yet" in page
    assert "mixture: mixture.yaml" not in page
    assert not re.search(r'd="M"|="nan"', page)


def test_search_in_the_middle_of_its_baselines_shows_natural_shares(record):
    part = unfinished(record, "baselines")
    assert shown_mixture(part) is None
    assert "0 of 40 runs asked for, 0 of all 92 ended." in answer(part)
    assert cells(weights(part), "web")[1] == "44.2 %"


def test_search_page_of_runs_that_all_failed():
    world = Planted(("a", "b"))
    lost = tuple(failed(run, HOSTILE) for run in [*baseline_runs(world), *search_runs(world, 4, 2)])
    page = search_page(replace(start(world), runs=lost, state="searching"), "lost")
    assert Outline(page).open == []
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_search_page_of_five_hundred_runs_stays_small():
    page = search_page(make_record(n_runs=500, n_rounds=100), "large")
    assert Outline(page).open == []
    assert len(page) < 1_000_000


def test_search_page_of_sixty_domains_is_whole():
    page = search_page(make_record(tuple(f"topic {i}" for i in range(60)), n_runs=30), "wide")
    assert Outline(page).open == []
    assert page.count('transform="rotate(-45') == 60


def test_hostile_names_never_become_elements():
    names = (HOSTILE, '"><img src=x onerror=alert(2)>', "</svg><b>code", "\u202etxt")
    record = make_record(names, n_runs=12, by="<i>topic</i>")
    record = replace(
        record,
        name="</title><script>",
        method={"name": HOSTILE, "reference": HOSTILE, "parameters": {HOSTILE: HOSTILE}},
        spec={HOSTILE: ["</pre>", HOSTILE]},
        objective={HOSTILE: 1.0},
        warnings=(HOSTILE,),
        left_out=("<left>",),
    )
    page = search_page(record, HOSTILE)
    assert Outline(page).open == []
    for element in ("<script", "<img", "<i>", "<left>", "</svg><b>"):
        assert element not in page
    assert "‹U+202E›txt" in page
