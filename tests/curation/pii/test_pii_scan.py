"""What holds for any text: spans are whole, in order and linear to find; redacting is stable."""

import re
import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.modifiers.pii import PLACEHOLDERS
from curation.pii.redact import redact
from tests.curation.pii.finding import entities, found

PIECES = [
    "jo@example.org", "@", "a", "é", "ü@bücher.de", "8.8.8.8", "83.24.3.11", "2620:fe::fe", "::",
    ":", "415-555-0143", "(415) 555-0143", "+49 30 23125041", "020 7946 0970", "01 23 45 67 89",
    "4111 1111 1111 1111", "4111111111111111", "DE89 3704 0044 0532 0130 00", "555-0143", "Tel. ",
    "version ", "server ", "-", "--", "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----",
    "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8", "ghp_", "sk-", "sk_live_", "eyJ", "AKIA", "SK", "_",
    ".", ",", " ", "\n", "\u00a0", "(", ")", "[", "]", "<", ">", "/", "+", "1", "12", "2024", "$",
    "€", "%", "的", "电话", "👩\u200d🌾", "e\u0301", "\U0010ffff", "x", "=", "'",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
TEXT = st.one_of(SOUP, st.text(max_size=60))


@given(st.lists(TEXT, max_size=5))
@settings(max_examples=400, deadline=None)
def test_pii_spans_are_whole_and_in_order(texts: list[str]) -> None:
    for text, spans in zip(texts, entities(texts, private_ips=True), strict=True):
        ends = [0]
        for start, stop, _ in spans:
            assert ends[-1] <= start < stop <= len(text)
            ends.append(stop)


@given(st.lists(TEXT, max_size=5))
@settings(max_examples=200, deadline=None)
def test_pii_findings_do_not_depend_on_other_texts(texts: list[str]) -> None:
    assert entities(texts) == [entities([text])[0] for text in texts]


@given(SOUP)
@settings(max_examples=1500, deadline=None)
def test_pii_redacted_text_has_nothing_more_to_redact(text: str) -> None:
    (once,) = redact(pa.array([text]), PLACEHOLDERS, private_ips=False).to_pylist()
    assert found(once) == []
    assert redact(pa.array([once]), PLACEHOLDERS, private_ips=False).to_pylist() == [once]


@given(SOUP)
@settings(max_examples=300, deadline=None)
def test_pii_redacting_leaves_the_rest_in_place(text: str) -> None:
    (once,) = redact(pa.array([text]), PLACEHOLDERS, private_ips=False).to_pylist()
    assert (once == text) == (found(text) == [])
    at = 0
    for part in re.split("|".join(set(PLACEHOLDERS.values())), once):
        assert part in text[at:]
        at = text.index(part, at) + len(part)


def test_pii_findings_may_be_many() -> None:
    text = "\n".join(f"user{i}@example.org" for i in range(5000))
    assert len(found(text)) == 5000


@pytest.mark.parametrize(
    "unit",
    ["@", "a@", "a@a.", "a@a.a", ".@", "+", "+1", "1", "1 ", "1-", "1.", "(1", "1)", ":", "::",
     "1:", "a:", "-", "- ", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "A" * 70 + "\n", "eyJ",
     "eyJa.", "sk-", "sk_live_", "AKIA", "SK0", "_", "GB29", "GB29 ", "4111 ", "0", "00 ", "Tel ",
     "Tel 1", "é", "电话"],
)  # fmt: skip
def test_pii_scan_takes_linear_time(unit: str) -> None:
    text = unit * (2_000_000 // len(unit.encode()))
    begin = time.process_time()
    found("x" + text)
    assert time.process_time() - begin < 2
