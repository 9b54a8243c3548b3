"""Checkpoints: a crash at any file operation leaves one that loads."""

import subprocess
import sys
from pathlib import Path

import torch

from train.checkpoint import MODEL, Checkpoint, load_checkpoint, save_checkpoint

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
