"""`tilth search --from-runs` on tables whose law is known, and on published runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.columns import Columns
from mixtures.region import Region
from mixtures.run_table import Reading
from mixtures.space import Floats
from pipelines.cli import main
from pipelines.search.from_runs import Files, from_runs
from pipelines.search.from_runs_record import FromRuns
from pipelines.search.next_runs import BY_BOUND, BY_VALUE, simulate
from pipelines.search.table_objective import read_table_objective
from tests.corpora import SHARED

DOMAINS = ("weights.web", "weights.code", "weights.books")
BEST = np.array([0.2, 0.5, 0.3])  # of the mean of both losses
FAST = ("gp", "linear")


def losses(weights: Floats) -> dict[str, Floats]:
    """Two bowls, one around less code and one around more."""
    moves = 0.1 * np.array([1, -1, 0])
    return {
        "loss.web": 3 + 2 * np.square(weights - BEST - moves).sum(1),
        "loss.code": 2 + 2 * np.square(weights - BEST + moves).sum(1),
    }


def drawn(count: int, seed: int, strength: float = 4.0) -> Floats:
    return np.random.default_rng(seed).dirichlet(np.full(3, strength / 3), count)


def write(path: Path, weights: Floats, values: dict[str, Floats] | None = None) -> Path:
    columns = dict(zip(DOMAINS, weights.T, strict=True)) | (values or {})
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["run", *columns])
        for i, row in enumerate(zip(*columns.values(), strict=True)):
            rows.writerow([f"r{i}", *row])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runs.csv with 36 measured mixtures, test.csv with 20 others, plain.csv without losses."""
    home = tmp_path_factory.mktemp("tables")
    runs, test = drawn(36, 0), drawn(20, 1)
    write(home / "runs.csv", runs, losses(runs))
    write(home / "test.csv", test, losses(test))
    write(home / "plain.csv", test)
    return home


@pytest.fixture(scope="module")
def found(folder: Path) -> FromRuns:
    files, test = Files(runs=folder / "runs.csv"), Files(runs=folder / "test.csv")
    return from_runs(files, test, Reading(), names=FAST)


def weights_of(mixture: Any) -> Floats:
    return np.array([mixture.weights[name] for name in DOMAINS])


def test_law_is_found_and_the_predictor_that_fits_it_chosen(found: FromRuns) -> None:
    assert found.objective == {"loss.web": 0.5, "loss.code": 0.5}
    assert found.owners == {"loss.web": "weights.web", "loss.code": "weights.code"}
    chosen = {(score.target, score.predictor) for score in found.predictors if score.chosen}
    assert chosen == {("loss.web", "gp"), ("loss.code", "gp")}  # a bowl is no plane
    assert len(found.predictors) == 4
    assert found.trust.spearman is not None
    assert found.trust.spearman > 0.95
    for optimum in found.optima:
        assert weights_of(optimum) == pytest.approx(BEST, abs=0.06)


def test_best_measured_stands_beside_the_optimum(found: FromRuns) -> None:
    least = min(found.rows, key=lambda row: row.measured)
    assert found.best_row() == least
    assert found.best_predicted.weights == least.weights
    assert found.best_predicted.mean == pytest.approx(least.measured, abs=0.02)
    assert found.best_predicted.distance == pytest.approx(0, abs=1e-6)
    assert found.optima[0].name == "mean of the 128 best simulated"
    assert found.optima[0].mean <= least.measured + found.optima[0].sd


def test_second_table_is_predicted_row_by_row(found: FromRuns, folder: Path) -> None:
    test = found.test
    assert test is not None
    assert test.agreement is not None
    assert (len(test.rows), test.agreement.runs) == (20, 20)
    assert test.agreement.spearman is not None
    assert test.agreement.spearman > 0.95
    assert test.agreement.accuracy is not None
    assert test.agreement.accuracy > 0.9
    errors = [abs(row.mean - row.measured) for row in test.rows if row.measured is not None]
    assert test.agreement.mae == pytest.approx(np.mean(errors))
    first = test.rows[0]
    assert first.mean == pytest.approx(np.mean(list(first.losses.values())))
    assert set(test.targets) == {"loss.web", "loss.code"}


def test_next_runs_are_new_and_different(found: FromRuns) -> None:
    mixtures = [weights_of(one) for one in found.next_runs]
    assert len(mixtures) == BY_VALUE + BY_BOUND
    assert all(weights.sum() == pytest.approx(1) for weights in mixtures)
    every = [*mixtures, *(weights_of(row) for row in found.rows)]
    for i, weights in enumerate(mixtures):
        others = [one for j, one in enumerate(every) if j != i]
        assert min(np.abs(weights - one).sum() / 2 for one in others) >= 0.02


def test_table_without_losses_is_predicted(folder: Path) -> None:
    files, test = Files(runs=folder / "runs.csv"), Files(runs=folder / "plain.csv")
    record = from_runs(files, test, Reading(), "loss.code", names=("linear",))
    assert record.test is not None
    assert (record.test.agreement, record.test.targets) == (None, {})
    assert record.test.rows[0].measured is None
    assert record.objective == {"loss.code": 1.0}
    assert list(record.test.rows[0].losses) == ["loss.code"]


def test_optimum_far_from_all_runs_is_warned_of(tmp_path: Path) -> None:
    weights = np.clip(drawn(24, 3, strength=60), 0, 1)  # all near a third each
    fall = {"loss": 3 - weights[:, 0]}  # web alone is best, far from any run
    record = from_runs(
        Files(runs=write(tmp_path / "runs.csv", weights, fall)), None, Reading(), names=("linear",)
    )
    assert record.optima[0].weights["weights.web"] > 0.9
    text = "\n".join(record.warnings)
    assert "the predicted optimum is outside the measured region" in text
    assert "weights.web at" in text
    inside = record.optima[-1]
    assert inside.name == "best simulated inside the measured region"
    assert inside.outside == ()
    assert inside.weights["weights.web"] < weights[:, 0].max() + 0.011


def test_noise_is_not_trusted(tmp_path: Path) -> None:
    weights = drawn(30, 4)
    noise = {"loss": np.random.default_rng(5).normal(size=30)}
    path = write(tmp_path / "runs.csv", weights, noise)
    record = from_runs(Files(runs=path), None, Reading(), names=("linear",))
    assert any("no better than by chance" in text for text in record.warnings)


def test_seeds_of_a_mixture_are_one_row(tmp_path: Path) -> None:
    once = drawn(12, 6)
    weights = np.repeat(once, 2, 0)
    values = {"loss": losses(weights)["loss.web"] + np.tile([0.25, -0.25], 12)}
    path = write(tmp_path / "runs.csv", weights, values)
    record = from_runs(Files(runs=path), None, Reading(), names=("linear",))
    assert (record.table.used, record.table.mixtures, len(record.rows)) == (24, 12, 12)
    assert [row.measured for row in record.rows] == pytest.approx(losses(once)["loss.web"].tolist())


def test_unused_domain_gets_nothing_and_is_named(tmp_path: Path) -> None:
    weights = drawn(16, 7)
    weights = np.stack([weights[:, 0], 1 - weights[:, 0], np.zeros(16)], 1)
    path = write(tmp_path / "runs.csv", weights, {"loss": losses(weights)["loss.code"]})
    record = from_runs(Files(runs=path), None, Reading(), names=("linear",))
    assert any("weights.books has no weight in any run" in text for text in record.warnings)
    assert {one.weights["weights.books"] for one in record.next_runs} == {0.0}


def test_better_higher_metrics_of_our_suites_are_negated(tmp_path: Path) -> None:
    weights = drawn(16, 8)
    values = {"suites.s.accuracy": weights[:, 0], "suites.s.gold_bpb": 1 - weights[:, 0]}
    path = write(tmp_path / "runs.csv", weights, values)
    how = Reading(columns=Columns(losses=("suites.*",)))
    record = from_runs(Files(runs=path), None, how, "accuracy", names=("linear",))
    assert record.table.notes[-1] == "better higher, negated: suites.s.accuracy"
    assert record.rows[0].measured == pytest.approx(-weights[0, 0])


def test_few_mixtures_are_refused(tmp_path: Path) -> None:
    weights = np.repeat(drawn(9, 9), 2, 0)
    path = write(tmp_path / "runs.csv", weights, losses(weights))
    with pytest.raises(UserError, match="has 9 different mixtures, too few"):
        from_runs(Files(runs=path), None, Reading())


def test_objective_names_targets_by_a_part() -> None:
    targets = ("metric/a_val", "metric/b_val", "metric/bb_val")
    assert read_table_objective("a_val=3,metric/b_val", targets) == {
        "metric/a_val": 0.75,
        "metric/b_val": 0.25,
    }
    assert read_table_objective(None, targets) == dict.fromkeys(targets, 1 / 3)
    for text, told in (
        ("b_val", "fits metric/b_val, metric/bb_val"),
        ("c_val", "the table has no loss 'c_val'"),
        ("a_val=0", "must be > 0"),
        ("a_val=-1", "must be > 0"),
        ("a_val=x", "must be > 0"),
        ("a_val=nan", "must be > 0"),
        ("a_val=1,metric/a_val=2", "is named twice"),
        ("", "has no loss ''"),
    ):
        with pytest.raises(UserError) as caught:
            read_table_objective(text, targets)
        assert told in str(caught.value)


def test_region_is_near_runs_and_within_their_weights() -> None:
    runs = np.array([[0.5, 0.5, 0], [0.55, 0.45, 0], [0.6, 0.4, 0], [0.65, 0.35, 0]])
    region = Region(runs)
    near, far = np.array([0.52, 0.48, 0.0]), np.array([0.5, 0.3, 0.2])
    assert region.inside(np.array([near, far])).tolist() == [True, False]
    assert region.leaves(near, "abc") == []
    reasons = region.leaves(far, "abc")
    assert len(reasons) == 2
    assert reasons[1] == "c at 20.0%, at most 0.0% in any run"
    by_hand = min(np.sqrt(1 - np.sqrt(run * far).sum()) for run in runs)
    assert region.distance(far[None])[0] == pytest.approx(by_hand)


def test_simulated_mixtures_are_around_the_runs() -> None:
    runs = drawn(50, 10, strength=200)  # all alike
    simulated = simulate(runs, DOMAINS, 2000)
    assert simulated.shape == (2000, 3)
    assert simulated.sum(1) == pytest.approx(np.ones(2000))
    assert simulated.mean(0) == pytest.approx(runs.mean(0), abs=0.03)
    assert Region(runs).inside(simulated).sum() > 20
    assert np.array_equal(simulated, simulate(runs, DOMAINS, 2000))


def test_command_prints_tables_and_writes_what_to_run_next(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, test, out = folder / "runs.csv", folder / "test.csv", tmp_path / "out"
    command = ["search", "--from-runs", str(runs), "--predictor", "gp,linear", "--test", str(test)]
    assert main([*command, "--out", str(out)]) == 0
    text = capsys.readouterr().out
    for part in (
        "36 of 36 rows",
        "chosen",
        "within 1.96 sd",
        "run r",
        "best predicted",
        "test: 20",
    ):
        assert part in text
    with (out / "next_runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == BY_VALUE + BY_BOUND
    assert sum(float(rows[0][name]) for name in DOMAINS) == pytest.approx(1)
    with (out / "predictions.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 20
    # What is proposed reads as a table of mixtures again.
    again = ["search", "--from-runs", str(runs), "--predictor", "linear", "--json"]
    assert main([*again, "--test", str(out / "next_runs.csv")]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in record["test"]["rows"]][:2] == ["next-1", "next-2"]
    assert record["test"]["agreement"] is None


def test_json_has_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["search", "--from-runs", str(folder / "runs.csv"), "--json"]
    files = ["--test", str(folder / "test.csv"), "--objective", "code=2,loss.web"]
    assert main([*command, *files, "--predictor", "linear"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["objective"] == pytest.approx({"loss.code": 2 / 3, "loss.web": 1 / 3})
    assert (len(record["rows"]), len(record["test"]["rows"])) == (36, 20)
    row = {"key", "weights", "measured", "held_out", "held_out_sd"}
    assert set(record["rows"][0]) == row
    row = {"key", "mean", "sd", "losses", "measured", "measured_losses"}
    assert set(record["test"]["rows"][0]) == row
    measures = {"spearman", "interval", "top_spearman", "accuracy", "mae", "bias", "coverage"}
    assert measures < set(record["trust"])
    assert set(record["test"]["agreement"]) == set(record["trust"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "takes SPEC or --from-runs RUNS, got neither"),
        (["spec.yaml", "--from-runs", "runs.csv"], "not both"),
        (["spec.yaml"], "needs --out DIR"),
        (["spec.yaml", "--out", "o", "--normalize"], "--normalize goes with --from-runs"),
        (["--from-runs", "runs.csv", "--test-losses", "l.csv"], "goes with --test"),
        (["--from-runs", "none.csv"], "none.csv: cannot be read"),
    ],
)
def test_command_tells_a_mistake(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_unknown_predictor_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = str(folder / "runs.csv")
    assert main(["search", "--from-runs", runs, "--predictor", "gpp"]) == 2
    assert "there is no predictor 'gpp'. Did you mean 'gp'?" in capsys.readouterr().err


@pytest.mark.shared
def test_published_runs_are_ranked_as_published() -> None:
    """RegMix's linear predictor on Pile-CC: .901 at 1M and .893 at 60M parameters in the paper."""
    home = SHARED / "mixture_runs" / "regmix"
    files = Files(runs=home / "train_mixture_1m.csv", losses=home / "train_pile_loss_1m.csv")
    for size, published in (("1m", 0.901), ("60m", 0.893)):
        mixtures, measured = home / f"test_mixture_{size}.csv", home / f"test_pile_loss_{size}.csv"
        test = Files(runs=mixtures, losses=measured)
        record = from_runs(files, test, Reading(), "pile_pile_cc", names=("linear",))
        assert record.test is not None
        assert record.test.agreement is not None
        assert record.test.agreement.spearman == pytest.approx(published, abs=0.003)
        assert record.table.mixtures == 512
