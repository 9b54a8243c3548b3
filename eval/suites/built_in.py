"""The suites that come with tilth, as data files beside this module."""

from __future__ import annotations

from pathlib import Path

from curation.errors import UserError, closest
from eval.suites.suite import Suite, parse_suite, read_records

DATA = Path(__file__).parent / "data"


def built_in_names() -> list[str]:
    """Names of the suites that are there as files."""
    return sorted(path.stem for path in DATA.glob("*.jsonl"))


def built_in(name: str) -> Suite:
    """The built-in suite called `name`.

    Raises:
        UserError: there is none.
    """
    path = DATA / f"{name}.jsonl"
    names = built_in_names()
    if name not in names:
        raise UserError(
            f"there is no built-in suite '{name}'.{closest(name, names)}",
            hint=f"Known: {', '.join(names)}",
        )
    return parse_suite(read_records(path), path)
