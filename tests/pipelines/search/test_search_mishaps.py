"""What goes wrong on the way: told clearly, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from curation.backends import InlineBackend
from curation.errors import RunError, UserError
from pipelines.progress import silent
from pipelines.search.record import SearchRecord, read_search
from pipelines.search.run import search
from pipelines.search.spec import load_spec
from pipelines.trial import Trial
from tests.corpora import write_jsonl
from tests.pipelines.search.planted import STEP, text

WriteSpec = Callable[..., Path]
T = TypeVar("T")
R = TypeVar("R")
ROOT = Path(__file__).resolve().parents[3]
SMALL = {"budget": {"runs": 3, "tokens": 4 * STEP}, "confirm": {"top": 1, "seeds": 0}}


class Diverging(InlineBackend):
    """Trains mixtures with much of one domain at a learning rate that nothing survives."""

    def __init__(self, domain: str, share: float) -> None:
        super().__init__()
        self.domain, self.share = domain, share

    def run(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        *,
        num_bytes: int | None = None,
        num_gpus: float = 0.0,
    ) -> Iterator[R]:
        """See `Backend.run`."""
        return map(function, [self._spoiled(item) for item in items])

    def _spoiled(self, item: T) -> T:
        if not isinstance(item, Trial) or not isinstance(item.spec.weights, dict):
            return item
        if item.spec.weights.get(self.domain, 0.0) < self.share:
            return item
        train = replace(item.spec.train, optimizer="adamw", lr=1e38, warmup_frac=0.0)
        return replace(item, spec=replace(item.spec, train=train))


def run(file: Path, backend: InlineBackend | None = None) -> SearchRecord:
    return search(load_spec(file), file.parent / "out", backend or InlineBackend(), silent)


def test_proxy_that_diverges_is_recorded_and_the_search_goes_on(spec: WriteSpec) -> None:
    file = spec(**SMALL | {"budget": {"runs": 6, "tokens": 4 * STEP}})
    record = run(file, Diverging("art", 0.4))
    failed = [one for one in record.runs if one.state == "failed"]
    assert {one.name for one in failed} >= {"only art"}
    assert any(one.role == "search" for one in failed)
    assert all("training diverged" in one.failure and one.objective is None for one in failed)
    assert any("baseline only art failed" in text for text in record.warnings)
    assert record.rounds[0].failed == sum(one.role == "search" for one in failed)
    assert record.chosen is not None
    assert record.chosen.weights.get("art", 0.0) < 0.4


def test_search_whose_baselines_all_diverge_stops(spec: WriteSpec, field: Path) -> None:
    with pytest.raises(RunError, match=r"all 7 baselines failed, the first: .*training diverged"):
        run(spec(**SMALL), Diverging("art", 0.0))
    assert len(read_search(field / "out").runs) == 7


def test_natural_that_diverges_confirms_nothing(spec: WriteSpec, field: Path) -> None:
    """The run of one fresh seed is enough."""
    file = spec(**SMALL | {"confirm": {"top": 1, "seeds": 3}, "seeds": [0]})

    class NoFreshSeeds(Diverging):
        def _spoiled(self, item: T) -> T:
            fresh = isinstance(item, Trial) and item.spec.seed == 2
            return super()._spoiled(item) if fresh else item

    record = run(file, NoFreshSeeds("bio", 0.3))
    assert record.confirmation is None
    assert any("nothing is confirmed" in text for text in record.warnings)
    assert record.chosen is not None
    assert record.chosen.verdict == "not confirmed"


def test_domain_of_three_documents_is_told_and_can_be_left_out(
    spec: WriteSpec, field: Path
) -> None:
    write_jsonl(field / "bio.jsonl", [{"text": text("bio", i, words=2)} for i in range(3)])
    with pytest.raises(UserError, match=r"domain bio: its 3 documents have \d+ tokens") as caught:
        run(spec(**SMALL))
    assert "max_weights: {bio: 0}" in caught.value.hint
    target = {"preset": "tiny", "tokens": 40 * STEP}
    left = run(spec(**SMALL, constraints={"max_weights": {"bio": 0}}, target=target))
    assert left.left_out == ("bio",)
    assert [domain.name for domain in left.domains] == ["art", "law"]
    assert all("bio" not in one.weights for one in left.runs)


def test_domain_of_few_windows_is_warned_about(spec: WriteSpec, field: Path) -> None:
    write_jsonl(field / "bio.jsonl", [{"text": text("bio", i)} for i in range(2)])
    record = run(spec(**SMALL, target={"preset": "tiny", "tokens": 45 * STEP}))
    assert any("domain 'bio' has" in one and "matched roughly" in one for one in record.warnings)
    assert any("constraints move" in one and "uniform" in one for one in record.warnings)


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        ({"max_epochs": 0.1}, "constraints: the domains may fill at most"),
        ({"max_weights": {"law": 0.2, "art": 0.2, "bio": 0.2}}, "may fill at most 0.6 of"),
        ({"min_weights": {"law": 0.9}, "max_epochs": 1}, "domain law: needs at least 0.9"),
        ({"max_weights": {"lw": 0.2}}, "max_weights.lw: there is no domain 'lw'. Did you mean"),
        ({"max_weights": {"lw": 0}}, "max_weights.lw: there is no domain 'lw'. Did you mean"),
        ({"min_weights": {"lw": 0.2}}, "min_weights.lw: there is no domain 'lw'"),
        ({"max_weights": {"art": 0, "bio": 0}}, "a search needs two domains"),
    ],
)
def test_constraints_that_cannot_be_kept_are_told_before_training(
    spec: WriteSpec, field: Path, constraints: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        run(spec(**SMALL, constraints=constraints))
    assert str(field / "search.yaml") in caught.value.where
    assert not (field / "out/runs").exists()


def test_budget_too_small_for_the_method_is_told_before_training(
    spec: WriteSpec, field: Path
) -> None:
    with pytest.raises(UserError, match=r"search.yaml: budget.runs"):
        run(spec(method="climb", **SMALL | {"budget": {"runs": 2, "tokens": 4 * STEP}}))
    assert not (field / "out/runs").exists()


def test_time_that_is_up_ends_with_what_was_measured(spec: WriteSpec) -> None:
    budget = {"runs": 6, "tokens": 4 * STEP, "seconds": 0.001}
    record = run(spec(**SMALL | {"budget": budget}))
    assert record.asked == 0
    assert any(one.startswith("stopped after") for one in record.warnings)
    assert record.chosen is not None
    assert record.chosen.verdict == "not confirmed"


def test_values_of_a_column_are_domains_and_null_is_one(spec: WriteSpec, field: Path) -> None:
    record = run(spec(domains="language", **SMALL))
    assert [domain.name for domain in record.domains] == ["none", "x", "y"]
    assert yaml.safe_load((field / "out/mixture.yaml").read_text())["by"] == "language"


def test_panel_that_cannot_be_halved_is_told(spec: WriteSpec, field: Path) -> None:
    write_jsonl(field / "one.jsonl", [{"text": text("law", 999)}])
    judge = yaml.safe_load((field / "judge.yaml").read_text())
    judge["panels"] = [{"name": "one", "path": "one.jsonl"}]
    (field / "judge.yaml").write_text(yaml.safe_dump(judge))
    with pytest.raises(UserError, match="panel 'one' has 1 documents with text, too few"):
        run(spec(**SMALL))


CHILD = """
import sys
from pathlib import Path
from curation.backends import InlineBackend
from pipelines.progress import silent
from pipelines.search.run import search
from tests.pipelines.search.planted import tiny
from train.config import PRESETS
PRESETS["tiny"] = tiny("tiny", 16)
from pipelines.search.spec import load_spec
spec = load_spec(Path(sys.argv[1]))
search(spec, Path(sys.argv[2]), InlineBackend(), silent)
"""


@pytest.mark.slow
def test_search_that_was_killed_ends_as_if_it_had_not_been(spec: WriteSpec, field: Path) -> None:
    file = spec()
    whole = search(load_spec(file), field / "whole", InlineBackend(), silent)
    for metrics in (4, 15):
        child = start(file, field / "killed")
        while (
            child.poll() is None and len(list(field.glob("killed/runs/*/metrics.jsonl"))) < metrics
        ):
            time.sleep(0.005)
        os.killpg(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert start(file, field / "killed").wait() == 0, (field / "log").read_text()
    assert without_times(read_search(field / "killed")) == without_times(whole)
    assert (field / "killed/mixture.yaml").read_bytes() == (
        field / "whole/mixture.yaml"
    ).read_bytes()


def start(file: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", CHILD, str(file), str(out)]
    with (file.parent / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)


def without_times(record: SearchRecord) -> SearchRecord:
    runs = tuple(replace(one, seconds=None) for one in record.runs)
    return replace(record, runs=runs, seconds=0.0)
