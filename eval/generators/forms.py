"""Phenomena of word forms: agreement, anaphora, determiners, quantifiers, case, verb forms."""

from __future__ import annotations

from random import Random

from eval.generators import lexicon as words
from eval.generators.pairs import Pair, phenomenon, sentence


@phenomenon
def subject_verb_agreement(rng: Random) -> list[Pair]:
    """The doctor sleeps / *sleep at home."""
    who, verb, where = rng.choice(_ANYONE), rng.choice(words.INTRANSITIVE), rng.choice(words.PLACES)
    return [
        _pair(f"the {who.singular} {{}} {where}", verb.third, verb.base),
        _pair(f"the {who.plural} {{}} {where}", verb.base, verb.third),
    ]


@phenomenon
def agreement_across_phrase(rng: Random) -> list[Pair]:
    """The key near the boxes is / *are old."""
    what, other = two(rng, words.THINGS)
    near, adjective = rng.choice(words.NEAR), rng.choice(words.ADJECTIVES)
    one, many = rng.choice((("is", "are"), ("was", "were"), ("looks", "look"), ("seems", "seem")))
    return [
        _pair(f"the {what.singular} {near} the {other.plural} {{}} {adjective}", one, many),
        _pair(f"the {what.plural} {near} the {other.singular} {{}} {adjective}", many, one),
    ]


@phenomenon
def agreement_across_clause(rng: Random) -> list[Pair]:
    """The nurse that the farmers trust waits / *wait outside."""
    who, other = two(rng, words.PEOPLE)
    verb, like = rng.choice(words.INTRANSITIVE), rng.choice(words.TAKE_PERSON)
    where = rng.choice(words.PLACES)
    one = f"the {who.singular} that the {other.plural} {like.base} {{}} {where}"
    many = f"the {who.plural} that the {other.singular} {like.third} {{}} {where}"
    return [_pair(one, verb.third, verb.base), _pair(many, verb.base, verb.third)]


@phenomenon
def anaphor_gender(rng: Random) -> list[Pair]:
    """The king hurt himself / *herself."""
    number = rng.randrange(len(words.MEN))
    verb, when = rng.choice(words.TAKE_SELF), rng.choice(words.TIMES)
    man, woman = words.MEN[number].singular, words.WOMEN[number].singular
    return [
        _pair(f"the {man} {verb} {{}} {when}", "himself", "herself"),
        _pair(f"the {woman} {verb} {{}} {when}", "herself", "himself"),
    ]


@phenomenon
def anaphor_number(rng: Random) -> list[Pair]:
    """The boys hurt themselves / *himself."""
    who, own = rng.choice(
        [(n, "himself") for n in words.MEN] + [(n, "herself") for n in words.WOMEN]
    )
    verb, when = rng.choice(words.TAKE_SELF), rng.choice(words.TIMES)
    return [
        _pair(f"the {who.plural} {verb} {{}} {when}", "themselves", own),
        _pair(f"the {who.singular} {verb} {{}} {when}", own, "themselves"),
    ]


@phenomenon
def determiner_noun_agreement(rng: Random) -> list[Pair]:
    """The nurse found this book / *books."""
    who, what, verb = rng.choice(_ANYONE), rng.choice(words.THINGS), rng.choice(words.TAKE_THING)
    one, many = rng.choice(
        (("this", "these"), ("that", "those"), ("one", "two"), ("one", "several"))
    )
    start, where = f"the {who.singular} {verb.past}", rng.choice(words.PLACES)
    return [
        _pair(f"{start} {one} {{}} {where}", what.singular, what.plural),
        _pair(f"{start} {many} {{}} {where}", what.plural, what.singular),
    ]


@phenomenon
def quantifiers(rng: Random) -> list[Pair]:
    """Every / *all child was tired; the nurse saw many / *much books."""
    if rng.random() < 0.5:
        who, feeling = rng.choice(_ANYONE), rng.choice(words.FEELINGS)
        one, many = rng.choice(("every", "each")), rng.choice(("all", "most", "several", "many"))
        start, when = rng.choice(("it seems that", "of course")), rng.choice(words.TIMES)
        return [
            _pair(f"{start} {{}} {who.singular} was {feeling} {when}", one, many),
            _pair(f"{start} {{}} {who.plural} were {feeling} {when}", many, one),
        ]
    who, what, mass = rng.choice(_ANYONE), rng.choice(words.THINGS), rng.choice(words.MASS)
    few, little = rng.choice((("too many", "too much"), ("very few", "very little")))
    start = f"the {who.singular} {rng.choice(('bought', 'found', 'saw', 'needed'))}"
    when = rng.choice(words.TIMES)
    return [
        _pair(f"{start} {{}} {what.plural} {when}", few, little),
        _pair(f"{start} {{}} {mass} {when}", little, few),
    ]


@phenomenon
def irregular_forms(rng: Random) -> list[Pair]:
    """The boy has broken / *broke the cup."""
    past, participle, things = rng.choice(words.IRREGULAR)
    who, what = rng.choice(_ANYONE).singular, rng.choice(things)
    has = rng.choice(("has", "had"))
    return [
        _pair(f"the {who} {has} {{}} the {what}", participle, past),
        _pair(f"the {who} {{}} the {what}", past, participle),
    ]


@phenomenon
def verb_form(rng: Random) -> list[Pair]:
    """The boy will walk / *walked; has walked / *walk."""
    who, verb = rng.choice(_ANYONE).singular, rng.choice(words.INTRANSITIVE)
    where, modal = rng.choice(words.PLACES), rng.choice(("will", "can", "must", "should"))
    return [
        _pair(f"the {who} {modal} {{}} {where}", verb.base, verb.participle),
        _pair(f"the {who} has {{}} {where}", verb.participle, verb.base),
    ]


@phenomenon
def pronoun_case(rng: Random) -> list[Pair]:
    """That day he / *him thanked the nurse."""
    who, verb = rng.choice(_ANYONE).singular, rng.choice(words.TAKE_PERSON).past
    subject, object_ = rng.choice((("he", "him"), ("she", "her"), ("they", "them"), ("we", "us")))
    when = rng.choice(words.TIMES)
    return [
        _pair(f"{when} {{}} {verb} the {who}", subject, object_),
        _pair(f"{when} the {who} {verb} {{}}", object_, subject),
    ]


_ANYONE = words.PEOPLE + words.MEN + words.WOMEN


def _pair(frame: str, good: str, bad: str) -> Pair:
    return sentence(frame.format(good)), sentence(frame.format(bad))


def two(rng: Random, nouns: tuple[words.Noun, ...]) -> tuple[words.Noun, words.Noun]:
    """Two different nouns."""
    first = rng.randrange(len(nouns))
    second = (first + rng.randrange(1, len(nouns))) % len(nouns)
    return nouns[first], nouns[second]
