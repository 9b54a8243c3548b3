"""Target sets: what an example is, how many of each benchmark count, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curation.errors import UserError
from curation.scorers.target_examples import (
    MIN_EXAMPLES,
    Benchmark,
    equal_counts,
    from_documents,
    from_evidence,
)
from tests.classes import sample
from tests.corpora import write_jsonl


def quiz(suite: str, count: int) -> list[dict[str, Any]]:
    """Items of a question, a wrong choice and an answer."""
    return [
        {"suite": suite, "item": f"i{i}", "field": field, "text": text}
        for i in range(count)
        for field, text in (
            ("question", f"What is {suite} number {i}?"),
            ("choice", "something else"),
            ("answer", f"the {i}th"),
        )
    ]


def evidence(folder: Path, *rows: dict[str, Any]) -> tuple[Path]:
    return (write_jsonl(folder / "evidence.jsonl", list(rows)),)


def benchmark(name: str, count: int) -> Benchmark:
    return from_documents(name, sample([f"{name} {i}" for i in range(count)]))


def test_example_of_evidence_is_question_and_right_answer(tmp_path: Path) -> None:
    [one] = from_evidence(evidence(tmp_path, *quiz("facts", 3)), (), seed=0)
    assert one.name == "facts"
    assert set(one.examples["text"].to_pylist()) == {
        f"What is facts number {i}?\nthe {i}th" for i in range(3)
    }


def test_suites_of_evidence_are_benchmarks_of_their_own(tmp_path: Path) -> None:
    files = evidence(tmp_path, *quiz("b", 2), *quiz("a", 3))
    assert [(o.name, len(o.examples)) for o in from_evidence(files, (), 0)] == [("a", 3), ("b", 2)]
    assert [o.name for o in from_evidence(files, ("b",), 0)] == ["b"]
    with pytest.raises(UserError, match="no suite 'c' in the evidence"):
        from_evidence(files, ("c",), 0)


def test_examples_of_evidence_are_in_an_order_by_the_seed(tmp_path: Path) -> None:
    rows = quiz("facts", 40)
    order = [
        from_evidence(evidence(tmp_path, *given), (), seed)[0].examples["item"].to_pylist()
        for seed, given in ((0, rows), (0, rows[::-1]), (1, rows))
    ]
    assert order[0] != [f"i{i}" for i in range(40)]
    assert order[0] == order[1]
    assert order[0] != order[2]


def test_examples_are_distinct() -> None:
    assert len(from_documents("a", sample(["x", "y", "x", "y", "z"])).examples) == 3


def test_every_benchmark_counts_with_as_many_examples() -> None:
    chosen = equal_counts([benchmark("a", 40), benchmark("b", 12), benchmark("c", 25)], 1000)
    assert [len(one.examples) for one in chosen] == [12, 12, 12]
    chosen = equal_counts([benchmark("a", 40), benchmark("b", 32)], 20)
    assert [len(one.examples) for one in chosen] == [20, 20]


@pytest.mark.parametrize("count", [0, 1, MIN_EXAMPLES - 1])
def test_benchmark_of_too_few_examples_is_refused(count: int) -> None:
    with pytest.raises(UserError, match=rf"(?s)'tiny' has {count} distinct.*leave it out"):
        equal_counts([benchmark("a", 40), benchmark("tiny", count)], 1000)
    assert equal_counts([benchmark("a", 40), benchmark("just", MIN_EXAMPLES)], 1000)


def test_no_target_set_is_refused() -> None:
    with pytest.raises(UserError, match="there is no target set"):
        equal_counts([], 1000)


def test_items_without_a_question_or_answer_are_no_examples(tmp_path: Path) -> None:
    rows = [{"suite": "s", "item": "1", "field": "choice", "text": "wrong"}]
    rows += [{"suite": "s", "item": "2", "field": "question", "text": "  "}]
    rows += [{"suite": "s", "item": "3", "field": "text", "text": "whole"}]
    [one] = from_evidence(evidence(tmp_path, *rows), (), 0)
    assert one.examples["text"].to_pylist() == ["whole"]
