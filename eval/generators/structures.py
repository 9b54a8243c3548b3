"""Phenomena of structure: islands, gaps, licensing, binding, ellipsis, objects of verbs."""

from __future__ import annotations

from random import Random

from eval.generators import lexicon as words
from eval.generators.forms import two
from eval.generators.pairs import Pair, phenomenon, sentence

_OPENERS = ("in fact", "of course", "it seems that", "people say that", "we believe that")
_LATER = ("before", "after", "because", "when")


@phenomenon
def adjunct_island(rng: Random) -> list[Pair]:
    """What did the boy find before the girl fixed the lamp / *find the lamp before she fixed?"""
    who, other = (noun.singular for noun in two(rng, words.PEOPLE))
    what = rng.choice(words.THINGS).plural
    first, second = rng.choice(words.TAKE_THING).base, rng.choice(words.TAKE_THING).past
    later = rng.choice(_LATER)
    return [
        _questions(
            f"what did the {who} {first} {later} the {other} {second} the {what}",
            f"what did the {who} {first} the {what} {later} the {other} {second}",
        )
    ]


@phenomenon
def complex_np_island(rng: Random) -> list[Pair]:
    """What will the man who can thank the nurse fix / *who can fix thank the nurse?"""
    who, other = (noun.singular for noun in two(rng, words.PEOPLE))
    thing, person = rng.choice(words.TAKE_THING).base, rng.choice(words.TAKE_PERSON).base
    will = rng.choice(("will", "must", "should"))
    can = rng.choice(("can", "may", "could"))
    return [
        _questions(
            f"what {will} the {who} who {can} {person} the {other} {thing}",
            f"what {will} the {who} who {can} {thing} {person} the {other}",
        )
    ]


@phenomenon
def coordinate_island(rng: Random) -> list[Pair]:
    """What did the boy and the girl find / *find and the girl?"""
    who, other = (noun.singular for noun in two(rng, words.PEOPLE))
    verb, when = rng.choice(words.TAKE_THING).base, rng.choice(words.TIMES)
    return [
        _questions(
            f"what did the {who} and the {other} {verb} {when}",
            f"what did the {who} {verb} and the {other} {when}",
        )
    ]


@phenomenon
def filler_gap(rng: Random) -> list[Pair]:
    """The nurse knows what / *that the boy found; that / *what the boy found the key."""
    who, other = (noun.singular for noun in two(rng, words.PEOPLE))
    verb, what = rng.choice(words.TAKE_THING).past, rng.choice(words.THINGS).singular
    knows, where = rng.choice(("knows", "remembers", "forgot", "saw")), rng.choice(words.PLACES)
    start = f"the {who} {knows}"
    gap, filled = f"the {other} {verb} {where}", f"the {other} {verb} the {what} {where}"
    return [
        _sentences(f"{start} what {gap}", f"{start} that {gap}"),
        _sentences(f"{start} that {filled}", f"{start} what {filled}"),
    ]


@phenomenon
def argument_structure(rng: Random) -> list[Pair]:
    """The boy found / *arrived the key again; the boy arrived / *found again."""
    who, what = rng.choice(words.PEOPLE).singular, rng.choice(words.THINGS).singular
    takes, none = rng.choice(words.TAKE_THING).past, rng.choice(words.NO_OBJECT).past
    end = rng.choice(("again", "there", "too", "once more"))
    return [
        _sentences(f"the {who} {takes} the {what} {end}", f"the {who} {none} the {what} {end}"),
        _sentences(f"the {who} {none} {end}", f"the {who} {takes} {end}"),
    ]


@phenomenon
def npi_ever(rng: Random) -> list[Pair]:
    """No man that the girls liked / *the man that no girls liked has ever slept."""
    who, other = two(rng, words.PEOPLE)
    like, verb = rng.choice(words.TAKE_PERSON).past, rng.choice(words.INTRANSITIVE).participle
    opener, where = rng.choice(_OPENERS), rng.choice(words.PLACES)
    end = f"{other.plural} {like} has ever {verb} {where}"
    return [
        _sentences(
            f"{opener} no {who.singular} that the {end}",
            f"{opener} the {who.singular} that no {end}",
        )
    ]


@phenomenon
def npi_any(rng: Random) -> list[Pair]:
    """The boy who is tired has not / *who is not tired has bought any bread."""
    who, feeling = rng.choice(words.PEOPLE).singular, rng.choice(words.FEELINGS)
    verb, mass = rng.choice(words.TAKE_THING).participle, rng.choice(words.MASS)
    has = rng.choice(("has", "had"))
    return [
        _sentences(
            f"the {who} who is {feeling} {has} not {verb} any {mass}",
            f"the {who} who is not {feeling} {has} {verb} any {mass}",
        )
    ]


@phenomenon
def binding(rng: Random) -> list[Pair]:
    """The sister of the king, or: the king says that the queen, hurt herself / *himself."""
    man, woman = rng.choice(words.MEN).singular, rng.choice(words.WOMEN).singular
    verb, when = rng.choice(words.TAKE_SELF), rng.choice(words.TIMES)
    if rng.random() < 0.5:
        join = rng.choice(("who knows", "near", "behind", "who trusts"))
        hers, his = f"the {woman} {join} the {man}", f"the {man} {join} the {woman}"
    else:
        says = rng.choice(("says", "thinks", "knows"))
        hers, his = f"the {man} {says} that the {woman}", f"the {woman} {says} that the {man}"
    return [
        _sentences(f"{hers} {verb} herself {when}", f"{hers} {verb} himself {when}"),
        _sentences(f"{his} {verb} himself {when}", f"{his} {verb} herself {when}"),
    ]


@phenomenon
def ellipsis(rng: Random) -> list[Pair]:
    """The boy is tired, and the girl is / *does too; the boy waits, and the girl does / *is too."""
    who, other = (noun.singular for noun in two(rng, words.PEOPLE))
    verb, feeling = rng.choice(words.INTRANSITIVE), rng.choice(words.FEELINGS)
    where = rng.choice(words.PLACES)
    form, be, do = rng.choice(((verb.third, "is", "does"), (verb.past, "was", "did")))
    state = f"the {who} {be} {feeling} {where}, and the {other}"
    act = f"the {who} {form} {where}, and the {other}"
    return [
        _sentences(f"{state} {be} too", f"{state} {do} too"),
        _sentences(f"{act} {do} too", f"{act} {be} too"),
    ]


def _sentences(good: str, bad: str) -> Pair:
    return sentence(good), sentence(bad)


def _questions(good: str, bad: str) -> Pair:
    return sentence(good, "?"), sentence(bad, "?")
