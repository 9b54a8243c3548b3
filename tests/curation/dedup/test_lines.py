"""Repeated lines and paragraphs: against plain Python, in any partition, within memory."""

from __future__ import annotations

import json
import pickle
import random
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.config import build
from curation.dedup.lines import LineDedup, ParagraphDedup, RepeatedUnits
from curation.dedup.units.spans import cut_flags
from curation.dedup.units.tallies import COUNTS, FIRST, HALF, LOW_HALF, PLACE, SECOND, join, repeats
from curation.dedup.units.tallies import by_hash as in_order
from curation.dedup.units.units import Units
from curation.document import DOCUMENT_SCHEMA
from curation.errors import UserError
from curation.process import ROW, drop_rows
from curation.rounds import CorpusSlice, Rounds
from curation.slices import SliceStore
from curation.spans import cut_spans
from curation.stage import DECISION_SCHEMA, EDIT_SCHEMA
from tests.curation.dedup.plain_lines import Doc, plain_dedup

STAGES: tuple[Callable[..., RepeatedUnits], ...] = (LineDedup, ParagraphDedup)


class Outcome(NamedTuple):
    texts: list[str | None]  # None: dropped
    report: dict[str, Any]
    verdicts: list[pa.Table]  # decisions and edits


def in_turn(label: str, function: Any, jobs: Sequence[Any], num_bytes: int) -> list[Any]:
    return [function(job) for job in jobs]


def write_slices(folder: Path, docs: Sequence[Doc], sizes: Sequence[int]) -> list[CorpusSlice]:
    """Slices of such sizes, each cut where the source changes."""
    store = SliceStore(folder, {}, {}, "run")
    folder.mkdir(exist_ok=True)
    found: list[CorpusSlice] = []
    start = 0
    for size in sizes:
        part = docs[start : start + size]
        values = {
            "id": [f"d{start + i}" for i in range(size)],
            "text": [doc.text for doc in part],
            "source": [doc.source for doc in part],
            "url": [doc.url for doc in part],
        }
        arrays = [pa.array(values.get(f.name, [None] * size), f.type) for f in DOCUMENT_SCHEMA]
        table = pa.Table.from_arrays(arrays, schema=DOCUMENT_SCHEMA)
        table = table.append_column(ROW, pa.array(np.arange(size)))
        source = part[0].source if part else "web"
        assert {doc.source for doc in part} <= {source}
        key = f"{len(found):06d}"
        record = store.write(key, source, table, drop_rows(table[:0]), [], [])["kept"]
        place = (len(found), source, store, key, record["rows"], record["text_bytes"])
        found.append(CorpusSlice(*place))
        start += size
    assert start == len(docs)
    return found


def run(
    folder: Path,
    docs: Sequence[Doc],
    stage: RepeatedUnits,
    *,
    sizes: Sequence[int] | None = None,
    workers: int = 1,
    max_memory: int = 100_000_000,
    execute: Any = in_turn,
) -> Outcome:
    """The texts that the stage leaves."""
    folder.mkdir(exist_ok=True)
    slices = write_slices(folder / "slices", docs, [len(docs)] if sizes is None else sizes)
    (folder / "rounds").mkdir(exist_ok=True)
    rounds = Rounds(tuple(slices), folder / "rounds", workers, max_memory, execute)
    verdicts = stage.decide(rounds)
    begins = np.cumsum([0, *(one.rows for one in slices)])
    tables = []
    for files, schema in ((verdicts.decisions, DECISION_SCHEMA), (verdicts.edits, EDIT_SCHEMA)):
        parts = [pq.read_table(file) for file in files]
        assert all(part.schema.equals(schema) for part in parts)
        table = pa.concat_tables([schema.empty_table(), *parts])
        place = pa.array(begins[np.asarray(table["slice"])] + np.asarray(table["row"]))
        tables.append(table.set_column(1, "row", place).drop_columns("slice"))
    gone, edits = tables
    assert not set(gone["row"].to_pylist()) & set(edits["row"].to_pylist())
    spans = [edits[name].to_numpy() for name in ("row", "start", "stop")]
    texts = pa.chunked_array([[doc.text or "" for doc in docs]], pa.string())
    left = cut_spans(texts, *spans).to_pylist()
    for row in gone["row"].to_pylist():
        left[row] = None
    return Outcome(left, json.loads(json.dumps(verdicts.report)), tables)


def texts_of(docs: Sequence[Doc]) -> list[str]:
    return [doc.text or "" for doc in docs]


# --- the words of a corpus with boilerplate

BOILERPLATE = [
    "Home | About us | Contact", "© 2021 The Example Company", "All rights reserved.",
    "Share this page", "Log in", "12 comments", "13 comments", "READ MORE", "Read  more",
    "Lesen Sie mehr über Köln", "版权所有 保留一切权利", "Posted on 3 May 2020", "\u00a0Read more ",
    "one\u2028two", "one two", "x\x85y", "x y", "e\u0301t\u00e9", "été", "ÉTÉ", "٣ ردود", "٤ ردود",
    "- Item of a menu", "* Item of a menu",
]  # fmt: skip
STRUCTURE = ["", " ", "\t", "# Introduction", "---", "```python", "```", "});", "| a | b |", "1.",
             "a)", "|:--|", "-", "\u3000", "\r", "## Köln\r"]  # fmt: skip
WORDS = ["river", "stone", "garden", "window", "letter", "Köln", "農民", "дом", "3.14", "don't"]


def corpus(seed: int, count: int = 60) -> list[Doc]:
    """Documents of own lines, boilerplate and structure, some of them empty or repeated."""
    draw = random.Random(seed)
    docs: list[Doc] = []
    sites = ["https://a.example/x", "http://www.A.example", "https://b.example:8080/", None, "no"]
    for i in range(count):
        lines = []
        for _ in range(draw.choice([0, 1, 2, 5, 12, 30])):
            own = " ".join(draw.choices(WORDS, k=draw.randint(1, 9)))
            kind = draw.choice([BOILERPLATE, STRUCTURE, [own], [own]])
            lines.append(draw.choice(kind) + draw.choice(["", "", "", "\r"]))
        source = "web" if i < count // 2 else "books"
        text = draw.choice(["\n", "\n", "\n\n", "\n \n"]).join(lines) + draw.choice(["", "\n"])
        docs.append(Doc(text, source, draw.choice(sites)))
    docs[3] = Doc(None)
    docs[7] = Doc(docs[5].text)
    return docs


def split(docs: Sequence[Doc], seed: int) -> list[int]:
    """Sizes of slices that no source shares, some of them empty."""
    draw = random.Random(seed)
    sizes = []
    for source in ("web", "books"):
        left = sum(doc.source == source for doc in docs)
        while left:
            sizes.append(draw.randint(0, min(left, 9)))
            left -= sizes[-1]
    return sizes


SETTINGS: list[dict[str, Any]] = [
    {"min_count": 2, "min_words": None},
    {"min_count": 2, "min_words": None, "normalise": "none"},
    {"min_count": 3, "min_words": None, "normalise": "case", "keep": "none"},
    {"min_count": 2, "min_words": None, "normalise": "alphanumeric", "max_cut_frac": 0.3},
    {"min_count": 4, "min_words": None, "normalise": "digits", "max_cut_frac": None},
    {"min_count": 2, "min_words": None, "scope": "source", "min_chars": 8},
    {"min_count": 2, "scope": "site", "min_words": 2},
    {"min_count": 2, "min_words": None, "cut_structural": True, "max_cut_frac": None},
    {
        "min_count": 2,
        "min_words": None,
        "cut_structural": True,
        "normalise": "none",
        "keep": "none",
    },
]


@pytest.mark.parametrize("make", STAGES)
@pytest.mark.parametrize("given", SETTINGS, ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_lines_are_cut_as_plain_python_does(
    tmp_path: Path, make: Any, given: dict[str, Any], seed: int
) -> None:
    docs, stage = corpus(seed), make(**given)
    sizes = [sum(doc.source == s for doc in docs) for s in ("web", "books")]
    assert run(tmp_path, docs, stage, sizes=sizes).texts == plain_dedup(stage, docs)


def test_lines_corpus_of_these_tests_has_what_it_takes(tmp_path: Path) -> None:
    """Some documents are cut, some dropped, some left alone, at any setting."""
    for given in SETTINGS[:4]:
        docs = corpus(0)
        left = plain_dedup(LineDedup(**given), docs)
        changed = [a for a, doc in zip(left, docs, strict=True) if a != (doc.text or "")]
        assert 5 < len(changed) < len(docs)
        assert None in changed
        assert any(changed)


@pytest.mark.parametrize("make", STAGES)
@pytest.mark.parametrize("given", SETTINGS[2:5], ids=str)
def test_lines_do_not_depend_on_slices_partitions_and_workers(
    tmp_path: Path, make: Any, given: dict[str, Any]
) -> None:
    docs, stage = corpus(9), make(**given)
    sizes = [sum(doc.source == s for doc in docs) for s in ("web", "books")]
    whole = run(tmp_path / "whole", docs, stage, sizes=sizes)
    for seed, workers, memory in ((0, 1, 30_000), (1, 3, 60_000), (2, 2, 10**9)):
        folder = tmp_path / f"{seed}"
        cut = split(docs, seed)
        found = run(folder, docs, stage, sizes=cut, workers=workers, max_memory=memory)
        assert found == whole
        many = len(list((folder / "rounds").glob("repeats-*"))) > 1
        assert many == (memory < 10**6)


# --- a second pass


@pytest.mark.parametrize("make", STAGES)
@pytest.mark.parametrize("given", [s for s in SETTINGS if s.get("keep") != "none"], ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_lines_second_pass_removes_nothing(
    tmp_path: Path, make: Any, given: dict[str, Any], seed: int
) -> None:
    docs, stage = corpus(seed), make(**given)
    sizes = [sum(doc.source == s for doc in docs) for s in ("web", "books")]
    first = run(tmp_path / "1", docs, stage, sizes=sizes)
    assert first.texts != texts_of(docs)
    kept = [
        Doc(text, doc.source, doc.url)
        for text, doc in zip(first.texts, docs, strict=True)
        if text is not None
    ]
    sizes = [sum(doc.source == s for doc in kept) for s in ("web", "books")]
    second = run(tmp_path / "2", kept, stage, sizes=sizes)
    assert second.texts == texts_of(kept)
    assert second.report["repeated"] == 0 or given["min_count"] > 2


def test_lines_second_pass_keep_none_removes_nothing_either(tmp_path: Path) -> None:
    docs, stage = corpus(1), LineDedup(min_count=2, min_words=None, keep="none", max_cut_frac=None)
    sizes = [sum(doc.source == s for doc in docs) for s in ("web", "books")]
    first = run(tmp_path / "1", docs, stage, sizes=sizes)
    kept = [Doc(t, d.source, d.url) for t, d in zip(first.texts, docs, strict=True)]
    assert run(tmp_path / "2", kept, stage, sizes=sizes).texts == texts_of(kept)


# --- by hand


def left(folder: Path, texts: Sequence[str], make: Any = LineDedup, **given: Any) -> list[Any]:
    given = {"min_count": 2, "min_words": None, "max_cut_frac": None, **given}
    return run(folder, [Doc(text) for text in texts], make(**given)).texts


def test_lines_first_occurrence_in_corpus_order_stays(tmp_path: Path) -> None:
    texts = ["own a\nmenu\nmore\nmenu", "menu\nown b", "own c\nmenu"]
    assert left(tmp_path, texts) == ["own a\nmenu\nmore", "own b", "own c"]


def test_lines_keep_none_cuts_them_all(tmp_path: Path) -> None:
    assert left(tmp_path, ["a a\nmenu", "menu\nb b"], keep="none") == ["a a", "b b"]


def test_lines_count_documents_not_occurrences(tmp_path: Path) -> None:
    texts = ["menu\nmenu\nmenu\na", "b\nmenu"]
    assert left(tmp_path, texts, min_count=3) == texts
    assert left(tmp_path / "two", texts, min_count=2) == ["menu\na", "b"]


@pytest.mark.parametrize("times", [6, 7])
def test_lines_default_is_more_than_six_documents(tmp_path: Path, times: int) -> None:
    docs = [Doc(f"this is document {i}\na menu of them all") for i in range(times)]
    found = run(tmp_path, docs, LineDedup()).texts
    assert found[1:] == [
        f"this is document {i}" + "\na menu of them all" * (times < 7) for i in range(1, times)
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["x\nend", "a\nend"], "a"),  # the last line goes with the newline before it
        (["x\nend", "a\nend\n"], "a\n"),
        (["x\nend", "end\na"], "a"),
        (["x\nend", "a\nend\nb"], "a\nb"),
        (["x\nend\nfin", "a\nend\nfin"], "a"),
        (["x\nend\nfin", "a\nend\n\nfin"], "a\n"),
        (["x\nend", "end"], ""),
        (["x\nend", "\nend"], ""),
        (["x\nend", "\n\nend\n\n"], "\n\n\n"),
        (["x\nend", "end\n"], ""),
        (["x\r\nend\r\n", "a\r\nend\r\nb\r\n"], "a\r\nb\r\n"),
    ],
)
def test_lines_leave_the_others_joined_as_they_were(
    tmp_path: Path, texts: list[str], expected: str
) -> None:
    assert left(tmp_path, texts) == [texts[0], expected]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["x\n\nend", "a\n\nend"], "a"),
        (["x\n\nend", "a\n\n\n\nend\n"], "a\n"),
        (["x\n\nend", "end\n\n\na"], "a"),
        (["x\n\nend", "a\n \nend\n\nb"], "a\n \nb"),
        (["x\n\nend", "\n\nend\n\na"], "\n\na"),
        (["x\n\nend", "end"], ""),
        (["x\n\nend", "a\nend"], "a\nend"),
        (["x\r\n\r\nend\r\n", "a\r\n\r\nend\r\n\r\nb\r\n"], "a\r\n\r\nb\r\n"),
        (["x\n\ntwo\nlines", "a\n\ntwo\nlines\n\nb"], "a\n\nb"),
        (["x\n\ntwo\nlines", "a\n\ntwo lines\n\nb"], "a\n\nb"),  # one space, or a newline
    ],
)
def test_paragraphs_leave_the_others_joined_as_they_were(
    tmp_path: Path, texts: list[str], expected: str
) -> None:
    assert left(tmp_path, texts, ParagraphDedup) == [texts[0], expected]


@pytest.mark.parametrize(
    "line",
    [
        *("---", "});", "```", "```python", "~~~ text", "# Title", "###### Title", "#\tTitle"),
        *("| a | b |", "|x|", "1.", "12)", "a.", "iv)", "-", "*", "•", "===", "  # Title  "),
        *("\u00a0---\r", "|:-|"),
    ],
)
def test_lines_structural_ones_stay_unless_asked(tmp_path: Path, line: str) -> None:
    texts = [f"x\n{line}\ny", f"a\n{line}\nb"]
    assert left(tmp_path / "kept", texts) == texts
    assert left(tmp_path / "cut", texts, cut_structural=True)[1] == "a\nb"


@pytest.mark.parametrize(
    "line",
    [
        *("#Title", "####### Title", "``code``", "| a", "a |", "2021.", "a.b", "- item"),
        *("1. item", "· é", "é.", "ab", "1"),
    ],
)
def test_lines_that_are_not_structural_go(tmp_path: Path, line: str) -> None:
    assert left(tmp_path, [f"x\n{line}\ny", f"b\n{line}\nc"])[1] == "b\nc"


def test_paragraphs_structural_ones_have_nothing_else(tmp_path: Path) -> None:
    table = "| a | b |\n|---|---|\n| c | d |"
    texts = [f"x\n\n{table}\n\ny", f"a\n\n{table}\n\nb"]
    assert left(tmp_path, texts, ParagraphDedup) == texts
    texts = [f"{text}\n\n# Title\nand what it says" for text in texts]
    assert left(tmp_path / "2", texts, ParagraphDedup)[1] == f"a\n\n{table}\n\nb"


@pytest.mark.parametrize("line", ["", " ", "\u3000", "\x85", "\r"])
def test_lines_blank_ones_are_never_cut(tmp_path: Path, line: str) -> None:
    texts = [f"x\n{line}\ny", f"a\n{line}\nb"]
    assert left(tmp_path, texts, cut_structural=True) == texts


@pytest.mark.parametrize("form", ["alphanumeric", "digits"])
def test_lines_of_which_nothing_is_left_are_never_cut(tmp_path: Path, form: str) -> None:
    texts = ["x\n***\ny", "a\n***\nb\n+++"]
    assert left(tmp_path, texts, normalise=form, cut_structural=True) == texts


FORMS = ["none", "whitespace", "case", "alphanumeric", "digits"]


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        ("Read more", "Read more", "none"),
        ("Read more", " Read\u00a0 more\t", "whitespace"),
        ("Read more", "READ More", "case"),
        ("ÉTÉ à KÖLN", "été À Köln", "case"),
        ("Read more", "read-more...", "alphanumeric"),
        ("12 comments", "37 comments!", "digits"),
        ("٣ ردود", "٤ ردود", "digits"),
        ("Read more", "Read mare", None),
        ("été", "e\u0301te\u0301", None),
        ("12 comments", "3 comments", None),
    ],
)
def test_lines_are_the_same_in_this_form_and_coarser_ones(
    tmp_path: Path, one: str, other: str, least: str | None
) -> None:
    equal = FORMS.index(least) if least else len(FORMS)
    for i, form in enumerate(FORMS):
        found = left(tmp_path / form, [f"x\n{one}", f"a\n{other}"], normalise=form)
        assert (found[1] == "a") == (i >= equal)


def test_lines_of_two_words_stay_by_default(tmp_path: Path) -> None:
    docs = [Doc(f"own {i}\nSee also\nSee also this") for i in range(2)]
    assert run(tmp_path, docs, LineDedup(min_count=2)).texts[1] == "own 1\nSee also"


def test_lines_min_chars_and_min_words_at_the_limit(tmp_path: Path) -> None:
    texts = ["x\n ééé é \nend", "a\n ééé é \nb"]
    assert left(tmp_path / "5", texts, min_chars=5)[1] == "a\nb"
    assert left(tmp_path / "6", texts, min_chars=6) == texts
    assert left(tmp_path / "w2", texts, min_words=2)[1] == "a\nb"
    assert left(tmp_path / "w3", texts, min_words=3) == texts


@pytest.mark.parametrize("unit", ["word " * 40, "x" * 500 + " y", "農" * 60, "é" * 300])
def test_lines_min_words_of_long_lines(tmp_path: Path, unit: str) -> None:
    texts = [f"a\n{unit}", f"b\n{unit}"]
    for least in (1, 2, 3, 40, 41, 60, 61):
        found = left(tmp_path / str(least), texts, min_words=least)
        stage = LineDedup(min_count=2, max_cut_frac=None, min_words=least)
        assert found == plain_dedup(stage, [Doc(text) for text in texts])


def test_lines_scope_counts_documents_of_a_site(tmp_path: Path) -> None:
    urls = ["http://a.org/1", "https://www.A.org:443/2", "http://b.org/", None, "b.org/x", "mail"]
    docs = [Doc(f"own {i}\nmenu", url=url) for i, url in enumerate(urls)]
    stage = LineDedup(min_count=2, min_words=None, scope="site")
    assert run(tmp_path, docs, stage).texts == [
        "own 0\nmenu", "own 1", "own 2\nmenu", "own 3\nmenu", "own 4", "own 5\nmenu"
    ]  # fmt: skip


def test_lines_scope_counts_documents_of_a_source(tmp_path: Path) -> None:
    docs = [Doc(f"own {i}\nmenu", "web" if i < 2 else f"s{i}") for i in range(4)]
    stage = LineDedup(min_count=2, min_words=None, scope="source")
    found = run(tmp_path, docs, stage, sizes=[2, 1, 1])
    assert found.texts == ["own 0\nmenu", "own 1", "own 2\nmenu", "own 3\nmenu"]


def test_lines_document_that_loses_too_much_is_dropped(tmp_path: Path) -> None:
    docs = [Doc("x\nmenu"), Doc("1234\nmenu"), Doc("123\nmenu")]  # 5 of 9 characters, 5 of 8
    found = run(tmp_path, docs, LineDedup(min_count=2, min_words=None, max_cut_frac=5 / 9))
    assert found.texts == ["x\nmenu", "1234", None]
    assert found.verdicts[0].to_pylist() == [
        {
            "row": 2,
            "drop_reason": "max_cut_frac",
            "drop_value": "0.625",
            "drop_threshold": str(5 / 9),
            "survivor_id": None,
            "similarity": None,
        }
    ]
    counts = {name: found.report[name] for name in ("cut", "cut_chars", "edited", "dropped")}
    assert counts == {"cut": 1, "cut_chars": 5, "edited": 1, "dropped": 1}


def test_lines_spans_are_at_characters(tmp_path: Path) -> None:
    texts = ["日本\nメニュー\n語", "日本語\nメニュー\n😀", "éé\nメニュー"]
    assert left(tmp_path, texts) == [texts[0], "日本語\n😀", "éé"]


# --- odd corpora


@pytest.mark.parametrize("docs", [[], [Doc("")], [Doc(None)], [Doc("\n\n")] * 3])
def test_lines_corpora_of_nothing(tmp_path: Path, docs: list[Doc]) -> None:
    for make in STAGES:
        found = run(tmp_path / make.__name__, docs, make(min_count=2))
        assert found.texts == texts_of(docs)
        assert (found.report["repeated"], found.report["top"]) == (0, [])


def test_lines_no_slices_at_all(tmp_path: Path) -> None:
    found = run(tmp_path, [], LineDedup(), sizes=[])
    assert (found.texts, found.report["documents"]) == ([], 0)


def test_lines_of_equal_documents_stay_once(tmp_path: Path) -> None:
    docs = [Doc("this is one line\nand another line")] * 50
    found = run(tmp_path / "drop", docs, LineDedup(), sizes=[20, 30])
    assert found.texts == [docs[0].text, *[None] * 49]
    found = run(tmp_path / "cut", docs, LineDedup(max_cut_frac=None), sizes=[20, 30])
    assert found.texts == [docs[0].text, *[""] * 49]
    assert found.report["repeated"] == 2


def test_lines_very_long_line(tmp_path: Path) -> None:
    long = "".join(random.Random(0).choices("abc é\u2028", k=300_000))
    other = long[:-1] + ("x" if long[-1] != "x" else "y")
    for form in FORMS:
        found = left(tmp_path / form, [long, f"a\n{long}", f"b\n{other}"], normalise=form)
        assert found == [long, "a", f"b\n{other}"]


def test_lines_of_one_hash_half_are_told_apart() -> None:
    """Entries of equal first halves, interleaved: a hash is both."""
    first = np.array([5, 5, 5, 5, 9], np.uint64)
    second = np.array([2, 1, 2, 1, 1], np.uint64)
    table = np.zeros((4, 5), np.uint64)
    table[FIRST], table[SECOND], table[COUNTS] = first, second, (1 << 32) | 3
    table[PLACE] = np.arange(5) << 32
    tally = join([table[:, :2], table[:, 2:]])
    assert tally[:2].T.tolist() == [[5, 1], [5, 2], [9, 1]]
    assert (tally[COUNTS] >> HALF).tolist() == [2, 2, 1]
    assert (tally[COUNTS] & LOW_HALF).tolist() == [6, 6, 3]
    assert (tally[PLACE] >> HALF).tolist() == [1, 0, 4]
    marks, found = repeats(table, in_order(table), 2)
    assert marks.tolist() == [2, 2, 1, 1, 0]
    assert found[:2].T.tolist() == [[5, 1], [5, 2]]
    numbers = np.arange(5)
    units = Units(numbers, first, second, numbers, numbers, numbers, numbers)
    spared = np.array([True, False])
    cut = cut_flags(units, *(np.array(h, np.uint64) for h in ([5, 5], [1, 2])), spared)
    assert cut.tolist() == [True, False, True, True, False]


# --- memory, and attempts that end early


def test_lines_hot_line_does_not_take_memory(tmp_path: Path) -> None:
    """A line of 200,000 documents, within 4 MB of a task: its slices take most of them."""
    docs = [Doc(f"document {i}\nhot line of them all") for i in range(200_000)]
    sizes = [4000] * 50
    write_slices(tmp_path / "warm", docs[:10], [10])
    run(tmp_path / "small", docs[:4000], LineDedup(), sizes=[4000])  # compiles
    slices = write_slices(tmp_path / "slices", docs, sizes)
    (tmp_path / "rounds").mkdir()
    rounds = Rounds(tuple(slices), tmp_path / "rounds", 1, 4_000_000, in_turn)
    tracemalloc.start()
    verdicts = LineDedup().decide(rounds)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000
    assert verdicts.report["cut"] == 199_999
    (top,) = verdicts.report["top"]
    assert top == {
        "text": "hot line of them all",
        "documents": 200_000,
        "occurrences": 200_000,
        "sources": {"web": 200_000},
        "id": "d0",
    }


class Killed(Exception):
    pass


def killed_after(count: int) -> Any:
    """Runs so many jobs, as workers would, and no more."""
    done = 0

    def execute(label: str, function: Any, jobs: Sequence[Any], num_bytes: int) -> list[Any]:
        nonlocal done
        found = []
        for job in jobs:
            if done == count:
                raise Killed
            found.append(function(pickle.loads(pickle.dumps(job))))
            done += 1
        return found

    return execute


@pytest.mark.parametrize("count", [0, 4, 9, 13])
def test_lines_go_on_after_a_kill(tmp_path: Path, count: int) -> None:
    docs, stage = corpus(4), ParagraphDedup(min_count=2, min_words=None)
    sizes, folder = split(docs, 0), tmp_path / "killed"
    with pytest.raises(Killed):
        run(folder, docs, stage, sizes=sizes, max_memory=40_000, execute=killed_after(count))
    made = {path: path.stat().st_mtime_ns for path in (folder / "rounds").iterdir()}
    assert len(made) > count
    again = run(folder, docs, stage, sizes=sizes, workers=3, max_memory=90_000)
    assert all(path.stat().st_mtime_ns == made[path] for path in made)
    assert again == run(tmp_path / "whole", docs, stage, sizes=sizes, max_memory=40_000)


# --- the report


def test_lines_report_says_what_was_cut_where(tmp_path: Path) -> None:
    docs = [
        Doc("own 0\nmenu\nfooter of it"), Doc("own 1 it\nMENU\nmenu"), Doc("own 2"),
        Doc("own 3 that is longer\nmenu\nfooter of it", "books"), Doc("menu", "books"),
    ]  # fmt: skip
    stage = LineDedup(min_count=2, min_words=None, normalise="case")
    report = run(tmp_path, docs, stage, sizes=[2, 1, 2]).report
    zero = {"cut": 0, "cut_chars": 0, "edited": 0, "dropped": 0}
    assert report == {
        "documents": 5,
        "units": 11,
        "repeated": 2,
        "cut": 4,
        "cut_chars": 10 + 18,
        "edited": 2,
        "dropped": 1,
        "sources": {
            "web": {**zero, "documents": 3, "cut": 2, "cut_chars": 10, "edited": 1},
            "books": {"documents": 2, "cut": 2, "cut_chars": 18, "edited": 1, "dropped": 1},
        },
        "top": [
            {
                "text": "menu",
                "documents": 4,
                "occurrences": 5,
                "sources": {"web": 2, "books": 2},
                "id": "d0",
            },
            {
                "text": "footer of it",
                "documents": 2,
                "occurrences": 2,
                "sources": {"web": 1, "books": 1},
                "id": "d0",
            },
        ],
    }


def test_lines_report_shows_the_lines_of_most_documents(tmp_path: Path) -> None:
    lines = [f"line {i:03d} " + "x" * 300 for i in range(80)]
    docs = [Doc("\n".join(lines[: 80 - i])) for i in range(78)]
    sizes = [10] * 7 + [8]
    report = run(
        tmp_path, docs, LineDedup(min_count=2, min_words=1), sizes=sizes, max_memory=50_000
    ).report
    assert report["repeated"] == 79
    assert len(report["top"]) == 50
    assert [one["documents"] for one in report["top"][:5]] == [78, 78, 78, 77, 76]
    assert {one["text"] for one in report["top"][:3]} == {line[:200] for line in lines[:3]}
    assert report["top"][49]["documents"] == 31


# --- parameters


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"min_count": 1}, "must be at least 2"),
        ({"max_cut_frac": 1.1}, r"must be in \[0, 1\]"),
        ({"max_cut_frac": -0.1}, r"must be in \[0, 1\]"),
        ({"min_chars": 0}, "must be at least 1"),
        ({"min_words": 0}, "must be at least 1"),
        ({"normalise": "ccnet"}, "none, whitespace, case, alphanumeric, digits"),
        ({"scope": "host"}, "corpus, source, site"),
        ({"keep": "longest"}, "first, none"),
    ],
)
def test_lines_parameters_that_cannot_be_are_errors(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build(LineDedup, given, where="r.yaml")


def test_lines_read_the_url_only_for_sites() -> None:
    assert LineDedup().reads == ("text",)
    assert ParagraphDedup(scope="site").reads == ("text", "url")
