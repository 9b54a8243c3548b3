"""What a family measures does not depend on which others are measured with it."""

import itertools
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.c4_quality import C4Quality
from curation.filters.gopher_quality import GopherQuality
from curation.filters.refinedweb_lines import RefinedwebLines
from curation.statistics.document import FAMILIES, measure
from tests.corpora import prose
from tests.curation.odd_texts import strings

SETTINGS: dict[str, Any] = {
    "quality": GopherQuality().settings(),
    "repetition": None,
    "c4": C4Quality().settings(),
    "fineweb": 30,
    "refinedweb": RefinedwebLines().settings(),
    "characters": None,
}
TEXTS = pa.chunked_array([["", prose(1), "menu\nmenu\n3 likes\n"], ["中文。\n" * 9, "# …", "\n\n"]])


def test_settings_are_given_for_every_family() -> None:
    assert list(SETTINGS) == list(FAMILIES)


@pytest.mark.parametrize("size", range(1, 7))
def test_measure_family_alone_equals_any_company(size: int) -> None:
    alone = {name: measure(TEXTS, {name: SETTINGS[name]})[name] for name in FAMILIES}
    for names in itertools.combinations(FAMILIES, size):
        found = measure(TEXTS, {name: SETTINGS[name] for name in names})
        assert list(found) == list(names)
        assert found == {name: alone[name] for name in names}


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
