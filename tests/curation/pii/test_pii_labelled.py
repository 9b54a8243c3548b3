"""Precision and recall on labelled text: exact spans, every kind by itself."""

import random

import pytest

from curation.pii.scan import KINDS
from tests.curation.pii.finding import entities
from tests.curation.pii.labelled import TOKENS, Labelled, labelled
from tests.curation.pii.scoring import embedded, rates

AIM = 0.95


def check(cases: list[Labelled], kinds: set[str], *, private_ips: bool = False) -> None:
    found = rates(cases, entities([case.text for case in cases], private_ips=private_ips))
    assert set(found) == kinds, found
    for kind, (precision, recall, _) in found.items():
        assert precision >= AIM, (kind, found)
        assert recall >= AIM, (kind, found)


def test_pii_made_texts_are_found_with_precision_and_recall() -> None:
    cases = labelled()
    counts: dict[str, int] = {k: sum(e[2] == k for c in cases for e in c.entities) for k in KINDS}
    kinds = {"credit_card", "iban", "secret"}
    assert min(counts[kind] for kind in kinds) >= 150
    check(cases, kinds)


@pytest.mark.parametrize("vendor", TOKENS)
def test_pii_secrets_of_every_vendor_are_found(vendor: str) -> None:
    draw = random.Random(vendor)
    texts = [f"before {TOKENS[vendor](draw)} behind" for _ in range(50)]
    whole = [
        spans == [(7, len(text) - 7, "secret")]
        for text, spans in zip(texts, entities(texts), strict=True)
    ]
    assert sum(whole) >= 49


@pytest.mark.shared
@pytest.mark.parametrize("private_ips", [False, True])
def test_pii_shared_texts_are_found_with_precision_and_recall(private_ips: bool) -> None:
    cases = embedded(private_ips=private_ips)
    check(cases, {"email", "ipv4", "ipv6", "phone"}, private_ips=private_ips)
