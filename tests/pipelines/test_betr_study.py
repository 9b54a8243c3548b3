"""The study of BETR: its texts are apart from one another, its recipes can be run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curation.backends import InlineBackend
from eval.bpb import PanelScore
from eval.compare import compare
from eval.scorecard import Scorecard, make_scorecard
from pipelines.judge import load_judge
from pipelines.progress import silent
from pipelines.run import Outcome
from pipelines.studies.betr import (
    GRID_FRACS,
    PANELS,
    _grid,
    _grid_recipes,
    _matrix,
    _matrix_recipes,
    _multipliers,
)
from pipelines.studies.betr_data import OTHERS, QUALITY, TARGETS, UNTARGETED, side
from pipelines.studies.study import Bench
from pipelines.targets import check_targets


@pytest.mark.parametrize(
    ("domain", "panel", "target"),
    [(TARGETS[0], 0.25, 0.25), (QUALITY, 0.25, 0.25), ("news", 0.25, 0), (OTHERS[0], 0, 0)],
)
def test_sides_are_drawn_by_name(domain: str, panel: float, target: float) -> None:
    sides = [side(domain, f"{domain}/{i}") for i in range(4000)]
    assert sides == [side(domain, f"{domain}/{i}") for i in range(4000)]
    assert sides.count("panel") / 4000 == pytest.approx(panel, abs=0.03)
    assert sides.count("target") / 4000 == pytest.approx(target, abs=0.03)


def test_domains_are_named_once() -> None:
    names = [*OTHERS, *TARGETS, *UNTARGETED]
    assert len(set(names)) == len(names)


def test_recipes_of_the_study_load_and_rank_by_nothing_that_is_scored(tmp_path: Path) -> None:
    bench = Bench(tmp_path, InlineBackend(), silent)
    matrix = _matrix_recipes(bench)
    assert [recipe.name for recipe in matrix][:3] == ["random", "full-pool", "quality-only"]
    grid = _grid_recipes(bench, 500_000)
    assert len(grid) == len(GRID_FRACS)
    assert [one.label for one in grid[0].stages] == ["decontaminate"]
    for recipe in (*matrix, *grid):
        assert recipe.judge is not None
        assert check_targets(recipe, load_judge(recipe.judge)) == []


def card(recipe: str, bpb: float) -> Scorecard:
    """Three seeds around `bpb` on every panel, a hundredth worse on each that follows."""
    runs, scores = [], {}
    for seed, noise in enumerate((-0.001, 0.0, 0.001)):
        panels = {name: bpb + 0.01 * i + noise for i, name in enumerate(PANELS)}
        metrics = {f"panels.{name}.bpb": value for name, value in panels.items()}
        points = [
            {"tokens": tokens, "flops": tokens, "decayed": True, "metrics": _worse(metrics, more)}
            for tokens, more in ((250, 0.4), (500, 0.2), (1000, 0.0))
        ]
        about = {"tokens": 1000, "unique_tokens": 500, "steps": 10, "params": 64, "flops": 1000}
        about |= {"epochs": {"pool": 2.0}, "final_loss": 2.0, "dataset_fingerprint": recipe}
        runs.append({**about, "seed": seed, "curve": points})
        scores[seed] = {name: _score(value) for name, value in panels.items()}
    return make_scorecard(recipe, "judge", "panels.mean_bpb", runs, scores)


def _worse(metrics: dict[str, float], more: float) -> dict[str, float]:
    return {name: value + more for name, value in metrics.items()}


def _score(bpb: float) -> PanelScore:
    sizes = np.array([100, 300])
    return PanelScore(nats=sizes * bpb * np.log(2), bytes=sizes)


def outcome(*cards: Scorecard) -> Outcome:
    return Outcome(Path("."), scorecards=list(cards), comparison=compare(list(cards)))


def test_matrix_has_a_row_per_recipe_and_a_column_per_panel() -> None:
    found = outcome(card("random", 2.0), card("targets-all", 1.9), card("full-pool", 2.2))
    header, _, targeted, full, mde = _matrix(found).split("\n")
    assert header.count("|") == len(PANELS) + 2
    assert f"**{TARGETS[0]}**" in header
    assert targeted.startswith("| targets-all | -0.1000 [-0.1")
    assert full.startswith("| full-pool | +0.2000 [+0.1")
    assert mde.startswith("| largest MDE | 0.0")


def test_multipliers_are_read_off_the_curve_of_random() -> None:
    found = outcome(card("random", 2.0), card("same", 2.0), card("half", 2.2))
    _, _, same, half = _multipliers(found).split("\n")
    assert same.startswith("| same | 1.00x [")
    assert half.startswith("| half | 0.50x [")


def test_grid_names_the_best_share_at_each_budget() -> None:
    small = [card(f"keep-{n}", bpb) for n, bpb in ((100, 2.0), (30, 1.9), (10, 1.8), (3, 1.7))]
    large = [card(f"keep-{n}", bpb) for n, bpb in ((100, 1.6), (30, 1.5), (10, 1.6), (3, 1.8))]
    _, _, first, second, *_ = _grid({500: outcome(*small), 2000: outcome(*large)}).split("\n")
    assert first == (
        "| 500 | 1.7000 ± 0.0010 | 1.8000 ± 0.0010 | 1.9000 ± 0.0010 | 2.0000 ± 0.0010 | 3% |"
    )
    assert second.endswith("| 30% |")
