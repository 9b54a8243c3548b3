"""Datasets of the Hugging Face hub, or local folders and files that `datasets` can load.

A dataset is one input whose parts are its shards; it is streamed, never downloaded whole. A local
path needs no network: a folder of data files, one saved with `save_to_disk`, or a single file. An
offset is the number of the shard times 2**40 plus the row in it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.errors import UserError
from curation.sources.arrow_columns import check_columns, records
from curation.sources.columns import BadRecord, ColumnNames
from curation.sources.files import content_hash, list_files
from curation.sources.inputs import InputFile, Split
from curation.sources.source import ReadLog, Source, formats

BATCH_ROWS = 1000
SHARD_BITS = 40

_HUB = "hub:"
_BUILDERS = {
    ".json": "json",
    ".jsonl": "json",
    ".csv": "csv",
    ".txt": "text",
    ".parquet": "parquet",
}


@formats.register("huggingface")
@dataclass(frozen=True, kw_only=True)
class HuggingFace(ColumnNames, Source):
    """Datasets by hub name or local path. Other columns go to `meta`."""

    config: str | None = None
    split: str = "train"
    revision: str | None = None  # of the hub; name one, as the newest may change

    def files(self, root: Path) -> list[InputFile]:
        """One input per dataset; a path that exists below `root` is local.

        Raises:
            UserError: it looks like a path and does not exist.
        """
        paths = [self.path] if isinstance(self.path, str) else self.path
        return [self._input(path, root) for path in paths]

    def identity(self, file: InputFile) -> str:
        """The content of local files; of the hub: name, config, split and revision."""
        parts = [file.path, self.config, self.split, self.revision]
        if not file.url.startswith(_HUB):
            parts += [content_hash(part) for part in list_files(file.url, Path("/"))]
        return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()

    def splits(self, file: InputFile) -> list[Split]:
        """The shards of the dataset: `start` counts them.

        Raises:
            UserError: the dataset cannot be loaded.
        """
        num_shards = self._load(file).num_shards
        return [Split(file, i, i + 1) for i in range(num_shards)]

    def read(self, split: Split, log: ReadLog) -> Iterator[pa.Table]:
        """Tables of one shard; a failure is reported and ends the shard."""
        first = split.start << SHARD_BITS
        try:
            shard = self._shard(split)
            for table in shard.with_format("arrow").iter(BATCH_ROWS):
                check_columns(table.schema, self.columns)
                yield records(table, self.columns, split.file, first, log)
                first += len(table)
        except UserError as error:
            log.error(split.file, first, "cannot_open", str(error))
        except BadRecord as error:
            log.error(split.file, first, error.kind, str(error))
        except (OSError, ValueError, pa.ArrowException, _generation_error()) as error:
            log.error(split.file, first, "cannot_read", f"{type(error).__name__}: {error}")

    def _shard(self, split: Split) -> Any:
        dataset = self._load(split.file)
        if split.end is None:
            return dataset
        return dataset.shard(num_shards=dataset.num_shards, index=split.start)

    def _input(self, path: str, root: Path) -> InputFile:
        full = os.path.join(root, path)
        if os.path.exists(full):
            return InputFile(url=full, path=os.path.basename(os.path.normpath(full)), size=0)
        if path.startswith((".", "/", "~")) or path.count("/") > 1:
            hint = "A hub dataset is named `owner/name` or `name`"
            raise UserError(f"there is no file or folder '{path}'", where=str(root), hint=hint)
        return InputFile(url=f"{_HUB}{path}", path=path, size=0)

    def _load(self, file: InputFile) -> Any:
        import datasets

        try:
            if os.path.isfile(os.path.join(file.url, "state.json")):
                return datasets.load_from_disk(file.url).to_iterable_dataset()
            return datasets.load_dataset(**self._arguments(file), split=self.split, streaming=True)
        except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
            raise UserError(f"cannot be loaded: {error}", where=file.path) from error

    def _arguments(self, file: InputFile) -> dict[str, Any]:
        if file.url.startswith(_HUB):
            name = file.url.removeprefix(_HUB)
            return {"path": name, "name": self.config, "revision": self.revision}
        if not os.path.isfile(file.url):
            return {"path": file.url, "name": self.config}
        name = file.url
        for suffix in (".gz", ".zst", ".bz2", ".xz"):
            name = name.removesuffix(suffix)
        builder = _BUILDERS.get(os.path.splitext(name)[1].lower())
        if builder is None:
            raise UserError(f"'{file.path}' has none of the endings {', '.join(_BUILDERS)}")
        return {"path": builder, "data_files": {self.split: file.url}}


def _generation_error() -> type[Exception]:
    from datasets.exceptions import DatasetGenerationError

    error: type[Exception] = DatasetGenerationError
    return error
