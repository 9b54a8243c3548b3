"""minhash_dedup against brute force: one survivor, verified, and nothing that depends on slices."""

import itertools
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.dedup.minhash import MinhashDedup
from curation.document import DOCUMENT_SCHEMA, conform
from curation.process import ROW, drop_rows
from curation.rounds import DEFAULT_MEMORY, CorpusSlice, Rounds, Verdicts
from curation.slices import SliceStore
from curation.stage import GlobalStage

WORDS = [f"w{i}" for i in range(400)]
Decided = dict[str, tuple[str, float]]


def corpus(documents: list[dict[str, Any]], folder: Path, sizes: list[int]) -> list[CorpusSlice]:
    """Slices of such sizes; a new source begins with a new slice."""
    store, slices, start = SliceStore(folder, {}, {}, "run"), [], 0
    for number, size in enumerate(sizes):
        rows = documents[start : start + size]
        table = conform(pa.Table.from_pylist(rows, DOCUMENT_SCHEMA), DOCUMENT_SCHEMA)
        table = table.append_column(ROW, pa.array(range(len(rows)), pa.int64()))
        source = rows[0]["source"] if rows else "web"
        key = f"{number:06d}"
        record = store.write(key, source, table, drop_rows(table[:0]), [], [])["kept"]
        slices.append(CorpusSlice(number, source, store, key, size, record["text_bytes"]))
        start += size
    assert start == len(documents)
    return slices


def rounds_over(
    slices: list[CorpusSlice], folder: Path, max_memory: int = DEFAULT_MEMORY, state: Any = None
) -> Rounds:
    folder.mkdir(parents=True, exist_ok=True)
    return Rounds(
        tuple(slices), folder, 2, max_memory, lambda _, function, jobs, __: list(map(function, jobs))
    )


def decided(verdicts: Verdicts, slices: list[CorpusSlice]) -> Decided:
    """Id of each document that goes, its survivor and similarity."""
    found = {}
    for file in verdicts.decisions:
        for row in pq.read_table(file).to_pylist():
            ids = slices[row["slice"]].read(["id"])["id"].to_pylist()
            assert ids[row["row"]] not in found
            found[ids[row["row"]]] = (row["survivor_id"], row["similarity"])
    return found


def dedup(
    stage: GlobalStage,
    documents: list[dict[str, Any]],
    folder: Path,
    sizes: list[int] | None = None,
    max_memory: int = DEFAULT_MEMORY,
) -> tuple[Decided, dict[str, Any]]:
    slices = corpus(documents, folder / "slices", sizes or [len(documents)])
    verdicts = stage.decide(rounds_over(slices, folder / "rounds", max_memory))
    return decided(verdicts, slices), dict(verdicts.report)


def shingles(text: str, n: int = 5) -> set[tuple[str, ...]]:
    words = text.lower().split()
    width = min(n, len(words))
    return {tuple(words[i : i + width]) for i in range(len(words) - width + 1)} if words else set()


def jaccard(a: str, b: str) -> float:
    x, y = shingles(a), shingles(b)
    return len(x & y) / len(x | y) if x | y else 0.0


def family(rng: random.Random, members: int, words: int, changes: int) -> list[str]:
    """Texts made one from the other by changing some words: a chain."""
    text = rng.choices(WORDS, k=words)
    texts = []
    for _ in range(members):
        texts.append(" ".join(text))
        for at in rng.sample(range(words), changes):
            text[at] = rng.choice(WORDS)
    return texts


def make_corpus(seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    texts = list(
        itertools.chain.from_iterable(
            family(rng, rng.randint(1, 6), rng.randint(1, 120), changes)
            for changes in [0, 1, 1, 1, 1, 1, 1]
            for _ in range(8)
        )
    )
    rng.shuffle(texts)
    return [
        {
            "id": f"d{i:04d}",
            "text": text,
            "source": "ab"[2 * i >= len(texts)],
            "date": rng.choice([None, "2020", "2021-05-01", "2022-01-01"]),
        }
        for i, text in enumerate(texts)
    ]


def by_brute_force(documents: list[dict[str, Any]], stage: MinhashDedup) -> Decided:
    """Best to worst: goes if one that stays is similar, and names the most similar."""
    best_first = {
        "first": lambda i: (i,),
        "longest": lambda i: (-len(documents[i]["text"]), documents[i]["id"]),
        "newest": lambda i: (
            documents[i]["date"] is None,
            -int((documents[i]["date"] or "0").replace("-", "").ljust(8, "0")),
            documents[i]["id"],
        ),
    }[stage.keep]
    order = sorted(range(len(documents)), key=best_first)
    if stage.source_priority:
        order.sort(key=lambda i: stage.source_priority.index(documents[i]["source"]))
    stay: list[int] = []
    gone: Decided = {}
    for i in order:
        texts = [documents[j]["text"] for j in stay]
        found = [jaccard(documents[i]["text"], text) for text in texts]
        similar = [k for k, s in enumerate(found) if s >= stage.min_jaccard]
        if similar:
            best = max(similar, key=lambda k: (found[k], -k))
            gone[documents[i]["id"]] = (documents[stay[best]]["id"], pytest.approx(found[best]))
        else:
            stay.append(i)
    return gone


EXHAUSTIVE = {"bands": 150, "rows": 1}  # every pair that shares a shingle in five is compared


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"keep": "longest"},
        {"keep": "newest"},
        {"source_priority": ("b", "a")},
        {"keep": "longest", "source_priority": ("b", "a"), "min_jaccard": 0.5},
    ],
    ids=["first", "longest", "newest", "priority", "longest of b"],
)
def test_minhash_equals_brute_force(seed: int, params: dict[str, Any], tmp_path: Path) -> None:
    stage = MinhashDedup(**EXHAUSTIVE, **params)
    documents = make_corpus(seed)
    half = next(i for i, d in enumerate(documents) if d["source"] == "b")
    found, _ = dedup(stage, documents, tmp_path, [half, len(documents) - half])
    assert found == by_brute_force(documents, stage)
    assert len(found) > 40
