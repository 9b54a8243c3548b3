"""Duplicates in meaning: cosines of vectors within clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from curation.clustering.sampling import TrainJob, draw_sample, find_centroids
from curation.clustering.vectors import check_vectors
from curation.dedup.cosine.report import Tally
from curation.dedup.cosine.settling import CURVE, SettleJob, settle_clusters
from curation.dedup.cosine.spreading import CENTRALITY, SpreadJob, spread_block
from curation.dedup.near.blocks import blocks_of
from curation.dedup.survivors import Keep, Policy
from curation.files import read_json
from curation.mapped import map_table
from curation.rounds import Rounds, Verdicts, ranges
from curation.stage import GlobalStage, stages

CLUSTER_DOCUMENTS = 1_000  # of a cluster, if `k` does not say
MAX_K = 11_000  # the paper's for C4
SAMPLED = 32  # documents per cluster that k-means learns from
MIN_SAMPLED = 20_000


@stages.register("semantic_dedup")
@dataclass(frozen=True, kw_only=True)
class SemanticDedup(GlobalStage):
    """Keeps one of the documents that say the same, by the cosine of their vectors.

    SemDeDup (arXiv 2303.09540): spherical k-means, then every pair within a cluster is compared. A
    pair that k-means parts is missed. `keep` says which is better of two: the one less similar to
    the centroid (`least_central`, the paper's), or as in `minhash_dedup`. Taken from best to worst,
    a document goes if one that stays is at least `min_similarity` similar to it, and names the most
    similar of those: no chain takes away what is not directly similar to its survivor. The paper
    compares with those that went, too, which the curve in the report counts. A document without a
    vector stays.

    What a cosine means depends on the model: look at the curve and the largest clusters before
    trusting a threshold. A model of English sees little but letters in other scripts, and takes
    documents in them for alike. Vectors take as much disk again while this runs.
    """

    vectors: str = "embed.vector"
    min_similarity: float = 0.95  # cosine of duplicates, 1 - epsilon, in (0, 1]
    k: int | None = None  # clusters; null: one per 1,000 documents, at most 11,000
    keep: Keep | Literal["least_central"] = "least_central"
    column: str | None = None  # a number, for `keep: highest` and `lowest`
    source_priority: tuple[str, ...] = ()  # best first; other sources come after them
    restarts: int = 1  # of k-means: the run of the least error is taken
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.min_similarity <= 1:
            given = self.min_similarity
            raise ValueError(f"'min_similarity' must be in (0, 1]. Got {given} instead.")
        for name in ("k", "restarts"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"'{name}' must be at least 1. Got {value} instead.")
        if self.seed < 0:
            raise ValueError(f"'seed' must be >= 0. Got {self.seed} instead.")
        if self.keep == "least_central" and self.column is not None:
            raise ValueError("'column' is for 'keep: highest' or 'lowest', not 'least_central'")
        self.policy  # noqa: B018  # checks itself

    @property
    def policy(self) -> Policy:
        """Which document stays."""
        if self.keep == "least_central":
            return Policy("lowest", CENTRALITY, self.source_priority)
        return Policy(self.keep, self.column, self.source_priority)

    @property
    def reads(self) -> tuple[str, ...]:
        """See `GlobalStage`."""
        own = [name for name in self.policy.reads if name != CENTRALITY]
        return tuple(dict.fromkeys(("text", self.vectors, *own)))

    def check_columns(self, known: Mapping[str, pa.DataType]) -> None:
        """See `GlobalStage`."""
        check_vectors(self.vectors, known)
        super().check_columns(known)
        self.policy.check_columns(known)

    def decide(self, rounds: Rounds) -> Verdicts:
        """See `GlobalStage`."""
        if not rounds.rows:
            return Verdicts()
        blocks = blocks_of(rounds.slices, rounds.folder, 0, 0)
        k = self.k or min(MAX_K, -(-rounds.rows // CLUSTER_DOCUMENTS))
        size = max(MIN_SAMPLED, SAMPLED * k)
        drawn = draw_sample(rounds, blocks, self.vectors, size, self.seed)
        job = TrainJob(drawn, size, k, self.seed, self.restarts, rounds.folder)
        made = len(find_centroids(rounds, job))
        about: dict[str, Any] = {"documents": rounds.rows, "clusters": made}
        if not made:
            return Verdicts(report={**about, "without_vector": rounds.rows})
        jobs = [SpreadJob(block, self.vectors, self.policy, rounds.folder) for block in blocks]
        spread = tuple(rounds.run("spread", spread_block, jobs))
        settled = rounds.run("compare", settle_clusters, self._settling(rounds, made, spread))
        tally = Tally.together(read_json(one.counts) for one in settled)
        about["without_vector"] = rounds.rows - sum(len(map_table(file)) for file in spread)
        return Verdicts(
            decisions=tuple(one.decisions for one in settled),
            report={**about, **tally.report(CURVE, rounds.slices)},
        )

    def _settling(self, rounds: Rounds, made: int, spread: Sequence[Path]) -> list[SettleJob]:
        count = rounds.remember("ranges", lambda: min(made, 4 * rounds.workers))
        return [
            SettleJob(
                number=i,
                first=first,
                last=last,
                spread=tuple(spread),
                sources=tuple(part.source for part in rounds.slices),
                policy=self.policy,
                min_similarity=self.min_similarity,
                memory=rounds.task_memory,
                folder=rounds.folder,
            )
            for i, (first, last) in enumerate(ranges(made, count))
        ]
