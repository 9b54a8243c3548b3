"""Comparing sizes: agreement, a law where there is one, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from curation.errors import UserError
from curation.files import write_json
from eval.bpb import PanelScore
from eval.scorecard import make_scorecard, write_scorecard
from eval.shared_power import SharedFit
from pipelines.cli import main
from pipelines.sizes import compare_sizes, sizes_text

BYTES = np.array([400, 700, 900])
RECIPES = {"raw": 2.3, "web": 2.1, "books": 1.9, "mixed": 2.0}


def loss(floor: float, params: int, tokens: int) -> float:
    return floor + 3.0 * (6 * params * tokens / 1e12) ** -0.2


def judged(out: Path, params: int, budgets: tuple[int, ...], **recipes: float) -> Path:
    """An output folder whose recipes follow E + 3 (C / 1e12)^-.2 exactly."""
    for name, floor in recipes.items():
        write_judged(out / name, floor, params, budgets)
    return out


def write_judged(home: Path, floor: float, params: int, budgets: tuple[int, ...]) -> None:
    runs, scores = [], {}
    for seed in range(3):
        bpb = [loss(floor, params, tokens) + 1e-4 * (seed - 1) for tokens in budgets]
        curve = [
            {
                **{"tokens": tokens, "flops": 6 * params * tokens, "decayed": True},
                "metrics": {"panels.mean_bpb": value},
            }
            for tokens, value in zip(budgets, bpb, strict=True)
        ]
        run = {"tokens": budgets[-1], "unique_tokens": 800, "epochs": {"web": 1.2}, "steps": 10}
        run |= {"params": params, "flops": 99, "final_loss": 2.0, "dataset_fingerprint": home.name}
        runs.append({**run, "seed": seed, "wall_s": 1.5, "curve": curve})
        scores[seed] = {"books": PanelScore(nats=BYTES * bpb[-1] * np.log(2), bytes=BYTES)}
    card = make_scorecard(home.name, f"judge-{params}", "panels.mean_bpb", runs, scores)
    write_scorecard(card, scores, home)
    write_json(home / "dataset" / "manifest.json", {})


def test_sizes_that_rank_alike_agree_and_their_law_is_found(tmp_path: Path) -> None:
    outs = [
        judged(tmp_path / f"{times}", 10_000 * times, (250_000 * times,), **RECIPES)
        for times in (1, 2, 4)
    ]
    found = compare_sizes([outs[0] / name for name in RECIPES], outs[1:])
    assert [one.accuracy for one in found.validity] == [1.0, 1.0]
    assert [(size["params"], size["tokens"]) for size in found.sizes] == [
        *((10_000, 250_000), (20_000, 500_000), (40_000, 1_000_000)),
    ]
    assert isinstance(found.scaling, SharedFit)
    assert found.scaling.g == pytest.approx(0.2, abs=0.01)
    text = sizes_text(found)
    assert "decision accuracy 1.00 [1.00, 1.00] over 6 pairs of recipes" in text
    for name, floor in RECIPES.items():
        assert found.scaling.recipes[name].floor == pytest.approx(floor, abs=0.02)
        assert f"{name}: E " in text


def test_larger_size_that_reverses_the_order_agrees_in_nothing(tmp_path: Path) -> None:
    small = judged(tmp_path / "small", 10_000, (1_000_000,), **RECIPES)
    turned = dict(zip(RECIPES, [-floor + 5 for floor in RECIPES.values()], strict=True))
    large = judged(tmp_path / "large", 40_000, (1_000_000,), **turned)
    found = compare_sizes([small / name for name in RECIPES], [large])
    assert (found.validity[0].accuracy, found.validity[0].tau) == (0.0, -1.0)
    assert found.scaling is None
    assert "no scaling law can be fitted" in sizes_text(found)


def test_sizes_of_other_recipes_are_refused(tmp_path: Path) -> None:
    small = judged(tmp_path / "small", 10_000, (1_000_000,), **RECIPES)
    large = judged(tmp_path / "large", 40_000, (1_000_000,), raw=2.0, web=1.9, books=1.8)
    with pytest.raises(UserError, match="measured at one size only: mixed"):
        compare_sizes([small / name for name in RECIPES], [large])


def test_compare_takes_larger_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = judged(tmp_path / "small", 10_000, (1_000_000,), **RECIPES)
    large = judged(tmp_path / "large", 40_000, (1_000_000,), **RECIPES)
    assert main(["compare", str(small), "--larger", str(large), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["sizes"]["validity"][0]["accuracy"] == 1.0
    assert main(["compare", str(small), "--larger", str(large)]) == 0
    assert "decision accuracy 1.00" in capsys.readouterr().out
