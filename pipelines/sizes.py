"""The same recipes judged at several sizes: does the small one rank as the large one does?

`tilth compare SMALL --larger LARGE...`; and a scaling law where the runs allow one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curation.errors import UserError
from eval.chinchilla import ChinchillaFit, ScalingRun
from eval.proxy_validity import ProxyValidity, proxy_validity
from eval.scaling import fit_scaling
from eval.scorecard import Scorecard, read_scorecard
from eval.shared_power import SharedFit
from pipelines.explain import recipe_folders
from pipelines.tables import table

Fits = dict[str, ChinchillaFit] | SharedFit


@dataclass(frozen=True)
class Sizes:
    """What recipes say at several sizes.

    Attributes:
        primary: the metric.
        sizes: one row each, the smallest first: model parameters, tokens, mean by recipe.
        validity: agreement of the first size with each of the others.
        scaling: the laws, by recipe or with a shared exponent; None where none can be fitted.
        refused: why not; empty if there is one.
    """

    primary: str
    sizes: list[dict[str, Any]]
    validity: list[ProxyValidity]
    scaling: Fits | None
    refused: str

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


def compare_sizes(homes: Sequence[Path], larger: Sequence[Path]) -> Sizes:
    """Compares recipe folders of one judge with output folders of the same recipes elsewhere.

    Raises:
        UserError: not the same recipes, or another metric.
    """
    groups = [[read_scorecard(home) for home in homes]]
    groups += [[read_scorecard(home) for home in recipe_folders(out)] for out in larger]
    primary = _primary(groups)
    values = [{card.recipe: card.metrics[primary].per_seed for card in cards} for cards in groups]
    fits, refused = _scaling(groups, primary)
    return Sizes(
        primary=primary,
        sizes=[_size(cards, primary) for cards in groups],
        validity=[proxy_validity(values[0], other) for other in values[1:]],
        scaling=fits,
        refused=refused,
    )


def sizes_text(found: Sizes) -> str:
    """For the terminal."""
    names = list(found.sizes[0]["mean"])
    rows = [
        [f"{size['params']:,}", f"{size['tokens']:,}", *(f"{size['mean'][n]:.4f}" for n in names)]
        for size in found.sizes
    ]
    blocks = [table(["parameters", "tokens", *names], rows, left=0)]
    for size, one in zip(found.sizes[1:], found.validity, strict=True):
        blocks.append(f"against {size['params']:,} x {size['tokens']:,}: {validity_text(one)}")
    blocks.append(found.refused or _fits_text(found.scaling))
    return "\n\n".join(blocks)


def _primary(groups: Sequence[Sequence[Scorecard]]) -> str:
    named = sorted({card.primary for cards in groups for card in cards})
    if len(named) > 1:
        hint = "Judge all sizes by one metric."
        raise UserError(f"the sizes have different primary metrics: {', '.join(named)}", hint=hint)
    return named[0]


def _size(cards: Sequence[Scorecard], primary: str) -> dict[str, Any]:
    mean = {card.recipe: card.metrics[primary].mean for card in cards}
    return {"params": cards[0].params, "tokens": cards[0].tokens, "mean": mean}


def _scaling(groups: Sequence[Sequence[Scorecard]], primary: str) -> tuple[Fits | None, str]:
    if any(card.metrics[primary].higher_is_better for cards in groups for card in cards):
        return None, f"no scaling law: {primary} is not a loss"
    runs: dict[str, list[ScalingRun]] = {}
    for cards in groups:
        for card in cards:
            runs.setdefault(card.recipe, []).extend(_runs(card, primary))
    try:
        return fit_scaling(runs), ""
    except UserError as error:
        return None, str(error)


def _runs(card: Scorecard, primary: str) -> list[ScalingRun]:
    """Every model of the recipe whose learning rate has decayed."""
    return [
        ScalingRun(params=card.params, tokens=point["tokens"], loss=point["metrics"][primary])
        for run in card.runs
        for point in run.get("curve", ())
        if point.get("decayed") and primary in point.get("metrics", ())
    ]


def validity_text(one: ProxyValidity) -> str:
    """Agreement of two sizes in a line."""
    interval = one.accuracy_interval
    within = f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else ""
    tau = "-" if one.tau is None else f"{one.tau:.2f}"
    return (
        f"decision accuracy {one.accuracy:.2f}{within} over {one.pairs} pairs of recipes, "
        f"Kendall's tau {tau}"
    )


def _fits_text(fits: Fits | None) -> str:
    if isinstance(fits, SharedFit):
        low, high = fits.g_interval
        lines = [f"L(C) = E + k (C / {fits.centre:.3g})^-g, g {fits.g:.3f} [{low:.3f}, {high:.3f}]"]
        laws = {name: f"E {law.floor:.4f}, k {law.k:.4f}" for name, law in fits.recipes.items()}
        return "\n".join([*lines, *(f"  {name}: {text}" for name, text in laws.items())])
    lines = ["L(N, D) = E + A / N^alpha + B / D^beta"]
    for name, fit in (fits or {}).items():
        lines.append(f"  {name}: {', '.join(f'{k} {v:.4g}' for k, v in fit.values.items())}")
    return "\n".join(lines)
