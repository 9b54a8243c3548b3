"""Runs every study, or those named: `python -m pipelines.studies [NAME...] --out DIR`.

A study is a module here with a function `study`, or a folder of recipes and their judge. What is
finished is reused, so a stopped study continues.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from curation.backends import RayBackend
from curation.errors import TilthError
from pipelines.progress import ProgressPrinter
from pipelines.recipe import load_recipe
from pipelines.studies import betr, mixtures, replay, sizes, truth
from pipelines.studies.study import HERE, Bench, Study
from pipelines.summary import outcome_text


def recipes(folder: str, *names: str) -> Study:
    """The study that compares the recipes in a folder here, the first being the baseline."""
    return partial(_compare, folder, names)


def _compare(folder: str, names: tuple[str, ...], bench: Bench) -> str:
    loaded = [load_recipe(HERE / folder / f"{name}.yaml") for name in names]
    return outcome_text(bench.run(loaded, "."))


STUDIES: dict[str, Study] = {
    "truth": truth.study,
    "sizes": sizes.study,
    "betr": betr.study,
    "replay": replay.study,
    "mixtures": mixtures.study,
    "web": recipes("web", "raw", "curated"),
    "contamination": recipes("contamination", "leaked", "cleaned"),
    "published": recipes("published", "gopher", "c4", "refinedweb", "fineweb", "dclm"),
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
        bench = Bench(args.out.resolve() / name, RayBackend(), ProgressPrinter())
        print(f"study {name}\n\n{STUDIES[name](bench)}\n", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TilthError as error:
        sys.exit(f"error: {error}")
