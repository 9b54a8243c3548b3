"""The record of a search at work: kept whole on disk after every step, told of after every run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.search.proxies import Made, Proxies, Wanted
from pipelines.search.record import RunEntry, SearchRecord, write_search

Tell = Callable[[SearchRecord], None]


class SearchLog:
    """Makes runs and keeps the record of them.

    Args:
        record: what is known before the first run.
        proxies: where runs are made.
        out: for `search.json`.
        tell: hears of the record after every run and step.
    """

    def __init__(self, record: SearchRecord, proxies: Proxies, out: Path, tell: Tell) -> None:
        self.record, self._proxies, self._out, self._tell = record, proxies, out, tell
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the search began."""
        return time.monotonic() - self._begin

    def note(self, **changes: Any) -> None:
        """Changes fields of the record, writes it and tells of it."""
        self.record = replace(self.record, **changes, seconds=round(self.seconds, 1))
        write_search(self.record, self._out)
        self._tell(self.record)

    def warn(self, *sentences: str) -> None:
        """Adds warnings, each once."""
        new = [text for text in sentences if text not in self.record.warnings]
        if new:
            self.note(warnings=(*self.record.warnings, *new))

    def make(self, wanted: Sequence[Wanted]) -> list[Made]:
        """The runs, in the order of `wanted`; they are in the record afterwards."""
        before = self.record.runs
        ended: list[RunEntry] = []

        def heard(made: Made) -> None:
            ended.append(made.entry)
            self._tell(replace(self.record, runs=(*before, *ended)))

        made = self._proxies.make(wanted, heard)
        entries = [one.entry for one in made]
        runs = (*before, *entries)
        asked = [run.id for run in runs if run.role == "search"]
        outside = {run.id for run in runs} - set(asked)
        self.note(runs=runs, asked=len(asked), outside_budget=len(outside))
        return made
