"""The index of `minhash_dedup`: documents that stayed in earlier runs, signed, with their texts.

    index.json                what settings it is for, and its generations, earliest first
    <generation>/             of one run; named by what that run deduplicated and how
        manifest.json         blocks and their parts
        block-000000.*.arrow  as in `curation.dedup.near.blocks`
        part-000000.parquet   id, text and source of the documents of one slice

Only documents that stayed are kept: what went can be nobody's survivor. Their texts are what exact
verification needs, and take less room than sets of shingles would.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.dedup.near.blocks import Block
from curation.errors import RunError, UserError
from curation.files import damaged, exclusive, link_or_copy, read_json, write_json, write_parquet
from curation.mapped import column, map_table, write_mapped
from curation.rounds import CorpusSlice, Rounds

INDEX, MANIFEST, GENERATION = "index.json", "manifest.json", "generation"
FORMAT = 1


@dataclass(frozen=True)
class KnownPart:
    """Documents of an index that come from one slice."""

    file: Path
    rows: int
    source: str

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Their columns, in order."""
        try:
            return pq.read_table(self.file, columns=list(columns))
        except (pa.ArrowInvalid, FileNotFoundError) as error:
            raise damaged(self.file, error) from None


@dataclass(frozen=True)
class Index:
    """An index in a folder, for documents signed in one way."""

    folder: Path
    settings: Mapping[str, Any]  # of signatures, as JSON

    def check(self) -> None:
        """It can be an index for these settings.

        Raises:
            UserError: it is a file, or was made with other settings.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise UserError(f"{self.folder} is a file", where="index", hint="Name a folder")
        self._generations()

    def before(self, identity: str, origin: str) -> list[str]:
        """The generations that precede that of a run.

        Args:
            identity: of the run's corpus and stage.
            origin: of the corpus's input files.

        Raises:
            UserError: the index is for other settings, or holds these inputs already, otherwise
                curated, with later generations that build on them.
        """
        names, origins = self._generations()
        if identity in names:
            return names[: names.index(identity)]
        if origin not in origins:
            return names
        if origins[-1] != origin:
            raise UserError(
                f"{self.folder} holds these inputs already, as another recipe curated them, and "
                "later runs build on that",
                hint="Give this recipe an index of its own, or go back to the recipe that made it",
            )
        return names[:-1]

    def blocks(self, generations: Sequence[str]) -> list[Block]:
        """The documents of generations, earliest first."""
        blocks: list[Block] = []
        for name in generations:
            home = self.folder / name
            for stem, parts in read_json(home / MANIFEST)["blocks"].items():
                first = blocks[-1].end if blocks else 0
                known = tuple(KnownPart(home / p["file"], p["rows"], p["source"]) for p in parts)
                blocks.append(Block(len(blocks), first, True, known, home / stem))
        return blocks

    def publish(self, made: Path, identity: str, origin: str, base: Sequence[str]) -> None:
        """Adds the generation in the folder `made`, unless the index has it.

        Raises:
            RunError: another run has changed the index since this one looked at it.
        """
        with exclusive(self.folder):
            names, origins = self._generations()
            if identity in names:
                return
            replaced = names[len(base) :]
            if names[: len(base)] != list(base) or any(o != origin for o in origins[len(base) :]):
                raise RunError(
                    f"{self.folder}: another run has changed the index meanwhile\n"
                    "  Run the same command again: it will take that into account"
                )
            _bring(made, self.folder / identity)
            kept = [*zip(names, origins, strict=True)][: len(base)]
            generations = [{"name": n, "origin": o} for n, o in [*kept, (identity, origin)]]
            settings = dict(self.settings)
            about = {"format": FORMAT, "settings": settings, "generations": generations}
            write_json(self.folder / INDEX, about)
            for name in replaced:
                shutil.rmtree(self.folder / name)

    def _generations(self) -> tuple[list[str], list[str]]:
        """Names and origins.

        Raises:
            UserError: the index is for other settings.
        """
        if not (self.folder / INDEX).exists():
            return [], []
        found = read_json(self.folder / INDEX)
        theirs = found["settings"]
        for name, value in self.settings.items():
            if theirs.get(name) != value:
                raise UserError(
                    f"{self.folder} was made with {name} {theirs.get(name)}, not {value}",
                    hint=f"Set it to {theirs.get(name)}, or name a new folder",
                )
        entries = found["generations"]
        return [e["name"] for e in entries], [e["origin"] for e in entries]


def _bring(made: Path, home: Path) -> None:
    """Links, or where that cannot be copies, a folder's files; whole or not at all."""
    temporary = home.with_name(f".{home.name}.tmp")
    for leftover in (temporary, home):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(made, temporary, copy_function=link_or_copy)
    temporary.replace(home)


@dataclass(frozen=True)
class KeepJob:
    """Writes what an index keeps of a block."""

    block: Block
    gone: Path  # `document` of those that went
    folder: Path  # of the generation


def keep_block(job: KeepJob) -> dict[str, Any]:
    """Writes a block of those that stayed; returns its stem and parts, as JSON."""
    stem = f"block-{job.block.number:06d}"
    stays = np.ones(job.block.rows, bool)
    stays[column(map_table(job.gone), "document") - job.block.first] = False
    parts = []
    for part, start in job.block.starts():
        assert isinstance(part, CorpusSlice)
        own = stays[start - job.block.first :][: part.rows]
        name = f"part-{part.number:06d}.parquet"
        parts.append({"file": name, "rows": int(own.sum()), "source": part.source})
        if not (job.folder / name).exists():
            texts = part.read(["id", "text", "source"]).filter(pa.array(own))
            write_parquet(job.folder / name, texts)
    places = (np.cumsum(stays) - 1).astype(np.uint32)
    for kind in ("docs", "bands", "sums"):
        table = map_table(job.block.file(kind))
        rows = np.arange(len(table)) if kind == "docs" else column(table, "row")
        columns = {name: table[name] for name in table.column_names}
        columns |= {} if kind == "docs" else {"row": pa.array(places[rows])}
        kept = pa.table(columns).filter(pa.array(stays[rows]))
        write_mapped(job.folder / f"{stem}.{kind}.arrow", dict(zip(columns, kept, strict=True)))
    return {stem: parts}


def write_generation(rounds: Rounds, blocks: Sequence[Block], gone: Sequence[Path]) -> Path:
    """The folder of a new generation: the documents of blocks, in order, that did not go."""
    folder = rounds.folder / GENERATION
    folder.mkdir(exist_ok=True)
    jobs = [KeepJob(block, path, folder) for block, path in zip(blocks, gone, strict=True)]
    found = {k: v for one in rounds.run("index", keep_block, jobs) for k, v in one.items()}
    write_json(folder / MANIFEST, {"format": FORMAT, "blocks": found})
    return folder
