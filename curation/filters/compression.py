"""How well a text compresses: repetition and noise at any scale, in one number."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from curation import text
from curation.stage import Annotations, Filter, Rule, stages

LEVEL = 6  # zlib's default


@stages.register("compression")
@dataclass(frozen=True, kw_only=True)
class Compression(Filter):
    """Measures the bytes of a text per byte of its zlib compression; drops outside of limits.

    Slow beside the other rules (20 to 40 MB/s). The limits have no published values that carry
    over, hence no defaults: Whisper takes a transcript above 2.4 for a loop (Radford et al. 2022,
    arXiv 2212.04356, 4.5), but long sound documents reach 3. Empty texts have ratio 0.
    """

    min_ratio: float | None = None
    max_ratio: float | None = None

    decides: ClassVar[tuple[str, ...]] = ("min_ratio", "max_ratio")

    def __post_init__(self) -> None:
        low, high = self.min_ratio, self.max_ratio
        if low is not None and high is not None and low > high:
            raise ValueError(
                f"'min_ratio' of compression is {low}, above 'max_ratio', {high}: "
                "that would drop everything"
            )

    def columns(self) -> Annotations:
        """The ratio."""
        return {"ratio": pa.float64()}

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """Each text on its own."""
        data, offsets = text.buffers(table["text"])
        view, bounds = memoryview(data.data), offsets.tolist()
        ratios = [
            (stop - start) / len(zlib.compress(view[start:stop], LEVEL))
            for start, stop in itertools.pairwise(bounds)
        ]
        return {"ratio": pa.array(ratios, pa.float64())}

    def rules(self) -> tuple[Rule, ...]:
        """Limits that are None are off."""
        return (
            Rule("min_ratio", "ratio", "min", self.min_ratio),
            Rule("max_ratio", "ratio", "max", self.max_ratio),
        )
