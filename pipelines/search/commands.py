"""The arguments of `tilth search`; imports are lazy."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., argparse.ArgumentParser]
_EXAMPLES = """\
examples:
  tilth search search.yaml --out out
  tilth search --from-runs runs.csv --objective code_loss=2,web_loss
  tilth search --from-runs mixtures.csv --losses losses.csv --test mixtures2.csv --json
"""


def add_search(commands: Any, command: Command) -> argparse.ArgumentParser:
    """Adds the command to `commands`, made by `command` (commands, name, function, help)."""
    text = "find a mixture with proxy runs and confirm it, or learn from runs that were measured"
    sub = command(commands, "search", _search, text)
    sub.formatter_class, sub.epilog = argparse.RawDescriptionHelpFormatter, _EXAMPLES
    sub.add_argument(
        "spec", type=Path, nargs="?", metavar="SPEC", help="recipe, judge, method, budget"
    )
    sub.add_argument("--out", type=Path, metavar="DIR", help="with SPEC needed")
    _add_from_runs(
        sub.add_argument_group("from a table of measured runs (CSV, TSV, JSONL, Parquet)")
    )
    return sub


def _add_from_runs(group: Any) -> None:
    group.add_argument("--from-runs", type=Path, metavar="RUNS", help="mixtures and their losses")
    group.add_argument("--losses", type=Path, metavar="FILE", help="losses, if they are apart")
    group.add_argument("--test", type=Path, metavar="RUNS", help="mixtures to predict")
    group.add_argument("--test-losses", type=Path, metavar="FILE", help="losses of --test")
    group.add_argument(
        "--objective",
        metavar="NAME=W,...",
        help="columns of losses, or parts of their names (default: the mean of all)",
    )
    group.add_argument(
        "--normalize", action="store_true", help="divide weights by their sum, row by row"
    )
    for name, what in (
        ("--predictor", "to choose from by cross-validation, per target (default: all)"),
        ("--weights-columns", "which columns are weights, such as 'w_*'"),
        ("--losses-columns", "which columns are losses, such as '*_loss'"),
        ("--key", "columns that name a run and join files"),
    ):
        group.add_argument(name, type=_names, default=(), metavar="A,B", help=what)
    group.add_argument(
        "--where",
        type=_condition,
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="use only such rows; may be given several times",
    )


_ONLY_FROM_RUNS = {
    "losses": "--losses",
    "test": "--test",
    "test_losses": "--test-losses",
    "objective": "--objective",
    "predictor": "--predictor",
    "normalize": "--normalize",
    "weights_columns": "--weights-columns",
    "losses_columns": "--losses-columns",
    "key": "--key",
    "where": "--where",
}


def _search(args: argparse.Namespace) -> None:
    _check(args)
    if args.from_runs is not None:
        from pipelines.search.from_runs import from_runs_command

        from_runs_command(args)
    else:
        from pipelines.search.run import search_command

        search_command(args)


def _check(args: argparse.Namespace) -> None:
    """One of the two ways to search, with the options that belong to it."""
    from curation.errors import UserError

    if (args.spec is None) == (args.from_runs is None):
        both = "not both" if args.spec is not None else "got neither"
        raise UserError(f"tilth search takes SPEC or --from-runs RUNS, {both}", hint=_EXAMPLES)
    if args.spec is not None:
        if args.out is None:
            raise UserError("tilth search SPEC needs --out DIR: the folder of its runs")
        for name, option in _ONLY_FROM_RUNS.items():
            if getattr(args, name):
                raise UserError(f"{option} goes with --from-runs; a SPEC says it in its file")
    if args.test_losses is not None and args.test is None:
        raise UserError("--test-losses goes with --test RUNS, the mixtures of these losses")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not (column and equals):
        raise argparse.ArgumentTypeError(f"must be COLUMN=VALUE, got '{text}'")
    return column, value
