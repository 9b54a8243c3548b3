"""What `semantic_dedup` tells of its duplicates; groups never cross the clusters they are in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from curation.clustering.vectors import Numbers
from curation.dedup.near.outcome import LARGEST, SAMPLE_CHARS, SHOWN_MEMBERS
from curation.rounds import CorpusSlice


@dataclass
class Tally:
    """Counts of some clusters, as JSON.

    Attributes:
        curve: documents that have a better one at least so similar, per threshold.
        sizes: groups by how many documents are in them.
        sources: (source of a duplicate, of its survivor): duplicates.
        largest: groups, the largest first.
    """

    curve: Counter[int] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)
    largest: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, about: pa.Table, document: Numbers, survivor: Numbers, sources: Sequence[str]
    ) -> None:
        """Counts the duplicates of one cluster, whose documents `about` names by slice and id."""
        slices, ids = about["slice"].to_numpy(), about["id"]
        of = [
            (sources[slices[d]], sources[slices[s]])
            for d, s in zip(document, survivor, strict=True)
        ]
        self.sources.update(of)
        kept, counts = np.unique(survivor, return_counts=True)
        self.sizes.update((counts + 1).tolist())
        for one in kept[np.argsort(-counts, kind="stable")][:LARGEST].tolist():
            own = np.sort(document[survivor == one])
            told = Counter(sources[slices[i]] for i in (one, *own.tolist()))
            group = {
                "survivor": ids[one].as_py(),
                "documents": len(own) + 1,
                "sources": dict(sorted(told.items(), key=lambda item: (-item[1], item[0]))),
                "members": ids.take(pa.array(own[:SHOWN_MEMBERS])).to_pylist(),
                "place": [int(slices[one]), about["row"][one].as_py()],
            }
            self.largest.append(group)
        self.largest = _largest(self.largest)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "curve": sorted(self.curve.items()),
            "sizes": sorted(self.sizes.items()),
            "sources": [[*pair, n] for pair, n in sorted(self.sources.items())],
            "largest": self.largest,
        }

    @classmethod
    def together(cls, found: Iterable[Mapping[str, Any]]) -> Tally:
        """The sum of what `to_dict` gave."""
        whole = cls()
        for one in found:
            whole.curve.update(dict(one["curve"]))
            whole.sizes.update(dict(one["sizes"]))
            whole.sources.update({(a, b): n for a, b, n in one["sources"]})
            whole.largest += one["largest"]
        whole.largest = _largest(whole.largest)
        return whole

    def report(self, curve: Sequence[float], slices: Sequence[CorpusSlice]) -> dict[str, Any]:
        """For the manifest; the texts of the largest groups' survivors are read."""
        return {
            "duplicates": sum(self.sources.values()),
            "curve": [
                {"min_similarity": least, "documents": self.curve[i]}
                for i, least in enumerate(curve)
            ],
            "duplicates_by_source": [
                {"source": source, "survivor_source": survivor, "documents": n}
                for (source, survivor), n in sorted(self.sources.items())
            ],
            "cluster_sizes": {str(size): n for size, n in sorted(self.sizes.items())},
            "largest_clusters": [_with_text(one, slices) for one in self.largest],
        }


def _largest(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(groups, key=lambda one: (-one["documents"], one["place"]))[:LARGEST]


def _with_text(group: Mapping[str, Any], slices: Sequence[CorpusSlice]) -> dict[str, Any]:
    number, row = group["place"]
    text = slices[number].read(["text"])["text"][row].as_py() or ""
    told = {name: value for name, value in group.items() if name != "place"}
    return {**told, "text": text[:SAMPLE_CHARS]}
