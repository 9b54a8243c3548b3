"""Suite files: strict, compressed or not, identified by what they hold."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from curation.errors import UserError
from eval.readers.read import SuiteFile, read_suite
from eval.suites.suite import suite_bytes, write_suite

HEADER: dict[str, Any] = {
    "suite": 1,
    "name": "colours",
    "version": 1,
    "type": "multiple_choice",
    "source": "ours",
    "licence": "CC0-1.0",
    "formulation": "cloze",
    "baseline": 0.5,
}
ITEMS: list[dict[str, Any]] = [
    {"id": "a", "query": "The sky is", "choices": ["blue", "round"], "gold": 0},
    {"id": "b", "query": "Grass is\u2028", "choices": ["flat", "green"], "gold": 1, "group": "g"},
]
COMPLETION = {**HEADER, "type": "lm_completion", "baseline": 0}
PAIR = {**HEADER, "type": "minimal_pair"}
SCHEMA = {**HEADER, "type": "schema"}


def write(path: Path, *lines: Any) -> Path:
    text = "".join(
        (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n"
        for line in lines
    )
    path.write_text(text, "utf-8")
    return path


def changed(record: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """`record` with keys set, or taken out where the value is None."""
    return {k: v for k, v in (record | changes).items() if v is not None}


def test_suite_file_is_read(tmp_path: Path) -> None:
    suite = read_suite(write(tmp_path / "s.jsonl", HEADER, *ITEMS))
    assert (suite.name, suite.header.licence, len(suite.items)) == ("colours", "CC0-1.0", 2)
    assert (suite.items[1].id, suite.items[1].group) == ("b", "g")
    assert vars(suite.items[0])["choices"] == ("blue", "round")


def test_written_suite_is_read_back_and_written_the_same(tmp_path: Path) -> None:
    suite = read_suite(write(tmp_path / "s.jsonl", HEADER, "", *ITEMS))
    write_suite(suite, tmp_path / "t.jsonl")
    again = read_suite(tmp_path / "t.jsonl")
    assert again == suite
    assert suite_bytes(again) == (tmp_path / "t.jsonl").read_bytes()


def test_hash_is_of_the_content_whatever_the_file(tmp_path: Path) -> None:
    plain = write(tmp_path / "s.jsonl", HEADER, *ITEMS)
    (tmp_path / "s.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    data = zstandard.ZstdCompressor().compress(plain.read_bytes())
    (tmp_path / "s.jsonl.zst").write_bytes(data)
    reordered = write(tmp_path / "r.jsonl", dict(reversed(HEADER.items())), *ITEMS)
    files = [plain, tmp_path / "s.jsonl.gz", tmp_path / "s.jsonl.zst", reordered]
    assert len({read_suite(path).hash for path in files}) == 1


@pytest.mark.parametrize(
    "lines",
    [
        [changed(HEADER, version=2), *ITEMS],
        [changed(HEADER, delimiter=""), *ITEMS],
        [HEADER, ITEMS[0], changed(ITEMS[1], gold=0)],
        [HEADER, *reversed(ITEMS)],
    ],
)
def test_hash_changes_with_the_content(tmp_path: Path, lines: list[Any]) -> None:
    before = read_suite(write(tmp_path / "s.jsonl", HEADER, *ITEMS)).hash
    assert read_suite(write(tmp_path / "t.jsonl", *lines)).hash != before


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        ([changed(HEADER, suite=2), *ITEMS], "s.jsonl:1.suite", "must say 'suite': 1"),
        ([changed(HEADER, licence=None), *ITEMS], "s.jsonl:1", "needs 'licence'"),
        ([changed(HEADER, license="MIT"), *ITEMS], "s.jsonl:1.license", "Did you mean 'licence'"),
        ([changed(HEADER, version="1"), *ITEMS], "s.jsonl:1.version", "must be int"),
        ([changed(HEADER, version=0), *ITEMS], "s.jsonl:1", "'version' must be >= 1. Got 0"),
        ([changed(HEADER, type="quiz"), *ITEMS], "s.jsonl:1.type", "'type' is 'quiz'"),
        ([changed(HEADER, name="My Suite"), *ITEMS], "s.jsonl:1", "'name' takes a-z"),
        ([changed(HEADER, baseline=1), *ITEMS], "s.jsonl:1", "must be in [0, 1). Got 1"),
        ([changed(HEADER, normalisation="pmi"), *ITEMS], "s.jsonl:1", "needs 'unconditional'"),
        ([changed(COMPLETION, normalisation="bytes"), *ITEMS], "s.jsonl:1", "must be 'none'"),
        ([changed(PAIR, unconditional=""), *ITEMS], "s.jsonl:1", "is for multiple_choice"),
        ([HEADER, changed(ITEMS[0], gold=2)], "s.jsonl:2", "must be in [0, 1], counted from 0"),
        ([HEADER, changed(ITEMS[0], gold=-1)], "s.jsonl:2", "'gold' must be in [0, 1]"),
        ([HEADER, changed(ITEMS[0], gold=True)], "s.jsonl:2.gold", "must be int"),
        ([HEADER, changed(ITEMS[0], gold=None)], "s.jsonl:2", "needs 'gold'"),
        ([HEADER, ITEMS[0], changed(ITEMS[1], choices=["x"])], "s.jsonl:3", "two or more. Got 1"),
        ([HEADER, changed(ITEMS[0], choices=["x", " "])], "s.jsonl:2", "must hold text"),
        ([HEADER, changed(ITEMS[0], choices=["x", "x"])], "s.jsonl:2", "right answer twice"),
        ([HEADER, changed(ITEMS[0], choices=["x", 3])], "s.jsonl:2.choices[1]", "must be str"),
        ([HEADER, changed(ITEMS[0], answer=1)], "s.jsonl:2.answer", "no parameter 'answer'"),
        ([HEADER, ITEMS[0], ITEMS[0]], "s.jsonl", "two items have the id 'a'"),
        ([HEADER], "s.jsonl", "holds no item"),
        ([], "s.jsonl", "holds no line"),
        ([HEADER, "[1]"], "s.jsonl:2", "must be a JSON object"),
        ([HEADER, '{"id": '], "s.jsonl:2", "is not JSON"),
        ([HEADER, "[" * 100_000], "s.jsonl:2", "is not JSON"),
        ([PAIR, {"id": "a", "good": "x", "bad": "x"}], "s.jsonl:2", "right answer twice"),
        ([COMPLETION, {"id": "a", "context": "x", "continuation": ""}], "s.jsonl:2", "hold text"),
        (
            [SCHEMA, {"id": "a", "context_options": ["x"], "continuation": "y", "gold": 0}],
            "s.jsonl:2",
            "'context_options' needs two or more",
        ),
    ],
)
def test_malformed_suite_names_the_place(
    tmp_path: Path, lines: list[Any], where: str, what: str
) -> None:
    with pytest.raises(UserError) as caught:
        read_suite(write(tmp_path / "s.jsonl", *lines), SuiteFile(path="", format="tilth"))
    assert caught.value.where == str(tmp_path / where)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("s.jsonl", b"\xff\xfe", "is not UTF-8"),
        ("s.jsonl.gz", b"plain", "cannot be read"),
        ("s.jsonl.zst", b"plain", "cannot be read"),
    ],
)
def test_damaged_file_is_a_user_error(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=what):
        read_suite(tmp_path / name)


def test_absent_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such suite file"):
        read_suite(tmp_path / "s.jsonl")
