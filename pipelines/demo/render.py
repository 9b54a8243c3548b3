"""Pages as HTML documents of a site: menu, breadcrumbs, side bar, cookie line and footer."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterable, Sequence

from pipelines.demo.markup import code_html, to_html
from pipelines.demo.page import Page, draw
from pipelines.demo.templates import FOOTERS, NOTICES, shell_of

MENU_LINKS = 7
SIDE_LINKS = 5


class Web:
    """The sites that `pages` make up, so that each page can link to its neighbours."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._sites: dict[str, list[Page]] = defaultdict(list)
        for page in pages:
            self._sites[page.host].append(page)

    def html(self, page: Page) -> str:
        """The HTML document of a page."""
        site = self._sites[page.host]
        start = site.index(page)
        after = [site[(start + i) % len(site)] for i in range(1, 1 + SIDE_LINKS)]
        return shell_of(page.host).substitute(
            title=html.escape(page.title),
            site=html.escape(page.package),
            nav=_links(site[:MENU_LINKS]),
            crumbs=_crumbs(page),
            side=_links(after[: len(site) - 1]),
            body=code_html(page.text) if page.kind == "source" else to_html(page.text),
            notice=NOTICES[draw(0, "notice", page.host) % len(NOTICES)],
            footer=_footer(page),
            year=2015 + draw(0, "year", page.host) % 10,
        )


def _links(pages: Sequence[Page]) -> str:
    return "\n".join(
        f'<li><a href="{html.escape(page.url)}">{html.escape(page.title)}</a></li>'
        for page in pages
    )


def _crumbs(page: Page) -> str:
    home = f'<a href="https://{page.host}/">Home</a>'
    kind = f'<a href="https://{page.host}/{page.kind}/">{page.kind.title()}</a>'
    return f"{home} &raquo; {kind} &raquo; <span>{html.escape(page.title)}</span>"


def _footer(page: Page) -> str:
    words = FOOTERS[draw(0, "footer", page.host) % len(FOOTERS)]
    links = '<a href="/imprint">Imprint</a> <a href="/privacy">Privacy</a> <a href="/rss">RSS</a>'
    return f"{words} {links}"
