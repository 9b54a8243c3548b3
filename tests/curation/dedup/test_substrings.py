"""Repeated substrings: against a search in memory, and cases that strain it."""

import io
import itertools
import json
import pickle
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from curation import files
from curation.dedup import substrings
from curation.dedup.substring import first_copies, spill
from curation.dedup.substring.windows import anchor_width, find_runs, runs_per_byte
from curation.dedup.substrings import SubstringDedup
from curation.document import DOCUMENT_SCHEMA
from curation.process import ROW, drop_rows
from curation.rounds import CorpusSlice, Rounds
from curation.slices import SliceStore
from curation.text import buffers
from tests.corpora import SHARED, prose

Spans = list[tuple[int, int, int]]  # text, start, stop


class Outcome(NamedTuple):
    """What a run decides, with texts counted through all slices."""

    cuts: Spans
    drops: dict[int, float]  # text to its repeated share
    report: dict[str, Any]

    def apply(self, texts: Sequence[str | None]) -> list[str]:
        """The texts that stay, without what is cut."""
        out = []
        for i, text in enumerate(texts):
            data = (text or "").encode()
            for _, start, stop in reversed([cut for cut in self.cuts if cut[0] == i]):
                data = data[:start] + data[stop:]
            out += [] if i in self.drops else [data.decode()]
        return out


def in_turn(label: str, function: Any, jobs: Sequence[Any], num_bytes: int) -> list[Any]:
    """Runs jobs as other processes would get them."""
    return [function(pickle.loads(pickle.dumps(job))) for job in jobs]


def write_slices(
    folder: Path, texts: Sequence[str | None], sizes: Sequence[int], sources: Sequence[str]
) -> tuple[CorpusSlice, ...]:
    store, slices, start = SliceStore(folder / "slices", {}, {}, "run"), [], 0
    assert sum(sizes) == len(texts)
    for number, (size, source) in enumerate(zip(sizes, sources, strict=True)):
        values = {
            "id": [f"d{i}" for i in range(start, start + size)],
            "text": list(texts[start : start + size]),
            "source": [source] * size,
        }
        arrays = [pa.array(values.get(f.name, [None] * size), f.type) for f in DOCUMENT_SCHEMA]
        table = pa.Table.from_arrays(arrays, schema=DOCUMENT_SCHEMA)
        table = table.append_column(ROW, pa.array(np.arange(size)))
        key = f"{number:06d}"
        kept = store.write(key, source, table, drop_rows(table[:0]), [], [])["kept"]
        slices.append(CorpusSlice(number, source, store, key, size, kept["text_bytes"]))
        start += size
    return tuple(slices)


def run(
    folder: Path,
    texts: Sequence[str | None],
    stage: SubstringDedup,
    *,
    sizes: Sequence[int] | None = None,
    sources: Sequence[str] | None = None,
    workers: int = 1,
    max_memory: int = 50_000_000,
    execute: Any = in_turn,
) -> Outcome:
    sizes = [len(texts)] if sizes is None else sizes
    slices = write_slices(folder, texts, sizes, sources or ["web"] * len(sizes))
    (folder / "rounds").mkdir(exist_ok=True)
    rounds = Rounds(slices, folder / "rounds", workers, max_memory, execute)
    verdicts = stage.decide(rounds)
    begins = np.cumsum([0, *sizes])
    rows = [row for file in verdicts.edits for row in pq.read_table(file).to_pylist()]
    gone = [row for file in verdicts.decisions for row in pq.read_table(file).to_pylist()]
    assert all(row["drop_reason"] == "max_repeated_frac" for row in gone)
    assert all(row["drop_threshold"] == str(stage.max_repeated_frac) for row in gone)
    return Outcome(
        [(int(begins[r["slice"]]) + r["row"], r["start"], r["stop"]) for r in rows],
        {int(begins[r["slice"]]) + r["row"]: float(r["drop_value"]) for r in gone},
        json.loads(json.dumps(verdicts.report)),
    )


def search(
    texts: Sequence[str | None],
    min_bytes: int,
    barred: frozenset[int] = frozenset(),
    others: bool = False,
) -> Spans:
    """The same by a dict of all windows."""
    first: dict[bytes, tuple[int, int]] = {}
    found: Spans = []
    for i, text in enumerate(texts):
        data = (text or "").encode()
        cover = bytearray(len(data))
        for at in range(len(data) - min_bytes + 1):
            window = data[at : at + min_bytes]
            if window not in first:
                if i not in barred:
                    first[window] = (i, at)
                continue
            where, before = first[window]
            if where != i or (not others and at - before >= min_bytes):
                cover[at : at + min_bytes] = b"\1" * min_bytes
        found += [(i, *span) for span in inward(data, cover)]
    return found


def inward(data: bytes, cover: bytearray) -> list[tuple[int, int]]:
    """The stretches of `cover` that are 1, less the pieces of characters at their ends."""
    spans, at = [], 0
    begins = [byte & 0xC0 != 0x80 for byte in data] + [True]
    while (start := cover.find(1, at)) >= 0:
        stop = cover.find(0, start) if cover.find(0, start) >= 0 else len(data)
        at = stop
        while not begins[start]:
            start += 1
        while not begins[stop]:
            stop -= 1
        spans.append((start, stop))
    return spans


def shares(texts: Sequence[str | None], cuts: Spans) -> list[float]:
    cut = [0] * len(texts)
    for i, start, stop in cuts:
        cut[i] += stop - start
    return [n / max(1, len((t or "").encode())) for n, t in zip(cut, texts, strict=True)]


def search_with_drops(
    texts: Sequence[str | None], min_bytes: int, most: float
) -> tuple[Spans, dict[int, float]]:
    """The same with `max_repeated_frac`."""
    suspects = shares(texts, search(texts, min_bytes, others=True))
    barred = frozenset(i for i, share in enumerate(suspects) if share > most)
    sure = shares(texts, search(texts, min_bytes, barred, others=True))
    gone = {i: share for i, share in enumerate(sure) if share > most}
    cuts = search(texts, min_bytes, frozenset(gone))
    return [cut for cut in cuts if cut[0] not in gone], gone


def random_corpus(draw: random.Random) -> list[str | None]:
    """Texts of few letters that share stretches with one another and with themselves."""
    letters = draw.choice(["ab", "abcdefgh", "aé中😀", "a"])
    pool = [random_text(draw, letters, draw.randint(0, 60)) for _ in range(4)]
    texts: list[str | None] = []
    for _ in range(draw.randint(0, 12)):
        parts = [
            draw.choice(pool) if draw.random() < 0.5 else random_text(draw, letters, 15)
            for _ in range(draw.randint(0, 5))
        ]
        texts.append("".join(part[draw.randrange(len(part) + 1) :] for part in parts))
    return [None if draw.random() < 0.03 else text for text in texts]


def random_text(draw: random.Random, letters: str, size: int) -> str:
    return "".join(draw.choice(letters) for _ in range(size))


def random_sizes(draw: random.Random, total: int) -> list[int]:
    sizes = []
    while total:
        sizes.append(draw.randint(0, total))
        total -= sizes[-1]
    return sizes


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of runs of dozens of small files need not outlive a power cut."""
    monkeypatch.setattr(files, "sync", lambda path: None)


@pytest.fixture(params=["plenty", "scarce"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With little of it there are many partitions of a few records, written in many blocks."""
    if request.param == "scarce":
        monkeypatch.setattr(substrings, "MIN_MEMORY", 4000)
        monkeypatch.setattr(spill, "MIN_RECORDS", 3)
        monkeypatch.setattr(first_copies, "new_table", lambda expected: np.zeros((2, 4), np.uint64))


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("seed", range(60))
def test_substrings_are_those_of_a_search(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    texts, min_bytes = random_corpus(draw), draw.choice([8, 9, 12, 20, 33])
    found = run(
        tmp_path,
        texts,
        SubstringDedup(min_bytes=min_bytes),
        sizes=random_sizes(draw, len(texts)),
        workers=draw.choice([1, 2, 5]),
        max_memory=draw.choice([1, 20_000]),
    )
    assert found.cuts == search(texts, min_bytes)
    assert found.drops == {}


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("seed", range(1000, 1040))
def test_substrings_with_drops_are_those_of_a_search(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    texts, min_bytes = random_corpus(draw), draw.choice([8, 12, 20])
    most = draw.choice([0.0, 0.2, 0.5, 0.9, 1.0])
    found = run(
        tmp_path,
        texts,
        SubstringDedup(min_bytes=min_bytes, max_repeated_frac=most),
        sizes=random_sizes(draw, len(texts)),
        max_memory=draw.choice([1, 20_000]),
    )
    cuts, gone = search_with_drops(texts, min_bytes, most)
    assert found.cuts == cuts
    assert found.drops == pytest.approx(gone)


def test_substrings_worked_out_by_hand(tmp_path: Path) -> None:
    """Windows of 8 bytes.

    The first text has `abcdefghij` at 2: windows `abcdefgh`, `bcdefghi`, `cdefghij` begin at 2, 3
    and 4. The second has the last two of them, at 3 and 4 behind `xyz`: bytes 3 to 11 go, and `-`
    at 12 is in no repeat. The third has seven bytes of them, which is too few. The fourth is the
    second again, all of it; and `--------` in the fifth occurs at 0, and at 8, where it does not
    overlap the first: in between it does.
    """
    texts = ["<<abcdefghij>>", "xyzbcdefghij-", "??defghij??", "xyzbcdefghij-", "-" * 17]
    found = run(tmp_path, texts, SubstringDedup(min_bytes=8))
    assert found.cuts == [(1, 3, 12), (3, 0, 13), (4, 8, 17)]
    assert found.apply(texts) == ["<<abcdefghij>>", "xyz-", "??defghij??", "", "--------"]


def test_substrings_of_just_enough_bytes_and_one_fewer(tmp_path: Path) -> None:
    first = "".join(chr(33 + i % 90) for i in range(150))
    texts = [first, f"é{first[20:120]}é", f"è{first[30:129]}è"]
    found = run(tmp_path, texts, SubstringDedup())
    assert found.cuts == [(1, 2, 102)]


@pytest.mark.parametrize("copies", [2, 500])
def test_substrings_of_identical_documents_leave_one(copies: int, tmp_path: Path) -> None:
    text = prose(1)
    found = run(tmp_path, [text] * copies, SubstringDedup(), sizes=[1, copies - 1])
    assert found.cuts == [(i, 0, len(text)) for i in range(1, copies)]
    assert found.apply([text] * copies) == [text] + [""] * (copies - 1)
    (top,) = found.report["top"]
    assert (top["copies_cut"], top["bytes_cut"]) == (copies - 1, (copies - 1) * len(text))


@pytest.mark.parametrize("texts", [[], [""], [None, "", "short"], ["x" * 99]])
def test_substrings_of_hardly_anything_are_none(texts: list[str | None], tmp_path: Path) -> None:
    found = run(tmp_path, texts, SubstringDedup(max_repeated_frac=0.0))
    assert (found.cuts, found.drops, found.report["spans"]) == ([], {}, 0)
    assert found.report["top"] == []


def test_substrings_never_cut_characters_in_half(tmp_path: Path) -> None:
    """`é` and `è` share their first byte, `中` and `串` their first two."""
    texts = ["aé12345678中b", "cé12345678串d", "ç12345678中b", "😀12345678中"]
    found = run(tmp_path, texts, SubstringDedup(min_bytes=8))
    assert found.apply(texts) == ["aé12345678中b", "c串d", "ç", "😀"]


def test_substrings_do_not_reach_over_ends_of_documents(tmp_path: Path) -> None:
    texts = ["abcdefghijkl", "abcdef", "ghijkl", "abcdef", "ghijkl"]
    assert run(tmp_path, texts, SubstringDedup(min_bytes=8), sizes=[3, 2]).cuts == []


@pytest.mark.parametrize("period", [1, 3, 8, 70])
def test_substrings_of_one_long_document_that_repeats_itself(period: int, tmp_path: Path) -> None:
    """What is left is one stretch of at least `min_bytes`, a whole number of periods long."""
    text = "".join(chr(48 + i % period) for i in range(300_000))
    found = run(tmp_path, [text], SubstringDedup(), max_memory=1_000_000)
    assert found.cuts == [(0, -(-100 // period) * period, 300_000)]


def mappings(texts: Sequence[str | None], cuts: Spans) -> list[list[int]]:
    """For every byte of every text that is left, where it stood."""
    out = []
    for i, text in enumerate(texts):
        gone = np.zeros(len((text or "").encode()), bool)
        for _, start, stop in (cut for cut in cuts if cut[0] == i):
            gone[start:stop] = True
        out.append(np.flatnonzero(~gone).tolist())
    return out


@pytest.mark.parametrize("seed", range(2000, 2040))
def test_substrings_second_pass_finds_only_what_crosses_a_joint(seed: int, tmp_path: Path) -> None:
    """Without the windows that have bytes from both sides of a cut, nothing is left to find."""
    draw, size = random.Random(seed), 12
    texts = random_corpus(draw)
    found = run(tmp_path, texts, SubstringDedup(min_bytes=size))
    first: dict[bytes, tuple[int, int]] = {}
    left = zip(found.apply(texts), mappings(texts, found.cuts), strict=True)
    for i, (text, places) in enumerate(left):
        data = text.encode()
        for at in range(len(data) - size + 1):
            if places[at + size - 1] - places[at] == size - 1:
                where, before = first.setdefault(data[at : at + size], (i, at))
                assert where == i
                assert at - before < size


def test_substrings_every_byte_that_goes_has_an_equal_one_that_stays(tmp_path: Path) -> None:
    """The first copy of a window may itself lose a part that occurred before: all of it stays
    somewhere."""
    a, b, c = (prose(i, 2) for i in (1, 2, 3))
    texts = [a, a + b, b + c, a + b + c]
    found = run(tmp_path, texts, SubstringDedup(min_bytes=20))
    left = found.apply(texts)
    assert left[0] == a
    assert all(part[10:-10] in "".join(left) for part in (a, b, c))
    assert left[3] == ""


def test_substrings_drop_documents_above_a_share_of_what_stays(tmp_path: Path) -> None:
    a, b, c, d = (prose(i)[:400] for i in range(4))
    texts = [a, a + b[:390], a + b[:410], d + c + a[:200]]
    found = run(tmp_path, texts, SubstringDedup(max_repeated_frac=0.5))
    assert list(found.drops) == [1]
    assert found.drops[1] == pytest.approx(400 / 790, abs=0.02)
    assert found.apply(texts)[1] == b[:410]  # its first copy went with the document before it


def test_substrings_repeats_of_itself_or_of_what_may_go_drop_no_document(tmp_path: Path) -> None:
    a, b, c = (prose(i)[:400] for i in range(3))
    texts = [a * 5, b + c[:100], b + c[:300] + c[:300], b[:130] + c[100:300]]
    found = run(tmp_path, texts, SubstringDedup(max_repeated_frac=0.4))
    assert list(found.drops) == [2]  # of b; the last one repeats what only the third holds
    assert found.apply(texts) == [a, b + c[:100], c[100:300]]


def test_substrings_report_counts_within_and_across_sources(tmp_path: Path) -> None:
    text, other = prose(5)[:300], prose(6)[:200]
    texts = [text, other + text[:150], other, text]
    sources = ["web", "web", "books"]
    stage = SubstringDedup()
    report = run(tmp_path, texts, stage, sizes=[1, 1, 2], sources=sources).report
    assert report["bytes_within_sources"] == 150
    assert report["bytes_across_sources"] == 200 + 300
    assert (report["spans"], report["documents_cut"]) == (3, 3)
    assert report["span_bytes"] == {"128": 2, "256": 1}
    top = report["top"][0]
    assert (top["first_id"], top["cut_ids"], top["bytes_cut"]) == ("d0", ["d3"], 300)
    assert top["text"] == text[:200]


def test_substrings_report_adds_up_copies_of_equal_spans(tmp_path: Path) -> None:
    footer = "© the publisher; all rights reserved, and no part may be copied."
    texts = [f"{prose(i, 2)}{chr(0x4E00 + i)}{footer}{chr(0x5E00 + i)}" for i in range(30)]
    stage = SubstringDedup(min_bytes=60)
    report = run(tmp_path, texts, stage, sizes=[7, 23]).report
    top = report["top"][0]
    assert top["copies_cut"] == 29
    assert (top["text"], top["bytes"]) == (footer, len(footer.encode()))
    assert top["bytes_cut"] == 29 * len(footer.encode())
    assert (top["first_id"], top["cut_ids"]) == ("d0", ["d1", "d2", "d3", "d4", "d5"])


def test_substrings_and_report_do_not_depend_on_workers_memory_and_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(substrings, "MIN_MEMORY", 30_000)
    draw = random.Random(7)
    pool = [prose(i) for i in range(40)]
    texts = [" ".join(draw.choices(pool, k=3)) for _ in range(60)]
    outcomes = []
    for i, (workers, memory, sizes) in enumerate([(1, 10**9, [60]), (3, 90_000, [20] * 3)]):
        (tmp_path / str(i)).mkdir()
        stage = SubstringDedup(max_repeated_frac=0.9)
        outcomes.append(
            run(tmp_path / str(i), texts, stage, sizes=sizes, workers=workers, max_memory=memory)
        )
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].drops


class Killed(Exception):
    """The end of an attempt."""


def killed_after(jobs_left: int) -> Callable[..., list[Any]]:
    """Runs so many jobs of all rounds, then no more."""

    def execute(label: str, function: Any, jobs: Sequence[Any], num_bytes: int) -> list[Any]:
        nonlocal jobs_left
        results = []
        for job in reversed(jobs):
            if jobs_left == 0:
                raise Killed
            jobs_left -= 1
            results.append(function(job))
        return results

    return execute


def test_substrings_go_on_after_a_kill_with_what_was_finished(tmp_path: Path) -> None:
    draw = random.Random(3)
    pool = [prose(i) for i in range(20)]
    texts = [" ".join(draw.choices(pool, k=3)) for _ in range(40)]
    stage, sizes = SubstringDedup(max_repeated_frac=0.7), [10] * 4
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = run(tmp_path / "whole", texts, stage, sizes=sizes, workers=2, max_memory=200_000)
    written: dict[Path, int] = {}
    for jobs in range(1, 200, 7):
        workers = 2 if jobs == 1 else 5  # the plan of the first attempt holds
        try:
            found = run(
                tmp_path / "killed",
                texts,
                stage,
                sizes=sizes,
                workers=workers,
                max_memory=200_000,
                execute=killed_after(jobs),
            )
            break
        except Killed:
            now = {f: f.stat().st_mtime_ns for f in (tmp_path / "killed" / "rounds").iterdir()}
            assert written.items() <= now.items()
            written = now
    else:
        raise AssertionError("it never came to an end")
    assert found == whole
    assert len(written) > 20


@pytest.mark.parametrize("room", [1, 2, 1000])
def test_runs_cover_every_window_once_however_little_room_there_is(room: int) -> None:
    data, offsets = buffers(pa.array([prose(1), "short", "", "a" * 300, prose(2)]))
    found, row, at = [], 0, 0
    out = np.empty((room, 4), np.uint64)
    while row < len(offsets) - 1:
        row, at, n = find_runs(data, offsets, 0, 100, anchor_width(100), row, at, out, 0)
        found += [(int(r[3]) >> 16, int(r[3]) & 0xFFFF, int(r[0])) for r in out[:n].copy()]
    places = [place + i for place, count, _ in found for i in range(count)]
    lengths = np.diff(offsets).tolist()
    ends = zip(offsets[:-1].tolist(), lengths, strict=True)
    assert places == [p for start, size in ends for p in range(start, start + size - 99)]
    long = [f for f in found if f[0] < lengths[0]]
    assert len(long) / lengths[0] == pytest.approx(runs_per_byte(100), rel=0.3)


def test_substrings_parameters_must_make_sense() -> None:
    SubstringDedup(min_bytes=8, max_repeated_frac=0)
    SubstringDedup(min_bytes=65_535, max_repeated_frac=1)
    for wrong in (7, 65_536):
        with pytest.raises(ValueError, match=f"'min_bytes' .* from 8 to 65535. Got {wrong}"):
            SubstringDedup(min_bytes=wrong)
    for frac in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"'max_repeated_frac' .* in \[0, 1\]"):
            SubstringDedup(max_repeated_frac=frac)


@pytest.mark.slow
def test_substrings_of_fifty_megabytes_of_one_letter(tmp_path: Path) -> None:
    found = run(tmp_path, ["a" * 50_000_000], SubstringDedup())
    assert found.cuts == [(0, 100, 50_000_000)]


@pytest.mark.slow
def test_substrings_of_a_million_tiny_documents(tmp_path: Path) -> None:
    texts = [f"number {i % 1000}" for i in range(1_000_000)]
    found = run(tmp_path, texts, SubstringDedup(), sizes=[4000] * 250, max_memory=5_000_000)
    assert found.cuts == []


@pytest.mark.shared
def test_substrings_of_real_text_are_those_of_a_search(tmp_path: Path) -> None:
    texts = []
    for name in ("code_python", "legal", "lang_ja"):
        texts += [row["text"] for row in itertools.islice(read_shared(name), 40)]
    texts = [text[:20_000] for text in texts]
    found = run(tmp_path, texts, SubstringDedup(), sizes=[50, 70], max_memory=300_000)
    assert found.cuts == search(texts, 100)
    assert found.report["spans"] > 50


def read_shared(name: str) -> Iterator[dict[str, Any]]:
    with (SHARED / "text" / f"{name}.jsonl.zst").open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        yield from map(json.loads, io.TextIOWrapper(stream, "utf-8", newline="\n"))
