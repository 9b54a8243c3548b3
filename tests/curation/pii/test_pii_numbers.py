"""Card and account numbers by their check digits."""

import random

import pytest

from curation.pii.iban import LENGTHS
from tests.curation.pii.finding import found, values
from tests.curation.pii.labelled import card, iban, luhn

# Numbers that networks and processors publish for tests.
CARDS = [
    "4111111111111111",
    "4012 8888 8888 1881",
    "5555-5555-5555-4444",
    "2223003122003222",
    "3782 822463 10005",
    "3714 496353 98431",
    "6011 1111 1111 1117",
    "3530111333300000",
    "3056 930902 5904",
    "6200000000000005",
    "6759649826438453",
    "2200000000000004",
    "4000 0000 0000 0000 006",
]
# Examples of the IBAN registry.
IBANS = [
    "GB29NWBK60161331926819",
    "GB29 NWBK 6016 1331 9268 19",
    "DE89 3704 0044 0532 0130 00",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NO93 8601 1117 947",
    "NL91ABNA0417164300",
    "MT84MALT011000012345MTLCAST001S",
    "BR1800360305000010009795493C1",
    "LC55HEMM000100010012001200023015",
    "RU0204452560040702810412345678901",
]
AROUND = [
    ("", ""), ("card ", " exp 12/27"), ("(", ")"), ("卡号", "。"), ('"', '"'), ("x: ", "."),
    ("<", ">"),
]  # fmt: skip


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize("around", AROUND)
def test_credit_card_is_found(number: str, around: tuple[str, str]) -> None:
    before, after = around
    assert values("credit_card", before + number + after) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "4111 1111 1111 1112",
        "41111111111111111",
        "411111111111111",
        "9111111111111111",
        "1111111111111117",
        "4111 1111-1111 1111",
        "4111 11 1111111111",
        "4111  1111  1111  1111",
        "x4111111111111111",
        "4111111111111111x",
        "4111111111111111_0",
        "0.4111111111111111",
        "4111111111111111.5",
        "$4111111111111111",
        "7000 4111 1111 1111 1111",
        "4111 1111 1111 1111 7000",
        "4111-1111-1111-1111-7000",
        "5401 5402 5403 5404 5405 5406 540A",
        "1609459200000000000",
        "4222222222222",
        "４１１１１１１１１１１１１１１１",
    ],
)
def test_credit_card_is_not_found_in(text: str) -> None:
    assert found(text) == []


def test_credit_card_wants_the_right_check_digit() -> None:
    draw = random.Random(3)
    for _ in range(200):
        number = card(draw, spaced=False)
        other = number[:-1] + str((int(number[-1]) + draw.randint(1, 9)) % 10)
        assert luhn(number)
        assert values("credit_card", f"no {number}.") == [number]
        assert found(f"no {other}.") == []


@pytest.mark.parametrize("number", IBANS)
@pytest.mark.parametrize("around", AROUND)
def test_iban_is_found(number: str, around: tuple[str, str]) -> None:
    before, after = around
    assert values("iban", before + number + after) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "GB29NWBK60161331926818",
        "GB30NWBK60161331926819",
        "GB29NWBK6016133192681",
        "GB29NWBK601613319268190",
        "gb29nwbk60161331926819",
        "GB29 NWBK60161331926819",
        "GB29 NWBK 6016 1331 926819",
        "GB29NWBK 6016 1331 9268 19",
        "XX29NWBK60161331926819",
        "AGB29NWBK60161331926819",
        "GB2ANWBK60161331926819",
        "US64SVBKUS6S3300958879",
    ],
)
def test_iban_is_not_found_in(text: str) -> None:
    assert found(text) == []


def test_iban_knows_every_country_of_the_registry() -> None:
    assert (LENGTHS > 0).sum() == 89
    assert LENGTHS.max() == 33


def test_iban_wants_a_remainder_of_one() -> None:
    draw = random.Random(4)
    for _ in range(200):
        number = iban(draw, spaced=False)
        other = f"{number[:2]}{(int(number[2:4]) + draw.randint(1, 96)) % 97:02d}{number[4:]}"
        assert values("iban", f"to {number}.") == [number]
        assert found(f"to {other}.") == []
