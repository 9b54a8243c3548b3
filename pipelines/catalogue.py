"""What there is: stages, formats, suites, methods, presets and ready recipes, from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.config import parameters
from curation.registry import Registry
from curation.sources.source import formats
from curation.stage import stages

RECIPES = Path(__file__).parent / "recipes"


def catalogue(what: str) -> list[dict[str, Any]]:
    """Entries of one kind: name, one line, parameters."""
    if what == "stages":
        return _classes(stages)
    if what == "formats":
        return _classes(formats)
    if what == "presets":
        return _presets()
    if what == "recipes":
        return _recipes()
    if what == "suites":
        return _suites()
    return _methods()


def _classes(registry: Registry[Any]) -> list[dict[str, Any]]:
    classes = [(name, registry.get(name)) for name in registry]
    return [
        {"name": name, "about": _first_line(cls), "parameters": parameters(cls)}
        for name, cls in classes
    ]


def _methods() -> list[dict[str, Any]]:
    from mixtures.methods.method import methods

    entries = _classes(methods)
    for entry in entries:
        entry["about"] += f" ({methods.get(entry['name']).reference})"
    return entries


def _first_line(cls: type[Any]) -> str:
    return (cls.__doc__ or "").strip().split("\n")[0]


def _presets() -> list[dict[str, Any]]:
    from train.config import PRESETS

    entries = []
    for preset in PRESETS.values():
        model, train = preset.model, preset.train
        about = f"{model.params:,} parameters, {train.tokens:,} tokens in {train.steps:,} steps"
        entries.append({"name": preset.name, "about": about, "parameters": {}})
    return entries


def _suites() -> list[dict[str, Any]]:
    from pipelines.suites import suite_headers

    entries = []
    for name, header in suite_headers().items():
        about = (
            f"{header.type} suite, version {header.version}, from {header.source}, "
            f"{header.licence}, chance {header.baseline:g}"
        )
        entries.append({"name": name, "about": about, "parameters": {}})
    return entries


def _recipes() -> list[dict[str, Any]]:
    entries = []
    for file in sorted(RECIPES.rglob("*.yaml")):
        first = file.read_text("utf-8").split("\n")[0].removeprefix("#").strip()
        entries.append({"name": str(file.relative_to(RECIPES)), "about": first, "parameters": {}})
    return entries


def catalogue_text(what: str, entries: list[dict[str, Any]]) -> str:
    """Entries for the terminal."""
    if not entries:
        return f"no {what} yet"
    lines = []
    for entry in entries:
        lines.append(f"{entry['name']}: {entry['about']}")
        lines += [f"    {name}: {kind}" for name, kind in entry["parameters"].items()]
    return "\n".join(lines)
