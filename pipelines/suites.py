"""A judge's suites: built-in ones by name, ones made from its panels, and files.

DIR/judge/suites/<name>.jsonl     as they are scored, whatever they were read from
DIR/judge/suites/<name>-*.npz     their token ids under the judge's tokenizer
DIR/judge/targets/<name>.jsonl    the half of a suite that recipes may rank by; the other is scored
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from curation.errors import UserError, closest
from curation.hold_out import is_held_out
from eval.makers.catalogue import MAKERS
from eval.makers.passages import Document
from eval.readers.read import SuiteFile, name_of, read_suite
from eval.suites.built_in import built_in, built_in_names
from eval.suites.header import Header
from eval.suites.suite import Suite, write_suite
from train.tokenizer import Tokenizer

Entry = str | SuiteFile  # of a judge's `suites`


def suite_name(entry: Entry) -> str:
    """What metrics call the suite that `entry` asks for."""
    file = _file(entry)
    if file is None:
        return str(entry)
    return file.name or name_of(file.path)


def check_suites(entries: Sequence[Entry], primary: str, file: Path) -> None:
    """Reads every suite that is there before a run.

    Raises:
        UserError: one is unknown or malformed, or has no metric called `primary`.
    """
    for name, known in known_metrics(entries, file).items():
        if primary.startswith(f"suites.{name}.") and primary not in known:
            raise UserError(
                f"there is no metric '{primary}'.{closest(primary, known)}",
                where=f"{file}: primary",
                hint=f"'{name}' has: {', '.join(known)}",
            )


def known_metrics(entries: Sequence[Entry], file: Path) -> dict[str, list[str]]:
    """The metrics of each suite as `suites.<name>.<metric>`, without making anything.

    Raises:
        UserError: a suite is unknown or malformed.
    """
    from eval.metrics import metric_names

    found = {}
    for entry in entries:
        name = suite_name(entry)
        # What is made from panels is known by its header until there are panels.
        suite = Suite(MAKERS[name].header, ()) if _is_made(entry) else _load(entry, file)
        found[name] = [f"suites.{name}.{metric}" for metric in metric_names(suite)]
    return found


def suite_identity(entries: Sequence[Entry], file: Path) -> dict[str, Any]:
    """What decides the suites, the panels that some are made from apart."""
    return {
        suite_name(entry): ["made", MAKERS[suite_name(entry)].header.version]
        if _is_made(entry)
        else _load(entry, file).hash
        for entry in entries
    }


def make_suites(
    entries: Sequence[Entry],
    file: Path,
    panels: Mapping[str, Path],
    tokenizer: Tokenizer,
    folder: Path,
    targets: Sequence[str] = (),
) -> None:
    """Writes the suites to `folder`, with their token ids; of `targets` the half that is scored.

    The other half goes to `targets/` beside `folder`.
    """
    from eval.requests import suite_requests

    documents = list(_documents(panels)) if any(map(_is_made, entries)) else []
    for entry in entries:
        name = suite_name(entry)
        suite = MAKERS[name].make(documents) if _is_made(entry) else _load(entry, file)
        if name in targets:
            target, suite = halves(suite)
            write_suite(target, folder.with_name("targets") / f"{name}.jsonl")
        write_suite(suite, folder / f"{name}.jsonl")
        suite_requests(suite, tokenizer, folder)


def halves(suite: Suite) -> tuple[Suite, Suite]:
    """The items to rank documents by, and those that are scored: by a hash, so always the same.

    Raises:
        UserError: a half is empty.
    """
    sides = [is_held_out(f"target\0{suite.name}\0{item.id}", 0.5) for item in suite.items]
    found = [
        tuple(item for item, side in zip(suite.items, sides, strict=True) if side == wanted)
        for wanted in (True, False)
    ]
    if not all(found):
        what = f"suite '{suite.name}' has {len(suite.items)} items: too few for two halves"
        raise UserError(what, where="targets", hint="Take it out of the judge's `targets`")
    target, scored = (Suite(suite.header, items) for items in found)
    return target, scored


def scored_suites(entries: Sequence[Entry], targets: Sequence[str], file: Path) -> Iterator[Suite]:
    """What is scored of each suite that is there before a run."""
    for entry in entries:
        if not _is_made(entry):
            suite = _load(entry, file)
            yield halves(suite)[1] if suite_name(entry) in targets else suite


def suite_headers() -> dict[str, Header]:
    """The suites that a judge may name, built in and made from panels."""
    headers = {name: built_in(name).header for name in built_in_names()}
    return headers | {name: maker.header for name, maker in MAKERS.items()}


def _is_made(entry: Entry) -> bool:
    return _file(entry) is None and entry in MAKERS


def _file(entry: Entry) -> SuiteFile | None:
    """The file that `entry` names, if it is not a suite by name."""
    if isinstance(entry, SuiteFile):
        return entry
    known = [*built_in_names(), *MAKERS]
    if entry in known:
        return None
    if Path(entry).suffix or "/" in entry:
        return SuiteFile(path=entry)
    raise ValueError(
        f"there is no suite '{entry}'.{closest(entry, known)} Known: {', '.join(known)}, "
        "and files by their path"
    )


def _load(entry: Entry, file: Path) -> Suite:
    spec = _file(entry)
    if spec is None:
        return built_in(str(entry))
    return read_suite(file.parent / spec.path, replace(spec, name=suite_name(entry)))


def _documents(panels: Mapping[str, Path]) -> Iterator[Document]:
    for path in panels.values():
        table = pq.read_table(path, columns=["record", "text"])
        for record, text in zip(*(table[c].to_pylist() for c in table.column_names), strict=True):
            yield Document(record, text)
