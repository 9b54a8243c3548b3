"""Each rule decides as datatrove's own filter does, on real English prose."""

from collections.abc import Iterator

import pytest

from tests.curation.parity import corpus
from tests.curation.parity.agreement import Agreement, compare
from tests.curation.parity.causes import causes_of
from tests.curation.parity.pairs import LINE_RULES, RULES, WHOLE, Pair
from tests.curation.parity.peer import taken_apart_once

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.xdist_group("parity")]

AGREEMENT, F1 = 0.99, 0.95
FEW = 30  # texts on each side of a rule, at least
EACH_RULE = [pytest.param(pair, id=f"{k}-{pair.name}") for k, v in RULES.items() for pair in v]


@pytest.fixture(scope="module", autouse=True)
def _words() -> Iterator[None]:
    pytest.importorskip("spacy")
    with taken_apart_once():
        yield


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Drawn, near the thresholds, and moved across them."""
    return corpus.unique([*corpus.drawn_prose(), *corpus.near_thresholds(), *corpus.edited()])


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """For the rules on lines."""
    return corpus.unique([*corpus.lines_of(corpus.drawn_prose())[::4], *corpus.edited_lines()])


def check(found: Agreement) -> None:
    drops, texts = int(found.theirs.sum()), len(found.theirs)
    seen = f"{found.name}: {texts} texts, {drops} drops, F1 {found.f1:.4f}"
    assert min(drops, texts - drops) >= FEW, seen
    assert found.agreement >= AGREEMENT, f"{seen}, agreement {found.agreement:.4f}"
    assert found.f1 >= F1, seen


def test_parity_is_measured_on_thousands_of_real_documents(texts: list[str]) -> None:
    assert len(corpus.unique(corpus.drawn_prose())) >= 5000
    assert sum(map(len, texts)) < 15_000_000


@pytest.mark.parametrize("pair", EACH_RULE)
def test_parity_of_rule(pair: Pair, texts: list[str]) -> None:
    found = compare(pair, texts)
    check(found)
    for text, differs in zip(texts, found.differ, strict=True):
        assert not differs or causes_of(pair, text), f"{pair.name}: unexplained on {text!r}"


@pytest.mark.parametrize("pair", WHOLE, ids=lambda pair: pair.name)
def test_parity_of_filter(pair: Pair, texts: list[str]) -> None:
    found = compare(pair, texts)
    check(found)
    assert found.same_text_frac >= AGREEMENT


@pytest.mark.parametrize("pair", LINE_RULES, ids=lambda pair: pair.name)
def test_parity_of_line_rule(pair: Pair, lines: list[str]) -> None:
    found = compare(pair, lines)
    if pair.name == "cut_citations":  # which drops no line
        assert found.agreement == 1
    else:
        check(found)
    assert found.same_text_frac >= AGREEMENT
