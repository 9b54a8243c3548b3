"""Markdown, reStructuredText and plain text as HTML: headings, paragraphs, lists and code.

Enough of both languages that the pages have the structure of real documentation; what is not
understood stays as text. Everything is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import dedent

_TAGS = "a|b|br|center|code|div|details|em|h[1-6]|hr|i|img|li|p|picture|pre|source|span|strong"
_TAGS += "|sub|summary|sup|table|tbody|td|th|thead|tr|ul|ol|video"
_TAG = re.compile(rf"</?(?:{_TAGS})\b[^<>]*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_IMAGE = re.compile(r"\[?!\[[^\]]*\]\([^)]*\)(?:\]\([^)]*\))?")  # a badge is an image in a link
_FENCE = re.compile(r"^ *(```|~~~)[^\n`]*\n(.*?)(?:^ *\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*")
_RULE = re.compile(r"""\s*([=\-~^"'`*+#_.:])\1{2,}\s*""")  # underlines a heading, or stands alone
_ITEM = re.compile(r"(?:[-*+\u2022]|\d{1,3}[.)])\s+(.*)")
_DIRECTIVE = re.compile(r"\.\. (?:[\w-]+::|_|\|).*")
_LEVELS = "=-~^"  # from the outermost heading, as commonly nested


def to_html(text: str) -> str:
    """The elements of a page's main content, one per line."""
    elements: list[str] = []
    end = 0
    for fence in _FENCE.finditer(text):
        elements += _prose(text[end : fence.start()])
        elements.append(code_html(dedent(fence[2]).rstrip()))
        end = fence.end()
    return "\n".join([*elements, *_prose(text[end:])])


def code_html(code: str) -> str:
    """Program text as one element."""
    return f"<pre><code>{html.escape(code)}</code></pre>"


def _prose(text: str) -> Iterator[str]:
    """The elements of text without fences; an indented block after `::` is code."""
    announced = False
    for block in re.split(r"\n[ \t]*(?:\n[ \t]*)*\n", _TAG.sub("", _IMAGE.sub("", text))):
        is_indented = block.startswith((" ", "\t"))
        lines = dedent(block).strip("\n").split("\n")
        if (announced and is_indented) or lines[0].startswith((">>>", "$ ", "|", "+-")):
            yield code_html("\n".join(lines))
        else:
            yield from _block([line for line in lines if not _DIRECTIVE.fullmatch(line)])
            announced = lines[-1].rstrip().endswith("::")


def _block(lines: list[str]) -> Iterator[str]:
    """The elements of one block: headings first, then lists, definitions or a paragraph."""
    while lines:
        if match := _HEADING.fullmatch(lines[0]):
            yield _heading(len(match[1]), match[2])
            lines = lines[1:]
        elif _RULE.fullmatch(lines[0]) or not lines[0].strip():
            lines = lines[1:]
        elif len(lines) > 1 and (rule := _RULE.fullmatch(lines[1])):
            yield _heading(1 + max(_LEVELS.find(rule[1]), 0), lines[0])
            lines = lines[2:]
        else:
            yield from _body(lines)
            return


def _heading(level: int, text: str) -> str:
    level = min(level + 1, 6)  # the template holds the only h1
    return f"<h{level}>{_inline(text.strip())}</h{level}>"


def _body(lines: list[str]) -> Iterator[str]:
    if _ITEM.match(lines[0]):
        yield from _list(lines)
    elif len(lines) > 1 and lines[1].startswith(("  ", "\t")) and not lines[0].startswith(" "):
        yield from _definitions(lines)
    else:
        yield f"<p>{_inline(' '.join(map(str.strip, lines)))}</p>"


def _list(lines: list[str]) -> Iterator[str]:
    """A list: each item is a marked line and the lines up to the next one."""
    items: list[list[str]] = []
    for line in map(str.strip, lines):
        if match := _ITEM.match(line):
            items.append([match[1]])
        else:
            items[-1].append(line)
    yield "<ul>"
    yield from (f"<li>{_inline(' '.join(words))}</li>" for words in items)
    yield "</ul>"


def _definitions(lines: list[str]) -> Iterator[str]:
    """Terms at the margin, their explanations indented: how parameters are documented."""
    yield "<dl>"
    for is_term, group in groupby(lines, key=lambda line: not line.startswith((" ", "\t"))):
        text = _inline(" ".join(line.strip() for line in group))
        yield f"<dt>{text}</dt>" if is_term else f"<dd>{text}</dd>"
    yield "</dl>"


def _inline(text: str) -> str:
    """Escaped text with links, code and emphasis as elements."""
    text = html.escape(text)
    text = re.sub(r"``(.+?)``|`([^`]+)`", lambda m: f"<code>{m[1] or m[2]}</code>", text)
    text = re.sub(r"\[([^\[\]]+)\]\((https?://[^\s)]+)\)", r'<a href="\2">\1</a>', text)
    return re.sub(r"\*\*(\w[^*]*?)\*\*", r"<strong>\1</strong>", text)
