"""Markup from parts. Text is escaped unless it is already `Html`, so forgetting is safe.

Documents are untrusted: beside escaping, characters that a reader cannot see or that reorder the
text around them (control characters, bidirectional overrides) are written out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

Attribute = str | float | None

_VOID = frozenset({"br", "col", "hr", "link", "meta"})
# C0 but tab and newline, DEL and C1, marks and overrides of direction, separators that are no
# newline to a browser, zero-width characters but the joiners that scripts and emoji need,
# interlinear marks, lone surrogates, tag characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


class Html(str):
    """Markup, as against text: `tag` and `join` do not escape it again."""

    __slots__ = ()


def visible(text: str) -> str:
    """`text` with every unseen or reordering character written out: `␀`, `‹U+202E›`."""
    return _UNSEEN.sub(_written_out, text.replace("\r\n", "\n"))


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, an ellipsis where something was cut."""
    return text if len(text) <= limit else text[:limit] + "…"


def join(children: Iterable[str]) -> Html:
    """The children one after another, those that are text escaped."""
    return Html("".join(_escaped(child) for child in children))


def tag(name: str, /, *children: str, **attributes: Attribute) -> Html:
    """An element. `class_` becomes `class`, `stroke_width` `stroke-width`; None leaves one out."""
    given = [(k, v) for k, v in attributes.items() if v is not None]
    opening = " ".join([name, *(_attribute(k, v) for k, v in given)])
    if name in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{join(children)}</{name}>")


def _escaped(child: str) -> str:
    return child if isinstance(child, Html) else html.escape(visible(child), quote=True)


def _attribute(key: str, value: str | float) -> str:
    name = key.rstrip("_").replace("_", "-")
    # Two decimals are a hundredth of a pixel.
    text = value if isinstance(value, str) else f"{round(value, 2):g}"
    return f'{name}="{html.escape(visible(text), quote=True)}"'


def _written_out(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)  # Unicode has a picture for each C0 control
    return f"‹U+{code:04X}›"
