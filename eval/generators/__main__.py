"""Writes the data files of the built-in suites: `python -m eval.generators [FOLDER]`."""

import sys
from pathlib import Path

from eval.generators.copy_recall import make_copy_recall
from eval.generators.minimal_pairs import make_minimal_pairs
from eval.suites.built_in import DATA
from eval.suites.suite import write_suite


def main(folder: Path) -> None:
    """Makes both suites anew."""
    for suite in (make_minimal_pairs(), make_copy_recall()):
        write_suite(suite, folder / f"{suite.name}.jsonl")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
