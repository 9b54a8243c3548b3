"""Pages in, text out: charsets, hostile pages, both extractors."""

import codecs
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.modifiers.html_text import HtmlText, decode
from curation.process import PlannedStage, process
from curation.sandbox import sandbox

MakeTable = Callable[..., pa.Table]

JAPANESE = "農夫は朝早く土を耕し、雨が降るのを静かに待っていた。"
KOREAN = "농부는 아침 일찍 땅을 갈고 비가 오기를 기다렸다."
FRENCH = "Le fermier a retourné la terre, l’été dernier — « déjà » pour 5 €."
RUSSIAN = "Крестьянин рано утром вспахал землю и стал ждать дождя."


def page(body: str, charset: str | None = None) -> str:
    meta = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{meta}<title>t</title></head><body><p>{body}</p></body></html>"


CHARSETS = {
    # name: (content type, bytes, text that must be in it)
    "utf-8 declared": ("text/html; charset=utf-8", page(FRENCH).encode(), FRENCH),
    "utf-8 undeclared": ("text/html", page(JAPANESE).encode(), JAPANESE),
    "utf-8 declared latin-1": ("text/html; charset=iso-8859-1", page(FRENCH).encode(), FRENCH),
    "byte order mark": ("", codecs.BOM_UTF8 + page(FRENCH).encode(), FRENCH),
    "byte order mark against the header": (
        "text/html; charset=windows-1251",
        codecs.BOM_UTF8 + page(FRENCH, "shift_jis").encode(),
        FRENCH,
    ),
    "utf-16 little with mark": ("", codecs.BOM_UTF16_LE + page(FRENCH).encode("utf-16-le"), FRENCH),
    "utf-16 big with mark": ("", codecs.BOM_UTF16_BE + page(KOREAN).encode("utf-16-be"), KOREAN),
    "utf-16 by header": (
        "text/html; charset=utf-16le",
        page("plain words").encode("utf-16-le"),
        "plain words",
    ),
    "shift_jis by meta only": ("text/html", page(JAPANESE, "Shift_JIS").encode("cp932"), JAPANESE),
    "shift_jis by http-equiv": (
        "text/html",
        b'<meta http-equiv="Content-Type" content="text/html; charset=x-sjis">'
        + page(JAPANESE).encode("cp932"),
        JAPANESE,
    ),
    "euc-kr by header": ("text/html; charset=EUC-KR", page(KOREAN).encode("euc-kr"), KOREAN),
    "euc-jp by meta": ("text/html", page(JAPANESE, "euc-jp").encode("euc-jp"), JAPANESE),
    "windows-1252 declared iso-8859-1": (
        "text/html; charset=ISO-8859-1",
        page(FRENCH).encode("cp1252"),
        FRENCH,
    ),
    "windows-1252 declared in quotes": (
        "text/html; charset = 'windows-1252'",
        page(FRENCH).encode("cp1252"),
        FRENCH,
    ),
    "header lies, meta is right": (
        "text/html; charset=utf-8",
        page(JAPANESE, "shift_jis").encode("cp932"),
        JAPANESE,
    ),
    "koi8-r": ("text/html; charset=koi8-r", page(RUSSIAN).encode("koi8-r"), RUSSIAN),
    "iso-2022-jp": (
        "text/html; charset=iso-2022-jp",
        page(JAPANESE).encode("iso-2022-jp"),
        JAPANESE,
    ),
    "gb18030 as gb2312": (
        "text/html; charset=gb2312",
        page("農民 𠀀").encode("gb18030"),
        "農民 𠀀",
    ),
    "undeclared windows-1251": ("text/html", page(RUSSIAN * 20).encode("cp1251"), RUSSIAN),
    "undeclared shift_jis": ("text/html", page(JAPANESE * 20).encode("cp932"), JAPANESE),
    "unknown label": ("text/html; charset=nonsense", page(FRENCH).encode(), FRENCH),
    "ascii page whose meta says utf-16": (
        "text/html",
        page("plain words", "utf-16").encode(),
        "plain",
    ),
    "ascii page whose header says utf-16": (
        "text/html; charset=utf-16",
        (page("plain words") + " ").encode(),
        "plain words",
    ),
}


@pytest.mark.parametrize("case", CHARSETS)
def test_html_text_charset_is_found(case: str) -> None:
    kind, data, text = CHARSETS[case]
    for padding in (b"", b"\n") if b"\0" not in data else (b"",):  # of even and of odd length
        assert text in decode(data + padding, kind.encode())


def test_html_text_byte_order_mark_is_no_text() -> None:
    assert decode(codecs.BOM_UTF8 + b"a") == "a"


def test_html_text_bad_bytes_are_replaced_and_the_rest_stays() -> None:
    text = decode(b"<p>good \xff\xfe\x81 text \xc3\xa9</p>", b"text/html; charset=utf-8")
    assert text.startswith("<p>good ")
    assert " text " in text


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(range(256)) * 3])
def test_html_text_any_bytes_decode(data: bytes) -> None:
    assert isinstance(decode(data), str)


ARTICLE = " ".join(["The farmer turned the soil early and waited for the rain."] * 8)


def html(body: str) -> bytes:
    return f"<html><head><title>t</title></head><body>{body}</body></html>".encode()


def pages(documents: MakeTable, *raw: bytes | None, kind: str = "text/html") -> pa.Table:
    """Documents with raw bytes; None stands for one that came as text."""
    table = documents([None if data else "came as text" for data in raw])
    table = table.append_column("raw", pa.array(raw, pa.binary()))
    return table.append_column("content_type", pa.array([kind] * len(raw), pa.string()))


def run(table: pa.Table, **params: Any) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Texts kept; (id, reason, value) of those dropped."""
    kept, dropped, _ = process(table, [PlannedStage("html_text", HtmlText(**params))])
    rows = [(r["id"], r["drop_reason"], r["drop_value"]) for r in dropped.to_pylist()]
    assert all(r["drop_stage"] == "html_text" for r in dropped.to_pylist())
    return kept["text"].to_pylist(), rows


@pytest.mark.parametrize("extractor", ["resiliparse", "trafilatura"])
def test_html_text_extractors_take_the_article_and_leave_scripts(
    documents: MakeTable, extractor: str
) -> None:
    body = f"<script>var secret = 1</script><article><h1>Soil</h1><p>{ARTICLE}</p></article>"
    texts, dropped = run(pages(documents, html(body)), extractor=extractor)
    assert dropped == []
    assert ARTICLE in texts[0]
    assert "secret" not in texts[0]


def test_html_text_main_content_leaves_navigation_out(documents: MakeTable) -> None:
    body = f"<nav><ul><li>Home</li><li>Cart</li></ul></nav><main><p>{ARTICLE}</p></main>"
    table = pages(documents, html(body))
    assert "Cart" not in run(table)[0][0]
    assert "Cart" in run(table, main_content=False)[0][0]


def test_html_text_plain_text_stays_as_it_is(documents: MakeTable) -> None:
    data = "a < b\n\n<p>not markup</p> é".encode("cp1252")
    texts, _ = run(pages(documents, data, kind="text/plain; charset=latin1"))
    assert texts == ["a < b\n\n<p>not markup</p> é"]


def test_html_text_markup_in_entities_becomes_plain_text(documents: MakeTable) -> None:
    texts, _ = run(
        pages(documents, html("<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; so on</p>"))
    )
    assert texts == ["<script>alert(1)</script> & so on"]


def test_html_text_control_characters_are_taken_out(documents: MakeTable) -> None:
    texts, _ = run(pages(documents, b"one\x00 two\x07\tthree\n", kind="text/plain"))
    assert texts == ["one two\tthree"]


@pytest.mark.parametrize(
    "data", [html("<script>document.write('x')</script>"), html(""), b" ", html("<p> </p>")]
)
def test_html_text_page_without_text_is_dropped_as_empty(documents: MakeTable, data: bytes) -> None:
    texts, dropped = run(pages(documents, data, html(f"<p>{ARTICLE}</p>")))
    assert texts == [ARTICLE]
    assert dropped == [("d0", "empty_text", None)]


def test_html_text_documents_without_raw_pass_untouched(documents: MakeTable) -> None:
    table = documents(["<p>a</p>", "  b  "])
    assert HtmlText().edit(table) is table
    assert run(table)[0] == ["<p>a</p>", "  b  "]


def test_html_text_mixed_table_extracts_only_rows_with_raw(documents: MakeTable) -> None:
    texts, dropped = run(pages(documents, None, html("<p>from a page</p>"), None))
    assert texts == ["came as text", "from a page", "came as text"]
    assert dropped == []


def test_html_text_result_has_no_raw_columns(documents: MakeTable) -> None:
    table = pages(documents, html("<p>a</p>"))
    for some in (table, table[:0]):
        kept, _, _ = process(some, [PlannedStage("html_text", HtmlText())])
        assert kept.column_names == documents([]).column_names


def test_html_text_too_deep_page_times_out_and_the_rest_goes_on(documents: MakeTable) -> None:
    deep = html("<div>" * 20_000 + "deep" + "</div>" * 20_000)
    table = pages(documents, html("<p>first</p>"), deep, html("<p>last</p>"))
    texts, dropped = run(table, timeout_s=1.0)
    assert texts == ["first", "last"]
    assert [(i, why) for i, why, _ in dropped] == [("d1", "error")]
    assert dropped[0][2].startswith("timeout")


def test_html_text_killed_child_loses_no_page(documents: MakeTable) -> None:
    table = pages(documents, html("<p>a</p>"), html("<p>b</p>"))
    stage = HtmlText(timeout_s=11.0)
    assert run(table, timeout_s=11.0)[0] == ["a", "b"]
    options = {"extractor": stage.extractor, "main_content": stage.main_content}
    child = sandbox("curation.modifiers.html_text:extract", options, 11.0)
    assert child._child is not None
    child._child.kill()
    child._child.wait()
    assert run(table, timeout_s=11.0) == (["a", "b"], [])


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": -1.0}, "timeout_s"),
        ({"extractor": "readability"}, "resiliparse"),
        ({"extractor": "trafilatura", "main_content": False}, "main_content"),
    ],
)
def test_html_text_impossible_parameter_is_an_error(params: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError) as error:
        build(HtmlText, params, where="r.yaml")
    assert named in str(error.value)
