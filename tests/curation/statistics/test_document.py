"""What a family measures does not depend on which others are measured with it."""

import itertools
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.c4_quality import C4Quality
from curation.filters.fineweb_quality import FinewebQuality
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.refinedweb_lines import RefinedwebLines
from curation.filters.text_stats import TextStats
from curation.statistics.document import FAMILIES, measure
from tests.corpora import prose
from tests.curation.odd_texts import strings

STAGES = (
    GopherQuality(),
    GopherRepetition(),
    C4Quality(),
    FinewebQuality(),
    RefinedwebLines(),
    TextStats(),
    GopherQuality(words="spacy"),
    GopherRepetition(words="spacy"),
    FinewebQuality(words="spacy"),
)
SETTINGS: dict[str, Any] = {stage.family: stage.settings() for stage in STAGES[:6]}
TEXTS = pa.chunked_array([["", prose(1), "menu\nmenu\n3 likes\n"], ["中文。\n" * 9, "# …", "\n\n"]])


def test_settings_are_given_for_every_family() -> None:
    assert list(SETTINGS) == list(FAMILIES)


@pytest.mark.parametrize("size", range(1, 7))
def test_measure_family_alone_equals_any_company(size: int) -> None:
    alone = [measure(TEXTS, {stage.family: stage.settings()})[stage.family] for stage in STAGES]
    for places in itertools.combinations(range(len(STAGES)), size):
        families = [STAGES[i].family for i in places]
        if len(set(families)) == size:
            found = measure(TEXTS, {STAGES[i].family: STAGES[i].settings() for i in places})
            assert list(found) == families
            assert found == {STAGES[i].family: alone[i] for i in places}


def test_measure_returns_the_declared_columns_and_types() -> None:
    found = measure(TEXTS, SETTINGS)
    for name, columns in FAMILIES.items():
        assert {column: values.type for column, values in found[name].items()} == columns
        assert {len(values) for values in found[name].values()} == {len(TEXTS)}


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(strings, max_size=6))
def test_measure_text_alone_equals_any_company(texts: list[str]) -> None:
    together = measure(pa.chunked_array([texts], pa.string()), SETTINGS)
    for i, text in enumerate(texts):
        one = measure(pa.chunked_array([[text]]), SETTINGS)
        for name, columns in one.items():
            for column, values in columns.items():
                assert values[0] == together[name][column][i]
