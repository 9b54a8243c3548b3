"""All local stages in one pass over generated texts: none fails, and slices give what all do."""

import dataclasses
import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.config import build, parameters
from curation.document import DROP_FIELDS
from curation.process import ROW, PlannedStage, process
from curation.stage import Filter, Modifier, Scorer, Stage, stages
from tests.contracts.test_stage_contract import NEEDED
from tests.corpora import prose
from tests.curation.odd_texts import FRAGMENTS, strings

WITHOUT_FILES = {"url": {"block_words": ["casino"], "block_domains": ["bad.example"]}}
PARTS = [
    *FRAGMENTS, "\n", "\n", "\n\n", "\r\n", " ", " ", ". ", "the ", "and of ", "[1]", "[edit]", "{",
    "lorem ipsum", "javascript", "use cookies", "3 likes", "Sign-in ", "Read more...", "# ", "…\n",
    "- ", "• ", "jane@mail.example.org", "+1 (555) 010-9999", "192.168.0.77", "4111 1111 1111 1111",
    "GB82 WEST 1234 5698 7654 32", "sk_live_0123456789abcdefghij", "https://a.example/b?c=d#e",
    "MIT License", "Creative Commons BY-SA 4.0", "All rights reserved",
    "-----BEGIN PRIVATE KEY-----",
]  # fmt: skip
URLS = [
    "https://a.example/b",
    "http://casino-x.bad.example",
    "not a url",
    "",
    None,
    "http://[::1]/",
]


def local_stages(*, off: bool) -> list[PlannedStage]:
    """Every registered one that needs no files or models; with `off`, without its limits."""
    found = []
    for name in stages:
        cls = stages.get(name)
        if issubclass(cls, Modifier | Scorer) and (name not in NEEDED or name in WITHOUT_FILES):
            stage = build(cls, WITHOUT_FILES.get(name, {}), where="test")
            if not (isinstance(stage, Modifier) and stage.extracts):
                found.append(PlannedStage(name, without_limits(stage) if off else stage))
    return found


def without_limits(stage: Stage) -> Stage:
    if not isinstance(stage, Filter):
        return stage
    kinds = parameters(type(stage))
    return dataclasses.replace(stage, **{p: None for p in stage.decides if "null" in kinds[p]})


def random_text(draw: random.Random) -> str:
    """Prose, fragments, or prose with fragments in it; some of it long, some repeated."""
    words = prose(draw.randrange(1000), draw.randrange(1, 30)).split(" ")
    share = draw.choice([0.0, 0.05, 0.5, 1.0])
    text = "".join(draw.choice(PARTS) if draw.random() < share else f"{word} " for word in words)
    return text * draw.choice([1, 1, 1, 1, 2, 20])


def rows(*tables: pa.Table) -> list[dict[str, Any]]:
    return sorted((row for t in tables for row in t.to_pylist()), key=lambda row: row[ROW])


def test_all_stages_include_the_rule_filters_and_what_edits() -> None:
    names = {planned.label for planned in local_stages(off=False)}
    assert names >= {"gopher_quality", "gopher_repetition", "c4_quality", "fineweb_quality"}
    assert names >= {"refinedweb_lines", "text_stats", "compression", "language", "pii", "url"}


@pytest.mark.slow
@pytest.mark.parametrize("off", [True, False])
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(strings, max_size=10), st.integers(0, 2**32), st.integers(13, 60))
def test_all_stages_on_generated_texts_in_slices_equal_the_whole(
    documents: Any, off: bool, texts: list[str], seed: int, step: int
) -> None:
    draw = random.Random(seed)
    texts = [*texts, *(random_text(draw) for _ in range(50 - len(texts)))]
    table = documents(texts, url=[draw.choice(URLS) for _ in texts])
    planned = local_stages(off=off)
    kept, dropped, stats = process(table, planned)
    assert "error" not in dropped["drop_reason"].to_pylist()
    assert sorted([*kept[ROW].to_pylist(), *dropped[ROW].to_pylist()]) == list(range(50))
    if off:
        assert {*dropped["drop_reason"].to_pylist()} <= {"empty_text"}
    parts = [process(table[start : start + step], planned) for start in range(0, 50, step)]
    assert rows(*(part for part, _, _ in parts)) == rows(kept)
    expected = rows(dropped)
    found = rows(*(part for _, part, _ in parts))
    for row, other in zip(found, expected, strict=True):
        assert row == {name: other.get(name) for name in row}
        assert {name for name in other if other[name] is not None} <= row.keys()
    for i, whole in enumerate(stats):
        sums = [part[2][i] for part in parts]
        assert sum(s.documents_out for s in sums) == whole.documents_out
        assert sum(s.removed_chars for s in sums) == whole.removed_chars
    assert {*DROP_FIELDS.names} <= {*dropped.column_names}
