"""The suite `minimal_pairs`: English grammar by pairs of sentences, from our own templates."""

from __future__ import annotations

from eval.generators import forms, structures
from eval.generators.pairs import PHENOMENA, draw_pairs
from eval.suites.header import Header
from eval.suites.items import MinimalPair
from eval.suites.suite import Suite

PAIRS = 100  # per phenomenon
MODULES = (forms, structures)  # importing them fills PHENOMENA

HEADER = Header(
    name="minimal_pairs",
    version=1,
    type="minimal_pair",
    source="eval.generators.minimal_pairs",
    licence="Apache-2.0",
    formulation="sentence",
    baseline=0.5,
)


def make_minimal_pairs() -> Suite:
    """All phenomena by name; the same every time."""
    items = [
        MinimalPair(id=f"{name}-{i:03d}", phenomenon=name, good=good, bad=bad)
        for name in sorted(PHENOMENA)
        for i, (good, bad) in enumerate(draw_pairs(name, PAIRS))
    ]
    return Suite(HEADER, tuple(items))
