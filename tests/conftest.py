"""Small corpora that every test can make in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corpora import SHARED, prose, write_jsonl, write_yaml


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `shared` skip where the shared data is absent."""
    if not SHARED.is_dir():
        skip = pytest.mark.skip(reason="needs ../shared/data")
        for item in items:
            if item.get_closest_marker("shared"):
                item.add_marker(skip)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """`docs/00.jsonl` to `docs/05.jsonl`, 20 documents each: of every file, one document is too
    short, one repeats itself, and one is a copy of a document of the file before."""
    for file in range(6):
        rows = [_document(file, i) for i in range(20)]
        rows[3]["text"] = prose(file + 7, sentences=2)
        rows[4]["text"] = "the same line again and again\n" * 30
        if file:
            rows[5]["text"] = _document(file - 1, 6)["text"]
        write_jsonl(tmp_path / "docs" / f"{file:02d}.jsonl", rows)
    return tmp_path


def _document(file: int, i: int) -> dict[str, Any]:
    url = f"https://site{file}-{i % 7}.example/{i}"
    return {"id": f"d{file}-{i}", "url": url, "text": prose(file * 1000 + i)}


@pytest.fixture
def recipe(corpus: Path) -> Callable[..., Path]:
    """Writes `<name>.yaml` beside the corpus: Gopher's rules and exact dedup unless told."""

    def write(name: str = "curated", **changes: Any) -> Path:
        keys: dict[str, Any] = {
            "name": name,
            "sources": [{"name": "docs", "format": "jsonl", "path": "docs/*.jsonl"}],
            "curate": ["gopher_repetition", "gopher_quality", "exact_dedup"],
        }
        return write_yaml(corpus / f"{name}.yaml", keys | changes)

    return write


@pytest.fixture
def judge(corpus: Path) -> Path:
    """A judge that trains for a few steps."""
    return write_yaml(
        corpus / "judge.yaml",
        {
            "panels": [{"name": "docs", "hold_out": "docs", "frac": 0.15}],
            "tokenizer": {"vocab": 300, "train_on": ["docs"], "sample_mb": 1},
            "train": {"preset": "smoke", "tokens": 12_288, "seeds": [0, 1, 2]},
        },
    )


@pytest.fixture(scope="session", autouse=True)
def _no_ray_left() -> Iterator[None]:
    """Ends a Ray that a test started, so that no process outlives the tests."""
    yield
    import sys

    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
