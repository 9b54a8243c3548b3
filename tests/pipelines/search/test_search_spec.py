"""The spec: every mistake is told with file, key path and fix, before anything runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.errors import UserError
from pipelines.search.spec import load_spec

WriteSpec = Callable[..., Path]


def judge_has(field: Path, **changes: Any) -> None:
    path = field / "judge.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


def test_defaults_are_the_judges(spec: WriteSpec) -> None:
    file = spec(target={}, budget={"runs": 6, "tokens": 2560})
    found = load_spec(file)
    assert [(t.name, t.weight, t.negated) for t in found.targets] == [
        ("panels.statutes.bpb", 1.0, False)
    ]
    assert (found.by, found.method.name, found.seed) == ("source", "random", 0)
    assert (found.target.name, found.target.train.tokens) == ("tiny", 20 * 256)
    assert (found.confirmed.name, found.confirmed.train.tokens) == ("tiny", 2560)
    assert found.sizes[0].model.vocab == 300
    assert found.proxy.repetition_matched


def test_mean_of_panels_is_a_target_per_panel_and_better_higher_is_negated(
    spec: WriteSpec, field: Path
) -> None:
    panels = [{"name": n, "hold_out": n, "frac": 0.1} for n in ("law", "art")]
    judge_has(field, panels=panels, suites=["cloze"])
    objective = {"panels.mean_bpb": 2, "panels.law.bpb": 1, "suites.cloze.accuracy": 1}
    found = {t.name: t for t in load_spec(spec(objective=objective)).targets}
    assert {name: t.weight for name, t in found.items()} == {
        "panels.law.bpb": 0.5,
        "panels.art.bpb": 0.25,
        "suites.cloze.accuracy": 0.25,
    }
    assert [name for name, t in found.items() if t.negated] == ["suites.cloze.accuracy"]


def test_method_takes_parameters(spec: WriteSpec) -> None:
    found = load_spec(spec(method={"random": {"sampler": {"temperature": 1.0}}}))
    assert found.described_method["parameters"]["sampler"]["temperature"] == 1.0
    assert found.described_method["reference"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": "random"}, r"search.yaml.methods: 'search' has no parameter 'methods'.*mean"),
        ({"method": "regmixx"}, "method.*there is no method 'regmixx'. Did you mean 'regmix'"),
        ({"method": {"random": {"smapler": {}}}}, "method.random.smapler.*Did you mean 'sampler'"),
        ({"method": ["random"]}, "method: a method is a name"),
        ({"budget": {"runs": 0, "tokens": 5}}, "budget: 'runs' and 'tokens' must be > 0"),
        ({"budget": {"runs": 5}}, "budget: 'budget' needs 'tokens'"),
        ({"budget": {"runs": 5, "tokens": 100}}, "budget.tokens: 100 tokens are less than a step"),
        ({"budget": {"runs": 5, "tokens": 10**6}}, "budget.tokens: 1,000,000 tokens are more than"),
        ({"budget": {"runs": 5, "tokens": 5120, "seconds": 0}}, "'seconds' must be > 0"),
        ({"proxy": {"presets": ["tny"]}}, "proxy: there is no preset 'tny'. Did you mean 'tiny'"),
        ({"proxy": {"presets": ["small", "tiny"]}}, "proxy.presets: presets must be ascending"),
        ({"proxy": {"lr_scale": 0.0}}, "'lr_scale' must be > 0"),
        ({"objective": {"panels.stat.bpb": 1}}, "no metric 'panels.stat.bpb'. Did you mean"),
        ({"objective": {"suites.blimp.accuracy": 1}}, "judge.yaml has: panels.mean_bpb, panels.st"),
        ({"objective": {"panels.statutes.bpb": -1}}, "a weight must be > 0. Got -1"),
        ({"objective": {}}, "objective: is empty"),
        ({"domains": "topic"}, "domains: the dataset has no column 'topic'"),
        ({"domains": "sorce"}, "Did you mean 'source'"),
        ({"confirm": {"seeds": 2}}, "'seeds' must be 3 or more, or 0"),
        ({"confirm": {"tokens": 10**6}}, "confirm.tokens: 1,000,000 tokens are more than"),
        ({"constraints": {"max_epochs": 0}}, "constraints: 'max_epochs' must be > 0"),
        ({"target": {"preset": "huge"}}, "target: there is no preset 'huge'"),
        ({"seeds": [1, 1]}, "'seeds' must be different"),
        ({"recipe": "wb.yaml"}, "wb.yaml: there is no such file"),
        ({"judge": "jdge.yaml"}, "jdge.yaml: there is no such file"),
    ],
)
def test_mistakes_are_told_with_their_place(
    spec: WriteSpec, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        load_spec(spec(**changes))


def test_search_without_a_judge_is_refused(spec: WriteSpec, field: Path) -> None:
    recipe = yaml.safe_load((field / "web.yaml").read_text())
    del recipe["judge"]
    (field / "web.yaml").write_text(yaml.safe_dump(recipe))
    with pytest.raises(UserError, match="judge: neither the search nor its recipe names a judge"):
        load_spec(spec())
    assert load_spec(spec(judge="judge.yaml")).recipe.judge == field / "judge.yaml"
