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
    slices: list[CorpusSlice],
    folder: Path,
    max_memory: int = DEFAULT_MEMORY,
    state: Any = None,
    execute: Any = None,
) -> Rounds:
    folder.mkdir(parents=True, exist_ok=True)
    return Rounds(tuple(slices), folder, 2, max_memory, execute or in_order, state)


def in_order(label: str, function: Any, jobs: list[Any], num_bytes: int) -> list[Any]:
    return [function(job) for job in jobs]


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


SLICED = [1, 0, 7, 30, 0, 2]


@pytest.mark.parametrize("keep", ["first", "longest"])
@pytest.mark.parametrize("max_memory", [DEFAULT_MEMORY, 60_000], ids=["plenty", "scarce"])
def test_minhash_does_not_depend_on_slices_and_memory(
    keep: Any, max_memory: int, tmp_path: Path
) -> None:
    documents = make_corpus(7)
    half = next(i for i, d in enumerate(documents) if d["source"] == "b")
    stage = MinhashDedup(keep=keep)
    whole = dedup(stage, documents, tmp_path / "a", [half, len(documents) - half])
    sizes = [*SLICED, half - sum(SLICED), *[3] * 5, len(documents) - half - 15]
    found = dedup(stage, documents, tmp_path / "b", sizes, max_memory)
    assert found == whole
    assert len(whole[0]) > 40


def test_minhash_order_of_documents_does_not_matter_unless_it_decides(tmp_path: Path) -> None:
    documents = [{**d, "source": "a"} for d in make_corpus(8)]
    stage = MinhashDedup(keep="longest")
    found, _ = dedup(stage, documents, tmp_path / "a")
    again, _ = dedup(stage, documents[::-1], tmp_path / "b")
    assert again.keys() == found.keys()
    assert {k: v[1] for k, v in again.items()} == {k: v[1] for k, v in found.items()}


@pytest.mark.parametrize("seed", range(3))
def test_minhash_second_pass_removes_nothing(seed: int, tmp_path: Path) -> None:
    documents, stage = make_corpus(seed), MinhashDedup(min_jaccard=0.5)
    found, report = dedup(stage, documents, tmp_path / "a")
    assert report["buckets"]["capped"] == 0
    left = [d for d in documents if d["id"] not in found]
    assert {survivor for survivor, _ in found.values()} <= {d["id"] for d in left}
    assert dedup(stage, left, tmp_path / "b")[0] == {}


def test_minhash_chain_does_not_wipe_a_source(tmp_path: Path) -> None:
    """Neighbours of the chain are alike, its ends have nothing in common.

    Under transitive closure one of 300 documents would stay. Here each that goes is itself alike
    to the one that stays, so what is left still has something like every one of them.
    """
    rng = random.Random(5)
    words = [f"x{i}" for i in range(60 + 3 * 300)]
    texts = [" ".join(words[3 * i : 3 * i + 60]) for i in range(300)]
    rng.shuffle(texts)
    documents = [{"id": f"d{i}", "text": t, "source": "a"} for i, t in enumerate(texts)]
    assert jaccard(" ".join(words[:60]), " ".join(words[3:63])) > 0.7
    found, _ = dedup(MinhashDedup(**EXHAUSTIVE), documents, tmp_path)
    texts_of = {d["id"]: d["text"] for d in documents}
    assert 43 <= 300 - len(found) <= 75  # one goes if within 3 places of one that stays
    for gone, (survivor, similarity) in found.items():
        assert similarity == pytest.approx(jaccard(texts_of[gone], texts_of[survivor]))
        assert similarity >= 0.7
        assert survivor not in found


@pytest.mark.parametrize("text", ["", "word", "one two three", "?!", " ".join(WORDS)])
def test_minhash_identical_documents_keep_one_if_they_have_words(text: str, tmp_path: Path) -> None:
    documents = [{"id": f"d{i}", "text": text, "source": "a"} for i in range(50)]
    found, report = dedup(MinhashDedup(), documents, tmp_path, [20, 30])
    has_words = bool(set(text) - set("?!"))
    assert len(found) == 49 * has_words
    assert set(found.values()) <= {("d0", 1.0)}
    assert report["cluster_sizes"] == ({"50": 1} if has_words else {})


def test_minhash_twins_of_a_removed_document_go_with_it(tmp_path: Path) -> None:
    text = " ".join(WORDS[:100])
    near = " ".join([*WORDS[:99], "other"])
    texts = [text, near, near, near, text]
    documents = [{"id": f"d{i}", "text": t, "source": "a"} for i, t in enumerate(texts)]
    found, _ = dedup(MinhashDedup(), documents, tmp_path)
    alike = pytest.approx(jaccard(text, near))
    assert found == {
        "d1": ("d0", alike),
        "d2": ("d0", alike),
        "d3": ("d0", alike),
        "d4": ("d0", 1.0),
    }


def test_minhash_large_buckets_are_capped_and_told(tmp_path: Path) -> None:
    common = WORDS[:200]
    documents = [
        {"id": f"d{i:04d}", "text": " ".join([*common, f"n{i}"]), "source": "a"} for i in range(600)
    ]
    found, report = dedup(MinhashDedup(max_bucket=20), documents, tmp_path)
    assert {survivor for survivor, _ in found.values()} == {"d0000"}
    assert len(found) == 599
    buckets = report["buckets"]
    assert 500 < buckets["largest"] <= 600
    assert buckets["capped"] > 0
    assert buckets["skipped"] > 0
    assert report["candidates"]["compared"] < 600 * 599 // 2 // 4


def test_minhash_report_tells_sources_and_clusters(tmp_path: Path) -> None:
    texts = [" ".join(WORDS[i : i + 50]) for i in (0, 100, 200)]
    documents = [
        {"id": f"{source}{i}", "text": texts[i], "source": source}
        for source, rows in (("a", [0, 0, 1, 2]), ("b", [0, 1]))
        for i in rows
    ]
    for number, document in enumerate(documents):
        document["id"] = f"d{number}"
    found, report = dedup(MinhashDedup(), documents, tmp_path, [4, 2])
    assert found == {"d1": ("d0", 1.0), "d4": ("d0", 1.0), "d5": ("d2", 1.0)}
    assert report["documents"] == 6
    assert report["duplicates"] == 3
    assert report["duplicates_by_source"] == [
        {"source": "a", "survivor_source": "a", "documents": 1},
        {"source": "b", "survivor_source": "a", "documents": 2},
    ]
    assert report["cluster_sizes"] == {"2": 1, "3": 1}
    first, second = report["largest_clusters"]
    assert first == {
        "survivor": "d0",
        "documents": 3,
        "sources": {"a": 2, "b": 1},
        "text": texts[0],
        "members": ["d1", "d4"],
    }
    assert second["survivor"] == "d2"


class Stopped(Exception):
    """A run is killed."""


def test_minhash_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    documents = make_corpus(3)
    slices = corpus(documents, tmp_path / "slices", [40, 40, len(documents) - 80])
    whole = MinhashDedup().decide(rounds_over(slices, tmp_path / "whole"))
    for stop in range(1, 16, 3):
        left = iter(range(stop))

        def execute(label: str, function: Any, jobs: list[Any], _: int, left: Any = left) -> Any:
            for job in jobs:
                if next(left, None) is None:
                    raise Stopped
                yield function(job)

        folder = tmp_path / f"stop-{stop}"
        with pytest.raises(Stopped):
            MinhashDedup().decide(rounds_over(slices, folder, execute=execute))
        again = MinhashDedup().decide(rounds_over(slices, folder))
        assert [f.read_bytes() for f in again.decisions] == [
            f.read_bytes() for f in whole.decisions
        ]
        assert again.report == whole.report


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"min_jaccard": 0}, "min_jaccard"),
        ({"min_jaccard": 1.01}, "min_jaccard"),
        ({"bands": 0}, "bands"),
        ({"n_gram": 0}, "n_gram"),
        ({"max_bucket": 1}, "max_bucket"),
        ({"seed": -1}, "seed"),
        ({"keep": "highest"}, "column"),
    ],
)
def test_minhash_refuses_impossible_parameters(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MinhashDedup(**params)


def test_minhash_notes_the_s_curve() -> None:
    notes = "\n".join(MinhashDedup(preset="fineweb").notes())
    assert "14 bands of 8 rows" in notes
    assert "0.7: 56.5%" in notes  # 1 - (1 - .7^8)^14
