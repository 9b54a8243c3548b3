"""The frame of a page: head, header, contents, sections; in one file that loads nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipelines.report.markup import Html, tag
from pipelines.report.style import style_sheet

# Nothing may load or run; the style sheet is inline, the icon is an empty data URL.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)

Section = tuple[str, str, Html]  # its id, its title, its content; empty content leaves it out


def frame(title: str, told: str, sections: Sequence[Section], style: str = "") -> str:
    """The page: `told` stands below the title, `style` is CSS after that of every page."""
    shown = [section for section in sections if section[2]]
    header = tag("header", tag("p", "tilth report"), tag("h1", title), tag("p", told))
    main = tag("main", *(_section(*section) for section in shown))
    body = tag("body", header, _contents(shown), main)
    return "<!doctype html>\n" + tag("html", _head(title, style), body, lang="en") + "\n"


def write_page(folder: Path, page: str) -> Path:
    """Writes `folder/report.html`."""
    target = folder / "report.html"
    # A reader never sees half a page, and a broken one never replaces a good one.
    draft = target.with_suffix(".html.tmp")
    draft.write_text(page, encoding="utf-8")
    os.replace(draft, target)
    return target


def _head(title: str, style: str) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{title} · tilth report"),
        tag("style", Html(style_sheet() + style)),
    )


def _contents(sections: Sequence[Section]) -> Html:
    links = [tag("li", tag("a", title, href=f"#{key}")) for key, title, _ in sections]
    return tag("nav", tag("ul", *links), aria_label="Sections")


def _section(key: str, title: str, content: Html) -> Html:
    return tag("section", tag("h2", title), content, id=key)
