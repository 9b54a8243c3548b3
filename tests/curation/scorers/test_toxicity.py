"""Word lists: what matches, in which language, and what a broken list says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.process import PlannedStage, process
from curation.scorers.toxicity import Toxicity
from curation.scorers.word_lists import MAX_TOKENS, compile_lists, read_entries

MakeTable = Callable[..., pa.Table]


@pytest.fixture
def lists(tmp_path: Path) -> dict[str, Path]:
    """Harmless words in the place of others."""
    words = {
        "en": "turnip\nmashed potato\nmashed potato soup\nR&B\nb$$\ncafé\n🥔\n\n  beet  \n",
        "de": "rübe\nturnip\n",
        "zh": "土豆\n",
        "th": "มัน\n",
        "ja": "ポテト\n",
    }
    for name, content in words.items():
        (tmp_path / f"{name}.txt").write_text(content, "utf-8")
    return {name: tmp_path / f"{name}.txt" for name in words}


def count(lists: dict[str, Path], text: str | None, language: str | None = None) -> int:
    table = pa.table(
        {"text": pa.array([text], pa.string()), "language": pa.array([language], pa.string())}
    )
    found: int = Toxicity(word_lists=lists).measure(table)["num_matches"][0].as_py()
    return found


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("a turnip.", 1),
        ("TURNIP Turnip turnip", 3),
        ("turnips", 0),
        ("overturnip", 0),
        ("turnip-turnip", 2),
        ("mashed potato", 1),
        ("mashed \n potato", 1),
        ("mashed-potato", 0),
        ("mashed potatoes", 0),
        ("mashed", 0),
        ("mashed potato soup", 1),  # the longest entry, once
        ("mashed mashed potato", 1),
        ("mashed potato mashed potato soup", 2),
        ("r&b and R & B", 2),
        ("r b", 0),
        ("b$$!", 1),
        ("b$", 0),
        ("CAFÉ cafe\u0301", 2),
        ("cafe", 0),
        ("hot 🥔!", 1),
        ("hot 🥔🥔🥔 and 🥔", 2),
        ("beet", 1),
        ("我吃土豆了", 1),
        ("土豆土豆", 2),
        ("กินมันทอด", 1),
        ("フライドポテト", 1),
        ("", 0),
        (None, 0),
    ],
)
def test_toxicity_matches_whole_words_whatever_the_case(
    lists: dict[str, Path], text: str | None, matches: int
) -> None:
    assert count(lists, text) == matches


@pytest.mark.parametrize(
    ("language", "matches"),
    [
        ("en", 1),
        ("EN", 1),
        ("en-GB", 1),
        ("en_US", 1),
        ("de", 2),
        ("fr", 0),
        ("und", 2),
        ("", 2),
        (None, 2),
    ],
)
def test_toxicity_takes_the_list_of_the_language(
    lists: dict[str, Path], language: str | None, matches: int
) -> None:
    assert count(lists, "turnip rübe", language) == matches


def test_toxicity_list_of_a_region_goes_before_that_of_the_language(tmp_path: Path) -> None:
    (tmp_path / "fr.txt").write_text("navet\n")
    (tmp_path / "fr-CA.txt").write_text("patate\n")
    lists = {"fr": tmp_path / "fr.txt", "fr-CA": tmp_path / "fr-CA.txt"}
    assert count(lists, "navet patate patate", "fr-CA") == 2
    assert count(lists, "navet patate patate", "fr-BE") == 1


def test_toxicity_rate_is_matches_per_word(lists: dict[str, Path]) -> None:
    table = pa.table({"text": ["a turnip, two turnip!", "🥔", ""], "language": ["en"] * 3})
    found = Toxicity(word_lists=lists).measure(table)
    assert found["match_frac"].to_pylist() == [0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    ("rules", "text", "reason"),
    [
        ({}, "turnip " * 9, None),
        ({"max_matches": 0}, "no root", None),
        ({"max_matches": 0}, "a turnip", "max_matches"),
        ({"max_matches": 2}, "turnip turnip", None),
        ({"max_matches": 2}, "turnip turnip turnip", "max_matches"),
        ({"max_match_frac": 0.25}, "one turnip of four", None),
        ({"max_match_frac": 0.25}, "a turnip here", "max_match_frac"),
        ({"max_matches": 1, "max_match_frac": 0.1}, "turnip turnip", "max_matches"),
    ],
)
def test_toxicity_drops_beyond_its_thresholds(
    lists: dict[str, Path], documents: MakeTable, rules: dict[str, Any], text: str, reason: str
) -> None:
    stage = Toxicity(word_lists=lists, **rules)
    kept, dropped, _ = process(documents([text]), [PlannedStage("toxicity", stage)])
    found = dropped["drop_reason"].to_pylist()
    assert found == ([reason] if reason else [])
    assert len(kept) + len(found) == 1


def test_toxicity_changed_list_is_another_list(tmp_path: Path) -> None:
    path = tmp_path / "en.txt"
    path.write_text("turnip\n")
    assert count({"en": path}, "turnip beet") == 1
    path.write_text("turnip\nbeet\n")
    assert count({"en": path}, "turnip beet") == 2


def test_toxicity_many_documents_of_many_languages_are_told_apart(
    lists: dict[str, Path],
) -> None:
    languages = ["en", "de", "zh", None, "fr"] * 500
    table = pa.table({"text": ["turnip rübe 土豆"] * 2500, "language": languages})
    found = Toxicity(word_lists=lists).measure(table)["num_matches"].to_pylist()
    assert found == [1, 2, 1, 3, 0] * 500


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no entry"),
        (b" \n\t\n", "has no entry"),
        (b"fine\nna\xefve\n", "line 2: is not UTF-8"),
        (b"x " * (MAX_TOKENS + 1), f"more than {MAX_TOKENS} words"),
    ],
)
def test_toxicity_broken_list_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "en.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        Toxicity(word_lists={"en": path}).check()


def test_word_list_of_windows_reads_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "en.txt"
    path.write_bytes("\ufeffturnip\r\nbeet\r\n".encode())
    assert read_entries(path) == ["turnip", "beet"]


def test_word_list_takes_thousands_of_entries_that_begin_alike() -> None:
    table = compile_lists({"en": [f"turnip number {i}" for i in range(5000)]})
    assert (table.entry != 0).sum() == 5000
    assert (table.first != 0).sum() == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"word_lists": {}}, "must map 1 to 64"),
        ({"word_lists": {"en": "a"}, "max_matches": -1}, "must be >= 0"),
        ({"word_lists": {"en": "a"}, "max_match_frac": 1.5}, r"must be in \[0, 1\]"),
        ({}, "needs 'word_lists'"),
    ],
)
def test_toxicity_refuses_impossible_parameters(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        build(Toxicity, given, where="r.yaml", label="toxicity")
