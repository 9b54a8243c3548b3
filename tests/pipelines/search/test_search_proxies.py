"""Runs of mixtures: each made once, named by what it is, told to methods as they need them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from curation.backends import InlineBackend
from mixtures.runs import Ask
from pipelines.progress import silent
from pipelines.search.ground import Ground, lay
from pipelines.search.proxies import Made, Wanted
from pipelines.search.spec import load_spec
from tests.pipelines.search.planted import STEP, plant, spec_in

MIX = np.array([0.2, 0.3, 0.5])


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The planted corpus, tokenised."""
    field = plant(tmp_path_factory.mktemp("proxies"))
    file = spec_in(field, budget={"runs": 2, "tokens": 8 * STEP})
    return lay(load_spec(file), field / "out", InlineBackend(), silent)


def wanted(ground: Ground, **changes: object) -> Wanted:
    one = Wanted("search", "round 1.1", MIX, ground.sizes[0], 0, 1)
    return replace(one, **changes)  # type: ignore[arg-type]


def test_problem_is_that_of_the_spec(ground: Ground) -> None:
    problem = ground.problem
    assert problem.space.domains == ("art", "bio", "law")
    assert problem.objective == {"panels.statutes.bpb": 1.0}
    assert problem.owners == {"panels.statutes.bpb": "law"}
    assert problem.own("panels.statutes.bpb") == 2
    assert [(size.name, size.tokens) for size in problem.sizes] == [("tiny", 8 * STEP)]
    assert problem.target.tokens == 60 * STEP
    assert ground.sizes[0].window_frac == pytest.approx(8 / 60)


def test_equal_runs_are_made_once_and_told_once(ground: Ground) -> None:
    heard: list[Made] = []
    almost = MIX + np.array([4e-7, -4e-7, 0])
    made = ground.proxies.make(
        [
            wanted(ground),
            wanted(ground, role="proposal", name="proposal 1", weights=almost),
            wanted(ground, seed=1),
            wanted(ground, weights=np.array([0.2, 0.300002, 0.499998])),
        ],
        heard.append,
    )
    ids = [one.entry.id for one in made]
    assert ids[0] == ids[1]
    assert len(set(ids)) == len(heard) == 3
    assert [one.entry.role for one in made] == ["search", "proposal", "search", "search"]
    assert ids[0].startswith(f"tiny-{8 * STEP}-seed0-")
    assert {path.name for path in Path(ground.proxies.out / "runs").iterdir()} >= set(ids)


def test_share_of_the_data_is_part_of_what_a_run_is(ground: Ground) -> None:
    whole = replace(ground.sizes[0], window_frac=1.0)
    matched, plain = ground.proxies.make([wanted(ground), wanted(ground, size=whole)])
    assert matched.entry.id != plain.entry.id
    ratio = matched.entry.epochs["law"] / plain.entry.epochs["law"]
    assert ratio == pytest.approx(60 / 8, rel=0.05)


def test_run_is_told_with_its_losses_and_documents(ground: Ground) -> None:
    (made,) = ground.proxies.make([wanted(ground)])
    ask = Ask(weights=tuple(MIX))
    run = made.run(ask)
    assert run.ask is ask
    assert run.losses == made.entry.losses
    assert run.tokens == 8 * STEP
    documents = run.documents["panels.statutes.bpb"]
    bpb = documents.nats.sum() / documents.bytes.sum() / np.log(2)
    assert run.losses["panels.statutes.bpb"] == pytest.approx(bpb)
    assert made.entry.objective == run.losses["panels.statutes.bpb"]
    assert made.entry.confirm_objective != made.entry.objective


def test_points_are_measured_on_the_way(ground: Ground) -> None:
    (made,) = ground.proxies.make([wanted(ground, points=(0.5,))])
    (point,) = made.run(Ask(weights=tuple(MIX), points=(0.5,))).curve
    assert point.tokens == 4 * STEP
    assert point.losses["panels.statutes.bpb"] > made.entry.losses["panels.statutes.bpb"]


def test_mixture_over_a_cap_is_measured_and_not_allowed(ground: Ground) -> None:
    (made,) = ground.proxies.make([wanted(ground, weights=np.array([0.0, 0.0, 1.0]))])
    assert made.entry.weights == {"law": 1.0}
    assert made.entry.state == "done"
    assert not made.entry.allowed
