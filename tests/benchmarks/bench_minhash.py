"""MinHash signatures: speed against rensa, datasketch and datatrove; links against the S-curve."""

import importlib.util
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.near.signatures import Banding, sign
from curation.shingling.shingles import Shingles, shared, shingle_sets
from tests.benchmarks.data import size, texts
from tests.benchmarks.tables import Table
from tests.benchmarks.timing import Case, quotients, rates, spread

MB = 12.0
HASHES = 112  # of every peer: 14 bands of 8 rows
PAIRS, SEEDS = 20_000, 16
WORD = re.compile(r"\w+")
Sign = Callable[[list[str]], Any]


@dataclass(frozen=True)
class Peer:
    """Another library's way from texts to signatures."""

    name: str
    module: str
    megabytes: float  # that it is given: what it does in a second or two
    make: Callable[[], Sign]


def run() -> list[Table]:
    """Rates at two lengths of documents, then links by true similarity."""
    found, name = texts(MB)
    tables = [_speed(_pieces(found, chars), chars, name) for chars in (4000, 1000)]
    return [*tables, _links(found)]


def _pieces(found: list[str], chars: int) -> list[str]:
    """The texts as documents of about so many characters, cut at white space."""
    pieces = []
    for text in found:
        at = 0
        while at + chars <= len(text):
            stop = text.rfind(" ", at + chars // 2, at + chars) + 1 or at + chars
            pieces.append(text[at:stop])
            at = stop
    return pieces


def _speed(found: list[str], chars: int, name: str) -> Table:
    array = pa.array(found, pa.large_string())
    bandings = (Banding(14, 8), Banding(14, 8, 32), Banding(22, 5), Banding(26, 11))
    cases = [_ours(array, size(found), banding) for banding in bandings]
    cases.append(
        Case("tilth: sets of shingles", lambda: shingle_sets(array, Shingles()), size(found))
    )
    notes = [
        f"{len(found)} pieces of {name}, {size(found):.1f} MB; slow libraries get some of it. "
        f"Word 5-grams; {HASHES} hashes, also of each peer. Ratio: of the first row."
    ]
    for peer in PEERS:
        if importlib.util.find_spec(peer.module):
            cases.append(_case(peer, found))
        else:
            notes.append(f"{peer.module} is not installed.")
    for case in cases:
        case.run()  # compiled, or from the cache
    measured = rates(cases, rounds=5)
    first = measured[cases[0].name]
    rows = [
        (n, r.typical, median(quotients(first, r)), spread(r.core)) for n, r in measured.items()
    ]
    columns = ("", "MB/s per core", "tilth is x", "spread")
    return Table(f"signatures of documents of {chars} characters", columns, rows, notes)


def _ours(array: pa.Array, megabytes: float, banding: Banding) -> Case:
    hashes = f"{banding.bands} x {banding.rows}, {banding.hash_bits} bits"
    return Case(f"tilth: {hashes}", lambda: sign(array, Shingles(), banding), megabytes)


def _case(peer: Peer, found: list[str]) -> Case:
    some = found[:: max(1, round(size(found) / peer.megabytes))]
    function = peer.make()
    return Case(peer.name, lambda: function(some), size(some))


def _grams(words: list[str]) -> Iterator[str]:
    return map(" ".join, zip(*(words[i:] for i in range(5)), strict=False))


def _split(text: str) -> list[str]:
    return list(_grams(text.split()))


def _words(text: str) -> list[str]:
    return list(_grams(WORD.findall(text.lower())))


def _rensa(shingles: Callable[[str], list[str]]) -> Sign:
    from rensa import RMinHash

    def function(found: list[str]) -> None:
        for text in found:
            minhash = RMinHash(num_perm=HASHES, seed=1)
            minhash.update(shingles(text))
            minhash.digest()

    return function


def _rensa_of_ready() -> Sign:
    """The shingles are made once, before the first measurement."""
    from rensa import RMinHash

    ready: list[list[str]] = []

    def function(found: list[str]) -> None:
        if not ready:
            ready.extend(map(_split, found))
        for shingles in ready:
            minhash = RMinHash(num_perm=HASHES, seed=1)
            minhash.update(shingles)
            minhash.digest()

    return function


def _datasketch() -> Sign:
    from datasketch import MinHash

    def function(found: list[str]) -> None:
        for text in found:
            minhash = MinHash(num_perm=HASHES, seed=1)
            minhash.update_batch([gram.encode() for gram in _words(text)])

    return function


def _datatrove() -> Sign:
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(hash_config=HashConfig(hash_fc="sha1"))  # its xxhash takes no strings
    stage = MinhashDedupSignature("memory://signatures", config)

    def function(found: list[str]) -> None:
        for text in found:
            shingles = stage.get_shingles(text)
            if shingles.size:
                stage.get_signature(shingles)

    return function


PEERS = (
    Peer("rensa: str.split", "rensa", 6, lambda: _rensa(_split)),
    Peer(r"rensa: \w+, lower case", "rensa", 6, lambda: _rensa(_words)),
    Peer("rensa: its own part, shingles ready", "rensa", 6, _rensa_of_ready),
    Peer(r"datasketch: \w+, lower case", "datasketch", 2, _datasketch),
    Peer("datatrove (SHA-1)", "datatrove", 0.3, _datatrove),
)


def _links(found: list[str]) -> Table:
    """Shares of pairs with an equal key, over many seeds, by exact Jaccard similarity."""
    array = pa.array(_pairs(found, random.Random(1)), pa.large_string())
    true = _similarities(array)
    bandings = (Banding(22, 5), Banding(14, 8), Banding(26, 11), Banding(22, 5, 32))
    linked = [_linked(array, banding) for banding in bandings]
    rows: list[tuple[Any, ...]] = []
    for low in range(0, 100, 5):
        inside = (true >= low / 100) & (true < (low + 5) / 100)
        if inside.any():
            shares = [share[inside].mean() for share in linked]
            curves = [np.mean([b.probability(s) for s in true[inside]]) for b in bandings]
            pairs = zip(shares, curves, strict=True)
            cells = [f"{100 * s:.1f} ({100 * (s - c):+.1f})" for s, c in pairs]
            rows.append((f"{low / 100:.2f}", int(inside.sum()), *cells))
    names = [f"{b.bands} x {b.rows}, {b.hash_bits} bits" for b in bandings]
    note = (
        f"Pairs of {PAIRS} passages of 30 to 300 words: words replaced, cut off at an end, another "
        f"end put on; {SEEDS} seeds. In brackets: less the S-curve at each pair's similarity."
    )
    return Table("linked pairs by true similarity, %", ("from", "pairs", *names), rows, [note])


def _pairs(found: list[str], draw: random.Random) -> list[str]:
    every = [words for text in found if len(words := text.split()) >= 300]
    out = []
    for i in range(PAIRS):
        words, others = draw.choice(every), draw.choice(every)
        length = draw.randint(30, 300)
        start = draw.randrange(len(words) - length + 1)
        one = words[start : start + length]
        out += [" ".join(one), " ".join(_edited(one, others, i % 3, draw))]
    return out


def _edited(words: list[str], others: list[str], edit: int, draw: random.Random) -> list[str]:
    keep = draw.randint(5, len(words))
    if edit == 0:
        return words[:keep] if draw.random() < 0.5 else words[-keep:]
    if edit == 1:
        return words[:keep] + others[: len(words) - keep]
    out = list(words)
    for at in draw.sample(range(len(out)), int(draw.random() ** 2 * len(out) / 4) + 1):
        out[at] = draw.choice(others)
    return out


def _similarities(array: pa.Array) -> npt.NDArray[np.float64]:
    hashes, at = shingle_sets(array, Shingles())
    out = np.empty(len(at) // 2)
    for i in range(len(out)):
        a, b, c = at[2 * i : 2 * i + 3]
        common = shared(hashes, a, b, hashes, b, c)
        out[i] = common / (c - a - common)
    return out


def _linked(array: pa.Array, banding: Banding) -> npt.NDArray[np.float64]:
    """Of each pair, the share of seeds that give it an equal key."""
    equal = np.zeros(len(array) // 2)
    for seed in range(SEEDS):
        other = Banding(banding.bands, banding.rows, banding.hash_bits, seed)
        keys = sign(array, Shingles(), other).bands
        equal += (keys[::2] == keys[1::2]).any(1)
    return equal / SEEDS
