"""Runs every study, or those named: `python -m pipelines.studies [NAME...] --out DIR`.

A study is a folder here of recipes and their judge. What is finished is reused, so a stopped
study continues.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from curation.backends import RayBackend
from curation.errors import TilthError
from pipelines.progress import ProgressPrinter
from pipelines.recipe import load_recipe
from pipelines.run import run
from pipelines.summary import outcome_text

HERE = Path(__file__).parent
STUDIES = {  # the first is the baseline
    "web": ("raw", "curated"),
    "contamination": ("leaked", "cleaned"),
    "published": ("gopher", "c4", "refinedweb", "fineweb", "dclm"),
}


def main() -> int:
    """Runs the studies and prints their tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(STUDIES)}")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    if unknown := set(args.names) - set(STUDIES):
        parser.error(f"no study {', '.join(sorted(unknown))}; there is {', '.join(STUDIES)}")
    for name in args.names or STUDIES:
        recipes = [load_recipe(HERE / name / f"{recipe}.yaml") for recipe in STUDIES[name]]
        outcome = run(recipes, args.out / name, RayBackend(), ProgressPrinter())
        print(f"study {name}\n\n{outcome_text(outcome)}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TilthError as error:
        sys.exit(f"error: {error}")
