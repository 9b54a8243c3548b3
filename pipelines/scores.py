"""Scores of one model, kept beside it: nats per document, values per test item."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.files import atomic
from eval.bpb import PanelScore
from eval.metrics import SuiteScore
from eval.suite_arrays import read_suite_arrays, suite_arrays


@dataclass(frozen=True)
class TrialScores:
    """Scores of one model by name of panel and of suite."""

    panels: dict[str, PanelScore]
    suites: dict[str, SuiteScore]


def read_scores(path: Path, fingerprint: str) -> TrialScores | None:
    """The scores in `path`; None if there are none of the run `fingerprint`."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        if str(arrays["fingerprint"]) != fingerprint:
            return None
        names = [key.removeprefix("nats/") for key in arrays if key.startswith("nats/")]
        panels = {
            name: PanelScore(nats=arrays[f"nats/{name}"], bytes=arrays[f"bytes/{name}"])
            for name in names
        }
        return TrialScores(panels, read_suite_arrays(arrays))


def write_scores(path: Path, fingerprint: str, scores: TrialScores) -> None:
    """Writes the scores of the run `fingerprint`, atomically."""
    arrays: dict[str, Any] = {f"nats/{name}": s.nats for name, s in scores.panels.items()}
    arrays |= {f"bytes/{name}": score.bytes for name, score in scores.panels.items()}
    arrays |= suite_arrays(scores.suites)
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, fingerprint=np.array(fingerprint), **arrays)
