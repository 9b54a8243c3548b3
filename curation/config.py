"""Strict loading: YAML to frozen dataclasses, with errors that name file, key path and fix.

An unknown key, a wrong type or an impossible value is a `UserError`; nothing is coerced but int
to float, list to tuple and string to `Path`. Value checks live in the dataclass's `__post_init__`
and raise `ValueError` in one sentence.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import yaml

from curation.errors import UserError, closest

T = TypeVar("T")
_HINTS: dict[type[Any], dict[str, Any]] = {}  # a suite holds thousands of items of one class


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, which YAML would silently let win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in own]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"'{key}' is given twice", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep)


def load_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        UserError: the file is missing, unreadable, not YAML, or not a mapping.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UserError("there is no such file", where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", where=str(path)) from None
    value = parse_yaml(text, str(path))
    if not isinstance(value, dict):
        raise UserError("must be a mapping of keys to values", where=str(path))
    return value


def parse_yaml(text: str, where: str) -> Any:
    """The value that `text` spells.

    Raises:
        UserError: it is not YAML.
    """
    try:
        return yaml.load(text, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise UserError(f"is not valid YAML: {_one_line(error)}", where=where) from None
    except RecursionError:
        raise UserError("is not valid YAML: nested too deeply", where=where) from None


def build(cls: type[T], values: Any, *, where: str, label: str = "") -> T:
    """An instance of dataclass `cls` from a mapping.

    Args:
        cls: a dataclass; its annotations are the types, its defaults the optional keys.
        values: the mapping as loaded.
        where: file and key path, for messages.
        label: what the user calls the thing, for messages; the class name if empty.
    """
    label = label or cls.__name__.lower()
    if not isinstance(values, dict):
        raise UserError(f"{label} must be a mapping, got {_show(values)}", where=where)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    _check_keys(values, fields, where, label)
    hints = _hints(cls)
    args = {k: convert(v, hints[k], where=f"{where}.{k}", label=k) for k, v in values.items()}
    try:
        return cls(**args)
    except ValueError as error:
        raise UserError(str(error), where=where) from None


def convert(value: Any, kind: Any, *, where: str, label: str) -> Any:
    """`value` as type `kind` (a class, union, Literal, tuple, dict or dataclass)."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _convert_union(value, args, where, label)
    if origin is typing.Literal:
        if value in args:
            return value
        hint = f"It takes: {', '.join(map(str, args))}"
        known = [str(a) for a in args]
        raise UserError(
            f"'{label}' is {_show(value)}.{closest(str(value), known)}", where=where, hint=hint
        )
    if origin is tuple and isinstance(value, list):
        items = enumerate(value)
        return tuple(convert(v, args[0], where=f"{where}[{i}]", label=label) for i, v in items)
    if origin is dict and isinstance(value, dict):
        for key in value:
            convert(key, args[0], where=where, label=f"key of {label}")
        return {
            k: convert(v, args[1], where=f"{where}.{k}", label=str(k)) for k, v in value.items()
        }
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return build(kind, value, where=where, label=label)
    if _is_instance(value, kind):
        return kind(value) if kind in (float, Path) else value
    raise UserError(f"'{label}' must be {describe(kind)}, got {_show(value)}", where=where)


def describe(kind: Any) -> str:
    """A type in the user's words: `int`, `list of str`, `float or null`."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(a) for a in args)
    if origin is tuple:
        return f"list of {describe(args[0])}"
    if origin is dict:
        return f"mapping of {describe(args[0])} to {describe(args[1])}"
    if origin is typing.Literal:
        return " or ".join(map(repr, args))
    if kind is type(None):
        return "null"
    if kind is Path:
        return "path"
    return getattr(kind, "__name__", str(kind))


def parameters(cls: type[Any]) -> dict[str, str]:
    """Parameter names of a dataclass with type and default, as `list` and messages show them."""
    hints = _hints(cls)
    out = {}
    for f in dataclasses.fields(cls):
        default = "" if f.default is dataclasses.MISSING else f" = {_show(f.default)}"
        out[f.name] = f"{describe(hints[f.name])}{default}"
    return out


def _check_keys(values: dict[Any, Any], fields: dict[str, Any], where: str, label: str) -> None:
    takes = f"It takes: {', '.join(fields)}" if fields else "It takes no parameters"
    for key in values:
        if key not in fields:
            what = f"'{label}' has no parameter '{key}'.{closest(str(key), fields)}"
            raise UserError(what, where=f"{where}.{key}", hint=takes)
    for name, f in fields.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise UserError(f"'{label}' needs '{name}'", where=where, hint=takes)


def _convert_union(value: Any, args: tuple[Any, ...], where: str, label: str) -> Any:
    if value is None and type(None) in args:
        return None
    options = [a for a in args if a is not type(None)]
    for kind in options:
        if typing.get_origin(kind) is typing.Literal and value in typing.get_args(kind):
            return value
        container = typing.get_origin(kind) or kind
        wanted = list if container is tuple else dict if _is_mapping(kind) else container
        if _is_instance(value, wanted):
            return convert(value, kind, where=where, label=label)
    if len(options) == 1:
        return convert(value, options[0], where=where, label=label)
    kinds = " or ".join(describe(a) for a in args)
    raise UserError(f"'{label}' must be {kinds}, got {_show(value)}", where=where)


def _is_mapping(kind: Any) -> bool:
    return typing.get_origin(kind) is dict or dataclasses.is_dataclass(kind)


def _is_instance(value: Any, kind: Any) -> bool:
    if not isinstance(kind, type):
        return False
    if isinstance(value, bool):
        return kind is bool
    if kind is Path:
        return isinstance(value, str) and value != ""
    return _is_finite(value) if kind is float else isinstance(value, kind)


def _is_finite(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:  # an integer beyond any float
        return False


def _hints(cls: type[Any]) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def _show(value: Any) -> str:
    if value is None:
        return "null"
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    what = getattr(error, "problem", None) or " ".join(str(error).split())
    return f"{what}{place}"
