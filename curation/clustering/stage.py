"""Documents in clusters: domains for a mixture, made as CLIMB makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.clustering.assigning import AssignJob, assign_block, read_sums
from curation.clustering.building import Levels, Sums, levels
from curation.clustering.describing import clusters_of, examples, keywords, lay_out, named
from curation.clustering.outcome import LabelJob, Labels, write_labels
from curation.clustering.sampling import (
    SAMPLE_CHARS,
    TrainJob,
    draw_sample,
    find_centroids,
    read_sample,
)
from curation.clustering.vectors import Vectors, check_vectors, unit_vectors
from curation.dedup.near.blocks import blocks_of
from curation.errors import UserError
from curation.rounds import Rounds, Verdicts
from curation.stage import Annotations, GlobalStage, stages


@stages.register("cluster")
@dataclass(frozen=True, kw_only=True)
class Cluster(GlobalStage):
    """Puts documents into clusters by their vectors: k-means, pruned by scores, merged to `k`.

    CLIMB (arXiv 2504.13161), with spherical k-means: `k_init` clusters from a sample; those whose
    mean of a column is below `min_mean` go with their documents; what is left is merged to `k`.
    `cluster` names the result, by descending size `c00`, `c01`, ...; `cluster_fine` the cluster of
    k-means. A document without a vector goes, with the reason `no_vector`. Where the sample has
    fewer distinct vectors than `k_init`, there are as many clusters, and the report says so.

    The paper merges centroids within a distance: `max_distance` does. That chains (one cluster with
    99 % of the tokens in an independent reproduction), so by default the nearest two, by Ward's
    criterion, are merged as long as they hold at most `balance` / `k` of all bytes together.

    The sample is held in memory, about 4 KB a document, while keywords and examples are found.
    """

    vectors: str = "embed.vector"
    k_init: int = 1000  # clusters of k-means, as in the paper
    k: int = 20  # clusters in the end: the paper's 16 to 21
    min_mean: dict[str, float] = field(default_factory=dict)  # column: least mean of a cluster
    balance: float = 1.5  # largest merged cluster, in mean sizes
    max_distance: float | None = None  # Euclidean, of unit centroids: merges by it instead of to k
    sample: int = 50_000  # documents that k-means learns from
    restarts: int = 3  # of k-means: the run of the least error is taken
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("k_init", "k", "sample", "restarts"):
            if getattr(self, name) < 1:
                raise ValueError(f"'{name}' must be at least 1. Got {getattr(self, name)} instead.")
        if self.k > self.k_init:
            raise ValueError(f"'k' ({self.k}) must be at most 'k_init' ({self.k_init})")
        if self.sample < self.k_init:
            raise ValueError(f"'sample' ({self.sample}) must be at least 'k_init' ({self.k_init})")
        if self.balance < 1:
            raise ValueError(f"'balance' must be at least 1. Got {self.balance} instead.")
        if self.max_distance is not None and not 0 <= self.max_distance <= 2:
            raise ValueError(f"'max_distance' must be in [0, 2]. Got {self.max_distance} instead.")
        if self.seed < 0:
            raise ValueError(f"'seed' must be >= 0. Got {self.seed} instead.")

    @property
    def reads(self) -> tuple[str, ...]:
        """See `GlobalStage`."""
        return tuple(dict.fromkeys(("text", self.vectors, *self.min_mean)))

    def check_columns(self, known: Mapping[str, pa.DataType]) -> None:
        """See `GlobalStage`."""
        check_vectors(self.vectors, known)
        super().check_columns(known)
        for column in self.min_mean:
            if not _is_number(known[column]):
                raise UserError(f"'{column}' is {known[column]}: 'min_mean' needs a number")

    def columns(self) -> Annotations:
        """See `GlobalStage`."""
        return {"cluster": pa.string(), "cluster_fine": pa.string()}

    def decide(self, rounds: Rounds) -> Verdicts:
        """See `GlobalStage`."""
        blocks = blocks_of(rounds.slices, rounds.folder, 0, 0)
        if not rounds.rows:
            return Verdicts()
        drawn = draw_sample(rounds, blocks, self.vectors, self.sample, self.seed, SAMPLE_CHARS)
        job = TrainJob(drawn, self.sample, self.k_init, self.seed, self.restarts, rounds.folder)
        centroids = find_centroids(rounds, job)
        measured = self._measured(rounds)
        jobs = [AssignJob(block, self.vectors, measured, rounds.folder) for block in blocks]
        assigned = rounds.run("assign", assign_block, jobs)
        sums = read_sums(assigned, len(centroids), measured)
        built = levels(
            centroids,
            sums,
            k=self.k,
            balance=self.balance,
            max_distance=self.max_distance,
            min_mean=self.min_mean,
        )
        labels = Labels.of(built, len(centroids))
        found = rounds.run("label", write_labels, [LabelJob(b, labels) for b in blocks], 0)
        return Verdicts(
            decisions=tuple(decisions for decisions, _ in found),
            annotations=tuple(annotations for _, annotations in found),
            report=self._report(rounds, drawn, centroids, sums, built, labels),
        )

    def _measured(self, rounds: Rounds) -> tuple[str, ...]:
        """Every column of numbers, for the report; those of `min_mean` among them."""
        columns = rounds.slices[0].store.annotations
        numbers = [name for name, kind in columns.items() if _is_number(kind)]
        return tuple(dict.fromkeys((*self.min_mean, *numbers)))

    def _report(
        self,
        rounds: Rounds,
        drawn: Sequence[Path],
        centroids: Vectors,
        sums: Sums,
        built: Levels,
        labels: Labels,
    ) -> dict[str, Any]:
        sample = read_sample(drawn, self.sample)
        vectors, _ = unit_vectors(sample["vector"])
        own = clusters_of(vectors, centroids, built)
        count = len(built.members)
        words = keywords(sample["text"].to_pylist(), own, count) if count else []
        shown = examples(sample, vectors, own, built) if count else []
        clusters = [
            {
                **_about(sums, group, labels),
                "name": name,
                "keywords": words[i],
                **named(shown[i], labels.names),
            }
            for i, (name, group) in enumerate(zip(labels.names, built.members, strict=True))
        ]
        clustered = int(sums.documents.sum())
        return {
            "documents": rounds.rows,
            "without_vector": rounds.rows - clustered,
            "sampled": len(sample),
            "k_init": {"asked": self.k_init, "made": len(centroids)},
            "k": {"asked": self.k, "made": count},
            "clusters": clusters,
            "pruned": [
                {
                    "name": labels.fine[one.cluster],
                    "column": one.column,
                    "mean": one.mean,
                    "min_mean": one.least,
                    "documents": int(sums.documents[one.cluster]),
                }
                for one in built.pruned
            ],
            "map": lay_out(vectors, own, built.centroids) if count else {},
        }


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _about(sums: Sums, group: Sequence[int], labels: Labels) -> dict[str, Any]:
    """Size, sources and means of a cluster."""
    own = list(group)
    means = {name: sums.mean(name, own) for name in sums.totals}
    sources = {source: int(n[own].sum()) for source, n in sorted(sums.sources.items())}
    return {
        "documents": int(sums.documents[own].sum()),
        "bytes": int(sums.num_bytes[own].sum()),
        "fine": [labels.fine[i] for i in own],
        "sources": {source: n for source, n in sources.items() if n},
        "means": {name: mean for name, mean in means.items() if mean is not None},
    }
