"""Nothing that a document, url, source, recipe or error says becomes markup."""

import json
import re

import pytest

from pipelines.report.markup import Html, clip, join, tag, visible
from pipelines.report.page import write_report

SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;"
HOSTILE_NAME = "<img src=x onerror=alert(9)> & \"co'"


@pytest.fixture
def hostile_page(make_example):
    """A page where names of recipes, seeds, metrics and panels are hostile as well."""
    folder = make_example({"raw": 0.0, HOSTILE_NAME: 0.03})
    card = folder / HOSTILE_NAME / "scorecard.json"
    content = json.loads(card.read_text())
    content["panels"]["<svg onload=alert(4)>"] = {"mean": 1.0}
    content["metrics"] = {"</table><script>alert(5)</script>": "\ud800</td>"}
    card.write_text(json.dumps(content))
    return write_report(folder).read_text(encoding="utf-8")


def test_document_text_shows_as_text(page):
    assert SHOWN in page
    assert "&lt;img src=x onerror=alert(2)&gt;" in page
    assert "<script" not in page
    assert "<img" not in page


def test_document_url_is_text_not_a_link(page):
    assert "javascript:alert(&#x27;url&#x27;)" in page
    assert not re.search(r"(href|src)=\"(https?:|javascript:)", page)


def test_document_control_and_direction_characters_are_written_out(page):
    assert "␀ ␛[31m ‹U+202E›gnp.exe‹U+202C›" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


def test_source_and_language_names_show_as_text(page):
    assert "&lt;b&gt;mail&lt;/b&gt;" in page
    assert "&lt;i&gt;fr&lt;/i&gt;" in page
    assert "<b>mail" not in page
    assert "<i>" not in page


def test_parameters_and_errors_show_as_text(page):
    assert f"&quot;{SHOWN}&quot;" in page
    assert f"bad record {SHOWN}" in page


def test_hostile_names_never_become_elements(hostile_page):
    assert "&lt;img src=x onerror=alert(9)&gt; &amp; &quot;co&#x27;" in hostile_page
    assert "&lt;svg onload=alert(4)&gt;" in hostile_page
    assert "‹U+D800›&lt;/td&gt;" in hostile_page
    for element in ("<script", "<img", "<svg onload"):
        assert element not in hostile_page


def test_tag_escapes_text_and_attributes_but_not_markup():
    inner = tag("b", "a < b")
    assert tag("p", inner, "&", title='"x"') == '<p title="&quot;x&quot;"><b>a &lt; b</b>&amp;</p>'


def test_tag_leaves_out_none_and_renames_attributes():
    assert tag("rect", class_="kept", stroke_width=1.234, x=None) == (
        '<rect class="kept" stroke-width="1.23"></rect>'
    )
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_text_made_from_markup_is_text_again():
    assert join([Html("<b>") + "x"]) == "&lt;b&gt;x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\tb\nc\r\nd", "a\tb\nc\nd"),
        ("bell\x07", "bell␇"),
        ("a\rb", "a␍b"),
        ("\x85\u2028", "‹U+0085›‹U+2028›"),
        ("\u2067rtl\u2069\ufeff", "‹U+2067›rtl‹U+2069›‹U+FEFF›"),
        ("\U000e0041", "‹U+E0041›"),
        ("שלום 👩\u200d🌾", "שלום 👩\u200d🌾"),
    ],
)
def test_visible_writes_out_what_cannot_be_seen(text, expected):
    assert visible(text) == expected


def test_clip_keeps_short_text_and_marks_a_cut():
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "abc…"
