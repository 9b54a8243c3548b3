"""Decontamination: what counts as found, against plain Python, in any partition."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curation.config import build
from curation.decontaminate.index import build_index, map_index, save_index
from curation.decontaminate.passages import make_passages
from curation.decontaminate.scan import find_hits
from curation.decontaminate.stage import Decontaminate
from curation.errors import UserError
from tests.corpora import prose
from tests.curation.decontaminate.plain_search import plain_hits
from tests.curation.decontaminate.running import Outcome, in_reverse, question, run
from tests.curation.odd_texts import FRAGMENTS

ASKED = (
    "A baker sells forty loaves every morning and twice as many rolls; after a storm only half "
    "of the customers arrive. How many loaves and rolls are left over when the shop closes?"
)
HALF = " ".join(ASKED.split()[:16])
SHORT = "Which organ filters the blood of mammals?"  # seven words
ANSWER = "the kidneys of the animal remove waste from the blood"


def around(text: str, seed: int = 0) -> str:
    """A document with `text` as one of its paragraphs."""
    return f"{prose(seed)}\n\n{text}\n\n{prose(seed + 1000)}"


def find(tmp_path: Path, text: str, *evidence: tuple[str, str, str, str], **given: Any) -> Outcome:
    """One document with `text`, and one without."""
    return run(tmp_path, [around(text), prose(7)], evidence, **given)


# --- what is found


@pytest.mark.parametrize(
    "text",
    [
        ASKED,
        ASKED.upper(),
        "  ".join(ASKED.lower().split()),
        "\n".join(ASKED.split(" ")),
        "".join(c if c.isalpha() else " - " for c in ASKED),
        ASKED.replace("storm", "parade"),
        ASKED.replace("forty", "ninety").replace("customers", "guests"),
        f"Q: {ASKED} A: 60",
    ],
    ids=["verbatim", "capitals", "spaces", "lines", "punctuation", "1 word", "2 words", "labels"],
)
def test_question_is_found_however_it_is_written(tmp_path: Path, text: str) -> None:
    found = find(tmp_path, text, question(ASKED))
    assert found.found == [("d0", "q")]
    assert found.texts[0] is None
    assert found.texts[1] == prose(7)


def test_half_of_a_question_is_found_and_a_third_is_not(tmp_path: Path) -> None:
    words = ASKED.split()
    assert find(tmp_path / "a", HALF, question(ASKED)).found
    assert not find(tmp_path / "b", " ".join(words[: len(words) // 3]), question(ASKED)).found


@pytest.mark.parametrize(
    ("count", "found"), [(14, True), (13, False)], ids=["just inside", "just outside"]
)
def test_overlap_is_the_share_of_words(tmp_path: Path, count: int, found: bool) -> None:
    words = [f"word{i}" for i in range(30)]
    outcome = find(
        tmp_path, " ".join(words[:count]), question(" ".join(words)), min_overlap=14 / 30
    )
    assert [hit["overlap"] for hit in outcome.hits] == ([14 / 30] if found else [])


@pytest.mark.parametrize(("count", "found"), [(8, True), (7, False)])
def test_part_of_a_question_needs_min_words(tmp_path: Path, count: int, found: bool) -> None:
    words = [f"word{i}" for i in range(12)]
    outcome = find(tmp_path, " ".join(words[:count]), question(" ".join(words)))
    assert bool(outcome.hits) == found


@pytest.mark.parametrize(("count", "found"), [(13, True), (12, False)])
def test_part_of_a_question_without_its_first_word_needs_more(
    tmp_path: Path, count: int, found: bool
) -> None:
    words = [f"word{i}" for i in range(20)]
    outcome = find(tmp_path, " ".join(words[1 : 1 + count]), question(" ".join(words)))
    assert bool(outcome.hits) == found


@pytest.mark.parametrize(("min_chars", "found"), [(24, True), (25, False)])
def test_part_of_a_question_needs_min_chars(tmp_path: Path, min_chars: int, found: bool) -> None:
    words = [f"w{i:02}" for i in range(12)]
    outcome = find(tmp_path, " ".join(words[:8]), question(" ".join(words)), min_chars=min_chars)
    assert bool(outcome.hits) == found


def test_short_question_is_found_whole_with_word_bounds_only(tmp_path: Path) -> None:
    asked = "Who painted Guernica in Paris"  # 25 letters
    assert find(tmp_path / "a", "So: who painted GUERNICA, in Paris?!", question(asked)).found
    for i, other in enumerate(
        ["who painted guernica in parisian", "who painted the guernica in paris", asked[:-6]]
    ):
        assert not find(tmp_path / f"b{i}", other, question(asked)).found


@pytest.mark.parametrize(("min_chars_whole", "found"), [(25, True), (26, False)])
def test_short_question_must_be_distinctive(
    tmp_path: Path, min_chars_whole: int, found: bool
) -> None:
    asked = "Who painted Guernica in Paris"
    outcome = find(tmp_path, asked, question(asked), min_chars_whole=min_chars_whole)
    assert bool(outcome.hits) == found
    assert outcome.state("q") == ("contaminated" if found else "too_short")


def test_words_of_an_item_that_are_scattered_are_no_hit(tmp_path: Path) -> None:
    words = [f"word{i}" for i in range(40)]
    parts = [" ".join(words[i : i + 6]) for i in range(0, 40, 10)]
    together, apart = " and ".join(parts), f" {prose(3)} ".join(parts)
    assert find(tmp_path / "a", together, question(" ".join(words))).found
    assert not find(tmp_path / "b", apart, question(" ".join(words))).found


def test_blocks_of_a_long_text_are_found_one_by_one(tmp_path: Path) -> None:
    words = [f"word{i}" for i in range(450)]
    text = ("panel", "p", "text", " ".join(words))
    assert find(tmp_path / "a", " ".join(words[230:290]), text).found  # of 112 from word 225 on
    assert not find(tmp_path / "b", " ".join(words[200:260]), text).found


def test_words_before_and_after_that_a_suite_has_everywhere_are_left_out(tmp_path: Path) -> None:
    evidence = [question(f"Question: {ASKED} Answer:", "q")]
    asked = [" ".join(prose(100 + i).split()[:7]) for i in range(12)]
    evidence += [question(f"Question: {a}\nAnswer:", str(i)) for i, a in enumerate(asked)]
    outcome = find(tmp_path, asked[3], *evidence)
    assert outcome.found == [("d0", "3")]
    assert outcome.hits[0]["overlap"] == 1


@pytest.mark.parametrize("text", ["农民一大早就翻了什么地方？", "農民は朝早く何を耕しましたか"])
def test_question_in_a_script_without_spaces_is_found(tmp_path: Path, text: str) -> None:
    assert find(tmp_path / "a", f"問：{text}答", question(text)).found
    assert not find(tmp_path / "b", text[:5], question(text)).found


# --- questions and answers


def test_answer_alone_is_no_contamination(tmp_path: Path) -> None:
    evidence = [question(SHORT), ("quiz", "q", "answer", ANSWER), ("quiz", "q", "choice", HALF)]
    assert not find(tmp_path / "a", ANSWER, *evidence).found
    assert not find(tmp_path / "b", HALF, *evidence).found  # a wrong choice tells nothing
    both = find(tmp_path / "c", f"{SHORT} {ANSWER}", *evidence)
    assert both.hits[0]["field"] == "question"  # all of the question is enough
    assert both.found == [("d0", "q")]


def test_answer_counts_next_to_a_question_too_short_to_tell(tmp_path: Path) -> None:
    evidence = [question("To fold a fan"), ("quiz", "q", "answer", ANSWER)]
    assert not find(tmp_path / "a", "To fold a fan, begin.", *evidence).found
    assert not find(tmp_path / "b", ANSWER, *evidence).found
    both = find(tmp_path / "c", f"To fold a fan: {ANSWER}", *evidence)
    assert [hit["field"] for hit in both.hits] == ["question+answer"]
    assert both.hits[0]["overlap"] == 1


def test_answer_that_repeats_the_question_is_not_counted_twice(tmp_path: Path) -> None:
    quote = "the only thing we have to fear"
    evidence = [
        question(f"Correct this quotation: {quote} is the enemy"),
        ("quiz", "q", "answer", f"{quote} is fear itself"),
    ]
    assert not find(tmp_path, f"He said {quote} was rain.", *evidence).found


def test_item_without_question_cannot_be_checked(tmp_path: Path) -> None:
    outcome = find(tmp_path, ANSWER, ("quiz", "q", "answer", ANSWER), question(ASKED, "other"))
    assert outcome.state("q") == "no_question"
    assert outcome.state("other") == "clean"
    assert outcome.report["suites"]["quiz"]["no_question"] == 1


@pytest.mark.parametrize("text", ["25 - 759 =", "Easy bookshelf.", "", "?!", "one two three"])
def test_item_too_short_is_counted(tmp_path: Path, text: str) -> None:
    outcome = find(tmp_path, f"{text} and more", question(text), question(ASKED, "other"))
    assert not outcome.found
    assert outcome.state("q") == "too_short"
    assert outcome.report["suites"]["quiz"]["too_short"] == 1


# --- what is common does not count


@pytest.mark.parametrize(("max_df", "found"), [(5, 5), (4, 0)])
def test_n_grams_of_many_documents_do_not_count(tmp_path: Path, max_df: int, found: int) -> None:
    texts = [around(ASKED, i) if i < 5 else prose(i) for i in range(10)]
    outcome = run(tmp_path, texts, [question(ASKED)], max_df=max_df)
    assert len(outcome.hits) == found
    assert outcome.state("q") == ("contaminated" if found else "too_common")
    assert outcome.report["evidence"]["common_n_grams"] == (0 if found else len(ASKED.split()) - 5)


@pytest.mark.parametrize(("frac", "found"), [(0.5, 5), (0.49, 0)])
def test_n_grams_of_a_share_of_documents_do_not_count(
    tmp_path: Path, frac: float, found: int
) -> None:
    texts = [around(ASKED, i) if i < 5 else prose(i) for i in range(10)]
    outcome = run(tmp_path, texts, [question(ASKED)], max_df=1, max_df_frac=frac)
    assert len(outcome.hits) == found


def test_overlap_is_of_what_is_not_common(tmp_path: Path) -> None:
    """An item that quotes a licence is told by the rest of it."""
    licence = "this software is provided as is without warranty of any kind express or implied"
    rest = "which of these courts upheld the clause against a farmer in nineteen ninety"
    texts = [around(licence, i) for i in range(4)] + [around(rest, 9)]
    outcome = run(tmp_path, texts, [question(f"{licence} {rest}")], max_df=3)
    assert outcome.found == [("d4", "q")]
    assert outcome.hits[0]["overlap"] > 0.7


@pytest.mark.parametrize(("max_items", "found"), [(8, True), (7, False)])
def test_n_grams_of_many_items_do_not_count(tmp_path: Path, max_items: int, found: bool) -> None:
    template = "given two strings determine the length of their longest common subsequence"
    evidence = [question(f"{template} {i}", str(i)) for i in range(8)]
    outcome = find(tmp_path, template, *evidence, max_items=max_items)
    assert bool(outcome.hits) == found


def test_rows_of_zeros_are_a_template(tmp_path: Path) -> None:
    """Each of 190 places in a document could else stand for each of 290 in the item."""
    zeros = "0 " * 300
    outcome = find(tmp_path, "0 " * 200, question(f"{ASKED} {zeros}"))
    assert not outcome.found
    assert outcome.report["evidence"]["template_n_grams"] == 1
    assert outcome.state("q") == "clean"


# --- hard negatives: texts that share what is common with items, and are none

NEGATIVES = {
    "quote": (
        "In which speech does Lincoln say that government of the people, by the people, for the "
        "people, shall not perish from the earth, and to which assembly did he address it?",
        "He liked to say that government of the people, by the people, for the people needs care.",
    ),
    "licence": (
        "A clause reads: THE SOFTWARE IS PROVIDED AS IS, WITHOUT WARRANTY OF ANY KIND. Under which "
        "doctrine may a consumer in Norway still claim damages from the seller of a program?",
        "THE SOFTWARE IS PROVIDED AS IS, WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED.",
    ),
    "code": (
        "def first_repeat(numbers):\n    for i in range(len(numbers)):\n"
        "        for j in range(i + 1, len(numbers)):\n"
        "            if numbers[i] == numbers[j]:\n                return numbers[i]",
        "for i in range(len(names)):\n    for j in range(i + 1, len(names)):\n        swap(i, j)",
    ),
    "identity": (
        "Let a and b be real numbers such that (a + b)^2 = a^2 + 2ab + b^2 and their product is "
        "seven. What is the smallest value that the sum of their squares can take?",
        "Recall that (a + b)^2 = a^2 + 2ab + b^2 for all real numbers.",
    ),
    "topic": (
        "Which organ of the human body filters waste from the blood and makes urine?",
        "The kidneys, organs of the human body, filter waste from the blood and make urine.",
    ),
    "name": (
        "Could Edward Snowden have visited the headquarters of the United Nations Conference on "
        "Trade and Development?",
        "He spoke at the United Nations Conference on Trade and Development on Monday.",
    ),
    "idiom": (
        "What is too much money chasing too few goods?",
        "Inflation, economists say, is too much money chasing too few goods.",
    ),
}


@pytest.mark.parametrize("name", NEGATIVES)
def test_hard_negative_is_clean(tmp_path: Path, name: str) -> None:
    asked, text = NEGATIVES[name]
    assert not find(tmp_path / "a", text, question(asked)).found
    assert find(tmp_path / "b", asked, question(asked)).found  # and the item itself is found


# --- actions


@pytest.mark.parametrize("action", ["drop", "cut", "mark"])
def test_actions_report_the_same_hits(tmp_path: Path, action: str) -> None:
    outcome = find(tmp_path, f"See: {ASKED}", question(ASKED), action=action)
    whole = around(f"See: {ASKED}")
    without = f"{prose(0)}\n\n{prose(1000)}"
    assert outcome.texts[0] == {"drop": None, "cut": without, "mark": whole}[action]
    (hit,) = outcome.hits
    assert hit["text"] == ASKED[:-1]
    assert whole.encode()[hit["start"] : hit["stop"]].decode() == hit["text"]
    assert [hit[name] for name in ("source", "suite", "field", "overlap")] == [
        "s", "quiz", "question", 1.0,
    ]  # fmt: skip
    assert outcome.report["contaminated"] == 1


def test_dropped_document_names_its_strongest_item(tmp_path: Path) -> None:
    evidence = [question(f"{ASKED} {prose(50)}", "half"), question(ASKED, "whole")]
    (row,) = find(tmp_path, ASKED, *evidence).decisions
    assert row["drop_reason"] == "contaminated"
    assert row["drop_value"] == "quiz/whole/1.000"
    assert row["drop_threshold"] == "0.45"


def test_cut_takes_the_match_alone_or_every_paragraph_of_it(tmp_path: Path) -> None:
    text = f"Köln:\n{ASKED} 農\n\n\n{HALF}!\n\nThe end."
    given: dict[str, Any] = {"evidence": [question(ASKED)], "action": "cut"}
    cut = run(tmp_path / "a", [text], cut="match", **given)
    assert cut.texts == ["Köln:\n!\n\nThe end."] or cut.texts == ["Köln:\n? 農\n\n\n!\n\nThe end."]
    assert run(tmp_path / "b", [text], **given).texts == ["The end."]
    assert run(tmp_path / "c", [f"It begins.\n\n\n{ASKED}\n"], **given).texts == ["It begins."]
    assert run(tmp_path / "d", [ASKED], **given).texts == [""]


# --- against plain Python


def small_corpus(seed: int) -> tuple[list[str | None], list[tuple[str, str, str, str]]]:
    """Texts and evidence of few words, so that they share much."""
    draw = random.Random(seed)
    words = ["Köln", "river", "stone", "the", "of", "農民", "don't", "3.14", "garden", "x_1", "ÉTÉ"]

    def some(most: int) -> str:
        return " ".join(draw.choices(words, k=draw.randint(0, most)))

    evidence = []
    for i in range(8):
        evidence.append(question(some(draw.choice([9, 25, 40])), f"q{i}"))
        if draw.random() < 0.5:
            evidence.append(("quiz", f"q{i}", "answer", some(12)))
        if draw.random() < 0.3:
            evidence.append(("quiz", f"q{i}", "choice", some(12)))
    evidence.append(("panel", "p", "text", some(10) + " ".join(draw.choices(words, k=330))))
    texts: list[str | None] = [some(60) for _ in range(12)]
    for i in range(12):
        pieces = draw.choice(evidence)[3].split()
        a = draw.choice([0, 0, draw.randint(0, max(0, len(pieces) - 5))])
        piece = pieces[a : a + draw.choice([9, 14, 40, 200])]
        if piece and draw.random() < 0.3:
            piece[draw.randrange(len(piece))] = "changed"
        texts.append(
            f"{some(9)} {' '.join(piece)}. {some(9)}".upper() if i % 2 else " ".join(piece)
        )
    return [*texts, None, ""], evidence


@pytest.mark.parametrize("seed", range(12))
def test_hits_are_those_of_plain_python(tmp_path: Path, seed: int) -> None:
    texts, evidence = small_corpus(seed)
    n_gram, max_df = [(3, 3), (4, 30), (6, 4)][seed % 3]
    outcome = run(tmp_path, texts, evidence, n_gram=n_gram, max_df=max_df)
    found = {(int(h["id"][1:]), h["item"], round(h["overlap"], 9)) for h in outcome.hits}
    assert found == plain_hits(texts, evidence, n_gram, max_df)


def test_plain_corpora_hold_hits() -> None:
    """The comparison above is about something."""
    counts = [len(plain_hits(*small_corpus(seed), 4, 30)) for seed in range(12)]
    assert sum(counts) > 20


@pytest.mark.parametrize("seed", [0, 1])
def test_outcome_does_not_depend_on_slices_workers_and_memory(tmp_path: Path, seed: int) -> None:
    texts, evidence = small_corpus(seed)
    whole = run(tmp_path / "whole", texts, evidence, action="cut", max_df=8)
    assert whole.hits
    for i, (sizes, workers, memory) in enumerate(
        [([1] * len(texts), 3, 1000), ([4, 0, 9, len(texts) - 13], 2, 10_000)]
    ):
        folder = tmp_path / str(i)
        given: dict[str, Any] = {"sizes": sizes, "workers": workers, "max_memory": memory}
        again = run(folder, texts, evidence, action="cut", max_df=8, execute=in_reverse, **given)
        assert again == whole


def test_odd_texts_are_scanned(tmp_path: Path) -> None:
    draw = random.Random(5)
    texts = ["".join(draw.choices(FRAGMENTS, k=draw.randint(0, 400))) for _ in range(60)]
    evidence = [question(text[i:], str(i)) for i, text in enumerate(texts)]
    outcome = run(tmp_path, [*texts, "x " * 200_000], evidence, max_items=1000, max_df=1000)
    found = {(int(h["id"][1:]), h["item"], round(h["overlap"], 9)) for h in outcome.hits}
    assert len(found) > 30
    assert found == plain_hits(texts, evidence, 6, 1000)


def test_index_is_the_same_when_it_is_mapped(tmp_path: Path) -> None:
    _, evidence = small_corpus(3)
    columns = zip(*evidence, strict=True)
    names = ("suite", "item", "field", "text")
    table = pa.table({n: list(c) for n, c in zip(names, columns, strict=True)})
    index, templates = build_index(make_passages(table)[1], 4, 50)
    save_index(index, tmp_path)
    assert templates == 0
    for ours, mapped in zip(index, map_index(tmp_path), strict=True):
        for array, again in zip(ours, mapped, strict=True):
            assert np.array_equal(array, again)
    texts = pa.array([row[3] for row in evidence])
    before, after = (find_hits(texts, one.searcher) for one in (index, map_index(tmp_path)))
    assert len(before.row)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


# --- parameters


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"against": []}, "'against' is empty"),
        ({"n_gram": 2}, r"'n_gram' must be in \[3, 50\]"),
        ({"n_gram": 13}, "'min_words' must be at least 'n_gram'"),
        ({"min_overlap": 0.0}, "'min_overlap'"),
        ({"max_df_frac": 1.5}, "'max_df_frac'"),
        ({"max_items": 0}, "'max_items'"),
        ({"action": "hide"}, "'action'"),
    ],
)
def test_wrong_parameters(given: dict[str, Any], what: str) -> None:
    with pytest.raises(UserError, match=what):
        build(Decontaminate, {"against": ["x.parquet"], **given}, where="recipe")


def test_eval_needs_a_judge(tmp_path: Path) -> None:
    stage = build(Decontaminate, {"against": "eval"}, where="recipe")
    assert stage.files() == {}
    assert stage.expand("d") == (("d", stage),)
    stage.check()
