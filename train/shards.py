"""Token shards: a dataset's text as flat files of token ids, one per source or other domain.

    <slug>.bin         uint16 (uint32 above 65,536 tokens): EOT, document, EOT, document, ...
                       (with control tokens: EOT, control token, document, ...)
    <slug>.index.npy   int64, where each document's EOT stands in the .bin
    manifest.json      written last: its presence means that the folder is complete

File names are derived from source names, which users choose: the manifest maps one to the other.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.errors import RunError
from curation.files import sync, write_json
from curation.fingerprint import fingerprint
from curation.stage import Scorer
from train.control import Control, ControlTokens
from train.domains import SOURCE, read_domains
from train.tokenizer import Tokenizer

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class SourceTokens:
    """One source in the manifest; `tokens` counts the EOT of each document, `bytes` is UTF-8."""

    file: str
    documents: int
    tokens: int
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class TokenShards:
    """A complete folder of token shards."""

    folder: Path
    identity: str
    dtype: str
    vocab: int
    tokenizer: str
    sources: dict[str, SourceTokens]

    @classmethod
    def open(cls, folder: Path) -> TokenShards:
        """Reads the manifest and checks that each file has the size it names.

        Raises:
            RunError: the folder is incomplete or a file was changed.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise RunError(f"{folder} holds no complete token shards: there is no {MANIFEST}")
        raw = json.loads(path.read_text(encoding="utf-8"))
        shards = cls(
            folder=folder,
            identity=raw["identity"],
            dtype=raw["dtype"],
            vocab=raw["vocab"],
            tokenizer=raw["tokenizer"],
            sources={name: SourceTokens(**entry) for name, entry in raw["sources"].items()},
        )
        for entry in shards.sources.values():
            size = entry.tokens * np.dtype(shards.dtype).itemsize
            file = folder / f"{entry.file}.bin"
            if not file.is_file() or file.stat().st_size != size:
                raise RunError(f"{file} is not the {size:,} bytes its manifest names; delete it")
        return shards

    @property
    def eot(self) -> int:
        """Id of the end-of-text token: every source begins with it."""
        return int(next(self.tokens(name)[0] for name, s in self.sources.items() if s.tokens))

    def tokens(self, source: str) -> NDArray[Any]:
        """Token ids of a source, shape (tokens,), mapped from the disk."""
        entry = self.sources[source]
        if entry.tokens == 0:  # an empty file cannot be mapped
            return np.empty(0, dtype=self.dtype)
        return np.memmap(self.folder / f"{entry.file}.bin", dtype=self.dtype, mode="r")

    def index(self, source: str) -> NDArray[np.int64]:
        """Offset of each document's EOT in `tokens(source)`, shape (documents,)."""
        offsets: NDArray[np.int64] = np.load(
            self.folder / f"{self.sources[source].file}.index.npy", allow_pickle=False
        )
        return offsets


def tokenize_dataset(
    parquet_files: Sequence[Path],
    tokenizer: Tokenizer,
    out: Path,
    control: Control | None = None,
    by: str = SOURCE,
    scorer: Scorer | None = None,
) -> TokenShards:
    """Tokenises the columns `text` and `by` of `parquet_files` into the folder `out`.

    Shards that are there already and come from the same bytes and tokenizer are kept; anything
    else in `out` is replaced. Memory is bounded by one row group.

    Args:
        parquet_files: read in this order; their names do not matter, their content does.
        tokenizer: the judge's tokenizer.
        out: folder for the shards.
        control: which control token each document or sentence starts with; None for none.
        by: the column whose values are the domains; see `train.domains`.
        scorer: of sentences, where `control` is per sentence.

    Raises:
        UserError: a file lacks a column, holds a null text or source, or `by` names no domains.
    """
    about: list[Any] = [FORMAT, tokenizer.hash, [_sha256(path) for path in parquet_files]]
    about += [control] if control else []
    about += [{"scorer": [scorer.name, scorer.version, scorer.parameters()]}] if scorer else []
    identity = fingerprint(about if by == SOURCE else [*about, {"by": by}])
    if (out / MANIFEST).is_file():
        shards = TokenShards.open(out)
        if shards.identity == identity:
            return shards
    marks = ControlTokens(control, parquet_files, tokenizer, scorer) if control else None
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    writers: dict[str, _Writer] = {}
    seen = 0
    column = control.column if control and control.per == "document" else None
    rows = read_domains(parquet_files, by, column)
    for texts, sources, scores in rows:
        ids = tokenizer.encode(texts) if marks is None else marks.encode(texts, scores, seen)
        _write_batch(writers, texts, sources, ids, tokenizer.eot, out)
        seen += len(texts)
    finished = {name: writers[name].finish() for name in sorted(writers)}
    manifest = {
        "format": FORMAT,
        "identity": identity,
        "dtype": tokenizer.dtype.name,
        "vocab": tokenizer.vocab,
        "tokenizer": tokenizer.hash,
        "sources": {name: asdict(entry) for name, entry in finished.items()},
    }
    write_json(out / MANIFEST, manifest)
    return TokenShards.open(out)


@dataclass
class _Writer:
    """Appends documents of one source; opens its file per batch, so sources may be thousands."""

    stem: Path
    documents: int = 0
    tokens: int = 0
    bytes: int = 0
    offsets: list[NDArray[np.int64]] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, documents: list[NDArray[Any]], n_bytes: int, eot: int) -> None:
        lengths = np.array([len(ids) + 1 for ids in documents], dtype=np.int64)
        self.offsets.append(self.tokens + np.cumsum(lengths) - lengths)
        marker = np.array([eot], dtype=documents[0].dtype)
        data = np.concatenate([part for ids in documents for part in (marker, ids)]).tobytes()
        with open(f"{self.stem}.bin", "ab") as file:
            file.write(data)
        self.digest.update(data)
        self.documents += len(documents)
        self.tokens += int(lengths.sum())
        self.bytes += n_bytes

    def finish(self) -> SourceTokens:
        np.save(f"{self.stem}.index.npy", np.concatenate(self.offsets), allow_pickle=False)
        for suffix in (".bin", ".index.npy"):
            sync(Path(f"{self.stem}{suffix}"))
        return SourceTokens(
            file=self.stem.name,
            documents=self.documents,
            tokens=self.tokens,
            bytes=self.bytes,
            sha256=self.digest.hexdigest(),
        )


def _write_batch(
    writers: dict[str, _Writer],
    texts: list[str],
    sources: list[str],
    ids: list[NDArray[Any]],
    eot: int,
    out: Path,
) -> None:
    by_source: dict[str, list[int]] = {}
    for row, source in enumerate(sources):
        by_source.setdefault(source, []).append(row)
    for source, rows in by_source.items():
        writer = writers.setdefault(source, _Writer(out / _slug(source)))
        n_bytes = sum(len(texts[row].encode()) for row in rows)
        writer.add([ids[row] for row in rows], n_bytes, eot)


def _slug(source: str) -> str:
    """A file name that no source name can steer out of the folder or make collide."""
    digest = hashlib.blake2b(source.encode(), digest_size=5).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', source).strip('-')[:40]}-{digest}".lstrip("-")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
