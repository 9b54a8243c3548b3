"""Specs over the planted corpus, and the tiny presets that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.search.planted import plant, spec_in, tiny
from train.config import PRESETS

WriteSpec = Callable[..., Path]


@pytest.fixture(scope="module", autouse=True)
def _tiny_presets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, width in (("tiny", 16), ("small", 32)):
            patch.setitem(PRESETS, name, tiny(name, width))
        yield


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """See `plant`."""
    return plant(tmp_path)


@pytest.fixture
def spec(field: Path) -> WriteSpec:
    """See `spec_in`."""

    def write(**changes: Any) -> Path:
        return spec_in(field, **changes)

    return write
