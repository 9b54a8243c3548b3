"""A search with real trainings, from the spec to a recipe that uses what it found."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from curation.backends import InlineBackend
from curation.errors import UserError
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.search.record import RunEntry, SearchRecord, read_search
from pipelines.search.run import search
from pipelines.search.spec import load_spec
from pipelines.search.text import record_text
from tests.corpora import write_yaml
from tests.pipelines.search.planted import ALPHABETS, STEP, plant, spec_in

Found = tuple[Path, SearchRecord, list[SearchRecord]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The folder of a finished search, its record, and what was told on the way."""
    field = plant(tmp_path_factory.mktemp("search"))
    told: list[SearchRecord] = []
    spec = load_spec(spec_in(field))
    record = search(spec, field / "out", InlineBackend(), silent, told.append)
    return field, record, told


def of_role(record: SearchRecord, role: str) -> list[RunEntry]:
    return [run for run in record.runs if run.role == role]


def test_domain_of_the_panel_gains_weight_and_is_confirmed(found: Found) -> None:
    record = found[1]
    law = next(domain for domain in record.domains if domain.name == "law")
    assert record.chosen is not None
    assert record.chosen.verdict == "better"
    assert law.share + 0.2 < record.chosen.weights["law"] <= law.cap < 1
    assert record.chosen.epochs["law"] <= 1.0001
    assert "fresh seeds on the confirm half" in record.chosen.reason


def test_baselines_are_measured_outside_the_budget(found: Found) -> None:
    record = found[1]
    baselines = [(run.name, run.seed) for run in of_role(record, "baseline")]
    singles = [(f"only {name}", 0) for name in ALPHABETS]
    shared = [("natural", 0), ("uniform", 0), ("natural^0.5", 0)]
    assert baselines == [*shared, *singles, ("natural", 1)]
    assert not any(run.allowed for run in record.runs if run.name.startswith("only "))
    assert record.asked == len(of_role(record, "search")) == record.budget_runs == 6
    folders = {run.id for run in record.runs}
    assert record.outside_budget == len(folders) - len({r.id for r in of_role(record, "search")})
    assert {path.name for path in (found[0] / "out" / "runs").iterdir()} == folders


def test_domains_and_noise_are_those_of_the_data(found: Found) -> None:
    record = found[1]
    assert [domain.name for domain in record.domains] == sorted(ALPHABETS)
    assert sum(domain.share for domain in record.domains) == pytest.approx(1)
    budget = record.target.tokens
    for domain in record.domains:
        assert domain.tokens % 32 == 0
        assert domain.cap == pytest.approx(min(1, domain.tokens / budget))
    seeds = [
        run.objective for run in record.runs if run.name == "natural" and run.role != "confirm"
    ]
    assert record.noise is not None
    assert record.noise.sd == pytest.approx(np.std(np.array(seeds, float), ddof=1))


def test_proxies_repeat_each_domain_as_often_as_the_target_would(found: Found) -> None:
    record = found[1]
    assert record.sizes[0].window_frac == 0.25
    tokens = {domain.name: domain.tokens for domain in record.domains}
    for run in of_role(record, "search"):
        for name, weight in run.weights.items():
            wanted = weight * record.target.tokens / tokens[name]
            assert run.epochs.get(name, 0.0) == pytest.approx(wanted, rel=0.05, abs=0.02)


def test_proposals_are_measured_and_the_confirmation_is_apart(found: Found) -> None:
    record = found[1]
    assert [one.name for one in record.proposals] == ["proposal 1", "proposal 2"]
    runs = {run.id: run for run in record.runs}
    assert all(one.measured == runs[one.run].objective for one in record.proposals)
    assert record.confirmation is not None
    assert record.confirmation.seeds == (2, 3, 4)
    assert record.confirmation.candidates[0].name == "natural"
    names = {one.name for one in record.confirmation.candidates}
    assert {"natural", "uniform", "proposal 1"} <= names
    for run in of_role(record, "confirm"):
        assert run.seed not in (0, 1)
        assert run.losses != run.confirm_losses
    for one in record.confirmation.candidates:
        values = {r.seed: r.confirm_objective for r in record.runs if r.name == one.name}
        assert one.values == tuple(values[seed] for seed in (2, 3, 4))
    assert all(pair.b == "natural" and pair.mde for pair in record.confirmation.pairs)


def test_record_is_kept_whole_and_told_after_every_run(found: Found) -> None:
    field, record, told = found
    assert read_search(field / "out") == record
    states = list(dict.fromkeys(one.state for one in told))
    assert states == ["baselines", "searching", "measuring", "confirming", "done"]
    counts = [len(one.runs) for one in told]
    assert counts == sorted(counts)
    assert set(range(len(record.runs) + 1)) <= set(counts)
    assert record.rounds[-1].best == min(
        r.objective for r in record.runs if r.round == 1 and r.objective is not None
    ) or record.rounds[-1].best in [r.objective for r in of_role(record, "baseline")]
    text = record_text(record)
    assert "chosen: proposal 1 (better)" in text
    assert "only art (over its cap)" in text


def test_mixture_is_used_in_a_recipe_by_one_line(found: Found) -> None:
    field, record, _ = found
    recipe = yaml.safe_load((field / "web.yaml").read_text())
    file = write_yaml(field / "mixed.yaml", recipe | {"mixture": "out/mixture.yaml"})
    assert record.chosen is not None
    mixture = load_recipe(file).mixture
    assert mixture.weights == record.chosen.weights
    assert (mixture.by, mixture.max_epochs) == ("source", 1)
    write_yaml(field / "mixed.yaml", recipe | {"mixture": "out/mixtures.yaml"})
    with pytest.raises(UserError, match=r"mixed.yaml: mixture.*mixtures.yaml: there is no such"):
        load_recipe(file)


def test_finished_runs_are_shared_by_other_searches(found: Found) -> None:
    """MixMin's runs are the single domains, which were baselines."""
    field, first, _ = found
    stamps = {path: path.stat().st_mtime_ns for path in (field / "out/runs").glob("*/run.json")}
    other = replace(load_spec(spec_in(field, method="mixmin")), file=field / "search.yaml")
    record = search(other, field / "out", InlineBackend(), silent)
    assert [run.name for run in of_role(record, "search")] == [f"round 1.{i}" for i in (1, 2, 3)]
    known = {run.id for run in first.runs}
    assert {r.id for r in record.runs if r.role in ("search", "baseline")} <= known
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    assert record.proposals[0].weights["law"] > 0.6
    spec_in(field)


@pytest.mark.slow
def test_search_that_was_stopped_ends_as_if_it_had_not_been(found: Found, tmp_path: Path) -> None:
    class StopError(Exception):
        """Raised on the way."""

    def stop_at(runs: int) -> Any:
        def tell(record: SearchRecord) -> None:
            if len(record.runs) == runs:
                raise StopError

        return tell

    field = plant(tmp_path)
    # One judge for both: its numerics are chosen by a timing.
    shutil.copytree(found[0] / "out" / "judge", field / "out" / "judge")
    spec = load_spec(spec_in(field))
    for runs in (3, 9, 16):
        with pytest.raises(StopError):
            search(spec, field / "out", InlineBackend(), silent, stop_at(runs))
        assert read_search(field / "out").state != "done"
    record = search(spec, field / "out", InlineBackend(), silent)
    assert without_times(record) == without_times(found[1])


def without_times(record: SearchRecord) -> SearchRecord:
    runs = tuple(replace(run, seconds=None) for run in record.runs)
    return replace(record, runs=runs, seconds=0.0)


@pytest.mark.slow
def test_two_sizes_are_asked_whether_they_agree(tmp_path: Path) -> None:
    field = plant(tmp_path)
    file = spec_in(
        field,
        proxy={"presets": ["tiny", "small"]},
        budget={"runs": 2, "tokens": 10 * STEP},
        confirm={"top": 1, "seeds": 0},
        seeds=[0],
    )
    record = search(load_spec(file), field / "out", InlineBackend(), silent)
    assert record.agreement is not None
    assert (record.agreement.small, record.agreement.large) == ("tiny", "small")
    assert {"natural", "uniform", "only law"} <= set(record.agreement.mixtures)
    assert record.agreement.validity is not None
    assert record.agreement.validity.accuracy > 0.5
    assert record.noise is not None
    assert record.noise.sd is None
    assert record.confirmation is None
    assert record.chosen is not None
    assert record.chosen.verdict == "not confirmed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "rounds"),
    [({"climb": {"predictor": "auto"}}, 3), ({"olmix": {}}, 1), ({"regmix": {"top": 16}}, 1)],
)
def test_published_methods_find_the_domain_of_the_panel(
    tmp_path: Path, method: dict[str, Any], rounds: int
) -> None:
    field = plant(tmp_path)
    budget = {"runs": 14, "tokens": 15 * STEP}
    file = spec_in(field, method=method, budget=budget, confirm={"top": 2, "seeds": 0}, seeds=[0])
    record = search(load_spec(file), field / "out", InlineBackend(), silent)
    assert [one.number for one in record.rounds] == list(range(1, rounds + 1))
    assert record.asked == 14
    assert record.rounds[-1].predicted is not None
    assert record.proposals[0].mean is not None
    assert {score.target for score in record.predictors} == {"panels.statutes.bpb"}
    assert record.chosen is not None
    law = next(domain for domain in record.domains if domain.name == "law")
    assert record.chosen.weights["law"] > law.share + 0.1
