"""The learning-rate check: a rate that is far too low is refused, by name of a better one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from curation.backends import InlineBackend
from curation.errors import UserError
from curation.files import read_json
from pipelines.judge import load_judge
from pipelines.lr_check import LR_CHECK
from pipelines.prepare import sized
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import run

Write = Callable[..., Path]


def with_rate(judge: Path, scale: float) -> Path:
    value = yaml.safe_load(judge.read_text())
    value["train"] |= {"seeds": [0, 1, 2], "tokens": 6 * 4096, "lr_scale": scale}
    judge.write_text(yaml.safe_dump(value))
    return judge


def test_scale_multiplies_the_rates_of_both_optimisers(judge: Path) -> None:
    one, half = (sized(load_judge(with_rate(judge, scale))).train for scale in (1.0, 0.5))
    assert (half.lr, half.muon_lr) == pytest.approx((one.lr / 2, one.muon_lr / 2))
    with pytest.raises(UserError, match="'lr_scale' must be > 0"):
        load_judge(with_rate(judge, 0.0))


@pytest.mark.slow
def test_rate_far_too_low_is_refused_and_what_was_trained_is_kept(
    recipe: Write, judge: Path, tmp_path: Path
) -> None:
    file = recipe("r", judge="judge.yaml", curate=[], mixture={"max_epochs": 99})
    with_rate(judge, 0.02)
    out = tmp_path / "out"
    with pytest.raises(UserError, match=r"x2 is better") as caught:
        run([load_recipe(file)], out, InlineBackend(), silent, lr_check=True)
    assert "lr_scale to 2 times" in caught.value.hint
    found = read_json(out / LR_CHECK)
    assert found["mean"]["x2"] < found["mean"]["x1"] < found["mean"]["x0.5"]
    assert {pair["a"]: pair["verdict"] for pair in found["pairs"]}["x2"] == "better"
    kept = (out / "r/runs/seed-0/run.json").stat().st_mtime_ns
    outcome = run([load_recipe(file)], out, InlineBackend(), silent)
    assert (out / "r/runs/seed-0/run.json").stat().st_mtime_ns == kept
    assert outcome.scorecards[0].metrics["panels.mean_bpb"].mean == found["mean"]["x1"]


@pytest.mark.slow
def test_rate_that_none_beats_goes_on_to_compare(
    recipe: Write, judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six steps rank rates steeply: those that are tried here hardly differ."""
    monkeypatch.setattr("pipelines.lr_check.FACTORS", (1.0, 0.99, 1.01))
    file = recipe("r", judge="judge.yaml", curate=[], mixture={"max_epochs": 99})
    with_rate(judge, 8.0)
    said: list[str] = []
    out = tmp_path / "out"
    run([load_recipe(file)], out, InlineBackend(), silent, tell=said.append, lr_check=True)
    assert said[-1].startswith("learning rates of r, panels.mean_bpb: x1 ")
    assert json.loads((out / "r" / "scorecard.json").read_text())["seeds"] == [0, 1, 2]
