"""Lines and paragraphs that repeat across the corpus: boilerplate, cut from the texts.

CCNet (Wenzek et al. 2020, arXiv 1911.00359) cuts every line that a shard of the crawl holds twice,
its first occurrence too; Llama 3 (arXiv 2407.21783, 3.1.1) those that occur more than six times in
30 million documents; Dolma (Soldaini et al. 2024, arXiv 2402.00159) repeated paragraphs but for
the first. They use 64-bit hashes or Bloom filters, which cut some text that does not repeat, and
shards, which miss some that does. Here the whole corpus is compared, by 128 bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from curation.dedup.forms import Form
from curation.dedup.units.cuts import (
    COUNTED,
    CutJob,
    SampleJob,
    cut_run,
    read_samples,
)
from curation.dedup.units.finder import Scope, UnitFinder
from curation.dedup.units.repeats import RepeatsJob, find_repeats, shown
from curation.dedup.units.runs import Run, Tallied, TallyJob, shares, tally_slices
from curation.dedup.units.units import UnitRules
from curation.rounds import Rounds, Verdicts, ranges
from curation.stage import GlobalStage, stages

ENTRY_BYTES = 320  # that a task holds per entry of a tally: itself, sorted, joined, written


@dataclass(frozen=True, kw_only=True)
class RepeatedUnits(GlobalStage):
    """Cuts lines or paragraphs that stand in several documents.

    Attributes:
        normalise: when two of them are the same: see `curation.dedup.forms`.
        min_count: documents of a scope that hold it, from which on it is cut; occurrences within
            one document count once.
        keep: `first` leaves the first occurrence in corpus order, `none` cuts them all.
        scope: documents are counted in the whole `corpus`, or within each `source` or `site`, the
            host of `url` without `www.`. A document without a host is then left alone.
        min_chars: shorter ones are left alone; characters, without white space at the ends.
        min_words: those of fewer words (`curation.text`) are left alone: most are the headings of
            sections ("See also") or short code; three words make a line for C4 too (Raffel et al.
            2020, arXiv 1910.10683).
        cut_structural: also headings, fences, braces, rows of tables and other structure, as
            `curation.dedup.units.structure` defines it; otherwise they are left alone.
        max_cut_frac: a document that would lose more than this share of its characters is dropped
            instead, as DCLM does above 0.8 (Li et al. 2024, arXiv 2406.11794); null keeps it.

    A blank line or paragraph is never cut, nor one of which `normalise` leaves nothing. With
    `keep: first`, `min_count` >= 2 and the same parameters a second pass cuts and drops nothing:
    one document at most is left with any line that was cut, and no cut makes a new line. A document
    dropped by `max_cut_frac` takes with it the first occurrences that it held.

    The report has, besides totals: `repeated`, the number of distinct lines that repeat; `sources`,
    per source what was cut; `top`, the 50 lines of the most documents, each with its text (200
    characters), documents, occurrences, documents by source, and the id of the first document.
    """

    normalise: Form = "whitespace"
    min_count: int
    keep: Literal["first", "none"] = "first"
    scope: Scope = "corpus"
    min_chars: int | None = None
    min_words: int | None = 3
    cut_structural: bool = False
    max_cut_frac: float | None = 0.8

    paragraphs: ClassVar[bool]

    def __post_init__(self) -> None:
        if self.min_count < 2:
            raise ValueError(
                f"'min_count' of {self.name} must be at least 2, or all text repeats. "
                f"Got {self.min_count} instead."
            )
        for param in ("min_chars", "min_words"):
            value = getattr(self, param)
            if value is not None and value < 1:
                raise ValueError(
                    f"'{param}' of {self.name} must be at least 1. Got {value} instead."
                )
        if self.max_cut_frac is not None and not 0 <= self.max_cut_frac <= 1:
            raise ValueError(
                f"'max_cut_frac' of {self.name} must be in [0, 1]. Got {self.max_cut_frac} instead."
            )

    @property
    def finder(self) -> UnitFinder:
        """Finds what it may cut."""
        least = (self.min_chars or 0, self.min_words or 0)
        rules = UnitRules(self.paragraphs, self.cut_structural, *least)
        return UnitFinder(rules, self.normalise, self.scope)

    @property
    def reads(self) -> tuple[str, ...]:
        """The text, and what tells the site."""
        return self.finder.reads

    def decide(self, rounds: Rounds) -> Verdicts:
        """See `GlobalStage`."""
        tallied = self._tally(rounds)
        runs = [run for one in tallied for run in one.runs]
        files = self._find_repeats(rounds, runs, sum(one.entries for one in tallied))
        jobs = [self._cut_job(rounds, i, run, tuple(files)) for i, run in enumerate(runs)]
        counts = rounds.run("cut", cut_run, jobs)
        return Verdicts(
            decisions=tuple(job.path("decisions") for job in jobs),
            edits=tuple(job.path("edits") for job in jobs),
            report=self._report(rounds, tallied, list(zip(runs, counts, strict=True)), files),
        )

    def _tally(self, rounds: Rounds) -> list[Tallied]:
        most = min(rounds.task_memory // 4, rounds.text_bytes // (4 * rounds.workers))
        bounds = rounds.remember("shares", lambda: shares(rounds.slices, most))
        entries = rounds.remember("entries", lambda: rounds.task_memory // ENTRY_BYTES)
        jobs = [
            TallyJob(self.finder, rounds.slices[a:b], entries, rounds.folder) for a, b in bounds
        ]
        return list(rounds.run("tally", tally_slices, jobs))

    def _find_repeats(self, rounds: Rounds, runs: Sequence[Run], entries: int) -> list[Any]:
        if not runs:
            return []
        count = max(1, math.ceil(entries * ENTRY_BYTES / rounds.task_memory))
        count = rounds.remember("partitions", lambda: count)
        paths, sources = tuple(run.path for run in runs), tuple(run.source for run in runs)
        jobs = [
            RepeatsJob(paths, sources, i, first, last, self.min_count, rounds.folder)
            for i, (first, last) in enumerate(ranges(2**64, count))
        ]
        return rounds.run("compare", find_repeats, jobs, entries * 32)

    def _cut_job(self, rounds: Rounds, number: int, run: Run, files: tuple[Any, ...]) -> CutJob:
        first = self.keep == "first"
        return CutJob(self.finder, run, number, files, first, self.max_cut_frac, rounds.folder)

    def _report(
        self,
        rounds: Rounds,
        tallied: Sequence[Tallied],
        counts: Sequence[tuple[Run, Mapping[str, int]]],
        files: list[Any],
    ) -> dict[str, Any]:
        repeated, top = shown(files)
        sources: dict[str, dict[str, int]] = {}
        for one in rounds.slices:
            found = sources.setdefault(one.source, dict.fromkeys(("documents", *COUNTED), 0))
            found["documents"] += one.rows
        for run, cut in counts:
            for name in COUNTED:
                sources[run.source][name] += cut[name]
        return {
            "documents": rounds.rows,
            "units": sum(one.units for one in tallied),
            "repeated": repeated,
            **{name: sum(one[name] for one in sources.values()) for name in COUNTED},
            "sources": sources,
            "top": self._with_samples(rounds, top),
        }

    def _with_samples(self, rounds: Rounds, top: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The lines to show, with their text instead of their hash."""
        places: dict[int, list[int]] = {}
        for i, one in enumerate(top):
            places.setdefault(one["slice"], []).append(i)
        numbered = {one.number: one for one in rounds.slices}
        jobs = [
            SampleJob(
                self.finder,
                numbered[number],
                tuple((top[i]["row"], *top[i]["hash"]) for i in which),
            )
            for number, which in places.items()
        ]
        size = sum(job.part.text_bytes for job in jobs)
        read = rounds.run("samples", read_samples, jobs, size)
        samples = {i: s for which, found in zip(places.values(), read, strict=True)
                   for i, s in zip(which, found, strict=True)}  # fmt: skip
        names = ("documents", "occurrences", "sources")
        return [
            {"text": samples[i][1], **{n: one[n] for n in names}, "id": samples[i][0]}
            for i, one in enumerate(top)
        ]


@stages.register("line_dedup")
@dataclass(frozen=True, kw_only=True)
class LineDedup(RepeatedUnits):
    """Cuts lines that stand in many documents: menus, notices, footers.

    From seven documents on, as in Llama 3 (arXiv 2407.21783, 3.1.1: "more than 6 times").
    """

    min_count: int = 7

    paragraphs: ClassVar[bool] = False


@stages.register("paragraph_dedup")
@dataclass(frozen=True, kw_only=True)
class ParagraphDedup(RepeatedUnits):
    """Cuts paragraphs that stand in other documents: runs of lines between blank ones.

    The first occurrence stays, and two documents are enough, as in Dolma (arXiv 2402.00159).
    """

    min_count: int = 2

    paragraphs: ClassVar[bool] = True
