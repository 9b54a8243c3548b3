"""The arguments of `tilth search`; imports are lazy."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., argparse.ArgumentParser]


def add_search(commands: Any, command: Command) -> argparse.ArgumentParser:
    """Adds the command to `commands`, made by `command` (commands, name, function, help)."""
    text = "find a mixture with proxy runs, and confirm it"
    sub = command(commands, "search", _search, text)
    sub.add_argument("spec", type=Path, metavar="SPEC", help="recipe, judge, method, budget")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR")
    return sub


def _search(args: argparse.Namespace) -> None:
    from pipelines.search.run import search_command

    search_command(args)
