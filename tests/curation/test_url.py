"""URLs are matched against lists of domains and words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.filters.url import Url
from curation.process import PlannedStage, process

MakeTable = Callable[..., pa.Table]

STAGE = Url(
    block_domains=("example.com", "10.0.0.1", "b\u00fccher.de", "co.uk"),
    allow_domains=("good.example.com",),
    block_words=("casino", "\u0441\u0435\u043a\u0441"),
    block_subwords=("xxx",),
    soft_block_words=("free", "cam", "hot"),
)


def measure(documents: MakeTable, url: str | None, stage: Url = STAGE) -> dict[str, Any]:
    columns = stage.measure(documents(["text"], url=[url]))
    return {name: values[0].as_py() for name, values in columns.items()}


def reason(documents: MakeTable, url: str | None, stage: Url = STAGE) -> str | None:
    kept, dropped, _ = process(documents(["text"], url=[url]), [PlannedStage("url", stage)])
    assert len(kept) + len(dropped) == 1
    return None if len(kept) else dropped["drop_reason"][0].as_py()


@pytest.mark.parametrize(
    ("url", "domains"),
    [
        ("http://example.com", 1),
        ("https://www.example.com/", 1),
        ("http://a.b.example.com/x", 1),
        ("http://notexample.com/", 0),
        ("http://example.com.evil.org/", 0),
        ("http://example.org/example.com", 0),
        ("http://evil.org?u=http://example.com", 0),
        ("HTTP://WWW.EXAMPLE.COM/", 1),
        ("http://example.com:8080/", 1),
        ("http://example.com:/", 1),
        ("http://example.com./", 1),
        ("http://user:pass@example.com/", 1),
        ("http://example.com@evil.org/", 0),
        ("http://a@b@example.com/", 1),
        ("http://example.com\\x", 1),
        ("http://example.com#x", 1),
        ("http://example.com?x", 1),
        ("//example.com/x", 1),
        ("example.com/x", 1),
        ("example.com:80/x", 1),
        ("  http://example.com  ", 1),
        ("http://exampl%65.com/", 1),
        ("http://10.0.0.1/", 1),
        ("http://7.10.0.0.1/", 0),
        ("http://10.0.0.1.example.com/", 1),
        ("http://b\u00fccher.de/", 1),
        ("http://B\u00dcCHER.de:80/", 1),
        ("http://xn--bcher-kva.de/", 1),
        ("http://b%C3%BCcher.de/", 1),
        ("http://www\u3002b\u00fccher\u3002de/", 1),
        ("http://shop.co.uk/", 1),
        ("http://bco.uk/", 0),
        ("http://[::1]/", 0),
    ],
)
def test_url_blocked_domain_covers_the_hosts_below_it(
    url: str, domains: int, documents: MakeTable
) -> None:
    found = measure(documents, url)
    assert (found["url_status"], found["num_blocked_domains"]) == ("ok", domains)
    assert reason(documents, url) == ("max_blocked_domains" if domains else None)


def test_url_counts_every_entry_that_covers_the_host(documents: MakeTable) -> None:
    stage = Url(block_domains=("example.com", "a.example.com", "com"))
    found = measure(documents, "http://b.a.example.com/", stage)
    assert found["num_blocked_domains"] == 3
    assert found["url_hits"] == "a.example.com example.com com"


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "http://",
        "http:///path",
        "://example.com",
        "http://a..example.com/",
        "http://.example.com/",
        "http:// example.com/",
        "http://exa mple.com/",
        "http://example.com:80x/",
        "http://%2Fexample.com/",
        "http://\u00fc" + "q" * 70 + ".example.com/",
        "http://[::1/",
        "mailto:bob@example.com",
        "bob@example.com",
        "urn:isbn:0451450523",
        "javascript:void(0)",
        "file:///etc/passwd",
        "data:text/plain;base64,AAAA",
        "http://example.com/" + "q" * 70_000,
    ],
)
def test_url_without_a_host_is_malformed_and_kept_unless_told(
    url: str, documents: MakeTable
) -> None:
    found = measure(documents, url)
    assert (found["url_status"], found["num_blocked_domains"]) == ("malformed", 0)
    assert reason(documents, url) is None
    assert reason(documents, url, Url(keep_missing=False)) == "keep_missing"


@pytest.mark.parametrize("url", [None, "", " \t\n"])
def test_url_missing_is_kept_unless_told(url: str | None, documents: MakeTable) -> None:
    assert measure(documents, url)["url_status"] == "missing"
    assert reason(documents, url) is None
    assert reason(documents, url, Url(keep_missing=False)) == "keep_missing"


def test_url_that_is_there_stays_where_missing_ones_go(documents: MakeTable) -> None:
    assert reason(documents, "http://a.org/", Url(keep_missing=False)) is None


@pytest.mark.parametrize(
    ("url", "words", "hits"),
    [
        ("http://a.org/casino", 1, "casino"),
        ("http://a.org/best-CASINO_royale", 1, "casino"),
        ("http://casino.org/", 1, "casino"),
        ("http://a.org/casinos", 0, ""),
        ("http://a.org/thecasino", 0, ""),
        ("http://a.org/casino2", 0, ""),
        ("http://a.org/casino/casino", 1, "casino"),
        ("http://a.org/%63asino", 1, "casino"),
        ("http://a.org/\u0421\u0415\u041a\u0421", 1, "\u0441\u0435\u043a\u0441"),
        ("http://a.org/%D1%81%D0%B5%D0%BA%D1%81", 1, "\u0441\u0435\u043a\u0441"),
        ("http://a.org/myxxxsite", 1, "xxx"),
        ("http://a.org/xxx", 1, "xxx"),
        ("http://a.org/x-x-x", 0, ""),
        ("http://a.org/max/xx", 0, ""),
        ("http://a.org/xxxxx/casino", 2, "xxx casino"),
        ("mailto:casino@example.org", 1, "casino"),
    ],
)
def test_url_block_words_match_at_word_boundaries_and_subwords_within(
    url: str, words: int, hits: str, documents: MakeTable
) -> None:
    found = measure(documents, url)
    assert (found["num_block_words"], found["url_hits"]) == (words, hits)
    assert reason(documents, url) == ("max_block_words" if words else None)


@pytest.mark.parametrize(
    ("url", "words", "why"),
    [
        ("http://a.org/free", 1, None),
        ("http://a.org/free/free-free", 1, None),
        ("http://a.org/free/cam", 2, "max_soft_words"),
        ("http://free.cam/hot", 3, "max_soft_words"),
        ("http://a.org/freecam", 0, None),
    ],
)
def test_url_soft_words_count_once_each_and_go_at_two(
    url: str, words: int, why: str | None, documents: MakeTable
) -> None:
    assert measure(documents, url)["num_soft_words"] == words
    assert reason(documents, url) == why


def test_url_more_hits_than_are_told_apart_are_counted_up_to_a_limit(documents: MakeTable) -> None:
    words = tuple(f"w{i}" for i in range(100))
    found = measure(documents, f"http://a.org/{'/'.join(words)}", Url(soft_block_words=words))
    assert found["num_soft_words"] == 32
    assert found["url_hits"].split() == list(words[:32])


def test_url_allowed_domain_is_exempt_from_every_list(documents: MakeTable) -> None:
    for url in ("http://good.example.com/casino", "http://a.good.example.com/free/cam"):
        assert measure(documents, url)["is_judged"] is False
        assert reason(documents, url) is None
    assert reason(documents, "http://notgood.example.com/") == "max_blocked_domains"


def test_url_drop_shows_the_count_and_the_hits(documents: MakeTable) -> None:
    table = documents(["text"], url=["http://a.org/free/cam"])
    _, dropped, _ = process(table, [PlannedStage("url", STAGE)])
    row = dropped.to_pylist()[0]
    assert (row["drop_reason"], row["drop_value"], row["drop_threshold"]) == (
        "max_soft_words",
        "2",
        "1",
    )
    assert row["url.url_hits"] == "free cam"


def test_url_limits_switch_off_and_change_without_measuring_again(documents: MakeTable) -> None:
    off = build(
        Url,
        {
            **{"block_domains": ["example.com"], "block_words": ["casino"]},
            **{"max_blocked_domains": None, "max_block_words": None, "max_soft_words": None},
        },
        where="r.yaml",
    )
    on = Url(block_domains=("example.com",), block_words=("casino",))
    assert reason(documents, "http://example.com/casino", off) is None
    assert off.measured_by() == on.measured_by()


def test_url_many_urls_give_what_each_gives_alone(documents: MakeTable) -> None:
    urls = ["http://example.com/casino/free/cam", None, "http://a.org", "x", "http://co.uk/xxx"]
    urls = [f"{url}{i}" if url else url for i in range(200) for url in urls]
    together = STAGE.measure(documents(["text"] * len(urls), url=urls))
    for i in range(0, len(urls), 101):
        alone = measure(documents, urls[i])
        assert {name: values[i].as_py() for name, values in together.items()} == alone


def test_url_lists_from_files_match_like_inline_ones(documents: MakeTable, tmp_path: Path) -> None:
    (tmp_path / "domains.txt").write_text("# adult\nexample.com\nb\u00fccher.de\n", "utf-8")
    (tmp_path / "words.txt").write_text("casino\n", "utf-8")
    values = {name: str(tmp_path / f"{name}.txt") for name in ("domains", "words")}
    stage = build(
        Url,
        {"block_domains": values["domains"], "block_words": values["words"]},
        where="r.yaml",
    )
    stage.check()
    for url in ("http://www.example.com/", "http://xn--bcher-kva.de/", "http://a.org/casino"):
        inline = Url(block_domains=("example.com", "b\u00fccher.de"), block_words=("casino",))
        assert measure(documents, url, stage) == measure(documents, url, inline)


def test_url_list_that_is_missing_is_an_error_of_check(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.txt"):
        Url(block_words=tmp_path / "absent.txt").check()


@pytest.mark.parametrize("values", [{}, {"allow_domains": ["a.com"]}, {"block_words": []}])
def test_url_without_any_list_is_an_error(values: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="nothing to block"):
        build(Url, values, where="r.yaml")
