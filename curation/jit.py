"""The one way to compile a hot loop: cached on disk, without the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compiles a function of arrays and numbers at its first call; later processes reuse it."""
    return cast(F, numba.njit(function, cache=True, nogil=True))
