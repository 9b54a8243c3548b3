"""Strict loading: every mistake is named, with its place and the way out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from curation.config import build, convert, describe, load_yaml, parameters
from curation.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: int
    ratio: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Spec:
    name: str
    count: int = 1
    share: float | None = 0.5
    flag: bool = False
    words: tuple[str, ...] = ()
    mode: Literal["fast", "slow"] = "fast"
    limits: dict[str, float] = field(default_factory=dict)
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    weights: Literal["natural", "uniform"] | dict[str, float] = "natural"
    path: str | tuple[str, ...] = "."
    anything: Any = None

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("'count' must be >= 0")


def load(**values: Any) -> Spec:
    return build(Spec, {"name": "n", **values}, where="r.yaml: curate[2].spec", label="spec")


def error_of(**values: Any) -> str:
    with pytest.raises(UserError) as error:
        load(**values)
    return str(error.value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"count": 3}, 3),
        ({"share": 1}, 1.0),
        ({"share": 0.25}, 0.25),
        ({"share": None}, None),
        ({"flag": True}, True),
        ({"words": ["a", "b"]}, ("a", "b")),
        ({"words": []}, ()),
        ({"mode": "slow"}, "slow"),
        ({"limits": {"a": 1, "b": 0.5}}, {"a": 1.0, "b": 0.5}),
        ({"inner": {"size": 2}}, Inner(size=2)),
        ({"inner": None}, None),
        (
            {"inners": [{"size": 1}, {"size": 2, "ratio": 1}]},
            (Inner(size=1), Inner(size=2, ratio=1.0)),
        ),
        ({"weights": "uniform"}, "uniform"),
        ({"weights": {"a": 2}}, {"a": 2.0}),
        ({"path": "a"}, "a"),
        ({"path": ["a", "b"]}, ("a", "b")),
        ({"anything": {"x": [1, None]}}, {"x": [1, None]}),
    ],
)
def test_config_right_value_is_taken(values: dict[str, Any], expected: Any) -> None:
    found = getattr(load(**values), next(iter(values)))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"count": True}, ["'count' must be int", "True"]),
        ({"count": 1.0}, ["'count' must be int", "1.0"]),
        ({"count": "3"}, ["'count' must be int", "'3'"]),
        ({"count": None}, ["'count' must be int", "null"]),
        ({"share": "x"}, ["'share' must be float", "'x'"]),
        ({"share": True}, ["'share' must be float", "True"]),
        ({"share": float("nan")}, ["'share' must be float", "nan"]),
        ({"share": float("inf")}, ["'share' must be float", "inf"]),
        ({"share": 10**400}, ["'share' must be float"]),
        ({"flag": 1}, ["'flag' must be bool", "1"]),
        ({"flag": "yes"}, ["'flag' must be bool", "'yes'"]),
        ({"words": "a"}, ["'words' must be list of str", "'a'"]),
        ({"words": ["a", 2]}, ["words[1]", "str", "2"]),
        ({"mode": "fsat"}, ["'fsat'", "Did you mean 'fast'?", "fast, slow"]),
        ({"mode": ["fast"]}, ["mode", "fast, slow"]),
        ({"limits": [1]}, ["'limits' must be mapping of str to float"]),
        ({"limits": {"a": "x"}}, ["limits.a", "'a' must be float"]),
        ({"limits": {1: 0.5}}, ["key of limits", "str", "1"]),
        ({"inner": 3}, ["inner", "mapping", "3"]),
        ({"inner": {}}, ["inner", "needs 'size'", "size, ratio"]),
        (
            {"inner": {"size": 1, "ratoi": 2}},
            ["inner.ratoi", "Did you mean 'ratio'?", "size, ratio"],
        ),
        ({"inners": [{"size": 1}, {"size": "x"}]}, ["inners[1].size", "'size' must be int"]),
        ({"weights": "natrual"}, ["weights", "'natural' or 'uniform'", "'natrual'"]),
        ({"weights": {"a": None}}, ["weights.a", "'a' must be float", "null"]),
        (
            {"weights": 3},
            ["'weights' must be", "'natural' or 'uniform'", "mapping of str to float"],
        ),
        ({"path": 3}, ["'path' must be str or list of str", "3"]),
        (
            {"cuont": 3},
            [
                "cuont",
                "'spec' has no parameter 'cuont'",
                "Did you mean 'count'?",
                "It takes: name,",
            ],
        ),
        ({7: 1}, ["'spec' has no parameter '7'", "It takes: name"]),
        ({"count": -1}, ["'count' must be >= 0"]),
    ],
)
def test_config_wrong_value_is_named_with_its_place(
    values: dict[Any, Any], parts: list[str]
) -> None:
    with pytest.raises(UserError) as error:
        build(Spec, {"name": "n", **values}, where="r.yaml: curate[2].spec", label="spec")
    message = str(error.value)
    assert message.startswith("r.yaml: curate[2].spec")
    assert [part for part in parts if part not in message] == []
    assert len(message.splitlines()) <= 3


def test_config_missing_required_key_is_named() -> None:
    with pytest.raises(UserError, match="'spec' needs 'name'"):
        build(Spec, {}, where="r.yaml", label="spec")


@pytest.mark.parametrize("values", [None, [], "name", 3])
def test_config_values_that_are_no_mapping_are_an_error(values: Any) -> None:
    with pytest.raises(UserError, match="spec must be a mapping"):
        build(Spec, values, where="r.yaml")


def test_config_long_value_is_shortened_in_the_message() -> None:
    assert len(error_of(count="x" * 10_000)) < 300


def test_config_class_without_parameters_says_so() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Bare:
        pass

    with pytest.raises(UserError, match="takes no parameters"):
        build(Bare, {"x": 1}, where="r.yaml")


def test_config_convert_any_passes_all() -> None:
    value = object()
    assert convert(value, Any, where="w", label="l") is value


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int, "int"),
        (float | None, "float or null"),
        (tuple[str, ...], "list of str"),
        (dict[str, float], "mapping of str to float"),
        (Literal["a", "b"], "'a' or 'b'"),
        (str | tuple[str, ...] | None, "str or list of str or null"),
    ],
)
def test_config_describe_uses_the_users_words(kind: Any, words: str) -> None:
    assert describe(kind) == words


def test_config_parameters_shows_types_and_defaults() -> None:
    shown = parameters(Spec)
    assert list(shown)[:3] == ["name", "count", "share"]
    assert shown["name"] == "str"
    assert shown["count"] == "int = 1"
    assert shown["share"] == "float or null = 0.5"
    assert shown["words"] == "list of str = []"


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "recipe.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_config_yaml_mapping_is_loaded(tmp_path: Path) -> None:
    path = write(tmp_path, "name: é\ncurate:\n  - language: {keep: [en]}\n")
    assert load_yaml(path) == {"name": "é", "curate": [{"language": {"keep": ["en"]}}]}


def test_config_yaml_anchors_and_merges_are_resolved(tmp_path: Path) -> None:
    path = write(tmp_path, "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a\n")
    assert load_yaml(path) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("name: a\nname: b\n", ["'name' is given twice", "line 1"]),
        ("a: 1\nb:\n  x: 1\n  y: 2\n  x: 3\n", ["'x' is given twice", "line 3"]),
        ("a: {x: 1, x: 2}", ["'x' is given twice"]),
        ("name: [a\ncurate: b\n", ["not valid YAML", "line 2"]),
        ("name: a\n\tx: b\n", ["not valid YAML", "line 2"]),
        ("a: 'open\n", ["not valid YAML"]),
        ("a: b\n---\nc: d\n", ["not valid YAML"]),
        ("a: !!python/object/apply:os.getcwd []\n", ["not valid YAML", "line 1"]),
        ("a: *nowhere\n", ["not valid YAML", "nowhere"]),
        ("? [a, b]\n: c\n", ["not valid YAML"]),
        ("a: b\0c\n", ["not valid YAML"]),
        ("[" * 5000, ["not valid YAML"]),
        ("- a\n- b\n", ["must be a mapping"]),
        ("just words", ["must be a mapping"]),
        ("", ["must be a mapping"]),
        ("# only a comment\n", ["must be a mapping"]),
        (b"name: \xff\xfe\n", ["cannot be read"]),
        ("name: é\n".encode("utf-16"), ["cannot be read"]),
    ],
)
def test_config_bad_file_is_named_with_the_fault(
    tmp_path: Path, content: str | bytes, parts: list[str]
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UserError) as error:
        load_yaml(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert [part for part in parts if part not in message] == []
    assert len(message.splitlines()) == 1


def test_config_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(UserError) as error:
        load_yaml(path)
    assert str(path) in str(error.value)
    assert "no such file" in str(error.value)


def test_config_folder_instead_of_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_yaml(tmp_path)
