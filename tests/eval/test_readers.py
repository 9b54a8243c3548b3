"""Public formats: what each record becomes, how formats are told apart, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from curation.errors import UserError
from eval.readers.read import SuiteFile, name_of, read_suite
from eval.suites.items import Item, LmCompletion, MinimalPair, MultipleChoice, Schema
from tests.corpora import SHARED, write_jsonl

ARC_CHOICES = [{"text": "soil", "label": "A"}, {"text": "rain", "label": "B"}]
RECORDS: dict[str, tuple[dict[str, Any], Item]] = {
    "blimp": (
        {"sentence_good": "He sees.", "sentence_bad": "He see.", "UID": "agreement", "field": "x"},
        MinimalPair(id="f/1", phenomenon="agreement", good="He sees.", bad="He see."),
    ),
    "llm_foundry choice": (
        {"query": "Q:", "choices": [" one", "two"], "gold": 1},
        MultipleChoice(id="f/1", query="Q:", choices=("one", "two"), gold=1),
    ),
    "llm_foundry schema": (
        {"context_options": ["Ann", "Bea"], "continuation": " left.", "gold": 0},
        Schema(id="f/1", context_options=("Ann", "Bea"), continuation="left.", gold=0),
    ),
    "llm_foundry completion": (
        {"context": "2 + 2 =", "continuation": " 4"},
        LmCompletion(id="f/1", context="2 + 2 =", continuation="4"),
    ),
    "llm_foundry question": (
        {"context": "Capital of Peru?", "answer": "Lima", "aliases": ["Lima", "LIMA"]},
        LmCompletion(id="f/1", context="Capital of Peru?", continuation="Lima"),
    ),
    "hellaswag": (
        {
            "activity_label": "Baking",
            "ctx": "[header] How to bake [title] Heat it.",
            "endings": ["Stir [substeps] well.", "Swim."],
            "label": "0",
        },
        MultipleChoice(
            id="f/1",
            query="Baking: How to bake Heat it.",
            choices=("Stir well.", "Swim."),
            gold=0,
        ),
    ),
    "arc as columns": (
        {
            "question": "What falls?",
            "choices": {"text": ["soil", "rain"], "label": ["1", "2"]},
            "answerKey": "2",
        },
        MultipleChoice(
            id="f/1", query="Question: What falls?\nAnswer:", choices=("soil", "rain"), gold=1
        ),
    ),
    "arc as rows": (
        {"id": 7, "question": {"stem": "What falls?", "choices": ARC_CHOICES}, "answerKey": "B"},
        MultipleChoice(
            id="7", query="Question: What falls?\nAnswer:", choices=("soil", "rain"), gold=1
        ),
    ),
    "piqa": (
        {"goal": "Dry a cup", "sol1": "Use a cloth", "sol2": "Use water", "label": 0},
        MultipleChoice(
            id="f/1",
            query="Question: Dry a cup\nAnswer:",
            choices=("Use a cloth", "Use water"),
            gold=0,
        ),
    ),
    "human_eval": (
        {"prompt": "def f():\n", "canonical_solution": "    return 1\n", "test": "assert f()"},
        LmCompletion(id="f/1", context="def f():\n", continuation="    return 1\n"),
    ),
}


@pytest.mark.parametrize("name", RECORDS)
def test_record_becomes_its_item_sniffed_or_named(tmp_path: Path, name: str) -> None:
    record, expected = RECORDS[name]
    path = write_jsonl(tmp_path / "f.jsonl", [record])
    assert read_suite(path).items == (expected,)
    assert read_suite(path, SuiteFile(path="", format=name.split()[0])).items == (expected,)


@pytest.mark.parametrize(
    ("name", "baseline", "delimiter"),
    [
        ("blimp", 0.5, " "),
        ("llm_foundry choice", 0.5, " "),
        ("llm_foundry completion", 0.0, " "),
        ("human_eval", 0.0, ""),
    ],
)
def test_header_of_a_public_file(
    tmp_path: Path, name: str, baseline: float, delimiter: str
) -> None:
    header = read_suite(write_jsonl(tmp_path / "f.jsonl", [RECORDS[name][0]])).header
    assert (header.name, header.source, header.version) == ("f", "f.jsonl", 1)
    assert (header.baseline, header.delimiter) == (baseline, delimiter)


def test_chance_is_the_mean_over_items(tmp_path: Path) -> None:
    rows = [{"query": "q", "choices": list("abcd")[:n], "gold": 0} for n in (2, 4, 4)]
    suite = read_suite(write_jsonl(tmp_path / "f.jsonl", rows))
    assert suite.header.baseline == pytest.approx((1 / 2 + 1 / 4 + 1 / 4) / 3)


def test_choices_that_are_letters_are_recognised(tmp_path: Path) -> None:
    rows = [{"query": "q", "choices": ["A", "B"], "gold": 0}]
    assert read_suite(write_jsonl(tmp_path / "f.jsonl", rows)).header.formulation == "letters"


def test_pairs_of_equal_sentences_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [{"sentence_good": "Yes.", "sentence_bad": bad} for bad in ("Yes.", "Yess.")]
    suite = read_suite(write_jsonl(tmp_path / "f.jsonl", rows))
    assert [item.id for item in suite.items] == ["f/2"]
    assert suite.header.source == "f.jsonl, without 1 items that give the right answer twice"


def test_file_of_nothing_but_equal_sentences_is_refused(tmp_path: Path) -> None:
    rows = [{"sentence_good": "Yes.", "sentence_bad": "Yes."}]
    with pytest.raises(UserError, match="holds no item"):
        read_suite(write_jsonl(tmp_path / "f.jsonl", rows))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ARC Easy (1).jsonl.zst", "arc_easy_1"), ("été.jsonl", "t"), ("数.jsonl", "suite")],
)
def test_any_file_name_gives_a_name(tmp_path: Path, name: str, expected: str) -> None:
    path = write_jsonl(tmp_path / "f.jsonl", [RECORDS["piqa"][0]])
    assert name_of(name) == expected
    renamed = path.rename(tmp_path / name.removesuffix(".zst"))
    assert read_suite(renamed).name == expected


@pytest.mark.parametrize(
    ("record", "format_", "what"),
    [
        ({"text": "hello"}, None, "of no known format: it has the keys text"),
        ({"query": "q", "choices": ["a", "b"], "gold": 0}, "blimp", "of no known format"),
        ({"goal": "g", "sol1": "a", "sol2": "b", "label": "x"}, None, "is no piqa record"),
        ({"query": "q", "choices": [1, 2], "gold": 0}, None, "is no llm_foundry record"),
        ({"question": "q", "answerKey": "C", "choices": ARC_CHOICES}, None, "is no arc record"),
        ({"question": "q", "answerKey": "A"}, None, "is no arc record"),
        ({"query": "q", "choices": ["a", "b"], "gold": 5}, None, "'gold' must be in [0, 1]"),
        ({"query": None, "choices": ["a", "b"], "gold": 0}, None, "'query' must be str, got null"),
    ],
)
def test_wrong_record_names_line_and_formats(
    tmp_path: Path, record: dict[str, Any], format_: str | None, what: str
) -> None:
    path = write_jsonl(tmp_path / "f.jsonl", [record])
    with pytest.raises(UserError) as caught:
        read_suite(path, SuiteFile(path="", format=format_))
    assert what in str(caught.value)
    assert f"{path}:1" in caught.value.where


def test_later_record_without_a_key_names_its_line(tmp_path: Path) -> None:
    rows = [{"context": "a", "continuation": "b"}, {"context": "a"}]
    with pytest.raises(UserError, match=r"f\.jsonl:2: a llm_foundry record needs 'continuation'"):
        read_suite(write_jsonl(tmp_path / "f.jsonl", rows))


def test_spec_names_and_cuts_the_suite_the_same_way_every_time(tmp_path: Path) -> None:
    rows = [{"id": f"i{i}", "context": "a", "continuation": "b"} for i in range(50)]
    path = write_jsonl(tmp_path / "f.jsonl", rows)
    spec = SuiteFile(path="", name="short", max_items=10, licence="MIT", baseline=0.1)
    suite = read_suite(path, spec)
    assert (suite.name, suite.header.licence, suite.header.baseline) == ("short", "MIT", 0.1)
    ids = [item.id for item in suite.items]
    assert len(ids) == 10
    assert ids == sorted(ids, key=lambda i: int(i[1:]))
    assert ids != [f"i{i}" for i in range(10)]
    more = read_suite(path, SuiteFile(path="", max_items=20))
    assert set(ids) < {item.id for item in more.items}


@pytest.mark.parametrize(
    ("values", "what"), [({"format": "blim"}, "Did you mean 'blimp'"), ({"max_items": 0}, ">= 1")]
)
def test_wrong_spec_is_refused(values: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        SuiteFile(path="x", **values)


@pytest.mark.shared
def test_every_shared_task_loads() -> None:
    kinds = {
        "multiple_choice": "multiple_choice",
        "schema": "schema",
        "lm_completion": "lm_completion",
        "qa": "lm_completion",
        "code": "lm_completion",
        "minimal_pair": "minimal_pair",
    }
    files = sorted((SHARED / "bench").glob("*.jsonl.zst"))
    assert len(files) == 18
    for path in files:
        suite = read_suite(path)
        first = json.loads(_first_line(path))
        assert suite.header.type == kinds[first["type"]], path
        assert suite.items[0].id == first["id"]
        assert len(suite.items) > 80


def _first_line(path: Path) -> bytes:
    import zstandard

    with zstandard.ZstdDecompressor().stream_reader(path.open("rb")) as stream:
        return stream.read(1 << 20).split(b"\n")[0]
