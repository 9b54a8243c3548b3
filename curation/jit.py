"""The two ways to compile a hot loop: cached on disk, without the interpreter lock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_HERE = Path(__file__).parent


def _cache_folder() -> Path:
    """A folder for the kernels as they are now.

    numba only looks whether the file that a kernel stands in has changed, not those of the kernels
    it calls: after an edit, or `git pull`, it would go on with the old ones.
    """
    sources = [path.read_bytes() for path in sorted(_HERE.rglob("*.py"))]
    kernels = b"\0".join(source for source in sources if b"curation.jit" in source)
    digest = hashlib.blake2b(kernels, digest_size=8).hexdigest()
    return _HERE / "__pycache__" / f"kernels-{digest}"


if not numba.config.CACHE_DIR:  # the environment's NUMBA_CACHE_DIR goes first
    numba.config.CACHE_DIR = str(_cache_folder())

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compiles a function of arrays and numbers at its first call; later processes reuse it."""
    return cast(F, numba.njit(function, cache=True, nogil=True))


def leaf(function: F) -> F:
    """Compiles a kernel that allocates no array; only other kernels call it.

    Numba counts references to every array that is passed on, with locked instructions: some 100
    cycles per call, more than the work on a token. Without allocation there is nothing to count.
    """
    return cast(F, numba.njit(function, cache=True, nogil=True, _nrt=False))
