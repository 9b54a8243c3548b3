"""The suite `copy_recall`: does the model use what stands in its context?

Every item offers four words, all of which the context holds equally often: only their places
tell which one is next.

copying             a list of words, and the same list again up to the word asked for
associative_recall  things and their colours in one order, one of them again
repetition          a pattern of words over and over, cut within
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from eval.suites.header import Header
from eval.suites.items import MultipleChoice
from eval.suites.suite import Suite

ITEMS = 100  # per kind
CHOICES = 4
WORDS = (
    "apple bridge candle desert engine flower garden hammer island jacket kitchen ladder mirror "
    "needle ocean pencil river shadow table window winter yellow button cotton dragon forest "
    "guitar honey insect letter market number orange planet rabbit silver tunnel valley"
)
THINGS = ("book", "cup", "hat", "key", "door", "chair", "coat", "lamp", "boat", "ball")
COLOURS = ("red", "blue", "green", "white", "black", "brown", "pink", "gray")
LENGTHS = (5, 6, 8)  # of lists

HEADER = Header(
    name="copy_recall",
    version=1,
    type="multiple_choice",
    source="eval.generators.copy_recall",
    licence="Apache-2.0",
    formulation="cloze",
    baseline=1 / CHOICES,
)


def make_copy_recall() -> Suite:
    """All kinds; the same every time."""
    items: list[MultipleChoice] = []
    for kind, make in KINDS.items():
        rng = Random(f"copy recall: {kind}")
        queries: dict[str, tuple[str, list[str]]] = {}
        while len(queries) < ITEMS:
            query, right, wrong = make(rng)
            queries.setdefault(query, (right, wrong))
        for i, (query, (right, wrong)) in enumerate(queries.items()):
            items.append(_item(kind, i, query, right, wrong))
    return Suite(HEADER, tuple(items))


Drawn = tuple[str, str, list[str]]  # context, next word, other words of the context


def _copying(rng: Random) -> Drawn:
    words = _distinct(rng, WORDS.split(), rng.choice(LENGTHS))
    place = rng.randrange(1, len(words) - CHOICES + 1)  # CHOICES words are yet to come
    query = f"{' '.join(words)}. {' '.join(words[:place])}"
    return query, words[place], words[place + 1 :]


def _associative_recall(rng: Random) -> Drawn:
    count = rng.choice((4, 6))
    things, colours = _distinct(rng, THINGS, count), _distinct(rng, COLOURS, count)
    facts = " ".join(f"The {t} is {c}." for t, c in zip(things, colours, strict=True))
    asked = rng.randrange(count)
    others = [colour for colour in colours if colour != colours[asked]]
    return f"{facts} The {things[asked]} is", colours[asked], others


def _repetition(rng: Random) -> Drawn:
    words = _distinct(rng, WORDS.split(), CHOICES)
    rounds, place = rng.choice((2, 3)), rng.randrange(CHOICES)
    # The pattern starts within a round and ends a whole number of rounds later: every word has
    # been seen equally often.
    start = [words[(place + i) % CHOICES] for i in range(CHOICES * rounds)]
    return " ".join(start), start[0], [w for w in words if w != start[0]]


KINDS: dict[str, Callable[[Random], Drawn]] = {
    "copying": _copying,
    "associative_recall": _associative_recall,
    "repetition": _repetition,
}


def _distinct(rng: Random, words: Sequence[str], count: int) -> list[str]:
    """`count` different words in a random order."""
    left = list(words)
    return [left.pop(rng.randrange(len(left))) for _ in range(count)]


def _item(kind: str, number: int, query: str, right: str, wrong: list[str]) -> MultipleChoice:
    """The right word takes each place in turn."""
    gold = number % CHOICES
    choices = wrong[: CHOICES - 1]
    choices.insert(gold, right)
    return MultipleChoice(
        id=f"{kind}-{number:03d}", phenomenon=kind, query=query, choices=tuple(choices), gold=gold
    )
