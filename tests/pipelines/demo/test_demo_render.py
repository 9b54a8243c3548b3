"""Markup as HTML, pages as documents, and the trouble put into them."""

import random
from html.parser import HTMLParser

import pytest
from resiliparse.extract.html2text import extract_plain_text

from pipelines.demo.markup import to_html
from pipelines.demo.page import Page
from pipelines.demo.passages import edit_words, insert, opening, passages, remove
from pipelines.demo.render import Web
from pipelines.demo.spam import SORTS, spam_pages

VOID = {"meta", "link", "br", "img", "hr"}


class Balance(HTMLParser):
    """Raises where an element is closed that is not the innermost open one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Title #", "<h2>Title</h2>"),
        ("Title\n=====\nText", "<h2>Title</h2>\n<p>Text</p>"),
        ("=====\nTitle\n=====", "<h2>Title</h2>"),
        ("one\ntwo\n\nthree", "<p>one two</p>\n<p>three</p>"),
        ("- a\n  b\n- c", "<ul>\n<li>a b</li>\n<li>c</li>\n</ul>"),
        ("x : int\n    The x.", "<dl>\n<dt>x : int</dt>\n<dd>The x.</dd>\n</dl>"),
        ("```py\nif a < b:\n\n    c\n```", "<pre><code>if a &lt; b:\n\n    c</code></pre>"),
        ("So::\n\n    a  b", "<p>So::</p>\n<pre><code>a  b</code></pre>"),
        (">>> 1 + 1\n2", "<pre><code>&gt;&gt;&gt; 1 + 1\n2</code></pre>"),
        ("a `b<c` **d**", "<p>a <code>b&lt;c</code> <strong>d</strong></p>"),
        ("[a](https://b.c)", '<p><a href="https://b.c">a</a></p>'),
        ("[![badge](x.svg)](https://b.c) text", "<p>text</p>"),
        ('<p align="center">text</p>', "<p>text</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ('[a](https://b.c"onclick="x)', '<p><a href="https://b.c&quot;onclick=&quot;x">a</a></p>'),
    ],
)
def test_to_html(text: str, html: str) -> None:
    assert to_html(text) == html


def test_html_keeps_text_and_nests_well_on_every_shell() -> None:
    words = "The <b> & \"quoted\" 'words' of a paragraph that is long enough to be found again."
    text = f"{words}\n\n- the first item of a list\n- the second item of a list\n\n```\ncode()\n```"
    places = [(f"site-{i}", f"p {j}") for i in range(12) for j in range(3)]
    pages = [Page("readme", site, "A <title>", path, text) for site, path in places]
    web = Web(pages)
    shells = set()
    for page in pages:
        html = web.html(page)
        parser = Balance()
        parser.feed(html)
        assert parser.open == []
        shells.add(html.split("<body>")[1][:20])
        content = extract_plain_text(html, main_content=True, links=False)
        kept = words.replace("<b>", "").split()
        assert " ".join(kept) in " ".join(content.split())
        assert "the second item of a list" in content
        assert "code()" in content
        assert "cookie" not in content.lower()
    assert len(shells) == 3


def test_source_is_one_block_as_written() -> None:
    code = "def f(a):\n    # <b> & co\n    return a\n"
    html = Web([page := Page("source", "a", "m", "m.py", code)]).html(page)
    content = extract_plain_text(html, main_content=True)
    assert code.strip() in content


PROSE = "This is a paragraph of plain prose that is long enough to count as a passage. It has two."
TEXT = f"# Title\n\n{PROSE}\n\n```\n{PROSE}\n```\n\n* {PROSE}\n\nAnother one. {PROSE}"


def test_passages_are_plain_paragraphs_outside_of_code() -> None:
    assert passages(TEXT) == [PROSE, f"Another one. {PROSE}"]
    assert opening(PROSE, 1) + " It has two." == PROSE


def test_insert_remove_and_edit_change_only_plain_paragraphs() -> None:
    rng = random.Random(0)
    longer = "\n\n".join([TEXT] * 5)
    assert insert(TEXT, "New.", rng).replace("New.\n\n", "").replace("\n\nNew.", "") == TEXT
    removed = remove(longer, rng)
    assert removed is not None
    assert len(passages(removed)) == len(passages(longer)) - 1
    edited = edit_words(longer, rng)
    assert edited is not None
    assert edited != longer
    assert edited.count(f"```\n{PROSE}\n```") == 5
    assert remove("# Title", rng) is None
    assert edit_words("# Title", rng) is None


def test_spam_is_repeatable_of_all_sorts_and_never_held_out() -> None:
    def held_out(host: str) -> bool:
        return "shoes" in host

    pages = spam_pages(40, 0, held_out)
    assert pages == spam_pages(40, 0, held_out)
    assert pages != spam_pages(40, 1, held_out)
    assert {sort for sort, _ in pages} == set(SORTS)
    assert len({page.url for _, page in pages}) == 40
    assert not any(held_out(page.host) for _, page in pages)
