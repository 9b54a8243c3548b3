"""The built-in suites: the same bytes when made again, and not to be told by counting words."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.errors import UserError
from eval.generators.__main__ import main
from eval.generators.pairs import PHENOMENA, draw_pairs
from eval.suites.built_in import DATA, built_in, built_in_names
from eval.suites.items import MinimalPair, MultipleChoice

Score = Callable[[str], float]


def words(text: str) -> list[str]:
    return text.lower().rstrip(".?").replace(",", "").replace(".", "").split()


def by_phenomenon() -> dict[str, list[MinimalPair]]:
    pairs: defaultdict[str, list[MinimalPair]] = defaultdict(list)
    for item in built_in("minimal_pairs").items:
        assert isinstance(item, MinimalPair)
        pairs[item.phenomenon].append(item)
    return dict(pairs)


def recall_items() -> list[MultipleChoice]:
    items = [i for i in built_in("copy_recall").items if isinstance(i, MultipleChoice)]
    assert len(items) == 300
    return items


def test_data_files_are_what_the_generators_make(tmp_path: Path) -> None:
    main(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{n}.jsonl" for n in built_in_names()]
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (DATA / path.name).read_bytes()


def test_unknown_built_in_suggests_the_closest() -> None:
    with pytest.raises(UserError, match="Did you mean 'minimal_pairs'"):
        built_in("minimal_pair")


def test_minimal_pairs_cover_their_phenomena_without_repeats() -> None:
    pairs = by_phenomenon()
    assert {name: len(items) for name, items in pairs.items()} == dict.fromkeys(pairs, 100)
    assert len(pairs) == 19
    assert pairs.keys() == PHENOMENA.keys()
    for items in pairs.values():
        sentences = [text for item in items for text in (item.good, item.bad)]
        assert len(set(sentences)) == len(sentences)


def test_sentences_are_well_formed() -> None:
    for items in by_phenomenon().values():
        for text in (text for item in items for text in (item.good, item.bad)):
            assert text[0].isupper()
            assert text[-1] in ".?"
            assert "  " not in text
            assert "{" not in text


def share_right(items: list[MinimalPair], score: Score) -> float:
    """Accuracy of `score`; a tie counts half."""
    gaps = [score(item.good) - score(item.bad) for item in items]
    return sum(1.0 if gap > 1e-9 else 0.5 if gap > -1e-9 else 0.0 for gap in gaps) / len(gaps)


@pytest.mark.parametrize("seed", range(3))
def test_no_unigram_model_tells_good_from_bad(seed: int) -> None:
    rng = random.Random(seed)
    weights: defaultdict[str, float] = defaultdict(rng.random)
    for name, items in by_phenomenon().items():
        accuracy = share_right(items, lambda text: sum(weights[w] for w in words(text)))
        assert accuracy == pytest.approx(0.5, abs=0.02), name


def test_frequency_in_the_suite_does_not_tell_good_from_bad() -> None:
    pairs = by_phenomenon()
    counts = Counter(w for items in pairs.values() for i in items for w in words(i.good))
    for name, items in pairs.items():
        accuracy = share_right(items, lambda text: sum(counts[w] for w in words(text)))
        assert accuracy == pytest.approx(0.5, abs=0.02), name


def test_length_does_not_tell_good_from_bad() -> None:
    for name, items in by_phenomenon().items():
        assert share_right(items, len) == pytest.approx(0.5, abs=0.02), name


def test_too_many_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="makes no 100000 different pairs"):
        draw_pairs("irregular_forms", 100_000)


def test_recall_choices_all_stand_in_the_context() -> None:
    for item in recall_items():
        held = words(item.query.replace(".", " "))
        assert all(choice in held for choice in item.choices), item
        assert len(set(item.choices)) == 4
        if item.phenomenon != "copying":
            counts = {held.count(choice) for choice in item.choices}
            assert len(counts) == 1, item


def test_recall_answers_follow_from_the_context() -> None:
    for item in recall_items():
        right = item.choices[item.gold]
        if item.phenomenon == "associative_recall":
            thing = item.query.rsplit("The ", 1)[1].removesuffix(" is")
            assert f"The {thing} is {right}." in item.query
        elif item.phenomenon == "copying":
            assert f"{item.query.rsplit(maxsplit=1)[1]} {right}" in item.query
        else:
            assert item.query.startswith(f"{right} ")
            assert f"{item.query.rsplit(maxsplit=1)[1]} {right}" in item.query


def test_recall_right_place_is_balanced_and_queries_differ() -> None:
    items = recall_items()
    assert Counter(item.gold for item in items) == dict.fromkeys(range(4), 75)
    assert len({item.query for item in items}) == len(items)
