"""The demo's recipes and judge, copied beside the corpus that they read."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

JUDGE = "judge.yaml"
RECIPES = ("raw.yaml", "curated.yaml")  # the first is what the others are compared with


def write_recipes(folder: Path) -> list[Path]:
    """Copies recipes and judge into the folder of a corpus; the paths of the recipes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*RECIPES, JUDGE):
        with as_file(files("pipelines") / "recipes" / "demo" / name) as bundled:
            shutil.copyfile(bundled, folder / name)
    return [folder / name for name in RECIPES]
