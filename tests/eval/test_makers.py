"""Suites made from held-out documents: what they ask, and that they are the same every time."""

import random

import pytest

from curation.errors import UserError
from eval.makers.cloze import make_cloze
from eval.makers.last_word import make_last_word
from eval.makers.passages import MAX_WORDS, MIN_WORDS, WORD, Document, passages
from eval.suites.items import LmCompletion, MultipleChoice

NOUNS = (
    "river stone garden window letter morning teacher engine harbour winter music paper forest "
    "market signal kitchen bridge doctor summer island method reason number answer"
)
FILLER = " ".join(["word"] * 28)


def documents(count: int = 40) -> list[Document]:
    """Paragraphs of sentences about few nouns, so that last words have often been said."""
    rng = random.Random(0)
    texts = []
    for _ in range(count):
        own = rng.sample(NOUNS.split(), 8)
        lines = [
            f"The {rng.choice(own)} of the {rng.choice(own)} was near the {rng.choice(own)}."
            for _ in range(40)
        ]
        texts.append(" ".join(lines[:25]) + "\n\n" + " ".join(lines[25:]))
    return [Document(f"r{i}", text) for i, text in enumerate(texts)]


def test_passages_are_whole_sentences_within_their_size() -> None:
    found = [p for d in documents(3) for p in passages(d)]
    assert len(found) > 10
    for passage in found:
        assert MIN_WORDS <= len(WORD.findall(passage.text)) <= MAX_WORDS
        assert "\n" not in passage.text
        assert passage.text.startswith("The ")
        assert passage.text.endswith(".")
        assert passage.text[passage.sentence :].startswith("The ")
        assert passage.text[: passage.sentence].endswith(". ")
    assert len({p.id for p in found}) == len(found)


@pytest.mark.parametrize(
    "text", ["", "\n\n\n", "One sentence only.", "A. " * 10, f"{FILLER} {FILLER} {FILLER}.", "...!"]
)
def test_texts_without_a_passage(text: str) -> None:
    assert list(passages(Document("r", text))) == []


def test_last_word_stands_in_an_earlier_sentence() -> None:
    suite = make_last_word(documents())
    assert len(suite.items) > 50
    for item in suite.items:
        assert isinstance(item, LmCompletion)
        assert len(item.continuation) >= 4
        before, _, _ = item.context.rpartition(". ")
        assert item.continuation in WORD.findall(before)
        assert item.group == item.id.split("@")[0]


def test_last_word_keeps_punctuation_out_of_the_answer() -> None:
    text = f"{FILLER} soil. It was good soil.”"
    (item,) = make_last_word([Document("r", text)]).items
    assert isinstance(item, LmCompletion)
    assert (item.continuation, item.context[-8:]) == ("soil", "was good")


@pytest.mark.parametrize(
    "end", ["It was good clay.", "It was soil 4.", "It was top-soil.", "It was (soil) so."]
)
def test_last_word_passes_over_what_was_not_said_or_is_no_word(end: str) -> None:
    with pytest.raises(UserError, match="no passage of the panels ends in a word"):
        make_last_word([Document("r", f"{FILLER} soil. {end}")])


def test_cloze_offers_four_words_before_the_same_rest() -> None:
    suite = make_cloze(documents())
    assert len(suite.items) > 50
    assert suite.header.baseline == 0.25
    for item in suite.items:
        assert isinstance(item, MultipleChoice)
        firsts = [WORD.match(choice) for choice in item.choices]
        words = [match.group() for match in firsts if match]
        assert len(set(words)) == 4
        rests = {choice[len(word) :] for choice, word in zip(item.choices, words, strict=True)}
        assert len(rests) == 1
        wrong = [w for i, w in enumerate(words) if i != item.gold]
        assert not set(wrong) & set(WORD.findall(item.query))
    assert len({item.gold for item in suite.items if isinstance(item, MultipleChoice)}) == 4


def test_cloze_is_not_told_by_the_frequency_of_its_words() -> None:
    docs = documents()
    counts: dict[str, int] = {}
    for word in (w for d in docs for w in WORD.findall(d.text)):
        counts[word] = counts.get(word, 0) + 1
    right = 0
    items = [i for i in make_cloze(docs).items if isinstance(i, MultipleChoice)]
    for item in items:
        sizes = [counts[WORD.findall(choice)[0]] for choice in item.choices]
        right += sizes[item.gold] == max(sizes)
    assert 0.1 < right / len(items) < 0.4


def test_suites_are_the_same_every_time_and_in_any_order_of_documents() -> None:
    docs = documents()
    for make in (make_last_word, make_cloze):
        assert make(docs).hash == make(docs).hash
        assert make(docs[::-1]).hash == make(docs).hash


def test_texts_that_repeat_are_asked_once() -> None:
    docs = documents(10)
    copies = [Document(f"copy of {d.record}", d.text) for d in docs]
    assert len(make_last_word(docs + copies).items) == len(make_last_word(docs).items)


def test_cloze_without_four_words_of_a_kind_is_refused() -> None:
    with pytest.raises(UserError, match="no passage with four words"):
        make_cloze([Document("r", f"{FILLER} soil. It was good.")])
