"""A child process for parsers that may hang or crash on hostile input.

The child runs one function of bytes per item. If an answer takes longer than the limit, or the
child dies, it is killed and replaced, that item fails with the reason, and the rest go on.
Thread- or signal-based limits cannot stop a parser stuck in C code; a process can be killed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from curation.errors import RunError

_HEADER = struct.Struct("<BI")  # status, length
_OK, _FAILED = 0, 1
START_S = 60.0  # importing the parser on a busy machine
MEMORY_BYTES = 4 << 30  # address space of a child: a page cannot take the machine down


class Sandbox:
    """Runs `function` ("module:name", bytes and keyword options in, str out) in a child."""

    def __init__(self, function: str, options: dict[str, Any], timeout_s: float) -> None:
        self.function, self.options, self.timeout_s = function, options, timeout_s
        self._child: subprocess.Popen[bytes] | None = None

    def map(self, items: Iterable[bytes]) -> Iterator[tuple[str | None, str | None]]:
        """(result, None) or (None, reason) for each item, in order."""
        for item in items:
            yield self._call(item)

    def close(self) -> None:
        """Ends the child."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):  # what it never read is flushed
                        pipe.close()
            self._child = None

    def _call(self, item: bytes) -> tuple[str | None, str | None]:
        if self._child is not None and self._child.poll() is not None:
            self.close()  # it died between items, which is no fault of this one
        child = self._child or self._start()
        assert child.stdin is not None
        try:
            child.stdin.write(struct.pack("<I", len(item)) + item)
            child.stdin.flush()
            answer = self._receive(child, self.timeout_s)
        except BrokenPipeError:
            answer = None
        except TimeoutError:
            self.close()
            return None, f"timeout: took longer than {self.timeout_s:g} s"
        if answer is None:
            self.close()
            return None, "crash: the parser died on this page"
        status, text = answer
        return (text, None) if status == _OK else (None, text)

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).parents[1])
        script = f"import sys; sys.path.insert(0, {root!r}); from curation.sandbox import serve; "
        command = [sys.executable, "-P", "-c", script + "serve(*sys.argv[1:])"]
        self._child = subprocess.Popen(
            [*command, self.function, json.dumps(self.options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        ready = self._receive(self._child, START_S)
        if ready is None or ready[0] != _OK:
            self.close()
            raise RunError(f"{self.function} cannot be loaded: {ready and ready[1]}")
        return self._child

    def _receive(self, child: subprocess.Popen[bytes], limit_s: float) -> tuple[int, str] | None:
        """(status, text), or None if the child died. Raises TimeoutError."""
        assert child.stdout is not None
        deadline = time.monotonic() + limit_s
        head = _read(child.stdout, _HEADER.size, deadline)
        if head is None:
            return None
        status, length = _HEADER.unpack(head)
        body = _read(child.stdout, length, deadline)
        return None if body is None else (status, body.decode("utf-8", "replace"))


@functools.cache
def _shared(function: str, options: str, timeout_s: float) -> Sandbox:
    box = Sandbox(function, json.loads(options), timeout_s)
    atexit.register(box.close)
    return box


def sandbox(function: str, options: dict[str, Any], timeout_s: float) -> Sandbox:
    """This process's sandbox for a function and its options: a child is dear to start."""
    return _shared(function, json.dumps(options, sort_keys=True), timeout_s)


def serve(function: str, options: str) -> None:
    """The child's loop: answers items from stdin on stdout until stdin ends."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # a chatty parser must not be an answer
    try:
        module, name = function.split(":")
        call = getattr(importlib.import_module(module), name)
        _limit_memory()
    except Exception as error:
        _answer(answers, _FAILED, f"{type(error).__name__}: {error}")
        return
    _answer(answers, _OK, "ready")
    while head := sys.stdin.buffer.read(4):
        item = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        try:
            _answer(answers, _OK, call(item, **json.loads(options)))
        except Exception as error:  # reported to the parent as this item's reason
            _answer(answers, _FAILED, f"{type(error).__name__}: {error}")


def _answer(pipe: BinaryIO, status: int, text: str) -> None:
    body = text.encode("utf-8", "replace")
    pipe.write(_HEADER.pack(status, len(body)) + body)
    pipe.flush()


def _read(pipe: Any, length: int, deadline: float) -> bytes | None:
    """`length` bytes, None at end of file. Bypasses the pipe's buffer, which select cannot see."""
    chunks = []
    while length:
        ready, _, _ = select.select([pipe], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            raise TimeoutError
        chunk = os.read(pipe.fileno(), min(length, 1 << 20))
        if not chunk:
            return None
        chunks.append(chunk)
        length -= len(chunk)
    return b"".join(chunks)


def _limit_memory() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
