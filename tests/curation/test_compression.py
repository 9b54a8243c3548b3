"""How well texts compress: the ratio by hand, at its limits, and on odd texts."""

import math
import random
import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.compression import Compression
from tests.corpora import prose
from tests.curation.odd_texts import strings

Measure = Callable[[Compression, str], dict[str, Any]]
Reason = Callable[[Compression, str], str | None]


def plain_ratio(text: str) -> float:
    """Bytes per byte of the compression."""
    return len(text.encode()) / len(zlib.compress(text.encode()))


TEXTS = {
    "prose": prose(1),
    "one letter": "a",
    "accents": "é" * 50,
    "chinese": "农民一大早就翻了地，等着下雨。",
    "loop": "and again " * 500,
    "nul": "\x00" * 40,
    "carriage returns": "the rain\r\n" * 9,
    "noise": "".join(map(chr, random.Random(0).choices(range(0x4E00, 0x9000), k=500))),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_compression_ratio_is_bytes_per_compressed_byte(measure: Measure, text: str) -> None:
    assert measure(Compression(), text) == {"ratio": plain_ratio(text)}


def test_compression_ratio_orders_noise_prose_and_loops(measure: Measure) -> None:
    ratios = {name: measure(Compression(), text)["ratio"] for name, text in TEXTS.items()}
    assert ratios["one letter"] < ratios["noise"] < ratios["prose"] < ratios["loop"]
    assert ratios["loop"] > 50


def test_compression_empty_text_has_ratio_zero(measure: Measure) -> None:
    assert measure(Compression(), "") == {"ratio": 0.0}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_compression_at_limits_keeps_inside_and_drops_outside(reason: Reason, text: str) -> None:
    ratio = plain_ratio(text)
    above, below = math.nextafter(ratio, math.inf), math.nextafter(ratio, 0)
    assert reason(Compression(min_ratio=ratio, max_ratio=ratio), text) is None
    assert reason(Compression(min_ratio=above), text) == "min_ratio"
    assert reason(Compression(max_ratio=below), text) == "max_ratio"
    assert reason(Compression(), text) is None


def test_compression_limits_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'min_ratio' of compression is 3\.0, above 'max_ratio'"):
        Compression(min_ratio=3.0, max_ratio=2.5)


def test_compression_of_megabytes(measure: Measure) -> None:
    assert measure(Compression(), "x" * 3_000_000)["ratio"] > 900
    assert measure(Compression(), "\n" * 1_000_000)["ratio"] > 900


def test_compression_of_slices_and_nulls_is_that_of_each_text(documents: Any) -> None:
    table = documents([*TEXTS.values(), None, ""])
    ratios = [*map(plain_ratio, TEXTS.values()), 0.0, 0.0]
    for start in range(len(table)):
        found = Compression().measure(table[start:])["ratio"]
        assert found.equals(pa.array(ratios[start:], pa.float64()))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(strings, max_size=5))
def test_compression_of_generated_texts_equals_plain_python(
    documents: Any, texts: list[str]
) -> None:
    found = Compression().measure(documents(texts))["ratio"].to_pylist()
    assert found == [plain_ratio(text) for text in texts]
