"""Checkpoints: a crash at any file operation leaves one that loads."""

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file as write_tensors

from curation.errors import RunError
from train.checkpoint import (
    MODEL,
    OPTIMIZER,
    Checkpoint,
    load_checkpoint,
    read_about,
    save_checkpoint,
    save_model,
)

ROOT = Path(__file__).resolve().parents[2]


def checkpoint(step: int) -> Checkpoint:
    tensors = {"w": torch.full((3,), float(step))}
    return Checkpoint(step=step, fingerprint="run", model=tensors, optimizer={"m": tensors["w"]})


def test_save_then_load_gives_the_newest_and_deletes_the_rest(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        save_checkpoint(tmp_path, checkpoint(step))
    loaded = load_checkpoint(tmp_path, "run")
    assert loaded is not None
    assert loaded.step == 15
    assert loaded.model["w"].tolist() == [15.0] * 3
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000015"]


def test_load_ignores_other_runs_and_empty_folders(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "absent", "run") is None
    save_checkpoint(tmp_path, checkpoint(5))
    assert load_checkpoint(tmp_path, "another run") is None


def test_load_ignores_a_checkpoint_whose_bytes_changed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(5))
    file = tmp_path / "step-00000005" / MODEL
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    assert load_checkpoint(tmp_path, "run") is None


CRASH = """
import os, shutil, sys
from pathlib import Path
from typing import Any
import torch
torch.set_num_threads(1)
from train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

def checkpoint(step):
    tensors = {"w": torch.full((3,), float(step))}
    return Checkpoint(step=step, fingerprint="run", model=tensors, optimizer={"m": tensors["w"]})

def die_at(n):
    seen = 0
    def hook(event, args):
        nonlocal seen
        if event == "open" or event.startswith(("os.", "shutil.")):
            seen += 1
            if seen == n:
                os._exit(9)
    sys.addaudithook(hook)

root, n, steps = Path(sys.argv[1]), 0, []
while True:
    n += 1
    folder = root / str(n)
    save_checkpoint(folder, checkpoint(1))
    child = os.fork()
    if child == 0:
        die_at(n)
        save_checkpoint(folder, checkpoint(2))
        os._exit(0)
    crashed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    steps.append(load_checkpoint(folder, "run").step)
    save_checkpoint(folder, checkpoint(3))
    assert load_checkpoint(folder, "run").step == 3
    if not crashed:
        break
print(*steps)
"""


def test_crash_at_every_file_operation_leaves_a_loadable_checkpoint(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    steps = [int(step) for step in done.stdout.split()]
    assert len(steps) > 10  # one crash per operation
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (1, 2)


@pytest.mark.parametrize("full_at", [MODEL, OPTIMIZER])
def test_full_disk_leaves_the_last_checkpoint_and_room_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_at: str
) -> None:
    save_checkpoint(tmp_path, checkpoint(5))

    def save_file(tensors: Any, path: Path, **options: Any) -> None:
        if path.name == full_at:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        write_tensors(tensors, path, **options)

    monkeypatch.setattr("train.checkpoint.save_file", save_file)
    with pytest.raises(RunError, match="No space left on device") as caught:
        save_checkpoint(tmp_path, checkpoint(10))
    assert str(tmp_path) in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000005"]
    monkeypatch.undo()
    save_checkpoint(tmp_path, checkpoint(10))
    loaded = load_checkpoint(tmp_path, "run")
    assert loaded is not None
    assert loaded.step == 10


LIMIT = """
import resource, sys
from pathlib import Path
import torch
from curation.errors import RunError
from train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, save_model

def checkpoint(step, n):
    tensors = {"w": torch.full((n,), float(step))}
    return Checkpoint(step=step, fingerprint="run", model=tensors, optimizer={"m": tensors["w"]})

root = Path(sys.argv[1])
save_checkpoint(root, checkpoint(1, 10))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for write in (
    lambda: save_checkpoint(root, checkpoint(2, 1_000_000)),
    lambda: save_model(root / "model.safetensors", checkpoint(2, 1_000_000).model, {}),
):
    try:
        write()
    except RunError as error:
        print(error)
print(load_checkpoint(root, "run").step, sorted(p.name for p in root.iterdir()))
"""


def test_write_that_the_system_refuses_is_reported_and_cleaned_up(tmp_path: Path) -> None:
    """A file-size limit makes the writer itself fail, as a full disk does."""
    done = subprocess.run(
        [sys.executable, "-c", LIMIT, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [f"{tmp_path}: a checkpoint cannot be written" in line for line in lines[::2]] == [
        True,
        True,
        False,
    ]
    assert lines[-1] == "1 ['step-00000001']"


def test_model_file_says_what_it_is_and_other_files_say_nothing(tmp_path: Path) -> None:
    save_model(tmp_path / MODEL, {"w": torch.ones(2)}, {"tokenizer": "abc", "model": {"vocab": 3}})
    assert read_about(tmp_path / MODEL) == {"tokenizer": "abc", "model": {"vocab": 3}}
    (tmp_path / "text").write_text("no tensors")
    assert read_about(tmp_path / "text") == read_about(tmp_path / "absent") == {}
