"""What recipes may rank by: halves of suites, never what is scored; decontamination afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from curation.backends import InlineBackend
from curation.errors import UserError
from eval.readers.read import read_suite
from eval.suites.built_in import built_in
from pipelines.check import check
from pipelines.judge import load_judge
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import run
from pipelines.suites import halves
from tests.classes import SMALL, model_cache
from tests.corpora import prose, write_jsonl

Write = Callable[..., Path]
AFTER = {"decontaminate": {"against": "eval"}}


def rank(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "as": "rank",
        "documents": ["docs"],
        "targets": "eval",
        "positive_frac": 0.4,
        "classifier_params": SMALL,
        "fast": True,
        "cache": str(model_cache()),
    }
    return {"benchmark_rank": {k: v for k, v in (given | changes).items() if v is not None}}


def rivers(folder: Path, count: int = 60) -> Path:
    rows = [
        {"query": f"{prose(i, 1)} It", "choices": [f"was {i}", f"were {i}"], "gold": i % 2}
        for i in range(count)
    ]
    return write_jsonl(folder / "rivers.jsonl", rows)


@pytest.fixture
def betr(corpus: Path, recipe: Write, judge: Path) -> Write:
    """Writes a recipe that ranks by `targets: eval`, under a judge that scores two suites."""
    rivers(corpus)

    def write(*stages: Any, targets: list[str] | None = None, **changes: Any) -> Path:
        value = yaml.safe_load(judge.read_text())
        value |= {"suites": ["minimal_pairs", "rivers.jsonl"], "targets": targets or []}
        judge.write_text(yaml.safe_dump(value, sort_keys=False))
        curate = list(stages) or [rank(), AFTER]
        return recipe("betr", judge="judge.yaml", curate=curate, **changes)

    return write


def test_halves_part_the_items_the_same_way_always() -> None:
    suite = built_in("minimal_pairs")
    target, scored = halves(suite)
    assert {i.id for i in target.items} | {i.id for i in scored.items} == {
        i.id for i in suite.items
    }
    assert not {i.id for i in target.items} & {i.id for i in scored.items}
    assert 0.4 < len(target.items) / len(suite.items) < 0.6
    assert halves(suite) == (target, scored)
    with pytest.raises(UserError, match="too few for two halves"):
        halves(type(suite)(suite.header, suite.items[:1]))


def test_run_ranks_by_one_half_and_scores_the_other(betr: Write, corpus: Path) -> None:
    file = betr(targets=["rivers"])
    assert not check(load_recipe(file)).alarms
    out = corpus / "out"
    run([load_recipe(file)], out, InlineBackend(), silent, "dataset")
    whole = read_suite(corpus / "rivers.jsonl")
    target, scored = (
        {i.id for i in read_suite(out / "judge" / kind / "rivers.jsonl").items}
        for kind in ("targets", "suites")
    )
    assert not target & scored
    assert target | scored == {i.id for i in whole.items}
    assert set(pq.read_table(out / "judge/targets/rivers.parquet")["item"].to_pylist()) == target
    evidence = pq.read_table(out / "judge/evidence.parquet", columns=["suite", "item"]).to_pylist()
    assert {row["item"] for row in evidence if row["suite"] == "rivers"} == scored
    metrics = yaml.safe_load((out / "betr/classifiers/rank/metrics.json").read_text())
    [about] = metrics["ranking"]["targets"]
    assert (about["name"], about["examples"]) == ("rivers", len(target))


def test_judge_without_targets_keeps_its_identity(betr: Write, corpus: Path) -> None:
    identities = []
    for targets in ([], ["rivers"]):
        file = betr("exact_dedup", targets=targets)
        out = corpus / f"out-{len(targets)}"
        run([load_recipe(file)], out, InlineBackend(), silent, "dataset")
        identities.append(yaml.safe_load((out / "judge/judge.json").read_text())["identity"])
    assert "targets" not in identities[0]
    assert identities[1] == identities[0] | {"targets": ["rivers"]}


@pytest.mark.parametrize(
    ("changes", "targets", "said", "fix"),
    [
        ({}, [], "it splits none", "targets: [minimal_pairs, rivers]"),
        ({"suites": ["minimal_pairs"]}, ["rivers"], "all of minimal_pairs", "force: true"),
        ({"suites": ["river"]}, ["rivers"], "Did you mean 'rivers'", "It has: minimal_pairs"),
    ],
)
def test_check_and_run_refuse_to_rank_by_what_is_scored(
    betr: Write, corpus: Path, changes: dict[str, Any], targets: list[str], said: str, fix: str
) -> None:
    loaded = load_recipe(betr(rank(**changes), AFTER, targets=targets))
    for refused in (
        lambda: check(loaded),
        lambda: run([loaded], corpus / "out", InlineBackend(), silent, "dataset"),
    ):
        with pytest.raises(UserError) as caught:
            refused()
        assert said in str(caught.value)
        assert fix in str(caught.value)
        assert "betr.yaml: rank" in str(caught.value)


def test_check_allows_what_is_forced(betr: Write) -> None:
    assert not check(load_recipe(betr(rank(force=True), AFTER))).alarms


def test_check_finds_scored_items_in_evidence(betr: Write, corpus: Path) -> None:
    scored = halves(read_suite(corpus / "rivers.jsonl"))[1].items
    target = halves(read_suite(corpus / "rivers.jsonl"))[0].items
    for items, refused in ((scored, True), (target, False)):
        rows = [
            {"suite": "r", "item": i.id, "field": field, "text": text}
            for i in items
            for field, text in (
                ("question", i.query.upper()),
                ("answer", f" {i.choices[i.gold]} "),
            )
        ]
        write_jsonl(corpus / "evidence.jsonl", rows)
        given = {"targets": None, "evidence": ["evidence.jsonl"]}
        file = betr(rank(**given), AFTER, targets=["rivers"])
        if refused:
            with pytest.raises(UserError, match=rf"{len(items)} examples .* of rivers"):
                check(load_recipe(file))
            check(load_recipe(betr(rank(**given, force=True), AFTER, targets=["rivers"])))
        else:
            check(load_recipe(file))


def test_recipe_without_a_judge_cannot_target_it(recipe: Write) -> None:
    with pytest.raises(UserError, match="no judge whose suites could be targeted"):
        check(load_recipe(recipe("betr", curate=[rank(), "exact_dedup"])))


@pytest.mark.parametrize(
    "after",
    [
        [],
        ["exact_dedup"],
        [{"decontaminate": {"as": "marked", "against": "eval", "action": "mark"}}],
    ],
)
def test_ranking_by_tests_needs_decontamination_after_it(betr: Write, after: list[Any]) -> None:
    with pytest.raises(UserError, match="no `decontaminate` looks for them afterwards"):
        check(load_recipe(betr(rank(), *after, targets=["rivers"])))
    with pytest.raises(UserError, match="no `decontaminate`"):
        check(load_recipe(betr(AFTER, rank(), *after, targets=["rivers"])))


def test_ranking_by_references_without_decontamination_is_an_alarm(
    betr: Write, corpus: Path
) -> None:
    write_jsonl(corpus / "essays.jsonl", [{"text": prose(i)} for i in range(20)])
    reference = {"name": "essays", "format": "jsonl", "path": "essays.jsonl"}
    file = betr(rank(targets=["essays"]), references=[reference])
    [alarm] = check(load_recipe(file)).alarms
    assert (alarm.kind, alarm.stage) == ("not_decontaminated", "rank")


def test_targets_of_a_judge_must_be_suites_of_it(betr: Write, corpus: Path) -> None:
    betr(targets=["river"])
    with pytest.raises(UserError, match=r"'targets' must be of the suites .* Got \['river'\]"):
        load_judge(corpus / "judge.yaml")
