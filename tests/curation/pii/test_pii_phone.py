"""Telephone numbers by shape and by the words before them."""

import random

import pytest

from tests.curation.pii.finding import found, values

INTERNATIONAL = [
    "+1 212 555 0196",
    "+1-646-555-0154",
    "+1 (646) 555-0154",
    "+1.646.555.0154",
    "+12125550196",
    "+44 20 7946 0970",
    "+44 (0)20 7946 0970",
    "+44 (0) 20 7946 0970",
    "(+44) 20 7946 0970",
    "+49 30 23125 041",
    "+49 (30) 23125-041",
    "+49 30/23125-041",
    "+49 030 23125041",
    "+33 1 23 45 67 89",
    "+33.1.23.45.67.89",
    "+39 06 1234 5678",
    "+41 44 668 18 00",
    "+41\u00a044\u00a0668\u00a018\u00a000",
    "+43 1 58858-0123",
    "+61 2 5550 1051",
    "+7 (495) 123-45-67",
    "+81 3-1234-5678",
    "+86 10 1234 5678",
    "+91 98765 43210",
    "+351 21 123 4567",
    "+420 221 123 456",
    "+592-225-8491",
    "+49 30 \u2013 23125041".replace(" \u2013 ", "\u2013"),
]
NORTH_AMERICAN = [
    "(415) 555-0143",
    "(415)555-0143",
    "(415)-555-0143",
    "(415) 555 0143",
    "(415) 5550143",
    "415-555-0143",
    "415.555.0143",
    "415.555-0143",
    "415/555-0143",
    "415 555-0143",
    "415 555 0143",
    "1-415-555-0143",
    "1 (415) 555-0143",
    "1.415.555.0143",
    "1 415 555-0143",
    "415\u2011555\u20110143",
    "415\u2013555\u20130143",
]
TRUNK = [
    "020 7946 0970",
    "(020) 7946 0970",
    "0161 496 0123",
    "01632 960123",
    "01632 960 123",
    "07700 900 123",
    "01 23 45 67 89",
    "01.23.45.67.89",
    "01-23-45-67-89",
    "030/23125041",
    "030/23125-041",
    "(030) 23125 041",
    "030 23125041",
    "0151 23125041",
    "044 668 18 00",
    "06-12345678",
    "02 5550 1051",
    "03-1234-5678",
    "010-1234-5678",
    "0412 345 678",
]
AROUND = [
    ("", ""), ("Call ", " for a table"), ("My number is ", ", leave a message"), ("[", "]"),
    ("- ", "\n"), ("Tel.:", "."), ("电话：", "。"), ("(fax ", ")"), ("<b>", "</b>"),
]  # fmt: skip


@pytest.mark.parametrize("number", INTERNATIONAL + NORTH_AMERICAN + TRUNK)
@pytest.mark.parametrize("around", AROUND)
def test_phone_is_found_by_its_shape(number: str, around: tuple[str, str]) -> None:
    before, after = around
    assert values("phone", before + number + after) == [number]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("call 555-0143 today", "555-0143"),
        ("Tel. 4155550143", "4155550143"),
        ("phone number: 4155550143", "4155550143"),
        ("Fax 01747301710", "01747301710"),
        ("Tel. 6396 6350", "6396 6350"),
        ("Téléphone : 71 341 066", "71 341 066"),
        ("Tel. 0049 30 23125041", "0049 30 23125041"),
        ("Tel 00800 400 200 00", "00800 400 200 00"),
        ("Telefon: 06051 88770 230", "06051 88770 230"),
        ("Telefon:\u00a0030-6591 6577", "030-6591 6577"),
        ("Tel.: (03 40) 51 89 01 10", "(03 40) 51 89 01 10"),
        ("客服电话：400-851-5558", "400-851-5558"),
        ("EB3326 phone 713 965 2158 x", "713 965 2158"),
    ],
)
def test_phone_of_another_shape_is_found_behind_a_word(text: str, number: str) -> None:
    assert values("phone", text) == [number]


@pytest.mark.parametrize(
    "number",
    ["555-0143", "4155550143", "6396 6350", "71 341 066", "0049 30 23125041", "01747301710"],
)
@pytest.mark.parametrize(
    "before", ["", "about ", "Ref. ", "Telescope ", "Telephone lines are good. See "]
)
def test_phone_of_another_shape_is_not_found_without_a_word(before: str, number: str) -> None:
    assert found(before + number) == []


@pytest.mark.parametrize(
    "text",
    [
        "It happened on 2014-05-06 12:30:45.",
        "call on 2014-05-06 or 06/05/2014 or 12-31-2019",
        "call 2014-2015",
        "The ISBN is 978-3-16-148410-0.",
        "ISBN 0-306-40615-2",
        "ISSN 0378-5955",
        "fax Washington, DC 20006-3700",
        "078-05-1120",
        "The score was 415-555 at half time.",
        "Order no. 5550123 was shipped.",
        "Price: 1,234.56 EUR",
        "$415-555-0143",
        "£415.555.0143",
        "€415.555.0143",
        "415-555-0143%",
        "4155550143",
        "part AB-415-555-0143",
        "part 415-555-0143-77",
        "415.555.0143.9",
        "3.415-555-0143",
        "415-055-0143",
        "115-555-0143",
        "911-555-0143",
        "Coordinates 52.5200 13.4050",
        "doi:10.1038/415555-0143",
        "6.02214076e+12345678901",
        "GMT+0100 and UTC+05:30",
        "+0 123 456 789",
        "+50 000 000",
        "+999 123 456 789",
        "x+12125550196",
        "-2147483648",
        "0.0621016941892",
        "eb 03 00 00 35 00 00 00 66",
        "48 8d 05 00 00 00 00 lea",
        "01 02 03 04 05",
        "234 567 8901 234 567 8901",
        "17 415 555 0143",
        "430 430 2304.78",
        "Math. 105, pp. 292-303 (1992)",
        "Monthly 77, 259-264 1970.",
        "Phys. Rev. E 75, 027105 (2007)",
        "0032 2044 0033",
        "call 1-800-565-EXIM",
        "ring 454.50/455",
        "telephone\n\n001-09057",
        "1-800-FLOWERS",
        "２１２-５５５-０１４３",
    ],
)
def test_phone_is_not_found_in(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 20 7946 0970 2023 was", "+44 20 7946 0970"),
        ("415-555-0143 2023", "415-555-0143"),
        ("415-555-0143x12", "415-555-0143"),
        ("(415-555-0143)", "415-555-0143"),
        ("(1-415-555-0143 toll free)", "1-415-555-0143"),
        ("415-555-0143.", "415-555-0143"),
        ("(415)\n555-0143", "(415)\n555-0143"),
        ("Fax(415)555-0143", "(415)555-0143"),
        ("Telefon+49 30 23125041", "+49 30 23125041"),
    ],
)
def test_phone_ends_where_the_number_does(text: str, number: str) -> None:
    assert values("phone", text) == [number]


def test_phone_lists_are_found_one_by_one() -> None:
    text = "713.837.1638 (Client) 281.848.1619, 713.306.7940/713.864.4149 - 713.853.7557"
    numbers = ["713.837.1638", "281.848.1619", "713.306.7940", "713.864.4149", "713.853.7557"]
    assert values("phone", text) == numbers


def test_phone_is_hardly_ever_found_in_random_numbers() -> None:
    draw = random.Random(7)
    rows = [" ".join(str(draw.randint(0, 10**6)) for _ in range(12)) for _ in range(2000)]
    assert sum(len(found(row)) for row in rows) <= 2
