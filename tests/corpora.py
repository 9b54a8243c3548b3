"""Texts and files that tests make in milliseconds."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import yaml

SHARED = Path(__file__).parents[2] / "shared" / "data"

_WORDS = re.findall(
    r"\w+",
    "river stone garden window letter morning teacher engine harbour winter music paper "
    "forest market signal kitchen bridge doctor summer island method reason number answer",
)
_LINKS = re.findall(r"\w+", "the of and to that with have be in for on as by from")


def prose(seed: int, sentences: int = 12) -> str:
    """English-like prose that passes Gopher's rules, different for every seed."""
    draw = random.Random(seed)
    lines = []
    for _ in range(sentences):
        words = []
        for _ in range(draw.randint(5, 9)):
            words += [draw.choice(_LINKS), draw.choice(_WORDS)]
        lines.append(" ".join(words).capitalize() + ".")
    return " ".join(lines)


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """One JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), "utf-8")
    return path


def write_yaml(path: Path, value: dict[str, Any]) -> Path:
    """A recipe or judge."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, sort_keys=False), "utf-8")
    return path
