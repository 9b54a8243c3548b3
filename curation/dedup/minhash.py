"""Near-duplicates: MinHash finds candidates, their exact similarity decides."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa

from curation.dedup.near.blocks import Block, blocks_of
from curation.dedup.near.clusters import ClusterJob, settle
from curation.dedup.near.index import GENERATION, Index, write_generation
from curation.dedup.near.outcome import (
    Outcome,
    OutcomeJob,
    about_clusters,
    cluster_sizes,
    write_outcome,
)
from curation.dedup.near.pairs import ENTRY_BYTES, PairsFound, PairsJob, find_pairs
from curation.dedup.near.signatures import Banding
from curation.dedup.near.signing import SignJob, sign_block
from curation.dedup.near.twins import TwinsJob, find_twins, mark
from curation.dedup.near.verifying import SetsJob, Verified, VerifyJob, verify, write_sets
from curation.dedup.survivors import Keep, Policy
from curation.rounds import Origin, Rounds, Verdicts, ranges
from curation.shingling.shingles import Shingles
from curation.stage import GlobalStage, stages

MIN_PARTITION = 2_000_000  # band keys: below that many a partition is not worth a task
PRESETS = {
    "default": (22, 5),  # misses few; verification restores precision
    "fineweb": (14, 8),  # Penedo et al. 2024, arXiv 2406.17557, section 3.4
    "strict": (26, 11),  # Li et al. 2024 (DCLM), arXiv 2406.11794, as duplodocus' example has it
}
SHOWN = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # similarities at which `check` shows the S-curve


@stages.register("minhash_dedup")
@dataclass(frozen=True, kw_only=True)
class MinhashDedup(GlobalStage):
    """Keeps one of each cluster of near-duplicates; every one that goes names it.

    Documents that share a band of their MinHash signature (Broder 1997) are candidates; they are
    duplicates if the exact Jaccard similarity of their sets of shingles is at least `min_jaccard`.
    `keep` says which is better of two; taken from best to worst, a document goes if one that stays
    is its duplicate, and names the most similar of those. A document without words stays.

    A document takes about 12 bytes per band on disk while this runs, and candidates 8 per word.
    """

    places: ClassVar[tuple[str, ...]] = ("index",)

    preset: Literal["default", "fineweb", "strict"] = "default"
    unit: Literal["word", "char"] = "word"  # of a shingle
    n_gram: int = 5  # units in a shingle
    bands: int | None = None  # null: the preset's
    rows: int | None = None  # of a band, null: the preset's
    hash_bits: Literal[32, 64] = 64
    seed: int = 1  # of the hash functions
    min_jaccard: float = 0.7  # of duplicates, in (0, 1]
    keep: Keep = "first"
    column: str | None = None  # a number, for `keep: highest` and `lowest`
    source_priority: tuple[str, ...] = ()  # best first; other sources come after them
    max_bucket: int = 1000  # documents of one band that are all compared with one another
    index: Path | None = None  # folder that remembers the documents that stayed, between runs

    def __post_init__(self) -> None:
        if not 0 < self.min_jaccard <= 1:
            raise ValueError(f"'min_jaccard' must be in (0, 1]. Got {self.min_jaccard} instead.")
        for name, least in (("n_gram", 1), ("bands", 1), ("rows", 1), ("max_bucket", 2)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"'{name}' must be at least {least}. Got {value} instead.")
        if self.seed < 0:
            raise ValueError(f"'seed' must be >= 0. Got {self.seed} instead.")
        self.policy  # noqa: B018  # checks itself

    @property
    def shingles(self) -> Shingles:
        """What a shingle is."""
        return Shingles(self.unit, self.n_gram)

    @property
    def banding(self) -> Banding:
        """The preset's, or as given."""
        bands, rows = PRESETS[self.preset]
        return Banding(self.bands or bands, self.rows or rows, self.hash_bits, self.seed)

    @property
    def policy(self) -> Policy:
        """Which document stays."""
        return Policy(self.keep, self.column, self.source_priority)

    @property
    def reads(self) -> tuple[str, ...]:
        """See `GlobalStage`."""
        return tuple(dict.fromkeys(("text", *self.policy.reads)))

    def check_columns(self, known: Mapping[str, pa.DataType]) -> None:
        """See `GlobalStage`."""
        super().check_columns(known)
        self.policy.check_columns(known)

    def check(self) -> None:
        """See `Stage`: the index must be for these settings."""
        if self._index:
            self._index.check()

    def notes(self) -> tuple[str, ...]:
        """The S-curve."""
        banding = self.banding
        curve = ", ".join(f"{s:g}: {banding.probability(s):.1%}" for s in SHOWN)
        return (
            f"{banding.bands} bands of {banding.rows} rows; a pair of similarity s is compared "
            f"with probability 1 - (1 - s^{banding.rows})^{banding.bands}",
            f"  {curve}",
            f"  then it is a duplicate if its exact similarity is at least {self.min_jaccard:g}",
        )

    def decide(self, rounds: Rounds) -> Verdicts:
        """See `GlobalStage`."""
        known = self._index.blocks(rounds.state) if self._index else []
        end = known[-1].end if known else 0
        new = blocks_of(rounds.slices, rounds.folder, len(known), end)
        blocks = (*known, *new)
        if not new:
            return Verdicts()
        jobs = [SignJob(block, self.shingles, self.banding, self.policy) for block in new]
        rounds.run("sign", sign_block, jobs)
        twins = self._twins(rounds, blocks)
        pairs = self._pairs(rounds, blocks, twins)
        verified = self._verify(rounds, blocks, pairs)
        settled = self._settle(rounds, blocks, verified)
        outcomes = [
            OutcomeJob(b, blocks, settled, twins, self.min_jaccard, rounds.folder) for b in new
        ]
        found = rounds.run("decide", write_outcome, outcomes, 0)
        report = _report(rounds, blocks, pairs, verified, found)
        decisions, gone = tuple(one.decisions for one in found), [one.gone for one in found]
        kept = (write_generation(rounds, new, gone),) if self._index else ()
        return Verdicts(decisions, kept=kept, report=report)

    def state(self, corpus: Origin) -> list[str]:
        """The generations of the index that this run builds on."""
        return self._index.before(corpus.identity, corpus.inputs) if self._index else []

    def publish(self, folder: Path, corpus: Origin, state: list[str]) -> None:
        """Adds the documents that stayed to the index."""
        if self._index and (folder / GENERATION).exists():
            self._index.publish(folder / GENERATION, corpus.identity, corpus.inputs, state)

    @property
    def _index(self) -> Index | None:
        if self.index is None:
            return None
        settings = {**dataclasses.asdict(self.shingles), **dataclasses.asdict(self.banding)}
        return Index(self.index, settings)

    def _twins(self, rounds: Rounds, blocks: tuple[Block, ...]) -> tuple[Path, ...]:
        by_id = self.policy.ties[0] == "id"
        count = self._partitions(rounds, "twins", blocks[-1].end)
        jobs = [
            TwinsJob(blocks, i, first, end, by_id, rounds.folder)
            for i, (first, end) in enumerate(ranges(2**64, count))
        ]
        return tuple(rounds.run("twins", find_twins, jobs, blocks[-1].end * ENTRY_BYTES))

    def _pairs(
        self, rounds: Rounds, blocks: tuple[Block, ...], twins: Sequence[Path]
    ) -> list[PairsFound]:
        bits = mark(twins, blocks[-1].end, rounds.folder / "twins.arrow")
        known = max((block.end for block in blocks if block.known), default=0)
        keys = blocks[-1].end * self.banding.bands
        jobs = [
            PairsJob(
                blocks=blocks,
                number=i,
                first=first,
                last=end,
                twins=bits,
                known=known,
                max_bucket=self.max_bucket,
                memory=rounds.task_memory // 2,
                folder=rounds.folder,
            )
            for i, (first, end) in enumerate(ranges(2**64, self._partitions(rounds, "bands", keys)))
        ]
        return rounds.run("bucket", find_pairs, jobs, keys * ENTRY_BYTES)

    def _partitions(self, rounds: Rounds, name: str, entries: int) -> int:
        """How many ranges of keys: enough for memory and, if there is much to do, for workers."""
        least = min(2 * rounds.workers, entries // MIN_PARTITION)
        count = max(1, least, -(-2 * entries * ENTRY_BYTES // rounds.task_memory))
        return int(rounds.remember(name, lambda: count))

    def _verify(
        self, rounds: Rounds, blocks: tuple[Block, ...], pairs: Sequence[PairsFound]
    ) -> list[Verified]:
        files = tuple(rounds.folder / name for found in pairs for name in found.files)
        if not files:
            return []
        sets = [SetsJob(block, self.shingles, files, rounds.folder) for block in blocks]
        size = sum(rounds.run("shingle", write_sets, sets))
        jobs = [
            VerifyJob(b, blocks, files, self.min_jaccard, rounds.task_memory, rounds.folder)
            for b in blocks
            if not b.known
        ]
        return rounds.run("verify", verify, jobs, size)

    def _settle(
        self, rounds: Rounds, blocks: tuple[Block, ...], verified: Sequence[Verified]
    ) -> Path:
        corpus_order = self.keep == "first" and not self.source_priority
        job = ClusterJob(
            blocks=blocks,
            edges=tuple(one.path for one in verified),
            by_order=not corpus_order,
            by_id=self.policy.ties[0] == "id",
            memory=rounds.task_memory,
            folder=rounds.folder,
        )
        (settled,) = rounds.run("cluster", settle, [job], 0)
        return Path(settled)


def _report(
    rounds: Rounds,
    blocks: tuple[Block, ...],
    pairs: Sequence[PairsFound],
    verified: Sequence[Verified],
    outcomes: Sequence[Outcome],
) -> dict[str, Any]:
    """Pairs, buckets, duplicates by source and of their survivors, sizes, the largest clusters."""
    gone = [one.gone for one in outcomes]
    sizes, largest = cluster_sizes(gone, blocks[-1].end, rounds.task_memory)
    sources: Counter[tuple[str, str]] = Counter()
    for one in outcomes:
        sources.update({(source, survivor): n for source, survivor, n in one.sources})
    bins = [sum(counts) for counts in zip(*(one.bins for one in verified), strict=True)]
    return {
        "documents": rounds.rows,
        "duplicates": sum(sources.values()),
        "candidates": {"compared": sum(bins), "similar": sum(v.similar for v in verified)},
        "candidates_by_similarity": bins,
        "buckets": _buckets(pairs),
        "duplicates_by_source": [
            {"source": source, "survivor_source": survivor, "documents": n}
            for (source, survivor), n in sorted(sources.items())
        ],
        "cluster_sizes": {str(size): n for size, n in sorted(sizes.items())},
        "largest_clusters": about_clusters(blocks, gone, largest),
    }


def _buckets(pairs: Sequence[PairsFound]) -> dict[str, int]:
    counts = [dataclasses.asdict(found) for found in pairs]
    totals = {name: sum(c[name] for c in counts) for name in ("buckets", "capped", "skipped")}
    return {**totals, "largest": max((c["largest"] for c in counts), default=0)}
