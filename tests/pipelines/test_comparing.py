"""Comparing folders: the declared test, documents where they are kept, and what is said before."""

import json
from pathlib import Path

import numpy as np
import pytest

from curation.files import write_json
from eval.bpb import PanelScore
from eval.scorecard import ITEMS, make_scorecard, write_scorecard
from pipelines.cli import main
from pipelines.comparing import compare_folders, detectable_before
from pipelines.judge import Judge, PanelSpec, TokenizerSpec, TrainSpec

SIZES = np.array([400, 700, 900])
RAW, CURATED = {0: 2.00, 1: 2.10, 2: 2.20}, {0: 1.80, 1: 1.92, 2: 1.98}


def judge(**changes: object) -> Judge:
    panels = (PanelSpec(name="books", path="books.jsonl"),)
    return Judge(panels=panels, tokenizer=TokenizerSpec(train_on=("books",)), **changes)  # type: ignore[arg-type]


def write_recipe(out: Path, name: str, bpb: dict[int, float], made_by: str = "judge") -> Path:
    run = {"tokens": 1000, "unique_tokens": 800, "epochs": {"web": 1.25}, "steps": 10}
    run |= {"params": 64, "flops": 99, "final_loss": 2.0, "dataset_fingerprint": name}
    runs = [run | {"seed": seed, "wall_s": 1.5} for seed in bpb]
    scores = {
        seed: {"books": PanelScore(nats=SIZES * value * np.log(2), bytes=SIZES)}
        for seed, value in bpb.items()
    }
    card = make_scorecard(name, made_by, "panels.mean_bpb", runs, scores)
    write_scorecard(card, scores, out / name)
    write_json(out / name / "dataset" / "manifest.json", {})
    return out / name


@pytest.fixture
def homes(tmp_path: Path) -> list[Path]:
    return [write_recipe(tmp_path, "raw", RAW), write_recipe(tmp_path, "curated", CURATED)]


def declare(out: Path, test: str) -> None:
    write_json(out / "judge" / "judge.json", {"identity": {"test": test}})


@pytest.mark.parametrize(("test", "verdict"), [("paired", "better"), ("welch", "tied")])
def test_folders_are_compared_by_the_test_their_judge_declared(
    homes: list[Path], test: str, verdict: str
) -> None:
    declare(homes[0].parent, test)
    comparison = compare_folders(homes)
    assert (comparison.test, comparison.pairs[0].verdict) == (test, verdict)
    assert comparison.pairs[0].over_items is not None


def test_folders_are_compared_with_the_baseline_of_their_run(homes: list[Path]) -> None:
    assert compare_folders(homes).baseline == "raw"
    write_json(homes[0].parent / "comparison.json", {"baseline": "curated"})
    assert compare_folders(homes).baseline == "curated"
    assert compare_folders(homes, "raw").baseline == "raw"
    write_json(homes[0].parent / "comparison.json", {"baseline": "another"})
    assert compare_folders(homes).baseline == "raw"


def test_folders_of_earlier_versions_are_compared_by_the_default_without_items(
    homes: list[Path],
) -> None:
    (homes[1] / ITEMS).unlink()
    (pair,) = compare_folders(homes).pairs
    assert (pair.method, pair.over_items) == ("welch", None)
    assert pair.bootstrap_low is not None


def test_compare_prints_and_gives_all_of_it(
    homes: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    declare(homes[0].parent, "paired")
    folders = [str(home) for home in homes]
    assert main(["compare", *folders]) == 0
    text = capsys.readouterr().out
    for word in ("MDE", "P(best)", "over items too", "p (Holm)", "unique", "better", "paired"):
        assert word in text
    assert main(["compare", *folders, "--json", "--baseline", "curated"]) == 0
    raw = json.loads(capsys.readouterr().out)
    assert raw["baseline"] == "curated"
    assert raw["pairs"][0]["verdict"] == "worse"
    assert raw["recipes"][0]["rank"]["p_best"] > 0.99


def test_earlier_runs_of_the_judge_say_what_it_can_find(tmp_path: Path) -> None:
    write_recipe(tmp_path, "raw", RAW)
    write_recipe(tmp_path, "other", {0: 1.0, 1: 9.0, 2: 5.0}, made_by="another judge")
    told = detectable_before(tmp_path, judge(test="paired"), "judge")
    assert told.sd == pytest.approx(0.1)
    assert (told.test, told.seeds) == ("paired", 3)
    fresh = detectable_before(tmp_path / "none", judge(train=TrainSpec(preset="smoke")), "judge")
    assert fresh.sd_from == "earlier runs of preset smoke"


def test_judge_declares_one_of_two_tests() -> None:
    assert judge().test == "welch"
    assert judge(test="paired").test == "paired"
