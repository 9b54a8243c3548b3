"""Equal budget: what recipes must have in common before their scores may be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from curation.errors import UserError
from eval.scorecard import Scorecard

# Repeats beyond this lose value (Muennighoff et al. 2023, arXiv 2305.16264; olmix caps here too).
MAX_EPOCHS = 4.0

_ALIKE: dict[str, Callable[[Scorecard], Any]] = {
    "judge": lambda card: card.judge,
    "primary metric": lambda card: card.primary,
    "tokenizer": lambda card: _values(card, "tokenizer"),
    "token budget": lambda card: _values(card, "tokens"),
    "FLOPs": lambda card: _values(card, "flops"),
    "steps": lambda card: _values(card, "steps"),
    "parameters": lambda card: _values(card, "params"),
    "seeds": lambda card: sorted(card.seeds),
    "panels": lambda card: sorted(card.panels),
}


def check_alike(cards: Sequence[Scorecard]) -> None:
    """Every recipe was measured as the first was.

    Raises:
        UserError: one was not; names every property that differs, with both values.
    """
    first = cards[0]
    for card in cards[1:]:
        unlike = [name for name, read in _ALIKE.items() if read(card) != read(first)]
        if unlike:
            values = "; ".join(f"{n}: {_ALIKE[n](first)} and {_ALIKE[n](card)}" for n in unlike)
            raise UserError(
                f"'{first.recipe}' and '{card.recipe}' differ in {values}",
                hint="Only recipes measured by one judge can be compared: run them together.",
            )


def repeated(epochs: Mapping[str, float]) -> list[str]:
    """Sources that a run read more than four times."""
    return [source for source, passes in epochs.items() if passes > MAX_EPOCHS]


def _values(card: Scorecard, key: str) -> list[Any]:
    return sorted({run.get(key) for run in card.runs}, key=str)
