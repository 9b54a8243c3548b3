"""The command `tilth`. Results on stdout, progress and logs on stderr; imports are lazy.

Exit codes: 0 done, 1 the run could not go on, 2 a mistake of the user's, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curation.backends import Backend
    from curation.workshop import Progress

LISTS = ("stages", "formats", "suites", "methods", "presets", "recipes")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    args = _parser().parse_args(argv)
    from curation.errors import TilthError, UserError

    try:
        return int(args.command(args) or 0)
    except TilthError as error:
        if args.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    except KeyboardInterrupt:
        if args.debug:
            raise
        print(
            "\ninterrupted: what is finished is kept; the same command continues", file=sys.stderr
        )
        return 130
    except BrokenPipeError:  # the reader of our output has gone: `tilth list stages | head`
        sys.stderr.close()
        return 0


class _Intermixed(argparse.ArgumentParser):
    """Takes options before, after and between the other arguments."""

    _inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As the base class; which, for arguments that repeat, takes those in one place only."""
        if self._inside:
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tilth", description="From a raw dump to a score with error bars."
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Intermixed)
    for add in (
        _add_check,
        _add_run,
        _add_search,
        _add_compare,
        _add_explain,
        _add_what_if,
        _add_report,
        _add_list,
        _add_demo,
    ):
        add(commands)
    return parser


def _command(commands: Any, name: str, function: Any, text: str) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    sub.set_defaults(command=function)
    sub.add_argument("--json", action="store_true", help="print the result as JSON")
    sub.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks"
    )
    return sub


def _add_execution(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--backend",
        choices=("ray", "inline"),
        default="ray",
        help="where tasks run (default: ray, started only when worth it)",
    )
    sub.add_argument("--workers", type=_positive, metavar="N", help="default: all cores")
    sub.add_argument("--ray-address", metavar="A", help="a running cluster, or `auto`")
    sub.add_argument(
        "--max-memory",
        type=_memory,
        metavar="SIZE",
        help="that global stages, such as dedup, may take (default: the recipe's, or 2GB)",
    )


def _add_check(commands: Any) -> None:
    sub = _command(commands, "check", _check, "validate a recipe and print the resolved plan")
    sub.add_argument("recipe", type=Path)
    sub.add_argument("--out", type=Path, metavar="DIR", help="also say what exists there")


def _add_run(commands: Any) -> None:
    sub = _command(commands, "run", _run, "make what is missing: dataset, runs, scores, report")
    sub.add_argument("recipes", type=Path, nargs="+", metavar="RECIPE")
    sub.add_argument("--out", type=_folder, required=True, metavar="DIR")
    sub.add_argument("--until", choices=("dataset", "train", "eval"), default="eval")
    sub.add_argument("--strict", action="store_true", help="exit 1 if a stage raised an alarm")
    sub.add_argument(
        "--lr-check",
        action="store_true",
        help="first train the first recipe at half and twice the learning rate; refuse to compare "
        "where one of them is better",
    )
    _add_execution(sub)


def _add_search(commands: Any) -> None:
    from pipelines.search.commands import add_search

    _add_execution(add_search(commands, _command))


def _add_compare(commands: Any) -> None:
    sub = _command(commands, "compare", _compare, "compare recipes that one judge scored")
    sub.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="output folders, or recipe folders in them",
    )
    sub.add_argument("--baseline", metavar="RECIPE", help="default: the first")
    sub.add_argument(
        "--larger",
        type=Path,
        nargs="+",
        default=(),
        metavar="DIR",
        help="the same recipes judged at larger sizes: do they rank alike, and by what law",
    )


def _add_explain(commands: Any) -> None:
    sub = _command(commands, "explain", _explain, "the journey of one document through a recipe")
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument("id", metavar="ID")


def _add_what_if(commands: Any) -> None:
    sub = _command(
        commands, "what-if", _what_if, "what other thresholds would have kept, without a new run"
    )
    sub.formatter_class = argparse.RawDescriptionHelpFormatter
    sub.epilog = """\
examples:
  tilth what-if out gopher_quality.min_words=30
  tilth what-if out language.keep='[en, de]' language.min_score=null --recipe curated
  tilth what-if out --sweep gopher_repetition.max_dup_line_frac
"""
    sub.add_argument("folder", type=Path, metavar="DIR")
    sub.add_argument(
        "changes", nargs="*", metavar="STAGE.PARAM=VALUE", help="a value is YAML, as in a recipe"
    )
    sub.add_argument("--recipe", metavar="NAME", help="default: every recipe that has the stage")
    sub.add_argument(
        "--sweep", metavar="STAGE.PARAM", help="what every value of this threshold keeps"
    )


def _add_report(commands: Any) -> None:
    sub = _command(commands, "report", _report, "write one self-contained HTML page")
    sub.add_argument("folder", type=Path, metavar="DIR")


def _add_list(commands: Any) -> None:
    sub = _command(commands, "list", _list, "names, one line each, with parameters")
    sub.add_argument("what", choices=LISTS)


def _add_demo(commands: Any) -> None:
    sub = _command(commands, "demo", _demo, "run the bundled recipes over the embedded corpus")
    sub.add_argument("--out", type=_folder, required=True, metavar="DIR")
    sub.add_argument("--seed", type=int, default=0, help="of the planted trouble")
    _add_execution(sub)


def _check(args: argparse.Namespace) -> None:
    from pipelines.check import check, plan_text
    from pipelines.recipe import load_recipe

    plan = check(load_recipe(args.recipe))
    _show(args, plan.to_dict(), plan_text(plan, args.out))


def _run(args: argparse.Namespace) -> int:
    from pipelines.recipe import load_recipe
    from pipelines.run import run
    from pipelines.summary import outcome_text

    recipes = [load_recipe(path) for path in args.recipes]
    execution = (_backend(args), _progress(), args.until)
    outcome = run(recipes, args.out, *execution, tell=_tell, lr_check=args.lr_check)
    _show(args, outcome.to_dict(), outcome_text(outcome))
    alarms = [alarm for m in outcome.manifests.values() for alarm in m["alarms"]]
    return 1 if args.strict and alarms else 0


def _compare(args: argparse.Namespace) -> None:
    from dataclasses import asdict

    from eval.table import table
    from pipelines.comparing import compare_folders
    from pipelines.explain import recipe_folders

    homes = [home for folder in args.folders for home in recipe_folders(folder)]
    comparison = compare_folders(homes, args.baseline)
    value, text = asdict(comparison), table(comparison)
    if args.larger:
        from pipelines.sizes import compare_sizes, sizes_text

        sizes = compare_sizes(homes, args.larger)
        value, text = {**value, "sizes": sizes.to_dict()}, f"{text}\n\n{sizes_text(sizes)}"
    _show(args, value, text)


def _explain(args: argparse.Namespace) -> None:
    from pipelines.explain import explain, journey_text

    journeys = explain(args.folder, args.id)
    text = "\n\n".join(journey_text(j) for j in journeys)
    _show(args, [j.to_dict() for j in journeys], text)


def _what_if(args: argparse.Namespace) -> None:
    from pipelines.what_if import answer_text, curve_text, sweep, what_if

    if args.sweep is not None:
        curves = sweep(args.folder, args.sweep, args.changes, args.recipe)
        _show(args, [c.to_dict() for c in curves], "\n\n".join(map(curve_text, curves)))
    else:
        answers = what_if(args.folder, args.changes, args.recipe)
        _show(args, [a.to_dict() for a in answers], "\n\n".join(map(answer_text, answers)))


def _report(args: argparse.Namespace) -> None:
    from pipelines.explain import recipe_folders
    from pipelines.report import write_report
    from pipelines.report.search import write_search_report
    from pipelines.search.record import SEARCH

    if (args.folder / SEARCH).is_file():
        path = write_search_report(args.folder)
    else:
        recipe_folders(args.folder)  # a clear error where there is nothing to report
        path = write_report(args.folder)
    _show(args, {"report": str(path)}, str(path))


def _list(args: argparse.Namespace) -> None:
    from pipelines.catalogue import catalogue, catalogue_text

    entries = catalogue(args.what)
    _show(args, entries, catalogue_text(args.what, entries))


def _demo(args: argparse.Namespace) -> None:
    from pipelines.demonstrate import demonstrate
    from pipelines.summary import demo_text

    demo = demonstrate(args.out, _backend(args), _progress(), args.seed)
    _show(args, demo.to_dict(), demo_text(demo))


def _backend(args: argparse.Namespace) -> Backend:
    from curation.backends import make_backend

    return make_backend(args.backend, args.workers, args.ray_address, args.max_memory)


def _progress() -> Progress:
    from pipelines.progress import ProgressPrinter

    return ProgressPrinter()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show(args: argparse.Namespace, value: Any, text: str) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False) if args.json else text)


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("must name a folder")
    return Path(text)


def _memory(text: str) -> int:
    from curation.memory import parse_bytes

    try:
        return parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number >= 1, got '{text}'")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
