"""The two ways to compile a hot loop: cached on disk, without the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

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
