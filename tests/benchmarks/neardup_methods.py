"""Ways to find near-duplicates: from texts to the survivor of each, by its place."""

import os
import pickle
import re
import struct
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from curation.dedup.minhash import MinhashDedup
from curation.document import DOCUMENT_SCHEMA, conform
from curation.process import ROW, drop_rows
from curation.rounds import DEFAULT_MEMORY, CorpusSlice, Rounds
from curation.slices import SLICE_ROWS, SliceStore

BANDS, ROWS = 14, 8  # of the peers, as FineWeb has it
WORD = re.compile(r"\w+")
Survivors = list[int]  # of each text the place of the one that stays; its own if it stays


class Method(NamedTuple):
    """One way, and the module it needs."""

    name: str
    module: str
    find: Callable[[list[str]], Survivors]


def tilth(found: list[str], **parameters: Any) -> Survivors:
    """`minhash_dedup`, in this process: slices written, read, decided."""
    out = list(range(len(found)))
    with TemporaryDirectory() as folder:
        slices = make_slices(found, Path(folder, "slices"))
        for row in decide(slices, Path(folder), **parameters).to_pylist():
            out[row["slice"] * SLICE_ROWS + row["row"]] = int(row["survivor_id"])
    return out


def decide(slices: tuple[CorpusSlice, ...], folder: Path, **parameters: Any) -> pa.Table:
    """The decisions on stored slices."""
    with TemporaryDirectory(dir=folder) as name:
        rounds = Rounds(slices, Path(name), 1, DEFAULT_MEMORY, _in_order)
        verdicts = MinhashDedup(**parameters).decide(rounds)
        return pa.concat_tables(map(pq.read_table, verdicts.decisions))


def make_slices(found: list[str], folder: Path) -> tuple[CorpusSlice, ...]:
    """The texts as the runner stores them."""
    store, out = SliceStore(folder, {}, {}, "run"), []
    for number, start in enumerate(range(0, len(found), SLICE_ROWS)):
        some = found[start : start + SLICE_ROWS]
        ids = [str(start + i) for i in range(len(some))]
        table = pa.table({"id": ids, "text": some, "source": ["s"] * len(some)})
        empty = {f.name: pa.nulls(len(some), f.type) for f in DOCUMENT_SCHEMA}
        columns = {
            name: table[name] if name in table.column_names else empty[name] for name in empty
        }
        table = conform(pa.table(columns), DOCUMENT_SCHEMA)
        table = table.append_column(ROW, pa.array(range(len(some)), pa.int64()))
        record = store.write(str(number), "s", table, drop_rows(table[:0]), [], [])["kept"]
        size = record["text_bytes"]
        out.append(CorpusSlice(number, "s", store, str(number), len(some), size))
    return tuple(out)


def _in_order(label: str, function: Any, jobs: Any, num_bytes: int) -> list[Any]:
    return [function(job) for job in jobs]


def shingles(text: str) -> list[str]:
    r"""Word 5-grams, words as `\w+`; all words of a shorter text."""
    words = WORD.findall(text.lower())
    return list(map(" ".join, zip(*(words[i:] for i in range(5)), strict=False))) or [
        " ".join(words)
    ]


def rensa(found: list[str]) -> Survivors:
    """RMinHash and RMinHashLSH."""
    from rensa import RMinHash, RMinHashLSH

    lsh = RMinHashLSH(threshold=0.7, num_perm=BANDS * ROWS, num_bands=BANDS)
    links: list[Iterable[int]] = []
    for i, text in enumerate(found):
        minhash = RMinHash(num_perm=BANDS * ROWS, seed=1)
        minhash.update(shingles(text))
        links.append(lsh.query(minhash))
        lsh.insert(i, minhash)
    return _components(links)


def datasketch(found: list[str]) -> Survivors:
    """MinHash and MinHashLSH."""
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    links: list[Iterable[int]] = []
    for i, text in enumerate(found):
        minhash = MinHash(num_perm=BANDS * ROWS, seed=1)
        minhash.update_batch([shingle.encode() for shingle in shingles(text)])
        links.append(lsh.query(minhash))
        lsh.insert(i, minhash, check_duplication=False)
    return _components(links)


def _components(links: list[Iterable[int]]) -> Survivors:
    """The first of all that hang together."""
    parent = list(range(len(links)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    for i, others in enumerate(links):
        for other in others:
            a, b = sorted((root(i), root(other)))
            parent[b] = a
    return [root(i) for i in range(len(links))]


def datatrove(found: list[str]) -> Survivors:
    """Its three steps, with SHA-1: its xxhash takes no strings."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import minhash
    from datatrove.utils.hashing import HashConfig
    from loguru import logger

    logger.disable("datatrove")
    config = minhash.MinhashConfig(
        num_buckets=BANDS, hashes_per_bucket=ROWS, hash_config=HashConfig(hash_fc="sha1")
    )
    with TemporaryDirectory() as folder:
        signed, paired, clustered = (f"{folder}/{name}" for name in ("sign", "pair", "cluster"))
        documents = (Document(text=text, id=str(i)) for i, text in enumerate(found))
        minhash.MinhashDedupSignature(signed, config).run(documents)
        for bucket in range(BANDS):
            buckets = minhash.MinhashDedupBuckets(signed, paired, config=config)
            buckets.run(None, bucket, BANDS)
        minhash.MinhashDedupCluster(paired, clustered, config, save_cluster_id=True).run(None, 0, 1)
        clusters = _pairs(Path(clustered, "000000.clusters"))
        removed = {i for (i,) in struct.iter_unpack("<I", _bytes(Path(clustered, "000000.remove")))}
    members = defaultdict(list)
    for document, cluster in clusters:
        members[cluster].append(document)
    out = list(range(len(found)))
    for some in members.values():
        (survivor,) = set(some) - removed
        for document in some:
            out[document] = survivor
    return out


def text_dedup(found: list[str]) -> Survivors:
    """Its command line, in a process of its own; it keeps the root of each cluster."""
    with TemporaryDirectory() as folder:
        texts, out = Path(folder, "texts.parquet"), Path(folder, "out")
        pq.write_table(pa.table({"text": found}), texts)
        options = {"path": "parquet", "data_files": texts, "split": "train", "column": "text"}
        options |= {"output": out, "cache_dir": Path(folder, "cache"), "num_proc": 1}
        options |= {"ngram": 5, "b": BANDS, "r": ROWS, "num_perm": BANDS * ROWS}
        options |= {"hash_func": "xxh3", "batch_size": 1000}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "text_dedup.minhash", *words, "--debug"]
        quiet = {**os.environ, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1"}
        subprocess.run(command, check=True, capture_output=True, env=quiet)
        parent: dict[int, int] = pickle.loads((out / "uf.pkl").read_bytes()).parent
    return [_root(parent, i) for i in range(len(found))]


def _root(parent: dict[int, int], i: int) -> int:
    while parent.get(i, i) != i:
        i = parent[i]
    return i


def _pairs(path: Path) -> Iterable[tuple[int, ...]]:
    return list(struct.iter_unpack("<2I", _bytes(path)))


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


METHODS = (
    Method("tilth", "curation", tilth),
    Method("tilth fineweb", "curation", partial(tilth, preset="fineweb")),
    Method("tilth, J >= .5", "curation", partial(tilth, min_jaccard=0.5)),
    Method("rensa", "rensa", rensa),
    Method("datasketch", "datasketch", datasketch),
    Method("datatrove", "datatrove", datatrove),
    Method("text-dedup", "text_dedup", text_dedup),
)
