"""128-bit hashes against published values of MurmurHash3_x64_128, and at every length."""

import random

import numpy as np
import pyarrow as pa
import pytest

from curation import text
from curation.hash128 import hash_rows128

PUBLISHED = {
    "": "00000000000000000000000000000000",
    "hello": "cbd8a7b341bd9b025b1e906a48ae1d19",
    "hello, world": "342fac623a5ebc8e4cdcbc079642414d",
    "19 Jan 2038 at 3:14:07 AM": "b89e5988b737affc664fc2950231b2cb",
    "The quick brown fox jumps over the lazy dog.": "cd99481f9ee902c9695da1a38987b6e7",
}


def digests(texts: list[str]) -> list[str]:
    rows = hash_rows128(*text.buffers(pa.array(texts, pa.string())))
    return [f"{first:016x}{second:016x}" for first, second in rows.tolist()]


@pytest.mark.parametrize(("string", "digest"), PUBLISHED.items())
def test_hash128_is_murmur_hash_3(string: str, digest: str) -> None:
    assert digests([string]) == [digest]
    assert digests(["x", string, "yy"])[1] == digest  # wherever it stands in the buffer


def test_hash128_of_every_length_depends_on_every_byte() -> None:
    draw = random.Random(0)
    seen = set()
    for size in range(70):
        base = "".join(draw.choices("abcdefgh", k=size))
        texts = [base, *(base[:i] + "X" + base[i + 1 :] for i in range(size))]
        found = digests(texts)
        assert digests(["pad " * draw.randint(0, 3), base])[1] == found[0]
        seen.update(found)
    assert len(seen) == 70 + sum(range(70))


def test_hash128_halves_are_independent() -> None:
    """Half of the bits differ between the halves, and between hashes of neighbours."""
    rows = hash_rows128(*text.buffers(pa.array([f"line {i}" for i in range(4000)])))
    pairs = [(rows[:, 0], rows[:, 1]), (rows[1:, 0], rows[:-1, 0]), (rows[1:, 1], rows[:-1, 1])]
    for one, other in pairs:
        bits = np.unpackbits((one ^ other).view(np.uint8)).reshape(-1, 64).mean(axis=0)
        assert (abs(bits - 0.5) < 0.05).all()
