"""Duplicates by canonical URL."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.config import build
from curation.dedup.page_urls import MAX_URL, canonical_page, is_tracking
from curation.dedup.url import UrlDedup
from curation.errors import UserError
from tests.curation.dedup.keyed_stages import decisions, gone

MakeTable = Callable[..., pa.Table]

PAGE = "example.com/a/b?x=1&y=2"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a/b?x=1&y=2",
        "https://example.com/a/b?x=1&y=2",
        "HTTPS://EXAMPLE.com/a/b?x=1&y=2",
        "//example.com/a/b?x=1&y=2",
        "example.com/a/b?x=1&y=2",
        "example.com:80/a/b?x=1&y=2",
        " http://www.example.com/a/b?x=1&y=2\n",
        "http://example.com:80/a/b?x=1&y=2",
        "https://example.com:80/a/b?x=1&y=2",
        "https://example.com:443/a/b?x=1&y=2",
        "http://example.com./a/b?x=1&y=2",
        "http://user:secret@example.com/a/b?x=1&y=2",
        "http://example.com/a/b/?x=1&y=2",
        "http://example.com/a/b///?x=1&y=2",
        "http://example.com/a/b?x=1&y=2#section",
        "http://example.com/a/b?y=2&x=1",
        "http://example.com/a/b?&x=1&&y=2&",
        "http://example.com/a/./c/../b?x=1&y=2",
        "http://example.com/../a/b?x=1&y=2",
        "http://example.com/%61/b?x=%31&y=2",
        "http://example.com/a/b;jsessionid=0A1B?x=1&y=2",
        "http://example.com/a/b?x=1&y=2&PHPSESSID=77",
        "http://example.com/a/b?utm_source=n&x=1&UTM_Medium=m&y=2&utm_any=t",
        "http://example.com/a/b?gclid=1&x=1&fbclid=2&y=2&msclkid=3&mc_eid=4&%66bclid=5",
    ],
)
def test_canonical_page_of_what_names_the_same_page(url: str) -> None:
    assert canonical_page(url) == PAGE


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://example.com/A/b?x=1&y=2", "example.com/A/b?x=1&y=2"),
        ("http://example.com:8080/", "example.com:8080"),
        ("http://m.example.com/", "m.example.com"),
        ("http://www.com/", "www.com"),
        ("http://127.0.0.1/x", "127.0.0.1/x"),
        ("http://Bücher.example/ü", "xn--bcher-kva.example/%C3%BC"),
        ("http://e.com/%c3%bc?q=ü", "e.com/%C3%BC?q=%C3%BC"),
        ("http://e.com/a%2fb", "e.com/a%2Fb"),
        ("http://e.com/a b", "e.com/a%20b"),
        ("http://e.com/?q=a+b", "e.com?q=a%20b"),
        ("http://e.com/100%", "e.com/100%25"),
        ("http://e.com/?a", "e.com?a"),
        ("http://e.com/?a=", "e.com?a="),
        ("http://e.com/?reference=1&utm=2&ga=3", "e.com?ga=3&reference=1&utm=2"),
        ("http://e.com/#!/page", "e.com#!/page"),
        ("http://e.com/?to=http://f.org/", "e.com?to=http://f.org/"),
        ("http://e.com/web/2020/http://f.org/x", "e.com/web/2020/http://f.org/x"),
    ],
)
def test_canonical_page_keeps_what_may_name_another(url: str, page: str) -> None:
    assert canonical_page(url) == page
    assert canonical_page(page) == page


@pytest.mark.parametrize(
    "url",
    [
        *(None, "", " ", "word", "mailto:a@example.com", "javascript:void(0)", "ftp://e.com/x"),
        *("file:///x", "http://", "http:///x", "http://e.com:99999/", "http://e.com:x/"),
        *("http://[::1/", "http://a b/", "http://e.com/" + "x" * MAX_URL),
    ],
)
def test_canonical_page_of_what_is_none_is_empty(url: str | None) -> None:
    assert canonical_page(url) == ""


def test_canonical_page_of_a_host_without_a_dot_needs_a_scheme() -> None:
    assert canonical_page("http://localhost/x") == "localhost/x"
    assert canonical_page("localhost/x") == ""


def test_canonical_page_order_of_parameters_may_count() -> None:
    assert canonical_page("http://e.com/?b=1&a=2", sort_query=False) == "e.com?b=1&a=2"


PARTS = [
    "http://",
    "https://",
    "www.",
    "e.com",
    "É.example",
    "/",
    "//",
    "..",
    ".",
    "?",
    "&",
    "=",
    "#!",
]
PARTS += ["#", "%", "%41", "%c3", "%2F", ";jsessionid=1", "utm_a=1", "+", " ", ":80", "@", "a", "ß"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PARTS)).map("".join)))
def test_canonical_page_is_its_own_canonical_form(url: str) -> None:
    page = canonical_page(url)
    if "." in page.partition("/")[0]:
        assert canonical_page(page) == page
    assert page.isascii() or "#!" in page


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("utm_source", "UTM_X", "gclid", "Fbclid", "_hsenc")),
        *((name, False) for name in ("utm", "id", "page", "ref", "gclid2", "")),
    ],
)
def test_tracking_parameters_are_those_listed(name: str, expected: bool) -> None:
    assert is_tracking(name) == expected


URLS = ["http://e.com/a", "https://www.e.com/a/", "http://e.com/b", None, "word", "e.com/a#x", None]
DATES = ["2020-01-01", "2021-05", "2020", None, None, None, None]


@pytest.mark.parametrize(
    ("given", "survivor"),
    [
        ({}, "d1"),
        ({"keep": "oldest"}, "d0"),
        ({"keep": "first"}, "d0"),
        ({"keep": "longest"}, "d5"),
        ({"keep": "newest", "source_priority": ("books",)}, "d0"),
    ],
)
def test_url_dedup_keeps_one_per_page(
    documents: MakeTable, given: dict[str, Any], survivor: str
) -> None:
    sources = ["books", *["web"] * 6]
    texts = ["a", "bb", "c", "d", "e", "longest", "f"]
    table = documents(texts, url=URLS, date=DATES, source=sources)
    others = [name for name in ("d0", "d1", "d5") if name != survivor]
    assert gone(UrlDedup(**given), table) == [(name, survivor) for name in others]


def test_url_dedup_decision_names_the_page(documents: MakeTable) -> None:
    table = documents(["a", "b"], url=["http://e.com/x?utm_a=1", "https://E.com/x"])
    assert decisions(UrlDedup(), table) == [
        {
            "row": 1,
            "drop_reason": "duplicate_url",
            "drop_value": "e.com/x",
            "drop_threshold": None,
            "survivor_id": "d0",
            "similarity": None,
        }
    ]


def test_url_dedup_does_not_depend_on_slices_and_partitions(documents: MakeTable) -> None:
    urls = [f"http://e.com/{i * i % 17}" if i % 5 else None for i in range(100)]
    dates = [f"20{i % 13:02d}" for i in range(100)]
    table = documents(["x"] * 100, url=urls, date=dates)
    whole = decisions(UrlDedup(), table)
    assert len(whole) > 60
    for sizes, partitions in (([1] * 100, 3), ([30, 0, 70], 5)):
        assert decisions(UrlDedup(), table, sizes, partitions) == whole


def test_url_dedup_corpora_without_urls_or_documents(documents: MakeTable) -> None:
    assert gone(UrlDedup(), documents(["a", "a"])) == []
    assert gone(UrlDedup(), documents([])) == []


def test_url_dedup_reads_no_text_unless_it_counts() -> None:
    assert UrlDedup().reads == ("url", "date")
    assert UrlDedup(keep="longest").reads == ("url", "text")


def test_url_dedup_unknown_policy_is_an_error() -> None:
    with pytest.raises(UserError, match="first, longest, newest, oldest, highest, lowest"):
        build(UrlDedup, {"keep": "latest"}, where="r.yaml")
