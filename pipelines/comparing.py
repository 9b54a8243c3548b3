"""Comparing finished recipes from what lies in their folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.files import read_json
from eval.compare import Comparison, compare
from eval.detectable import Detectable, announce, pilot
from eval.items import RecipeItems
from eval.scorecard import (
    ITEMS,
    SCORECARD,
    Scorecard,
    read_items,
    read_scorecard,
    read_suite_items,
)
from eval.statistics import TEST, Test
from pipelines.curves import curve_points
from pipelines.judge import Judge

COMPARISON = "comparison.json"


def compare_folders(homes: Sequence[Path], baseline: str | None = None) -> Comparison:
    """Compares the recipes whose folders are given, by the test that their judge declared.

    Without `baseline`, it is that of the run that made them if it is among them, else the first.

    Raises:
        UserError: a folder has no scorecard, or the recipes cannot be compared.
    """
    cards = [read_scorecard(home) for home in homes]
    baseline = baseline or _baseline(homes[0].parent, [card.recipe for card in cards])
    items = None
    if all((home / ITEMS).is_file() for home in homes):
        items = {c.recipe: _items(home) for c, home in zip(cards, homes, strict=True)}
    curve = next(
        (curve_points(c) for c in cards if c.recipe == (baseline or cards[0].recipe)), None
    )
    test = _declared_test(homes[0].parent)
    return compare(cards, baseline, test=test, items=items, curve=curve)


def detectable_before(out: Path, judge: Judge, fingerprint: str) -> Detectable:
    """What the judge can find, from earlier runs of it in `out` or of its preset.

    Args:
        out: the output folder.
        judge: as loaded.
        fingerprint: of the judge as it was made ready.
    """
    found = pilot(_finished(out, fingerprint), fingerprint, judge.primary)
    train = judge.train
    return announce(found, train.preset, judge.primary, len(train.seeds), judge.test)


def _items(home: Path) -> RecipeItems:
    return RecipeItems(panels=read_items(home), suites=read_suite_items(home))


def _baseline(out: Path, recipes: Sequence[str]) -> str | None:
    path = out / COMPARISON
    found = read_json(path).get("baseline") if path.is_file() else None
    return found if found in recipes else None


def _declared_test(out: Path) -> Test:
    """The judge's test; what judges had before they could declare one if it names none."""
    path = out / "judge" / "judge.json"
    identity: dict[str, Any] = read_json(path)["identity"] if path.is_file() else {}
    declared: Test = identity.get("test", TEST)
    return declared


def _finished(out: Path, fingerprint: str) -> list[Scorecard]:
    """Scorecards that this judge wrote; those of others may be of other versions."""
    paths = sorted(out.glob(f"*/{SCORECARD}"))
    return [read_scorecard(p.parent) for p in paths if read_json(p).get("judge") == fingerprint]
