"""Scores of suites in npz files: an array per suite, metric and field of `ItemValues`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval.metrics import ItemValues, SuiteScore

FIELDS = ("values", "weights", "clusters")  # of `ItemValues`


def suite_arrays(suites: Mapping[str, SuiteScore], prefix: str = "") -> dict[str, Any]:
    """Scores of suites as arrays under names that `read_suite_arrays` knows."""
    return {
        f"suite_{field}/{prefix}{name}/{metric}": array
        for name, score in suites.items()
        for metric, values in score.items()
        for field, array in vars(values).items()
    }


def read_suite_arrays(arrays: Any, prefix: str = "") -> dict[str, SuiteScore]:
    """What `suite_arrays` made of the same `prefix`, by suite, from an open npz file."""
    scores: dict[str, SuiteScore] = {}
    start = f"suite_values/{prefix}"
    for key in arrays.files:
        if key.startswith(start):
            name, metric = key.removeprefix(start).split("/")
            fields = {f: arrays[f"suite_{f}/{prefix}{name}/{metric}"] for f in FIELDS}
            scores.setdefault(name, {})[metric] = ItemValues(**fields)
    return scores
