"""The stage: counting every kind, replacing some, dropping by others."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.modifiers.pii import COLUMNS, PLACEHOLDERS, Pii
from curation.pii.scan import KINDS
from curation.process import PlannedStage, process

MakeTable = Callable[..., pa.Table]
Measure = Callable[[Pii, str], dict[str, Any]]
Reason = Callable[[Pii, str], str | None]

TOKEN = "gh" + "p_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
VALUES = {
    "email": "jo@example.org",
    "ipv4": "83.24.3.11",
    "ipv6": "2620:fe::fe",
    "phone": "(415) 555-0143",
    "credit_card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "secret": TOKEN,
}
EVERY = "; ".join(VALUES.values())


def edited(stage: Pii, texts: list[str | None], documents: MakeTable) -> list[str | None]:
    out: list[str | None] = stage.edit(documents(texts))["text"].to_pylist()
    return out


def test_pii_counts_every_kind(measure: Measure) -> None:
    assert measure(Pii(), EVERY) == dict.fromkeys(COLUMNS, 1)
    assert measure(Pii(), f"{EVERY}\n{EVERY}") == dict.fromkeys(COLUMNS, 2)
    assert measure(Pii(), "nothing") == dict.fromkeys(COLUMNS, 0)


def test_pii_counts_kinds_that_it_does_not_redact(measure: Measure) -> None:
    assert measure(Pii(redact=()), EVERY) == dict.fromkeys(COLUMNS, 1)


def test_pii_redacts_every_kind_with_its_placeholder(documents: MakeTable) -> None:
    expected = "; ".join(PLACEHOLDERS[kind] for kind in KINDS)
    assert edited(Pii(), [EVERY], documents) == [expected]
    assert expected.startswith(
        "<EMAIL>; <IP_ADDRESS>; <IP_ADDRESS>; <PHONE>; <CREDIT_CARD>; <IBAN>"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_pii_redacts_only_the_kinds_it_is_told(kind: str, documents: MakeTable) -> None:
    stage = build(Pii, {"redact": [kind]}, where="r.yaml")
    expected = EVERY.replace(VALUES[kind], PLACEHOLDERS[kind])  # type: ignore[index]
    assert edited(stage, [EVERY], documents) == [expected]


def test_pii_redacts_with_other_placeholders(documents: MakeTable) -> None:
    stage = Pii(placeholders={"email": "|||EMAIL_ADDRESS|||", "phone": "[电话]"})
    text = "Ask jo@example.org or (415) 555-0143 or 83.24.3.11!"
    expected = "Ask |||EMAIL_ADDRESS||| or [电话] or <IP_ADDRESS>!"
    assert edited(stage, [text], documents) == [expected]
    assert edited(stage, [expected], documents) == [expected]


def test_pii_edits_its_own_output_to_itself(documents: MakeTable) -> None:
    texts: list[str | None] = [
        EVERY,
        "Tel. 555-0143 555-0144",
        f"server 8.8.8.8-{TOKEN}",
        "<PHONE> 555-0143",
    ]
    once = edited(Pii(), texts, documents)
    assert edited(Pii(), once, documents) == once


def test_pii_passes_a_table_without_findings_on_as_it_is(documents: MakeTable) -> None:
    table = documents(["nothing here", "", "nor here 12 a@b"])
    assert Pii().edit(table) is table
    assert Pii(redact=()).edit(documents([EVERY]))["text"].to_pylist() == [EVERY]


def test_pii_edits_some_texts_among_others(documents: MakeTable) -> None:
    texts = ["a", None, "jo@example.org", "", "é jo@example.org é", "的" * 50]
    expected = ["a", None, "<EMAIL>", "", "é <EMAIL> é", "的" * 50]
    table = documents(texts)
    assert edited(Pii(), texts, documents) == expected
    chunked = pa.concat_tables([table[:2], table[2:2], table[2:5], table[5:]])
    assert Pii().edit(chunked)["text"].to_pylist() == expected
    assert Pii().edit(table[2:5])["text"].to_pylist() == expected[2:5]
    assert Pii().edit(table).schema == table.schema


def test_pii_leaves_private_addresses_alone_unless_told(
    measure: Measure, documents: MakeTable
) -> None:
    text = "from 192.168.1.228 and fe80::1 and 203.0.113.5"
    assert measure(Pii(), text)["num_ipv4"] == 0
    assert edited(Pii(), [text], documents) == [text]
    counts = measure(Pii(private_ips=True), text)
    assert (counts["num_ipv4"], counts["num_ipv6"]) == (2, 1)
    expected = "from <IP_ADDRESS> and <IP_ADDRESS> and <IP_ADDRESS>"
    assert edited(Pii(private_ips=True), [text], documents) == [expected]


def test_pii_drops_nothing_by_default(reason: Reason) -> None:
    assert reason(Pii(), EVERY * 100) is None


@pytest.mark.parametrize("kind", KINDS)
def test_pii_at_threshold_keeps_inside_and_drops_outside(kind: str, reason: Reason) -> None:
    param = f"max_{kind}"
    two, none = (build(Pii, {param: most}, where="r.yaml") for most in (2, 0))
    line = VALUES[kind] + "\n"
    assert reason(two, line * 2) is None
    assert reason(two, line * 3) == param
    assert reason(none, "nothing") is None
    assert reason(none, line) == param


def test_pii_drops_redacts_and_counts_in_one_recipe(documents: MakeTable) -> None:
    values = {"redact": ["email"], "max_secret": 0}
    stage = build(Pii, values, where="r.yaml")
    texts = [f"jo@example.org {TOKEN}", "jo@example.org (415) 555-0143"]
    kept, dropped, (stats,) = process(documents(texts), [PlannedStage("pii", stage)])
    assert kept["text"].to_pylist() == ["<EMAIL> (415) 555-0143"]
    assert kept["pii.num_phone"].to_pylist() == [1]
    assert dropped["text"].to_pylist() == [texts[0]]  # as it was judged
    assert dropped.select(["drop_reason", "drop_value", "drop_threshold"]).to_pylist() == [
        {"drop_reason": "max_secret", "drop_value": "1", "drop_threshold": "0"}
    ]
    assert stats.removed_chars == len("jo@example.org") - len("<EMAIL>")


def test_pii_survives_a_text_that_is_one_finding(documents: MakeTable) -> None:
    kept, _, _ = process(documents(["jo@example.org"]), [PlannedStage("pii", Pii())])
    assert kept["text"].to_pylist() == ["<EMAIL>"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"redact": ("mail",)}, "no kind 'mail'"),
        ({"placeholders": {"mail": "<MAIL>"}}, "no kind 'mail'"),
        ({"placeholders": {"email": ""}}, "placeholder of 'email'"),
        ({"placeholders": {"email": "EMAIL"}}, "Got 'EMAIL'"),
        ({"placeholders": {"email": "<>"}}, "placeholder of 'email'"),
        ({"placeholders": {"email": "<jo@example.org>"}}, "placeholder of 'email'"),
        ({"placeholders": {"ipv4": "<8.8.8.8>"}}, "placeholder of 'ipv4'"),
        ({"placeholders": {"phone": "<" + "x" * 23 + ">"}}, "at most 24"),
        ({"max_secret": -1}, "'max_secret' of pii must be 0 or more"),
    ],
)
def test_pii_refuses_what_cannot_be(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pii(**params)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"redact": ["mail"]}, "'redact' is 'mail'. Did you mean"),
        ({"placeholders": {"mail": "<MAIL>"}}, "mail"),
        ({"max_phone": 1.5}, "'max_phone' must be int"),
        ({"max_mail": 1}, "no parameter 'max_mail'"),
        ({"max_iban": -1}, "0 or more"),
    ],
)
def test_pii_in_a_recipe_names_what_is_wrong(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build(Pii, values, where="r.yaml")
