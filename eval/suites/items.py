"""The kinds of test item, and what a well-formed one is.

multiple_choice  which of the choices follows the query
schema           after which of the contexts the continuation stands
lm_completion    one continuation of one context
minimal_pair     two sentences that differ in being grammatical
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ItemType = Literal["multiple_choice", "schema", "lm_completion", "minimal_pair"]


@dataclass(frozen=True, kw_only=True)
class Item:
    """What every item has.

    Attributes:
        id: distinct within the suite.
        phenomenon: what the item tests, if the suite tests several things; scored apart too.
        group: the passage that the item shares with others, whose scores then are not
            independent; empty for an item of its own.
    """

    id: str
    phenomenon: str = ""
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class MultipleChoice(Item):
    """`gold` is the index of the right one of `choices` after `query`."""

    query: str
    choices: tuple[str, ...]
    gold: int

    def __post_init__(self) -> None:
        _check_options("choices", self.choices, self.gold)


@dataclass(frozen=True, kw_only=True)
class Schema(Item):
    """`gold` is the index of the one of `context_options` that `continuation` belongs to."""

    context_options: tuple[str, ...]
    continuation: str
    gold: int

    def __post_init__(self) -> None:
        _check_options("context_options", self.context_options, self.gold)
        _check_text("continuation", self.continuation)


@dataclass(frozen=True, kw_only=True)
class LmCompletion(Item):
    """`continuation` is what stands after `context`."""

    context: str
    continuation: str

    def __post_init__(self) -> None:
        _check_text("continuation", self.continuation)


@dataclass(frozen=True, kw_only=True)
class MinimalPair(Item):
    """`good` is grammatical, `bad` is not, and nothing else sets them apart."""

    good: str
    bad: str

    def __post_init__(self) -> None:
        _check_options("good and bad", (self.good, self.bad), 0)


ITEM_CLASSES: dict[ItemType, type[Item]] = {
    "multiple_choice": MultipleChoice,
    "schema": Schema,
    "lm_completion": LmCompletion,
    "minimal_pair": MinimalPair,
}


def options_of(item: Item) -> tuple[str, ...]:
    """The texts among which a model has to choose; none where it completes a text."""
    match item:
        case MultipleChoice():
            return item.choices
        case Schema():
            return item.context_options
        case MinimalPair():
            return (item.good, item.bad)
    return ()


def _check_options(name: str, options: tuple[str, ...], gold: int) -> None:
    if len(options) < 2:
        raise ValueError(f"'{name}' needs two or more. Got {len(options)}.")
    if not 0 <= gold < len(options):
        raise ValueError(f"'gold' must be in [0, {len(options) - 1}], counted from 0. Got {gold}.")
    for option in options:
        _check_text(name, option)
    if options.count(options[gold]) > 1:
        raise ValueError(f"'{name}' holds the right answer twice: {options[gold]!r}")


def _check_text(name: str, text: str) -> None:
    if not text.strip():
        raise ValueError(f"'{name}' must hold text. Got {text!r}.")
