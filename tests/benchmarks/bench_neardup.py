"""Near-duplicates end to end: known edits of real text, and pages that are alike but no copies."""

import importlib.util
import os
import random
import re
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curation.shingling.shingles import Shingles, shared, shingle_sets
from tests.benchmarks.data import json_lines, size
from tests.benchmarks.data import shared as shared_file
from tests.benchmarks.neardup_methods import METHODS, Method, Survivors
from tests.benchmarks.tables import Table

SIMILAR, UNLIKE = 0.7, 0.5  # Jaccard similarity of word 5-grams: of duplicates, of strangers
PAGES = 1000  # of each kind that is made
TEMPLATE_WORDS = 120
LANGUAGE = re.compile(r"\.html\..*$")  # what tells the versions of a page of the manual apart


class Pages(NamedTuple):
    """Texts, and to which group each belongs if there are any."""

    texts: list[str]
    groups: list[str] | None = None


class Run(NamedTuple):
    """What a method found, and in what processor time."""

    survivors: Survivors
    seconds: float


def run() -> list[Table]:
    """Known edits, then what is not to be taken for a duplicate."""
    methods = [method for method in METHODS if importlib.util.find_spec(method.module)]
    rows = list(json_lines(shared_file("neardup", "synthetic.jsonl.zst")))
    found = {m.name: _timed(m, [row["text"] for row in rows]) for m in methods}
    draw = random.Random(1)
    return [
        _overall(rows, found),
        _by_edit(rows, found),
        _judged("pages that share half their paragraphs", methods, _half_pages(draw)),
        _judged("pages of one template", methods, _template_pages(draw)),
        _judged("a manual in ten languages, with its navigation", methods, _manual()),
    ]


def _timed(method: Method, found: list[str]) -> Run:
    method.find(found[:50])  # compiled, or from the cache
    start = _processor_time()
    survivors = method.find(found)
    return Run(survivors, _processor_time() - start)


def _processor_time() -> float:
    """Of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _overall(rows: list[dict[str, Any]], found: dict[str, Run]) -> Table:
    groups = [row["group"] for row in rows]
    number, copies = len(set(groups)), len(rows) - len(set(groups))
    megabytes = size([row["text"] for row in rows])
    out: list[tuple[Any, ...]] = []
    for name, (survivors, seconds) in found.items():
        gone = [i for i, survivor in enumerate(survivors) if survivor != i]
        right = sum(groups[i] == groups[survivors[i]] for i in gone)
        shares = (right / max(1, len(gone)), right / copies)
        lost = _lost(groups, survivors)
        out.append((name, megabytes / seconds, len(gone), *shares, lost))
    columns = ("", "MB/s per core", "removed", "precision", "recall", "groups lost")
    note = (
        f"{len(rows)} documents of {number} groups, {megabytes:.1f} MB; each method once. "
        "A removal is right if the survivor is of the same group; recall is of all copies, also "
        "those that are beyond any threshold. Peers: 14 bands of 8 rows."
    )
    return Table("near-duplicates of known origin", columns, out, [note])


def _by_edit(rows: list[dict[str, Any]], found: dict[str, Run]) -> Table:
    """Share of copies in the cluster of the text that they were made from."""
    base = {row["group"]: i for i, row in enumerate(rows) if row["edit"] == "base"}
    edits = defaultdict(list)
    for i, row in enumerate(rows):
        if row["edit"] != "base":
            edits[row["edit"]].append(i)
            if row["jaccard_w5"] >= SIMILAR:
                edits[f"any, J >= {SIMILAR}"].append(i)
    out: list[tuple[Any, ...]] = []
    for edit, some in sorted(edits.items()):
        bases = [base[rows[i]["group"]] for i in some]
        shares = [
            np.mean([r.survivors[i] == r.survivors[b] for i, b in zip(some, bases, strict=True)])
            for r in found.values()
        ]
        jaccard = np.mean([rows[i]["jaccard_w5"] for i in some])
        out.append((edit, len(some), float(jaccard), *map(float, shares)))
    return Table("recall by kind of edit", ("", "copies", "mean J", *found), out)


def _judged(title: str, methods: list[Method], pages: Pages) -> Table:
    """Removals by the true similarity of what goes and what stays for it."""
    hashes, at = shingle_sets(pa.array(pages.texts, pa.large_string()), Shingles())
    rows: list[tuple[Any, ...]] = []
    for method in methods:
        survivors = method.find(pages.texts)
        gone = [(i, s) for i, s in enumerate(survivors) if s != i]
        true = np.array([_jaccard(hashes, at, i, s) for i, s in gone])
        counts = (true >= SIMILAR, (true >= UNLIKE) & (true < SIMILAR), true < UNLIKE)
        precision = float(counts[0].mean()) if len(true) else None
        lost = _lost(pages.groups, survivors) if pages.groups else None
        rows.append((method.name, len(gone), *(int(c.sum()) for c in counts), precision, lost))
    columns = ("", "removed", "J >= .7", ".5 to .7", "below .5", "share J >= .7", "groups lost")
    note = f"{len(pages.texts)} pages. J is between a page and the one that stays for it."
    return Table(f"hard negatives: {title}", columns, rows, [note])


def _lost(groups: list[str], survivors: Survivors) -> int:
    """Of how many groups none stays."""
    return len(set(groups)) - len({g for i, g in enumerate(groups) if survivors[i] == i})


def _jaccard(hashes: Any, at: Any, i: int, j: int) -> float:
    common = shared(hashes, at[i], at[i + 1], hashes, at[j], at[j + 1])
    return float(common / max(1, at[i + 1] - at[i] + at[j + 1] - at[j] - common))


def _half_pages(draw: random.Random) -> Pages:
    """Texts, and of each every other paragraph among those of another."""
    every = []
    for name in ("government", "blog", "docs_tech"):
        for row in json_lines(shared_file("text", f"{name}.jsonl.zst")):
            paragraphs = [p for p in row["text"].split("\n\n") if len(p.split()) >= 10]
            if len(paragraphs) >= 6:
                every.append(paragraphs)
    draw.shuffle(every)
    texts = []
    for one, other in zip(every[: PAGES // 2], every[-PAGES // 2 :], strict=True):
        pairs = zip(one[::2], other[1::2], strict=False)
        mixed = [paragraph for pair in pairs for paragraph in pair]
        texts += ["\n\n".join(one), "\n\n".join(mixed)]
    return Pages(texts)


def _template_pages(draw: random.Random) -> Pages:
    """News in the frame of one of ten sites."""
    news = [row["text"] for row in json_lines(shared_file("text", "news.jsonl.zst"))]
    legal = [row["text"].split() for row in json_lines(shared_file("text", "legal.jsonl.zst"))]
    frames = [draw.choice(legal)[:TEMPLATE_WORDS] for _ in range(10)]
    half = TEMPLATE_WORDS // 2
    texts = []
    for i, body in enumerate(draw.sample(news, PAGES)):
        frame = frames[i % len(frames)]
        texts.append(" ".join((*frame[:half], body, *frame[half:])))
    return Pages(texts)


def _manual() -> Pages:
    """Every page of Apache's manual, all its text; a group is a page in its languages."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    texts, groups = [], []
    with shared_file("warc", "sites-00000.warc.gz").open("rb") as handle:
        for record in ArchiveIterator(
            handle, record_types=WarcRecordType.response, parse_http=True
        ):
            address = record.headers["WARC-Target-URI"]
            if "httpd.apache.org" in address:
                body = record.reader.read()
                encoding = record.http_charset or detect_encoding(body) or "utf-8"
                texts.append(extract_plain_text(bytes_to_str(body, encoding)))
                groups.append(LANGUAGE.sub("", address))
    return Pages(texts, groups)
