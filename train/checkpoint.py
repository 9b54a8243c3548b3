"""Checkpoints: a folder per saved step, complete or absent.

    checkpoints/step-00000100/{model.safetensors, optimizer.safetensors, state.json}

A checkpoint is written into a hidden folder, flushed, and renamed; only then is the one before it
deleted. A crash or a full disk at any point leaves a loadable checkpoint, or none if the first was
not done.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from curation.errors import RunError
from curation.files import sync, write_json

MODEL = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"
ABOUT = "tilth"  # key of a model file's header


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a run needs to go on after `step` finished steps."""

    step: int
    fingerprint: str
    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint under `folder` and deletes the older ones.

    Raises:
        RunError: it cannot be written; the one before is as it was.
    """
    final = folder / f"step-{checkpoint.step:08d}"
    aside = folder / f".{final.name}.tmp"
    with _whole(aside):
        _write(aside, checkpoint)
        shutil.rmtree(final, ignore_errors=True)  # a leftover that could not be loaded
        aside.rename(final)
        sync(folder)
    for older in _steps(folder):
        if older != final:
            shutil.rmtree(older)


def _write(aside: Path, checkpoint: Checkpoint) -> None:
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    save_file(checkpoint.model, aside / MODEL)
    save_file(checkpoint.optimizer, aside / OPTIMIZER)
    state = {
        "step": checkpoint.step,
        "fingerprint": checkpoint.fingerprint,
        "sha256": {name: _sha256(aside / name) for name in (MODEL, OPTIMIZER)},
    }
    write_json(aside / STATE, state)
    for name in (MODEL, OPTIMIZER):
        sync(aside / name)
    sync(aside)


def load_checkpoint(folder: Path, fingerprint: str) -> Checkpoint | None:
    """The newest checkpoint of the run `fingerprint` whose files are as written; None if none."""
    for path in reversed(_steps(folder)):
        state = _verified_state(path)
        if state is not None and state["fingerprint"] == fingerprint:
            return Checkpoint(
                step=int(str(state["step"])),
                fingerprint=fingerprint,
                model=load_file(path / MODEL),
                optimizer=load_file(path / OPTIMIZER),
            )
    return None


def save_model(path: Path, model: dict[str, Tensor], about: Mapping[str, object]) -> None:
    """Writes a model's weights, with `about` as JSON in the header, atomically.

    Raises:
        RunError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    with _whole(aside):
        save_file(model, aside, metadata={ABOUT: json.dumps(about, sort_keys=True)})
        sync(aside)
        aside.replace(path)
        sync(path.parent)


def read_about(path: Path) -> dict[str, Any]:
    """What a model file says of itself; empty for a file that is absent or is not ours."""
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, Any] = json.loads((file.metadata() or {}).get(ABOUT, "{}"))
            return about
    except (FileNotFoundError, SafetensorError):
        return {}


@contextmanager
def _whole(aside: Path) -> Iterator[None]:
    """Removes what was half-written, so that a full disk has room for the next try."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        shutil.rmtree(aside, ignore_errors=True)
        aside.unlink(missing_ok=True)
        raise RunError(
            f"{aside.parent}: a checkpoint cannot be written: {error}\n"
            "  The last one is kept: make room and run the same command again"
        ) from error


def _steps(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*")) if folder.is_dir() else []


def _verified_state(path: Path) -> dict[str, object] | None:
    """The checkpoint's state if all files have the hashes it names (a disk may have lied)."""
    try:
        state: dict[str, object] = json.loads((path / STATE).read_text(encoding="utf-8"))
        hashes = {name: _sha256(path / name) for name in (MODEL, OPTIMIZER)}
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return state if state.get("sha256") == hashes else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
