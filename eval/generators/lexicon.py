"""Common English words by what a template needs of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """A countable noun."""

    singular: str
    plural: str


@dataclass(frozen=True)
class Verb:
    """The forms of a verb: they sleep, she sleeps, she slept, she has slept."""

    base: str
    third: str
    past: str
    participle: str


def _nouns(words: str) -> tuple[Noun, ...]:
    """From `singular` with a plural in -s, or `singular/plural`."""
    pairs = (word.split("/") for word in words.split())
    return tuple(Noun(pair[0], pair[1] if len(pair) > 1 else f"{pair[0]}s") for pair in pairs)


def _verbs(words: str) -> tuple[Verb, ...]:
    """From `base/third/past` or `base/third/past/participle`."""
    forms = (word.split("/") for word in words.split())
    return tuple(Verb(form[0], form[1], form[2], form[-1]) for form in forms)


PEOPLE = _nouns(
    "doctor teacher farmer student worker writer driver lawyer nurse child/children friend "
    "neighbor singer painter guest soldier artist officer visitor customer"
)
MEN = _nouns("man/men boy king father brother son uncle husband prince grandfather")
WOMEN = _nouns(
    "woman/women girl queen mother sister daughter aunt wife/wives princess/princesses grandmother"
)
THINGS = _nouns(
    "book letter picture box/boxes key chair table cup map lamp coat knife/knives bottle basket "
    "wheel shirt hat stone clock ring"
)
MASS = ("water", "milk", "bread", "rice", "sand", "money", "sugar", "snow", "oil", "wood", "meat")

# Without an object.
INTRANSITIVE = _verbs(
    "sleep/sleeps/slept laugh/laughs/laughed smile/smiles/smiled wait/waits/waited "
    "cry/cries/cried fall/falls/fell/fallen arrive/arrives/arrived walk/walks/walked "
    "work/works/worked talk/talks/talked sit/sits/sat stay/stays/stayed"
)
# Never with an object, whatever its meaning.
NO_OBJECT = _verbs(
    "sleep/sleeps/slept smile/smiles/smiled arrive/arrives/arrived fall/falls/fell/fallen "
    "disappear/disappears/disappeared listen/listens/listened laugh/laughs/laughed "
    "appear/appears/appeared"
)
# With a thing as object, and never without one.
TAKE_THING = _verbs(
    "carry/carries/carried find/finds/found fix/fixes/fixed bring/brings/brought "
    "buy/buys/bought take/takes/took/taken make/makes/made keep/keeps/kept "
    "need/needs/needed want/wants/wanted use/uses/used remove/removes/removed "
    "receive/receives/received"
)
# With a person as object, and never without one.
TAKE_PERSON = _verbs(
    "thank/thanks/thanked visit/visits/visited follow/follows/followed like/likes/liked "
    "trust/trusts/trusted blame/blames/blamed protect/protects/protected love/loves/loved "
    "admire/admires/admired greet/greets/greeted"
)
# With oneself as object.
TAKE_SELF = ("hurt", "blamed", "helped", "protected", "washed", "taught", "liked", "trusted")

# Past and participle differ; with things that the verb goes with.
IRREGULAR: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("broke", "broken", ("cup", "chair", "lamp", "clock")),
    ("wrote", "written", ("letter", "book")),
    ("took", "taken", ("map", "key", "basket", "ring")),
    ("chose", "chosen", ("picture", "hat", "shirt", "book")),
    ("stole", "stolen", ("ring", "coat", "clock", "key")),
    ("wore", "worn", ("coat", "hat", "ring", "shirt")),
    ("drew", "drawn", ("map", "picture")),
    ("threw", "thrown", ("stone", "bottle", "hat")),
    ("hid", "hidden", ("knife", "letter", "key", "box")),
    ("tore", "torn", ("shirt", "map", "letter")),
    ("shook", "shaken", ("bottle", "box")),
    ("forgot", "forgotten", ("coat", "key", "book")),
)

ADJECTIVES = ("old", "clean", "small", "heavy", "new", "dirty", "beautiful", "broken")
FEELINGS = ("tired", "happy", "hungry", "angry", "sad", "ready", "careful", "quiet")
PLACES = (
    "in the garden", "near the river", "at the station", "in the kitchen", "by the window",
    "at school", "on the beach", "in the park", "near the bridge", "at home",
)  # fmt: skip
TIMES = ("yesterday", "last night", "that day", "this morning", "last week", "on Monday")
NEAR = ("near", "behind", "under", "beside", "next to")
