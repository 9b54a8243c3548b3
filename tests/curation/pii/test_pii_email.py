"""E-mail addresses in prose, markup, other scripts and code."""

import pytest

from tests.curation.pii.finding import found, values

ADDRESSES = [
    "jo@example.org",
    "jo.van-den_berg+news@mail.example.co.uk",
    "JO%home@EXAMPLE.ORG",
    "_jo@example.org",
    "1984@example.org",
    "jo@xn--bcher-kva.example",
    "jo@example.xn--p1ai",
    "jo@bücher.de",
    "jürgen.müller@example.org",
    "jo@x.museum",
    "a@b.cc",
    f"{'a' * 64}@example.org",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "around",
    [
        ("", ""),
        ("Write to ", " today"),
        ("<", ">"),
        ("(e-mail: ", ")"),
        ("mailto:", "?subject=x"),
        ('"', '",'),
        ("Ask ", "."),
        ("Ask ", ", or call"),
        ("Ask ", "; or\n"),
        ("联系", "或者"),
        ("メール：", "まで"),
        ("почта ", " и"),
        ("“", "”"),
        ("…", "—"),
    ],
)
def test_email_is_found_whatever_stands_around(address: str, around: tuple[str, str]) -> None:
    before, after = around
    assert values("email", f"{before}{address}{after}") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "the function a@b is the matrix product",
        "x@w.T and x@w.shape and y@model.weights.T",
        "out = x@w.dot(y)",
        "@property\ndef f(self): ...",
        "@app.route('/')",
        "@typing.overload",
        "Follow @example on the network",
        "https://medium.com/@jo.doe/x",
        "icon@2x.png and icon@3x.webp",
        "react@18.2.0 and @types/node@20.11.5",
        "git clone git@github.com:tilth/tilth.git",
        "user@localhost",
        "jo @ example.org",
        "jo at example dot org",
        "jo (at) example.org",
        "jo...@example.org",  # masked by a news archive
        ".@example.org",
        "@example.org",
        "jo@.org",
        "jo@-x.org",
        "jo@example",
        "jo@example.notatopleveldomain",
        "jo@example.org_x",
        "jo@example.orgs",
        "x@@example.org",
        "foo@{upstream}",
        "５＠example.org",
        "почта@пример.рф",
        f"{'a' * 65}@example.org",
    ],
)
def test_email_is_not_found_in(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("jo@example.org.", "jo@example.org"),
        ("jo@example.org...", "jo@example.org"),
        ("jo@example.org-", "jo@example.org"),
        ("jo@example.org.2", "jo@example.org"),
        ("...jo@example.org", "jo@example.org"),
        ("a=jo@example.org&b", "jo@example.org"),
        ("--jo@example.org", "jo@example.org"),
        ("a/jo@example.org", "jo@example.org"),
        ("O'jo@example.org", "jo@example.org"),
        ("Jo<jo@example.org>", "jo@example.org"),
        ("ssh -p 22 jo@host.example.org", "jo@host.example.org"),
        ("https://jo:pass@example.org/", "pass@example.org"),
        ("jo@example.org:22", "jo@example.org"),
    ],
)
def test_email_ends_where_the_address_does(text: str, address: str) -> None:
    assert values("email", text) == [address]


def test_email_lists_are_found_one_by_one() -> None:
    text = "a@x.org,b@x.org;c@x.org d@x.org\ne@x.org|f@x.org"
    assert values("email", text) == [f"{c}@x.org" for c in "abcdef"]


def test_email_that_ends_where_another_begins_is_one_finding() -> None:
    assert values("email", "a@x.org@y.org") == ["a@x.org"]
