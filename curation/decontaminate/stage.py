"""Decontamination: documents that hold items of tests go, or lose these."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from curation.decontaminate.counting import Demands, find_live
from curation.decontaminate.cutting import Span
from curation.decontaminate.evidence import evidence_files, read_evidence
from curation.decontaminate.index import MIN_WORDS, map_index
from curation.decontaminate.judging import Action, JudgeJob, concat_hits, judge, save_live
from curation.decontaminate.reporting import item_table, report
from curation.decontaminate.searching import (
    EVIDENCE,
    IndexJob,
    SearchJob,
    count_documents,
    read_items,
    search,
    write_index,
)
from curation.dedup.units.runs import shares
from curation.errors import UserError
from curation.files import write_parquet
from curation.rounds import Rounds, Verdicts
from curation.stage import GlobalStage, Stage, stages

HIT_BYTES = 8  # of hits per byte of text, at most: 24 per word, sorted


@stages.register("decontaminate")
@dataclass(frozen=True, kw_only=True)
class Decontaminate(GlobalStage):
    """Drops documents that hold test items, cuts the items out, or only lists them.

    An item is found by its question: the share of the question's words that stand in a document,
    in n-grams, close together. An answer alone is no contamination: most answers stand in many
    texts. Next to some of its question it counts: then the share is that of question and answer.

    Brown et al. 2020 (GPT-3, arXiv 2005.14165, appendix C) look for any 13-gram; that misses short
    questions and those with a word changed. Six words find them, and precision comes from how much
    of the item must be there. N-grams of many documents (Brown et al. leave out those of more than
    10) or of many items do not count, neither as found nor as missing.

    Attributes:
        against: files and folders of evidence (see `curation.decontaminate.evidence`), or `eval`:
            the suites and panels of the recipe's judge.
        action: `drop` the documents; `cut` the items out of them; `mark`: report them only.
        cut: what goes with `action: cut`: the `paragraph` around, or the `match` alone.
        n_gram: words. Words are those of `curation.text`, lower-cased.
        min_overlap: share of the words of a question, or of question and answer, that must be
            found; half of an item is often a word or two less than half.
        min_words: found, if not the whole question is but its first word.
        min_words_inside: the same without the first word: a name or an idiom in the middle of a
            question is no sign of it; 13 as Brown et al. have it.
        min_chars: the same in letters and digits: eight short words ("and that it is to be in the")
            are in many texts. A letter of a script without spaces counts as three.
        min_chars_whole: of a whole question, which may have less than `min_words`, but three.
        max_df: documents, and `max_df_frac`: share of the corpus, above both of which an n-gram is
            boilerplate and does not count.
        max_items: items above which an n-gram is a template of its suite and does not count.

    `hits.parquet` has every item found in every document with the text that stands there;
    `items.parquet` every item with its state: contaminated, clean, or why it cannot be checked.
    """

    against: Literal["eval"] | tuple[Path, ...]
    action: Action = "drop"
    cut: Span = "paragraph"
    n_gram: int = 6
    min_overlap: float = 0.45
    min_words: int = 8
    min_words_inside: int = 13
    min_chars: int = 30
    min_chars_whole: int = 20
    max_df: int = 50
    max_df_frac: float = 1e-5
    max_items: int = 50

    def __post_init__(self) -> None:
        if not self.against:
            raise ValueError("'against' is empty: name evidence, or eval for that of the judge")
        if not MIN_WORDS <= self.n_gram <= 50:
            raise ValueError(f"'n_gram' must be in [{MIN_WORDS}, 50]. Got {self.n_gram} instead.")
        if not 0 < self.min_overlap <= 1:
            raise ValueError(f"'min_overlap' must be in (0, 1]. Got {self.min_overlap} instead.")
        if not 0 <= self.max_df_frac <= 1:
            raise ValueError(f"'max_df_frac' must be in [0, 1]. Got {self.max_df_frac} instead.")
        for name in ("min_words", "min_words_inside"):
            value = getattr(self, name)
            if value < self.n_gram:
                raise ValueError(
                    f"'{name}' must be at least 'n_gram' ({self.n_gram}): fewer are never found. "
                    f"Got {value} instead."
                )
        for name in ("min_chars", "min_chars_whole", "max_df", "max_items"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"'{name}' must be at least 1. Got {value} instead.")

    @property
    def demands(self) -> Demands:
        """What makes an item found."""
        return Demands(
            self.min_overlap,
            self.min_words,
            self.min_words_inside,
            self.min_chars,
            self.min_chars_whole,
        )

    def files(self) -> dict[str, tuple[Path, ...]]:
        """The files of evidence, those of folders one by one."""
        return {} if self.against == "eval" else {"against": evidence_files(self.against)}

    def check(self) -> None:
        """The evidence can be read."""
        if self.against != "eval":
            read_evidence(evidence_files(self.against))

    def expand(self, label: str) -> tuple[tuple[str, Stage], ...]:
        """Itself, with files in place of folders."""
        return ((label, self if self.against == "eval" else self.looking_for(self.against)),)

    def looking_for(self, against: Sequence[Path]) -> Self:
        """The same stage with other evidence."""
        return dataclasses.replace(self, against=evidence_files(against))

    def decide(self, rounds: Rounds) -> Verdicts:
        """See `GlobalStage`."""
        about = self._index(rounds)
        searches = self._searches(rounds)
        found = rounds.run("search", search, searches)
        index = map_index(rounds.folder / EVIDENCE)
        common = self._common(rounds, count_documents([seen for _, seen in found], index))
        live = find_live(index, ~common)
        save_live(live, rounds.folder / EVIDENCE)
        jobs = [JudgeJob(job, self.demands, self.action, self.cut) for job in searches]
        size = sum(hits.stat().st_size for hits, _ in found)
        judged = [one for counts in rounds.run("judge", judge, jobs, size) for one in counts]
        found_in = rounds.folder / "hits.parquet"
        hits = concat_hits([job.path("found") for job in jobs], found_in)
        known, states = read_items(rounds.folder), rounds.folder / "items.parquet"
        items = item_table(known, hits, index, live, self.demands)
        write_parquet(states, items)
        evidence = {**about, "common_n_grams": int(common.sum())}
        return Verdicts(
            decisions=tuple(job.path("decisions") for job in jobs),
            edits=tuple(job.path("edits") for job in jobs),
            artifacts=(found_in, states),
            report=report(rounds, evidence, items, hits, judged),
        )

    def _index(self, rounds: Rounds) -> dict[str, Any]:
        if self.against == "eval":
            what = "there is no judge whose suites and panels could be looked for"
            raise UserError(what, hint="Name a judge in the recipe, or evidence in 'against'")
        job = IndexJob(evidence_files(self.against), self.n_gram, self.max_items, rounds.folder)
        (about,) = rounds.run("index", write_index, [job], 0)
        return dict(about)

    def _searches(self, rounds: Rounds) -> list[SearchJob]:
        most = min(rounds.task_memory // HIT_BYTES, rounds.text_bytes // (4 * rounds.workers))
        bounds = rounds.remember("shares", lambda: shares(rounds.slices, most))
        return [SearchJob(rounds.slices[a:b], rounds.folder) for a, b in bounds]

    def _common(self, rounds: Rounds, documents: np.ndarray) -> np.ndarray:
        """Which n-grams are boilerplate."""
        most = max(self.max_df, self.max_df_frac * rounds.rows)
        common: np.ndarray = documents > most
        return common
