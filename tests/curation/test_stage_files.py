"""Files that stages read: found by type, named relative to the recipe, known by what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.fingerprint import fingerprint
from curation.process import PlannedStage
from curation.stage import Annotations, Filter, Rule
from curation.workshop import describe


@dataclass(frozen=True, kw_only=True)
class Listed(Filter):
    """A filter that reads files."""

    model: Path | None = None
    words: tuple[str, ...] | Path = ()
    by_language: dict[str, Path] = field(default_factory=dict)
    lists: tuple[Path, ...] = ()
    max_hits: int | None = 0

    name = "listed"
    decides = ("max_hits",)

    def columns(self) -> Annotations:
        return {"hits": pa.int64()}

    def rules(self) -> tuple[Rule, ...]:
        return (Rule("max_hits", "hits", "max", self.max_hits),)


def identity(stage: Listed, *, measured: bool = False) -> str:
    return fingerprint(describe(PlannedStage("listed", stage), measured=measured))


def write(folder: Path, **contents: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(content, "utf-8")
    return folder


def test_stage_files_are_the_paths_among_its_parameters() -> None:
    stage = build(
        Listed,
        {"model": "m.bin", "words": "w.txt", "by_language": {"en": "en.txt"}, "lists": ["a", "b"]},
        where="r.yaml",
    )
    assert stage.files() == {
        "model": (Path("m.bin"),),
        "words": (Path("w.txt"),),
        "by_language": (Path("en.txt"),),
        "lists": (Path("a"), Path("b")),
    }


def test_stage_files_of_inline_values_are_none() -> None:
    stage = build(Listed, {"words": ["a", "b"]}, where="r.yaml")
    assert stage.words == ("a", "b")
    assert stage.files() == {}


def test_stage_files_are_strings_in_the_parameters_and_load_again() -> None:
    stage = build(Listed, {"model": "m.bin", "lists": ["a"]}, where="r.yaml")
    assert stage.parameters()["model"] == "m.bin"
    assert stage.parameters()["lists"] == ("a",)
    shown = {**stage.parameters(), "words": [], "lists": ["a"]}  # as YAML holds them
    assert build(Listed, shown, where="r.yaml") == stage


def test_stage_at_puts_relative_paths_below_the_root_and_leaves_absolute_ones() -> None:
    stage = Listed(model=Path("m.bin"), lists=(Path("/lists/a"),), by_language={"en": Path("e")})
    moved = stage.at(Path("recipes"))
    assert moved.model == Path("recipes/m.bin")
    assert moved.lists == (Path("/lists/a"),)
    assert moved.by_language == {"en": Path("recipes/e")}
    assert moved.max_hits == stage.max_hits


def test_stage_identity_follows_what_a_file_holds_not_where_it_lies(tmp_path: Path) -> None:
    here = write(tmp_path / "here", words="a\n", same="a\n", other="b\n")
    there = write(tmp_path / "there", words="a\n")
    first = identity(Listed(words=here / "words"))
    assert identity(Listed(words=here / "same")) == first
    assert identity(Listed(words=there / "words")) == first
    assert identity(Listed(words=here / "other")) != first
    (here / "words").write_text("a\nb\n", "utf-8")
    assert identity(Listed(words=here / "words")) != first


def test_stage_identity_tells_which_file_is_whose(tmp_path: Path) -> None:
    folder = write(tmp_path, a="a\n", b="b\n")
    a, b = folder / "a", folder / "b"
    ways = [
        Listed(by_language={"en": a, "de": b}),
        Listed(by_language={"en": b, "de": a}),
        Listed(lists=(a, b)),
        Listed(lists=(b, a)),
        Listed(model=a, words=b),
        Listed(words=("a",)),
    ]
    assert len({identity(way) for way in ways}) == len(ways)


def test_stage_measured_identity_holds_the_files_and_not_the_thresholds(tmp_path: Path) -> None:
    folder = write(tmp_path, a="a\n", b="b\n")
    first = identity(Listed(words=folder / "a"), measured=True)
    assert identity(Listed(words=folder / "a", max_hits=3), measured=True) == first
    assert identity(Listed(words=folder / "b"), measured=True) != first


@pytest.mark.parametrize("value", ["", 3, True, {"a": "b"}])
def test_stage_path_must_be_a_string_with_characters(value: object) -> None:
    with pytest.raises(UserError, match="'model' must be path"):
        build(Listed, {"model": value}, where="r.yaml")
