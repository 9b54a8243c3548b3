"""Phases of a recipe; schedule, points and the model to start from of a judge."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.backends import InlineBackend
from curation.errors import UserError
from pipelines.check import check, plan_text
from pipelines.comparing import compare_folders
from pipelines.judge import load_judge
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import Outcome, run
from train.shards import TokenShards
from train.tokenizer import Tokenizer

Write = Callable[..., Path]


def with_train(judge: Path, **changes: Any) -> Path:
    value = yaml.safe_load(judge.read_text())
    value["train"] |= {"seeds": [0], "tokens": 10 * 4096} | changes
    judge.write_text(yaml.safe_dump(value))
    return judge


def record(out: Path, recipe: str) -> dict[str, Any]:
    text = (out / recipe / "runs" / "seed-0" / "run.json").read_text()
    return dict(json.loads(text))


def train(out: Path, *files: Path) -> Outcome:
    return run([load_recipe(file) for file in files], out, InlineBackend(), silent)


@pytest.mark.slow
def test_phases_and_points_go_from_the_files_to_the_comparison(
    recipe: Write, judge: Path, tmp_path: Path
) -> None:
    with_train(judge, decay_frac=0.2, points=[0.5])
    common: dict[str, Any] = {"judge": "judge.yaml", "curate": []}
    phases = [{"weights": {"docs": 1}, "frac": 0.6}, {"weights": "uniform"}]
    plain = recipe("plain", **common, mixture={"max_epochs": 99})
    phased = recipe("two", **common, mixture={"max_epochs": 99, "phases": phases})
    out = tmp_path / "out"
    outcome = train(out, plain, phased)
    two = record(out, "two")
    assert [phase["tokens"] for phase in two["phases"]] == [6 * 4096, 4 * 4096]
    assert record(out, "plain")["phases"] == []
    assert [point["tokens"] for point in two["curve"]] == [5 * 4096, 10 * 4096]
    card = outcome.scorecards[0]
    curve = card.runs[0]["curve"]
    assert curve[1]["metrics"]["panels.docs.bpb"] == card.panels["docs"].bpb[0]
    assert curve[0]["metrics"]["panels.docs.bpb"] > curve[1]["metrics"]["panels.docs.bpb"]
    assert outcome.comparison is not None
    found = [result.token_multiplier for result in outcome.comparison.recipes]
    assert found[0] is None
    assert found[1] is not None
    again = compare_folders([out / "plain", out / "two"])
    assert again.recipes[1].token_multiplier == found[1]


@pytest.mark.slow
def test_run_continues_from_a_run_of_another_folder_with_its_tokenizer(
    recipe: Write, judge: Path, tmp_path: Path
) -> None:
    file = recipe("r", judge="judge.yaml", curate=[], mixture={"max_epochs": 99})
    with_train(judge, tokens=5 * 4096)
    train(tmp_path / "first", file)
    home = tmp_path / "first"
    with_train(judge, tokens=2 * 4096, schedule="rewarm", init_from=str(home / "r/runs/seed-0"))
    value = yaml.safe_load(judge.read_text())
    value["tokenizer"] = {"path": str(home / "judge/tokenizer.json"), "vocab": 300}
    judge.write_text(yaml.safe_dump(value))
    train(tmp_path / "second", file)
    first, second = record(home, "r"), record(tmp_path / "second", "r")
    assert second["tokenizer"] == first["tokenizer"]
    assert second["init_from"]
    assert second["final_loss"] < first["final_loss"]


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ({"phases": [{"weights": {"dcs": 1}}]}, r"phases\[0\].weights.dcs: there is no source"),
        ({"phases": [{"weights": {"docs": 0}}]}, "must not all be 0"),
        ({"phases": [{"weights": "uniform"}], "weights": "uniform"}, "do not go with 'phases'"),
        ({"phases": [{"frac": 0.5}]}, "needs 'weights'"),
        ({"phases": [{"weights": "uniform", "frac": 2.0}]}, "'frac' must be in"),
        ({"phases": [{"weights": "uniform", "schedule": "step"}]}, "It takes: wsd, linear"),
        ({"phases": [{"weights": "uniform", "part": 1}]}, "has no parameter 'part'"),
        ({"phases": [{"weights": "uniform", "frac": 0.5}]}, "0.5 of the 40,960 tokens"),
        ({"phases": [{"weights": "uniform", "tokens": 99_999}]}, "2.441 of the 40,960 tokens"),
    ],
)
def test_impossible_phases_are_found_by_check(
    recipe: Write, judge: Path, mixture: dict[str, Any], message: str
) -> None:
    with_train(judge)
    file = recipe("r", judge="judge.yaml", curate=[], mixture=mixture)
    with pytest.raises(UserError, match=message) as caught:
        check(load_recipe(file))
    assert str(file) in caught.value.where


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": [0.5, 1.0]}, r"'points' must lie inside \(0, 1\)"),
        ({"points": [0.01]}, "no step of its own"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"schedule": "infinite", "decay_frac": 0.9}, "sum to at most 1"),
    ],
)
def test_impossible_training_is_found_by_check(
    recipe: Write, judge: Path, changes: dict[str, Any], message: str
) -> None:
    with_train(judge, **changes)
    with pytest.raises(UserError, match=message):
        check(load_recipe(recipe("r", judge="judge.yaml", curate=[])))


def test_tokenizer_is_trained_or_given(judge: Path) -> None:
    value = yaml.safe_load(judge.read_text())
    for tokenizer in ({"vocab": 300}, {"train_on": ["docs"], "path": "tokenizer.json"}):
        judge.write_text(yaml.safe_dump({**value, "tokenizer": tokenizer}))
        with pytest.raises(UserError, match="'train_on' and a 'sample_mb' > 0, or a 'path'"):
            load_judge(judge)


@pytest.mark.parametrize("name", ["init_from", "tokenizer"])
def test_file_of_a_judge_that_is_not_there_is_named(
    recipe: Write, judge: Path, tmp_path: Path, name: str
) -> None:
    value = yaml.safe_load(judge.read_text())
    value |= {"tokenizer": {"path": "absent.json"}} if name == "tokenizer" else {}
    judge.write_text(yaml.safe_dump(value))
    with_train(judge, **({"init_from": "absent"} if name == "init_from" else {}))
    with pytest.raises(UserError, match="absent"):
        train(tmp_path / "out", recipe("r", judge="judge.yaml", curate=[]))


def test_plan_shows_the_mixture_of_each_phase(recipe: Write, judge: Path) -> None:
    with_train(judge, schedule="cosine", points=[0.5])
    phases = [{"weights": "natural", "frac": 0.5}, {"weights": {"docs": 1}}]
    file = recipe("r", judge="judge.yaml", curate=[], mixture={"phases": phases})
    text = plan_text(check(load_recipe(file)), None)
    assert "mixture: natural, then {'docs': 1.0}, at most 4 epochs" in text
    assert "in 10 steps (cosine, scored at 0.5 too), seeds [0]" in text


KINDS = ("marked", "plain")
CONTROL: dict[str, Any] = {
    "column": "gopher_quality.avg_word_len",
    "quantiles": [0.5],
    "tokens": ["short", "long"],
    "good": "long",
}
SENTENCES: dict[str, Any] = {"per": "sentence", "quantiles": None, "thresholds": [4.5]}


@pytest.mark.slow
def test_control_tokens_go_from_the_files_to_the_scores(
    recipe: Write, judge: Path, tmp_path: Path
) -> None:
    with_train(judge, tokens=4 * 4096)
    value = yaml.safe_load(judge.read_text())
    value["tokenizer"]["control"] = ["short", "long"]
    judge.write_text(yaml.safe_dump(value))
    keys: dict[str, Any] = {"judge": "judge.yaml", "curate": ["gopher_quality"]}
    keys["mixture"] = {"max_epochs": 99}
    marked, plain = recipe(KINDS[0], **keys, control=CONTROL), recipe(KINDS[1], **keys)
    out = tmp_path / "out"
    outcome = train(out, marked, plain)
    with_tokens, bare = (TokenShards.open(out / n / "tokens").sources["docs"] for n in KINDS)
    assert with_tokens.tokens - bare.tokens == pytest.approx(bare.documents, abs=5)  # 1 % stay bare
    bpb = [card.panels["docs"].mean for card in outcome.scorecards]
    assert bpb[0] != bpb[1]
    assert bpb[0] == pytest.approx(bpb[1], rel=0.1)
    again = train(out, marked, plain)
    assert [card.panels["docs"].mean for card in again.scorecards] == bpb


@pytest.mark.slow
def test_sentences_get_control_tokens_by_a_stage_of_the_recipe(
    recipe: Write, judge: Path, tmp_path: Path
) -> None:
    with_train(judge, tokens=2 * 4096)
    value = yaml.safe_load(judge.read_text())
    value["tokenizer"]["control"] = ["short", "long"]
    judge.write_text(yaml.safe_dump(value))
    keys: dict[str, Any] = {"judge": "judge.yaml", "curate": ["gopher_quality"]}
    keys |= {"mixture": {"max_epochs": 99}, "control": {**CONTROL, **SENTENCES}}
    out = tmp_path / "out"
    train(out, recipe("r", **keys))
    shards = TokenShards.open(out / "r" / "tokens")
    tokenizer = Tokenizer.load(out / "judge" / "tokenizer.json")
    tokens = shards.tokens("docs")
    counts = [int((tokens == tokenizer.control(name)).sum()) for name in CONTROL["tokens"]]
    assert min(counts) > 0
    assert sum(counts) > 2 * shards.sources["docs"].documents


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"no control token 'short'\n.*tokenizer.control has: \[\]"),
        ({"good": "best"}, "'good' must be one of"),
        ({"thresholds": [1.0]}, "either 'thresholds' or 'quantiles'"),
        (
            {**SENTENCES, "column": "toxicity.score"},
            "no stage of the recipe makes 'toxicity.score'",
        ),
        ({**SENTENCES, "column": "gopher_quality.length"}, "'gopher_quality' makes gopher_quality"),
    ],
)
def test_impossible_control_is_found_by_check(
    recipe: Write, judge: Path, changes: dict[str, Any], message: str
) -> None:
    keys: dict[str, Any] = {"judge": "judge.yaml", "curate": ["gopher_quality"]}
    with pytest.raises(UserError, match=message):
        check(load_recipe(recipe("r", **keys, control={**CONTROL, **changes})))


@pytest.mark.parametrize("names", [["Good"], ["a", "a"], ["endoftext"], ["a|b"]])
def test_impossible_names_of_control_tokens_are_refused(judge: Path, names: list[str]) -> None:
    value = yaml.safe_load(judge.read_text())
    value["tokenizer"]["control"] = names
    judge.write_text(yaml.safe_dump(value))
    with pytest.raises(UserError, match="'control' takes different names"):
        load_judge(judge)
